"""Numbers and paths that are far too long, and what stands in the lock's place: one message, no traceback, nothing waited for."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import call, written

from wizard.answers import editing
from wizard.answers import files as answer_files
from wizard.cli import parser
from wizard.errors import Exit, InputError, NodeError, Refused
from wizard.model.questions import Question
from wizard.node.live import open_node
from wizard.runs.lock import only_run
from wizard.runs.records import age, is_meant, lock_holder, parse

HEAD = 'format = "compute-wizard.answers/1"\n'
MANY = "9" * 5000
HUGE = "0x" + "f" * 5000
RUN = "0009-20260101T000000Z"


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return written(tmp_path / "origin")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + f"[iommu]\nenable = {MANY}\n", "line 3: a number has far too many digits"),
        (HEAD + f"[iommu]\nenable = {HUGE}\n", "iommu.enable: has to be true or false, not a number of far too many"),
        (HEAD + f"[iommu]\nenable = [{HUGE}]\n", "iommu.enable: has to be true or false, not a number of far too many"),
        (
            HEAD + f'[[gateways.network]]\nlabel = "a"\nrouter = "10.0.0.1"\nvlan = {HUGE}\n',
            "gateways.network[1].vlan: ",
        ),
        (HEAD + f'[[vfs.card]]\nmatch = {{ serial = "x" }}\ncount = {HUGE}\n', "vfs.card[1].count: "),
        (f"format = {HUGE}\n", "format is a number of far too many digits"),
    ],
    ids=["decimal", "hexadecimal", "in a list", "vlan", "count", "format"],
)
def test_answers_with_a_number_that_is_too_long_say_where_it_is(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        answer_files.from_text(text, "answers.toml")
    assert str(caught.value).startswith("answers.toml: ")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", [MANY, "-" + MANY, "--5", "-", "²", "1.5"])
def test_what_is_typed_for_a_number_is_plain_digits(text: str) -> None:
    with pytest.raises(InputError, match="type a whole number"):
        editing.parse(Question(("x",), "number", "X"), text)
    with pytest.raises(argparse.ArgumentTypeError):
        parser.minutes(text)


def test_a_run_is_meant_by_no_number_that_is_too_long() -> None:
    assert is_meant(RUN, "9")
    assert is_meant(RUN, "0009")
    assert not any(is_meant(RUN, word) for word in (MANY, "²", "-9", ""))
    assert age(f"{'9' * 200}-x")[0] == 0


@pytest.mark.parametrize(
    "words", [["history"], ["undo"], ["resume"], ["confirm"], ["bundle"]], ids=lambda words: words[0]
)
def test_a_run_whose_number_is_too_long_is_not_there(
    origin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    out = ["--out", str(tmp_path / "bundle")] if words == ["bundle"] else []
    code, _, err = call(capsys, *words, MANY, *out, "--root", str(origin))
    assert code == Exit.ERROR
    assert err.startswith("compute-wizard: there is no run 999")


def test_a_journal_of_a_version_that_is_too_long_is_a_newer_one() -> None:
    with pytest.raises(NodeError, match="newer version"):
        parse(f'{{"event": "begin", "format": "compute-wizard.journal/{MANY}"}}\n'.encode())


@pytest.mark.parametrize("command", [["inspect"], ["check"], ["plan"], ["history"], ["undo", "1"], ["verify"]])
def test_a_root_that_is_too_long_cannot_be_opened(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    for root in ("a" * 5000, "/" + "a/" * 5000):
        code, _, err = call(capsys, *command, "--root", root)
        assert code == Exit.ERROR
        assert "cannot be opened: File name too long" in err
        assert len(err) < 500


def test_a_root_that_is_a_loop_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match=r"does not exist|cannot be opened"):
        open_node(str(tmp_path / "loop"))


@pytest.mark.parametrize("kind", ["a FIFO or a pipe", "a directory", "a link"])
def test_what_is_no_lock_is_refused_before_anything_is_touched(
    origin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    plan, state = tmp_path / "plan.json", origin / "var/lib/compute-wizard"
    call(capsys, "plan", "--root", str(origin), "--out", str(plan))
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = state / "lock"
    make: dict[str, Callable[[Path], None]] = {
        "a FIFO or a pipe": os.mkfifo,
        "a directory": Path.mkdir,
        "a link": lambda path: path.symlink_to("other"),
    }
    make[kind](lock)
    code, _, err = call(capsys, "apply", str(plan), "--root", str(origin), "--files-only", "--yes")
    assert code == Exit.REFUSED
    assert err.startswith(f"compute-wizard: {lock}: is {kind}, where the lock of this tool has to be")
    assert sorted(path.name for path in state.iterdir()) == ["lock"]
    with pytest.raises(Refused, match="where the lock of this tool has to be"), only_run(state, RUN):
        pass
    assert lock_holder(lock) is None

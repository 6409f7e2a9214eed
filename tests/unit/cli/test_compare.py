"""compare: which nodes differ, which matcher selects what where, and what is there twice."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
from calling import call, written
from places import REPOSITORY

SERIAL = "MT1644X02937"


def recording(directory: Path) -> Path:
    path = directory.with_suffix(".tar")
    with tarfile.open(path, "w") as archive:
        archive.add(directory, arcname=".")
    return path


@pytest.fixture
def nodes(tmp_path: Path) -> list[Path]:
    """Three nodes of one kind; the third has another count and kernel."""
    first = written(tmp_path / "one")
    for name in ("two", "three"):
        shutil.copytree(first, tmp_path / name, symlinks=True)
    made = [tmp_path / name for name in ("one", "two", "three")]
    for node in made:
        (node / "etc/hostname").write_text(f"{node.name}\n", "utf-8")
        (node / "proc/sys/kernel/hostname").write_text(f"{node.name}\n", "utf-8")
    (made[2] / "proc/sys/kernel/osrelease").write_text("9.9.9-other\n", "utf-8")
    return [recording(node) for node in made]


def compared(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, Any]:
    code, out, _ = call(capsys, "compare", *map(str, words), "--json")
    return code, json.loads(out)


def test_what_differs_is_named_with_each_nodes_value(nodes: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    code, found = compared(capsys, *nodes)
    assert code == 2
    assert [node["name"] for node in found["nodes"]] == ["one", "two", "three"]
    assert found["hardware"]["groups"] == [["one", "two"], ["three"]]
    assert set(found["hardware"]["differs"]) == {"kernel"}
    assert found["hardware"]["differs"]["kernel"]["three"] == "9.9.9-other"
    assert found["answers"] == {"groups": [["one", "two", "three"]], "differs": {}}


def test_what_is_there_twice(nodes: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    _, found = compared(capsys, *nodes)
    twice = {(each["kind"], each["value"]): each["nodes"] for each in found["duplicates"]}
    assert twice[("serial", SERIAL)] == ["one", "two", "three"]
    assert {"serial", "guid"} <= {kind for kind, _ in twice}


def test_one_node_with_itself_has_nothing_that_differs(nodes: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    _, found = compared(capsys, nodes[0], nodes[0])
    assert [found[kind]["differs"] for kind in ("hardware", "answers", "state")] == [{}, {}, {}]
    assert [node["name"] for node in found["nodes"]] == ["one.tar (1)", "one.tar (2)"]


def test_which_matcher_selects_what_where(
    nodes: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = tmp_path / "fleet.toml"
    answers.write_text(
        'format = "compute-wizard.answers/1"\n'
        '[[vfs.card]]\nmatch = { serial = "none such" }\ncount = 1\n'
        '[[vfs.card]]\nmatch = { vendor = "15b3", product = "1007" }\ncount = 2\n',
        "utf-8",
    )
    other = recording(written(tmp_path / "other", "today"))
    _, found = compared(capsys, nodes[0], other, "--answers", str(answers))
    selects = {json.dumps(each["match"]): each["selects"] for each in found["matchers"]}
    first = found["nodes"][0]["name"]
    assert all(not ports for ports in selects['{"serial": "none such"}'].values())
    kind = selects['{"vendor": "15b3", "product": "1007"}']
    assert kind[first] and all(re.match(r"[0-9a-f]{4}:[0-9a-f]{2}:", port) for port in kind[first])
    assert {node["asked_by"] for node in found["nodes"]} == {"answers"}


def test_the_table_says_the_same(nodes: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "compare", *map(str, nodes))
    assert (code, err) == (2, "")
    assert re.search(r"^  kernel +\S+ +\S+ +9\.9\.9-other$", out, re.M)
    assert "Hardware: 2 groups\n  one, two\n" in out and "Answers: all the same" in out
    assert f"  serial {SERIAL}: one, two, three\n" in out


def test_one_node_alone_is_no_comparison(nodes: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "compare", str(nodes[0]))[0] == 64


def test_the_fields_stand_in_the_document(nodes: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    _, found = compared(capsys, *nodes)
    text = (REPOSITORY / "docs/json.md").read_text("utf-8").split("## `compare`")[1].split("\n## ")[0]
    named = {name for row in re.findall(r"^\| (`.+?) \|", text, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert named == set(found)

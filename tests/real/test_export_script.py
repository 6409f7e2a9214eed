"""The exported script: the same bytes as apply, under the shells of old nodes; no secret in it; the way back beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.answers import suggestion
from wizard.apply import launch
from wizard.export.script import script
from wizard.facts import facts
from wizard.hashing import digest
from wizard.model.expectations import ExpectFile
from wizard.model.plan import NodeName, Plan
from wizard.model.steps import FileContent, FileState, RemoveFile, WriteFile
from wizard.node.recorded import DirectoryNode
from wizard.planning.planner import make_plan
from wizard.runs.journal import follow
from wizard.simulator import described
from wizard.simulator.built_in import built_in

SHELLS = {"dash": ["dash"], "busybox": ["busybox", "sh"]}


def shell_of(name: str) -> list[str]:
    if shutil.which(SHELLS[name][0]) is None:
        pytest.skip(f"{name}: the program is not installed")
    return SHELLS[name]


def run(words: list[str], text: str, root: Path) -> subprocess.CompletedProcess[str]:
    path = root.parent / "script.sh"
    path.write_text(text, encoding="utf-8")
    environment = {"PATH": os.defpath, "COMPUTE_WIZARD_ROOT": str(root)}
    return subprocess.run([*words, path], capture_output=True, text=True, env=environment, check=False, timeout=60)


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(root)): (path.stat().st_mode, path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not str(path.relative_to(root)).startswith(("var/lib/compute-wizard", "sys", "proc"))
    }


@pytest.fixture(params=["origin", "today"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("shell", SHELLS)
def test_it_does_what_apply_does_and_takes_it_back(shell: str, name: str, tmp_path: Path) -> None:
    words = shell_of(shell)
    roots = [tmp_path / "by-script" / "root", tmp_path / "by-apply" / "root"]
    for root in roots:
        root.mkdir(parents=True)
        described.materialise(built_in(name), root)
    before = tree(roots[0])
    seen = facts.read(DirectoryNode(roots[0]))
    plan = make_plan(seen, suggestion.suggest(seen))
    text = script(seen, plan)
    secrets = [
        line.partition("=")[2].strip()
        for line in (seen.content("/etc/nova/nova.conf") or b"").decode().splitlines()
        if "password" in line or "connection" in line
    ]
    assert secrets
    assert not [secret for secret in secrets if secret in text]
    done = run(words, text, roots[0])
    assert (done.returncode, done.stderr) == (0, "")
    list(follow(launch.start(roots[1], plan, files_only=True).journal))
    assert tree(roots[0]) == tree(roots[1])
    again = run(words, text, roots[0])
    assert again.returncode == 4
    assert "Nothing was changed" in again.stderr
    (undo,) = roots[0].glob("var/lib/compute-wizard/script-*/undo.sh")
    assert undo.parent.stat().st_mode & 0o077 == 0
    back = subprocess.run(
        [*words, undo], capture_output=True, text=True, env={"PATH": os.defpath}, check=False, timeout=60
    )
    assert (back.returncode, back.stderr) == (0, "")
    assert tree(roots[0]) == before


def test_what_changed_since_is_named_and_nothing_is_touched(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    described.materialise(built_in("origin"), root)
    seen = facts.read(DirectoryNode(root))
    text = script(seen, make_plan(seen, suggestion.suggest(seen)))
    conf = root / "etc/nova/nova.conf"
    conf.write_bytes(conf.read_bytes() + b"# x\n")
    before = tree(root)
    done = run(shell_of("dash"), text, root)
    assert done.returncode == 4
    assert "/etc/nova/nova.conf has another content" in done.stderr
    assert tree(root) == before
    assert not (root / "var/lib/compute-wizard").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"[a]\npassword = hunter2", b"[a]\npassword = hunter2\nmore = 1\n"),
        (b"password = hunter2\n[a]\n", b"[a]\npassword = hunter2\n"),
        (b"[a]\npassword = hunter2\n[b]\n", b"[b]\n[a]\npassword = hunter2"),
        (b"[a]\npassword = hunter2", b"password = hunter2\n[a]"),
    ],
)
def test_a_line_that_moves_or_gets_an_end_is_not_written_out(old: bytes, new: bytes, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/a").write_bytes(old)
    state = FileState(sha256=digest(old), mode=f"{(root / 'etc/a').stat().st_mode & 0o777:04o}", owner="root:root")
    step = WriteFile(
        path="/etc/a",
        before=state,
        after=FileContent.of(new, 0o640, "root:root"),
        chapters=("x",),
        phase="files",
        why=("w",),
        diff="",
    )
    plan = Plan(node=NodeName(hostname="h", os="o", nova=None), steps=(step,))
    text = script(facts.read(DirectoryNode(root)), plan)
    assert "hunter2" not in text
    done = run(shell_of("dash"), text, root)
    assert (done.returncode, done.stderr) == (0, "")
    assert (root / "etc/a").read_bytes() == new


CONTENT = st.lists(
    st.one_of(
        st.sampled_from(
            [b"", b"a", b"b = c", b"COMPUTE_WIZARD_END", b"$(x) `y` \\", b"'\"", b"\xff\x00\x01", b"%s %d\\n", b"\tx\r"]
        ),
        st.binary(max_size=8),
    ),
    max_size=8,
).flatmap(lambda lines: st.booleans().map(lambda end: b"\n".join(lines) + (b"\n" if end else b"")))


@settings(max_examples=40, deadline=None)
@given(CONTENT, CONTENT)
def test_any_content_becomes_any_other(old: bytes, new: bytes) -> None:
    if shutil.which("dash") is None:
        pytest.skip("dash: the program is not installed")
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory, "root")
        (root / "etc").mkdir(parents=True)
        (root / "etc/a").write_bytes(old)
        (root / "etc/b").write_bytes(old)
        state = FileState(sha256=digest(old), mode=f"{(root / 'etc/a').stat().st_mode & 0o777:04o}", owner="root:root")
        common: dict[str, Any] = {"chapters": ("x",), "phase": "files", "why": ("w",), "diff": ""}
        steps = (
            WriteFile(path="/etc/a", before=state, after=FileContent.of(new, 0o640, "root:root"), **common),
            WriteFile(path="/etc/new/c", before=None, after=FileContent.of(new, 0o600, "root:root"), **common),
            RemoveFile(path="/etc/b", before=state, **common),
        )
        expects = (
            ExpectFile(path="/etc/a", sha256=digest(old), mode=state.mode, owner=state.owner),
            ExpectFile(path="/etc/new/c", sha256=None),
        )
        plan = Plan(node=NodeName(hostname="h", os="o", nova=None), steps=steps, expects=expects)
        seen = facts.read(DirectoryNode(root))
        done = run(["dash"], script(seen, plan), root)
        assert (done.returncode, done.stderr) == (0, "")
        assert ((root / "etc/a").read_bytes(), (root / "etc/new/c").read_bytes()) == (new, new)
        assert (root / "etc/a").stat().st_mode & 0o777 == 0o640
        assert not (root / "etc/b").exists()

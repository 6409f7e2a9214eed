"""What an exported script says of itself, before and after: what cannot be taken back wants its word, a dry run checks, and
nothing is promised that undo.sh does not do."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import needs
import pytest
from calling import call, written

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.export.script import script
from wizard.facts import facts
from wizard.hashing import digest
from wizard.model.plan import NodeName, Plan
from wizard.model.steps import FileContent, FileState, RunCommand, StopByPidfile, WriteFile
from wizard.node.recorded import DirectoryNode
from wizard.planning.planner import make_plan
from wizard.simulator.built_in import built_in

SHELLS = [pytest.param(["dash"], id="dash"), pytest.param(["busybox", "sh"], id="busybox")]
NOTHING = 'format = "compute-wizard.answers/1"\n'
COMMON: dict[str, Any] = {"chapters": ("x",), "why": ("w",)}


def run(shell: list[str], path: Path, *words: str, root: Path | None = None) -> subprocess.CompletedProcess[str]:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]}: the program is not installed")
    environment = {"PATH": os.defpath} | ({"COMPUTE_WIZARD_ROOT": str(root)} if root else {})
    return subprocess.run(
        [*shell, path, *words], capture_output=True, text=True, env=environment, check=False, timeout=60
    )


def content(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file() and not path.is_symlink()}


def with_firmware() -> str:
    """What is suggested for the demo node, with more VFs than its firmware offers."""
    text = answer_files.to_toml(suggestion.suggest(facts.read(built_in("demo"))), {})
    assert 'count = 16\nports = "keep"\nhost_vfs = 0\nfirmware = "keep"' in text
    return text.replace('count = 16\nports = "keep"\nhost_vfs = 0\nfirmware = "keep"', 'count = 32\nfirmware = "set"')


@pytest.fixture
def firmware(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Path, Path]:
    """A node, and a script for it with a step that cannot be taken back."""
    root, answers, out = written(tmp_path / "node", "demo"), tmp_path / "answers.toml", tmp_path / "change.sh"
    answers.write_text(with_firmware(), encoding="utf-8")
    code, said, _ = call(capsys, "export", "script", "--root", str(root), "--answers", str(answers), "--out", str(out))
    assert code == 0
    assert "--accept one-way" in said
    assert "NUM_OF_VFS=32" in said
    return root, out


@pytest.mark.parametrize("shell", SHELLS)
def test_what_cannot_be_taken_back_wants_its_word(shell: list[str], firmware: tuple[Path, Path]) -> None:
    root, out = firmware
    before = content(root)
    for words in ([], ["--dry-run"]):
        done = run(shell, out, *words, root=root)
        assert done.returncode == 4
        assert "NUM_OF_VFS=32  [one-way, reboot]" in done.stderr
        assert "Nothing was changed" in done.stderr
        assert "--accept one-way" in done.stderr
        assert content(root) == before
    done = run(shell, out, "--dry-run", "--accept", "one-way", root=root)
    assert (done.returncode, done.stderr, content(root)) == (0, "", before)
    assert "NUM_OF_VFS=32  [one-way, reboot]" in done.stdout
    done = run(shell, out, "--accept=one-way", root=root)
    assert (done.returncode, done.stderr) == (0, "")
    assert content(root) != before


@pytest.mark.parametrize("words", [["--accept"], ["--accept", "yes"], ["--dryrun"], ["x"]])
def test_words_that_it_does_not_know_are_refused(words: list[str], firmware: tuple[Path, Path]) -> None:
    root, out = firmware
    before = content(root)
    done = run(["dash"], out, *words, root=root)
    assert (done.returncode, done.stdout, content(root)) == (64, "", before)
    assert "usage:" in done.stderr
    done = run(["dash"], out, "--help", root=root)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--dry-run" in done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_a_dry_run_checks_what_the_run_checks(shell: list[str], tmp_path: Path) -> None:
    root = written(tmp_path / "node")
    seen = facts.read(DirectoryNode(root))
    out = tmp_path / "change.sh"
    out.write_text(script(seen, make_plan(seen, suggestion.suggest(seen))), encoding="utf-8")
    before = content(root)
    done = run(shell, out, "--dry-run", root=root)
    assert (done.returncode, done.stderr, content(root)) == (0, "", before)
    assert "as it was when the plan was made" in done.stdout
    (root / "etc/nova/nova.conf").write_bytes(b"# another\n")
    before = content(root)
    dry, real = run(shell, out, "--dry-run", root=root), run(shell, out, root=root)
    assert (dry.returncode, dry.stderr) == (real.returncode, real.stderr)
    assert dry.returncode == 4
    assert "/etc/nova/nova.conf has another content" in dry.stderr
    assert content(root) == before


def test_another_machine_is_no_dry_run_that_went_well(tmp_path: Path) -> None:
    needs.root("the script looks at this machine as root")
    seen = facts.read(built_in("demo"))
    out = tmp_path / "change.sh"
    out.write_text(script(seen, make_plan(seen, suggestion.suggest(seen))), encoding="utf-8")
    done = run(["dash"], out, "--dry-run")
    assert done.returncode == 4
    assert "the plan was made for another machine" in done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_of_nothing_promises_nothing(
    shell: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, answers, out = written(tmp_path / "node", "demo"), tmp_path / "answers.toml", tmp_path / "change.sh"
    answers.write_text(NOTHING, encoding="utf-8")
    code, said, _ = call(capsys, "export", "script", "--root", str(root), "--answers", str(answers), "--out", str(out))
    assert (code, "Nothing is to be changed on compute-03" in said) == (0, True)
    before = content(root)
    for words in ([], ["--dry-run"]):
        done = run(shell, out, *words, root=root)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "Nothing is to be changed on this node.\n"
        assert content(root) == before
    assert not (root / "var/lib/compute-wizard").exists()


def test_blocked_is_said_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, answers, out = written(tmp_path / "node", "demo"), tmp_path / "answers.toml", tmp_path / "change.sh"
    answers.write_text(NOTHING + '[[vfs.card]]\nmatch = { serial = "NONE" }\ncount = 3\n', encoding="utf-8")
    words = ("export", "script", "--root", str(root), "--answers", str(answers), "--out", str(out))
    code, said, told = call(capsys, *words)
    assert (code, out.exists()) == (3, False)
    assert "VFS-NO-SUCH-CARD" in said
    assert f"VFS-NO-SUCH-CARD; no script was written to {out}" in told
    assert "before" not in told
    out.write_text("mine", encoding="utf-8")
    code, _, told = call(capsys, *words)
    assert (code, out.read_text(encoding="utf-8")) == (3, "mine")
    assert "What lies there was there before." in told


LIVE = """\
exec 2>&1
mount --make-rprivate / && mount -t tmpfs t /var/lib || exit 99
echo "--- refused"
{first}; echo "= $?"; ls /var/lib
echo "--- run"
{shell} {place}/change.sh --accept one-way; echo "= $?"
echo "--- back"
sleep 20 & echo $! >{place}/pid
{shell} /var/lib/compute-wizard/script-*/undo.sh; echo "= $?"
kill $! 2>/dev/null && echo "still there"
exit 0
"""


def lived(shell: list[str], place: Path, *steps: RunCommand | StopByPidfile) -> tuple[str, str, str]:
    """What a script of these steps says on this machine, with a /var/lib of its own: without the word where one is wanted, with
    it, and its undo.sh."""
    needs.root("a mount namespace")
    if shutil.which("unshare") is None:
        pytest.skip("unshare: the program is not installed")
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]}: the program is not installed")
    plan = Plan(node=NodeName(hostname="h", os="o", nova=None), steps=steps)
    (place / "change.sh").write_text(script(facts.read(built_in("demo")), plan), encoding="utf-8")
    wanted = any("one-way" in step.labels for step in steps)
    first = f"{' '.join(shell)} {place}/change.sh" if wanted else "true"
    text = LIVE.format(shell=" ".join(shell), place=place, first=first)
    done = subprocess.run(["unshare", "-m", "sh", "-c", text], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    refused, ran, back = (part.partition("\n")[2] for part in done.stdout.split("--- ")[1:])
    return refused, ran, back


@pytest.mark.parametrize("shell", SHELLS)
def test_undo_says_what_it_did_not_take_back(shell: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    tool = tmp_path / "tool"
    tool.write_text(f'#!/bin/sh\necho "$*" >>{log}\n', encoding="utf-8")
    tool.chmod(0o755)
    refused, ran, back = lived(
        shell,
        tmp_path,
        RunCommand(argv=(str(tool), "do"), undo=(str(tool), "back"), undo_when="after_files", phase="boot", **COMMON),
        StopByPidfile(
            pidfile=str(tmp_path / "pid"), must_contain="sleep", phase="services", undo_when="after_files", **COMMON
        ),
        RunCommand(argv=(str(tool), "for ever"), phase="last", labels=("one-way",), **COMMON),
    )
    assert "for ever" in refused
    assert refused.endswith("= 4\n")  # and /var/lib is empty
    assert log.read_text(encoding="utf-8") == "do\nfor ever\nback\n"  # so nothing was run without the word
    assert "`compute-wizard history` does not know of it" in ran
    assert f"since nothing can:\n  3. $ {tool} 'for ever'\n= 0" in ran
    assert f"Not taken back, since nothing can:\n  3. $ {tool} 'for ever'\n= 0" in back
    assert "still there" not in back


def test_a_command_that_failed_is_taken_back_too_and_what_undo_cannot_do_is_no_success(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tool = tmp_path / "tool"
    tool.write_text(f'#!/bin/sh\necho "$*" >>{log}\nexit 7\n', encoding="utf-8")
    tool.chmod(0o755)
    step = RunCommand(argv=(str(tool), "do"), undo=(str(tool), "back"), undo_when="after_files", phase="boot", **COMMON)
    _, ran, back = lived(["dash"], tmp_path, step)
    assert "ended with exit status 7" in ran
    assert log.read_text(encoding="utf-8") == "do\nback\n"
    assert "Taken back, but for what failed above.\n= 1" in back


def test_a_part_of_a_backup_is_never_put_back(tmp_path: Path) -> None:
    """The disk is full while a file is backed up: undo.sh, which the script names then, leaves the file as it is."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/a").write_bytes(b"whole\n")
    (root / "etc/a").chmod(0o644)
    step = WriteFile(
        path="/etc/a",
        before=FileState(sha256=digest(b"whole\n"), mode="0644", owner="root:root"),
        after=FileContent.of(b"new\n", 0o644, "root:root"),
        phase="files",
        diff="",
        **COMMON,
    )
    plan = Plan(node=NodeName(hostname="h", os="o", nova=None), steps=(step,))
    text = script(facts.read(DirectoryNode(root)), plan)
    out = tmp_path / "change.sh"
    broken = 'cp() { shift; printf half >"$2"; return 1; }\n# --- the node has to be'
    out.write_text(text.replace("# --- the node has to be", broken), encoding="utf-8")
    done = run(["dash"], out, root=root)
    assert done.returncode == 1
    assert "/etc/a cannot be backed up" in done.stderr
    (undo,) = root.glob("var/lib/compute-wizard/script-*/undo.sh")
    assert run(["dash"], undo).returncode == 0
    assert (root / "etc/a").read_bytes() == b"whole\n"


@pytest.mark.parametrize("target", ["/opt/nova.conf", "../../opt/nova.conf"])
def test_a_link_of_the_node_stays_and_what_it_leads_to_is_changed(target: str, tmp_path: Path) -> None:
    root = written(tmp_path / "node", "demo")
    conf, real = root / "etc/nova/nova.conf", root / "opt/nova.conf"
    real.parent.mkdir()
    conf.rename(real)
    conf.symlink_to(target)
    before = real.read_bytes()
    seen = facts.read(DirectoryNode(root))
    out = tmp_path / "change.sh"
    out.write_text(script(seen, make_plan(seen, suggestion.suggest(seen))), encoding="utf-8")
    done = run(["dash"], out, root=root)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(conf.readlink()) == target
    assert real.read_bytes() != before
    (undo,) = root.glob("var/lib/compute-wizard/script-*/undo.sh")
    assert run(["dash"], undo).returncode == 0
    assert (str(conf.readlink()), real.read_bytes()) == (target, before)
    conf.unlink()
    conf.symlink_to("/opt/other.conf")
    done = run(["dash"], out, "--dry-run", root=root)
    assert done.returncode == 4
    assert f"/etc/nova/nova.conf was a link to {target}" in done.stderr

"""undo.sh: a run is taken back by a POSIX shell alone, wherever the root is mounted, however far the run came."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import needs
import pytest
from injection import copied
from prior_states import run_here

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.apply import launch
from wizard.apply.rescue_script import acl_text
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.model.steps import RemoveFile, WriteFile
from wizard.planning.planner import make_plan
from wizard.runs.journal import follow
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

SHELLS = ("dash", "busybox", "busybox applets alone")


def shell_of(name: str, place: Path) -> tuple[list[str], str]:
    """The words that start a shell, and its PATH."""
    program = shutil.which("dash" if name == "dash" else "busybox")
    if program is None:
        pytest.skip(f"{name}: the program is not installed")
    if name == "dash":
        return [program], os.defpath
    if name == "busybox":
        return [program, "sh"], os.defpath
    applets = place / "applets"
    subprocess.run([program, "mkdir", "-p", applets], check=True)
    subprocess.run([program, "--install", "-s", applets], check=True)
    return [str(applets / "sh")], str(applets)


def rescue(
    words: list[str], path: str, directory: Path, *arguments: str, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    script = (directory / "undo.sh").read_text(encoding="utf-8")
    if path != os.defpath:  # nothing but the applets: the script itself looks further, as it has to in a rescue shell
        script = script.replace(":/usr/sbin:/usr/bin:/sbin:/bin\n", "\n")
        (directory / "undo.sh").write_text(script, encoding="utf-8")
    return subprocess.run(
        [*words, str(directory / "undo.sh"), *arguments],
        capture_output=True,
        text=True,
        env={"PATH": path},
        check=False,
        timeout=60,
        cwd=cwd,
    )


def everything(node: SimulatedNode) -> dict[str, tuple[Any, ...]]:
    """Each file, link and directory of the node but the kernel's and the tool's own: mode, owner, content, attributes."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in sorted(node.directory.rglob("*")):
        name = str(path.relative_to(node.directory))
        if name.startswith(("var/lib/compute-wizard", "proc", "sys", ".compute-wizard", "boot/")):
            continue
        status = path.lstat()
        if name.startswith("etc/systemd") and path.is_dir() and not path.is_symlink():
            continue  # made by systemctl, and left by it
        what: Any = "directory"
        attributes: dict[str, bytes] = {}
        if path.is_symlink():
            what = str(path.readlink())
        elif path.is_file():
            what = path.read_bytes()
            attributes = {key: os.getxattr(path, key) for key in os.listxattr(path)}
        found[name] = (status.st_mode, status.st_uid, status.st_gid, what, attributes)
    return found


def planned(node: SimulatedNode) -> Plan:
    seen = facts.read(node)
    return make_plan(seen, suggestion.suggest(seen))


def carried_out(node: SimulatedNode) -> Path:
    return started(node, planned(node)).directory


def started(node: SimulatedNode, plan: Plan) -> launch.Started:
    """A run of that plan, by the runner in this process: what it leaves is the same."""
    run = launch.save(node.directory, plan, "rollback", "simulated")
    run_here(node.directory, run.run)
    return run


def marked(node: SimulatedNode) -> None:
    """Attributes, an ACL, an odd mode and a link on nova.conf; an odd owner too, where this process may give it."""
    conf = node.place("/etc/nova/nova.conf")
    conf.rename(conf.with_name("real.conf"))
    conf.symlink_to("/etc/nova/real.conf")
    real = conf.with_name("real.conf")
    if os.geteuid() == 0:
        os.chown(real, 4711, 4712)
    real.chmod(0o640)
    try:
        os.setxattr(real, "user.note", b"a b\0c\n")
        acl = struct.pack("<I", 2) + b"".join(
            struct.pack("<HHI", tag, permissions, number)
            for tag, permissions, number in ((1, 6, 2**32 - 1), (2, 4, 1234), (4, 4, 2**32 - 1), (16, 4, 2**32 - 1))
        )
        os.setxattr(real, "system.posix_acl_access", acl + struct.pack("<HHI", 32, 0, 2**32 - 1))
    except OSError:
        pytest.skip("kernel: this file system has no attributes or ACLs")


@pytest.fixture(params=["demo", "today"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> SimulatedNode:
    (tmp_path / "node").mkdir()
    return simulate(built_in(str(request.param)), tmp_path / "node")


@pytest.mark.parametrize("shell", SHELLS)
def test_it_gives_everything_back_from_the_root_it_lies_in(shell: str, node: SimulatedNode, tmp_path: Path) -> None:
    words, path = shell_of(shell, tmp_path)
    marked(node)
    before = everything(node)
    directory = carried_out(node)
    assert everything(node) != before
    back = rescue(words, path, directory)
    assert (back.returncode, back.stderr) == (0, "")
    attributed = shell != "busybox applets alone"  # busybox has no setfattr
    after = everything(node)
    if not attributed:
        assert "missing here: setfattr" in back.stdout
        assert "setfacl --set 'u::rw-,u:1234:r--,g::r--,m::r--,o::---' /etc/nova/real.conf" in back.stdout
        before = {name: each[:4] for name, each in before.items()}
        after = {name: each[:4] for name, each in after.items()}
    assert after == before
    assert "update-grub" in back.stdout or not facts.read(node).boot.update
    (run,) = facts.read(node).history.runs
    assert (run.state, run.undone_by) == ("undone", "undo.sh")
    again = rescue(words, path, directory)
    assert (again.returncode, again.stderr) == (0, "")
    assert "0 put back" in again.stdout
    assert planned(node).steps != ()


def test_the_root_may_be_mounted_elsewhere_and_var_somewhere_else(tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    node = simulate(built_in("demo"), tmp_path / "node")
    before = everything(node)
    directory = carried_out(node)
    apart = tmp_path / "a file system for var" / "lib" / "compute-wizard" / "runs" / directory.name
    shutil.copytree(directory, apart)
    moved = tmp_path / "mnt point"
    node.directory.rename(moved)
    words, path = shell_of("dash", tmp_path)
    unsaid = rescue(words, path, apart)
    assert unsaid.returncode == 64
    assert "say where the root file system" in unsaid.stderr
    wrong = rescue(words, path, apart, str(tmp_path / "applets"))
    assert wrong.returncode != 0
    back = rescue(words, path, apart, str(moved))
    assert (back.returncode, back.stderr) == (0, "")
    assert f"chroot {moved}" in back.stdout
    assert everything(SimulatedNode(moved)) == before


def _cut(directory: Path, line: int) -> None:
    """The journal as it was after so many lines, the last one torn: what a power cut leaves."""
    path = directory / "journal.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:line]) + lines[line][: len(lines[line]) // 2], encoding="utf-8")


def test_a_run_that_was_cut_anywhere_is_taken_back(tmp_path: Path) -> None:
    """The files as they were after each prefix of the steps, with the backups and the journal of that moment."""
    words, path = shell_of("dash", tmp_path)
    plan = planned(simulate(built_in("demo"), tmp_path / "first"))
    files = [number for number, step in enumerate(plan.steps) if isinstance(step, WriteFile | RemoveFile)]
    for cut in [0, *(number + 1 for number in files)]:
        node = simulate(built_in("demo"), tmp_path / f"cut-{cut}")
        before = everything(node)
        part = planned(node).model_copy(update={"steps": planned(node).steps[:cut]})
        if not part.steps:
            continue
        run = started(node, part)
        _cut(run.directory, len(run.journal.read_text(encoding="utf-8").splitlines()) - 1)
        back = rescue(words, path, run.directory)
        assert (back.returncode, back.stderr) == (0, ""), cut
        assert everything(node) == before, cut
        assert facts.read(node).history.runs[0].state == "undone"


def _prepared(directory: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[SimulatedNode, launch.Started]:
    """A run that is saved and not started."""
    node = simulate(built_in("demo"), directory)
    with monkeypatch.context() as patched:
        patched.setattr(launch, "_spawn", lambda *_: None)
        return node, launch.start(node.directory, planned(node), simulated=True)


def test_a_runner_that_was_killed_while_it_put_a_file_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL as a backup, its state file, or the file itself gets its name; then undo.sh alone."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace: the program is not installed")
    shells = [shell_of(name, tmp_path) for name in ("dash", "busybox applets alone")]
    killed = 0
    for number in (1, 2, 3, 4, 6, 9, 12, 15):
        node, run = _prepared(tmp_path / f"node-{number}", monkeypatch)
        before = everything(node)
        runner = [sys.executable, "-I", "-m", "wizard.apply.runner", str(node.directory), run.run]
        inject = f"inject=rename,renameat,renameat2,linkat:signal=SIGKILL:when={number}"
        done = subprocess.run(
            [strace, "-qq", "-o", tmp_path / "log", "-e", inject, *runner],
            capture_output=True,
            check=False,
            timeout=300,
        )
        if b"ptrace" in done.stderr:
            pytest.skip("kernel: this process may not trace others")
        killed += done.returncode != 0
        for (words, path), name in zip(shells, ("dash", "applets"), strict=True):
            left = copied(node.directory, tmp_path / f"node-{number}-{name}")
            back = rescue(words, path, left / run.directory.relative_to(node.directory))
            assert (back.returncode, back.stderr) == (0, ""), (number, name)
            assert everything(SimulatedNode(left)) == before, (number, name)
    assert killed >= 5


def test_the_moment_between_backup_and_change(tmp_path: Path) -> None:
    """All backups are there, no file was touched yet; and: the state file is not there yet."""
    words, path = shell_of("dash", tmp_path)
    node = simulate(built_in("demo"), tmp_path)
    before = everything(node)
    directory = carried_out(node)
    assert rescue(words, path, directory).returncode == 0
    assert everything(node) == before
    for each in (directory / "backup").glob("*.state"):
        each.unlink()
    back = rescue(words, path, directory)
    assert (back.returncode, back.stderr) == (0, "")
    assert "0 put back, 0 as before" in back.stdout
    assert everything(node) == before


def _edited(node: SimulatedNode) -> None:
    place = node.place("/etc/nova/nova.conf")
    place.write_bytes(place.read_bytes() + b"# by hand\n")


def _hand(what: Callable[[Path], None], path: str) -> Callable[[SimulatedNode], None]:
    def change(node: SimulatedNode) -> None:
        try:
            what(node.place(path))
        except OSError as error:
            needs.allowed(error)

    return change


def _kept(node: SimulatedNode, path: str) -> tuple[Any, ...]:
    status = node.place(path).stat()
    return status.st_ino, status.st_mode, status.st_uid, status.st_gid, os.listxattr(node.place(path))


OLD, NEW = "/etc/nova/nova.conf", "/etc/modprobe.d/mlx4_core.conf"
HANDS: dict[str, Callable[[Path], None]] = {
    "mode": lambda place: place.chmod(0o604),
    "owner": lambda place: os.chown(place, 4242, -1),
    "group": lambda place: os.chown(place, -1, 4242),
    "attribute": lambda place: os.setxattr(place, "user.hand", b"x"),
}


@pytest.mark.parametrize("shell", ["dash", "busybox"])
@pytest.mark.parametrize("hand", HANDS)
def test_a_mode_an_owner_or_an_attribute_is_somebody_s_work_too(hand: str, shell: str, tmp_path: Path) -> None:
    if hand == "attribute" and shutil.which("getfattr") is None:
        pytest.skip("getfattr: the program is not installed")
    words, path = shell_of(shell, tmp_path)
    node = simulate(built_in("demo"), tmp_path)
    directory = carried_out(node)
    for place in (OLD, NEW):
        _hand(HANDS[hand], place)(node)
    changed = {place: _kept(node, place) for place in (OLD, NEW)}
    back = rescue(words, path, directory)
    assert back.returncode == 1
    for place, status in changed.items():
        assert f"{place} was changed after the run" in back.stderr
        assert _kept(node, place) == status
    assert rescue(words, path, directory, "--force").returncode == 0
    assert not node.exists(NEW)


def _mode(node: SimulatedNode) -> None:
    node.place("/etc/modprobe.d/mlx4_core.conf").unlink(missing_ok=True)
    node.place("/etc/modprobe.d/mlx4_core.conf").mkdir()


def _linked(node: SimulatedNode) -> None:
    node.place("/etc/nova").rename(node.place("/etc/nova.moved"))
    node.place("/etc/nova").symlink_to("nova.moved")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_edited, "/etc/nova/nova.conf was changed after the run"),
        (_mode, "is no regular file any more"),
        (_linked, "leads through a symbolic link now"),
    ],
)
def test_what_changed_since_is_left_alone_and_named(
    change: Callable[[SimulatedNode], None], said: str, tmp_path: Path
) -> None:
    words, path = shell_of("dash", tmp_path)
    node = simulate(built_in("demo"), tmp_path)
    before = everything(node)
    directory = carried_out(node)
    change(node)
    changed = everything(node)
    back = rescue(words, path, directory)
    assert back.returncode == 1
    assert said in back.stderr
    left = everything(node)
    touched = [name for name in left if "nova.conf" in name or "mlx4_core.conf" in name]
    assert touched
    assert not [name for name in touched if name in changed and left[name] != changed[name] and name not in before]
    assert facts.read(node).history.runs[0].state == "done"


def test_force_puts_it_back_and_keeps_what_it_was(tmp_path: Path) -> None:
    words, path = shell_of("busybox", tmp_path)
    node = simulate(built_in("demo"), tmp_path)
    before = everything(node)
    directory = carried_out(node)
    _edited(node)
    assert rescue(words, path, directory, "--force").returncode == 0
    assert everything(node) == before
    (kept,) = (directory / "backup").glob("*.replaced")
    assert kept.read_bytes().endswith(b"# by hand\n")


def test_a_damaged_backup_is_not_put_back(tmp_path: Path) -> None:
    words, path = shell_of("dash", tmp_path)
    node = simulate(built_in("demo"), tmp_path)
    directory = carried_out(node)
    backups = [each for each in (directory / "backup").iterdir() if b"transport_url" in each.read_bytes()]
    (backup,) = backups or [each for each in (directory / "backup").iterdir() if b"[DEFAULT]" in each.read_bytes()]
    backup.write_bytes(b"")
    back = rescue(words, path, directory)
    assert back.returncode == 1
    assert "the backup of /etc/nova/nova.conf is damaged" in back.stderr
    assert node.place("/etc/nova/nova.conf").stat().st_size > 100


def test_files_that_a_run_removed_come_back(tmp_path: Path) -> None:
    words, path = shell_of("dash", tmp_path)
    node = simulate(built_in("demo"), tmp_path)
    carried_out(node)
    between = everything(node)
    answers = answer_files.from_data(
        {"iommu": {"enable": False}, "gateways": {"network": []}, "metadata": {"redirect": False}}
    )
    plan = make_plan(facts.read(node), answers)
    assert any(isinstance(step, RemoveFile) for step in plan.steps)
    started = launch.start(node.directory, plan, simulated=True)
    list(follow(started.journal))
    back = rescue(words, path, started.directory)
    assert (back.returncode, back.stderr) == (0, "")
    assert "systemctl enable compute-wizard-metadata.service" in back.stdout
    units = "etc/systemd/system/multi-user.target.wants"
    assert {name: each for name, each in everything(node).items() if not name.startswith(units)} == {
        name: each for name, each in between.items() if not name.startswith(units)
    }


def test_it_says_nothing_secret_and_is_for_its_owner_only(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    directory = carried_out(node)
    for each in [directory / "undo.sh", *(directory / "backup").iterdir()]:
        assert each.stat().st_mode & 0o777 == 0o600
    text = (directory / "undo.sh").read_text(encoding="utf-8")
    text += "".join(each.read_text(encoding="utf-8") for each in (directory / "backup").glob("*.state"))
    conf = (node.text("/etc/nova/nova.conf") or "").splitlines()
    secrets = [line.partition("=")[2].strip() for line in conf if "password" in line]
    assert secrets
    assert not [secret for secret in secrets if secret in text]


def test_the_text_of_an_acl_is_that_of_getfacl(tmp_path: Path) -> None:
    if shutil.which("setfacl") is None:
        pytest.skip("acl: setfacl is not installed")
    path = tmp_path / "file"
    path.touch(0o640)
    done = subprocess.run(["setfacl", "-m", "u:12345:rw,g:54321:r,m::rw", path], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("kernel: this file system has no ACLs")
    said = subprocess.run(["getfacl", "-nc", path], check=True, capture_output=True, text=True).stdout
    lines = [line.split("\t")[0] for line in said.splitlines() if line]
    short = {"user": "u", "group": "g", "mask": "m", "other": "o"}
    wanted = ",".join(":".join([short[line.split(":")[0]], *line.split(":")[1:]]) for line in lines)
    assert acl_text(os.getxattr(path, "system.posix_acl_access")) == wanted


def test_commands_that_were_only_listed_are_not_to_be_run_again(tmp_path: Path) -> None:
    words, path = shell_of("dash", tmp_path)
    node = simulate(built_in("demo"), tmp_path)
    started = launch.start(node.directory, planned(node), files_only=True)
    list(follow(started.journal))
    back = rescue(words, path, started.directory)
    assert (back.returncode, back.stderr) == (0, "")
    assert "Still to be done" not in back.stdout

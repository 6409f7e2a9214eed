"""Writers that work as root in a directory of somebody else's, who races them: nothing of root's is ever written, given away or shown."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import needs
import pytest
from attacker import CONTENT, SECRET, USER, at_work
from injection import go_on

from wizard.apply import launch
from wizard.apply.file_writer import Tree
from wizard.asset_text import REPLACING, with_fragments
from wizard.errors import NodeError
from wizard.export.script import script
from wizard.facts import facts
from wizard.hashing import digest
from wizard.model.plan import NodeName, Plan
from wizard.model.steps import FileContent, FileState, WriteFile
from wizard.node.recorded import DirectoryNode

ROUNDS = int(os.environ.get("COMPUTE_WIZARD_RACES", "200"))
SHELLS = {"dash": ["dash"], "busybox": ["busybox", "sh"], "bash": ["bash"], "mksh": ["mksh"]}
CONF = "/etc/nova/nova.conf"
DRIVER = """\
set -u
export LC_ALL=C
umask 077
ROOT={root} ROUNDS={rounds} DONE=0 REFUSED=0
made() {{ :; }}
# --- replacing files
round() {{
	open_work {conf} make || return 1
	held=0
	hold || held=$?
	done=1
	if [ "$held" != 2 ]; then
		if [ "$held" = 0 ]; then cp -p ./old {kept}; state_of ./old >./state; fi
		restore {state} {backup} {conf} && done=0
	fi
	close_work
	return "$done"
}}
while [ "$ROUNDS" -gt 0 ]; do
	ROUNDS=$((ROUNDS - 1))
	if round 2>/dev/null; then DONE=$((DONE + 1)); else REFUSED=$((REFUSED + 1)); fi
	[ "$((ROUNDS % 20))" != 0 ] || sweep_work /etc/nova 2>/dev/null
done
echo "$DONE $REFUSED"
"""
BY_NAME = """\
while [ "$ROUNDS" -gt 0 ]; do
	ROUNDS=$((ROUNDS - 1)) new={root}/etc/nova/.compute-wizard-$ROUNDS.undo
	rm -f "$new"
	(set -C && cat {backup} >"$new") 2>/dev/null || continue
	chown {user} "$new" 2>/dev/null
	chmod 0644 "$new" 2>/dev/null
	mv -f "$new" {root}/etc/nova/nova.conf 2>/dev/null
	[ -O {root}/etc/shadow ] || break
done
echo 0 0
"""


@dataclass(frozen=True)
class Place:
    """A root with a directory of the attacker's, a file and a directory of root's beside it, and what is to come back."""

    root: Path
    directory: Path
    victim: Path
    inside: Path
    state: Path
    backup: Path
    kept: Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    needs.root("a directory of somebody else")
    root = tmp_path / "root"
    directory, inside, ours = root / "etc/nova", root / "etc/cron.d", tmp_path / "ours"
    for each in (directory, inside, ours):
        each.mkdir(parents=True)
    os.chown(directory, USER, USER)
    victim = root / "etc/shadow"
    victim.write_bytes(SECRET)
    victim.chmod(0o600)
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")  # owners have names here, as in the plans
    (root / "etc/group").write_text("root:x:0:\n")
    (directory / "nova.conf").write_bytes(b"old\n")
    (directory / "mine").write_bytes(b"mine\n")
    os.chown(directory / "mine", USER, USER)
    (ours / "backup").write_bytes(CONTENT)
    (ours / "state").write_text(f"real {CONF}\nmode 0600\nowner 0:0\nxattr user.note 0x61\n")
    return Place(root, directory, victim, inside, ours / "state", ours / "backup", ours / "kept")


def outside(place: Place) -> dict[str, tuple[object, ...]]:
    """All that is not the attacker's directory."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(place.root.rglob("*")):
        if path == place.directory or place.directory in path.parents:
            continue
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (
            status.st_mode,
            status.st_uid,
            status.st_gid,
            status.st_nlink,
            os.listxattr(path, follow_symlinks=False),
            content,
        )
    return found


def shown(place: Place) -> list[str]:
    """Files that the attacker may read, and that hold what is root's."""
    found = []
    for path in place.directory.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        status = path.stat()
        closed = status.st_uid == 0 and not status.st_mode & 0o077 and not [n for n in os.listxattr(path) if "acl" in n]
        if path.read_bytes() in (SECRET, CONTENT) and not closed:
            found.append(f"{path}: {status.st_uid} {status.st_mode:o}")
    return found


def raced(words: list[str], text: str, place: Place, seed: int) -> tuple[int, int]:
    """Rounds that wrote the file, and that were refused."""
    path = place.state.with_name("driver.sh")
    path.write_text(text)
    with at_work(place.directory, place.victim, place.inside, seed):
        done = subprocess.run(
            [*words, path], capture_output=True, text=True, env={"PATH": os.defpath}, check=True, timeout=60 + ROUNDS
        )
    wrote, refused = done.stdout.split()[-2:]
    return int(wrote), int(refused)


def driver(text: str, place: Place, rounds: int) -> str:
    return with_fragments(
        text.format(
            root=place.root,
            rounds=rounds,
            conf=CONF,
            kept=place.kept,
            state=place.state,
            backup=place.backup,
            user=USER,
        )
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_the_owner_of_the_directory_wins_no_race_against_a_shell(shell: str, place: Place) -> None:
    words = SHELLS[shell]
    if shutil.which(words[0]) is None:
        pytest.skip(f"{shell}: the program is not installed")
    before = outside(place)
    wrote, refused = raced(words, driver(DRIVER, place, ROUNDS), place, ROUNDS)
    assert wrote + refused == ROUNDS
    assert outside(place) == before
    assert shown(place) == []
    print(f"\n{shell}: {wrote} of {ROUNDS} rounds wrote the file, {refused} were refused")


def test_the_attacker_is_one(place: Place) -> None:
    """He wins against a writer that works by name: the races above can be lost."""
    before = outside(place)
    text = f"ROUNDS=300\n{REPLACING}{BY_NAME}"
    raced(["dash"], driver(text, place, 0), place, 1)
    assert outside(place) != before or shown(place)


def test_nobody_at_work_all_is_written(place: Place) -> None:
    path = place.state.with_name("driver.sh")
    path.write_text(driver(DRIVER, place, 3))
    done = subprocess.run(
        ["dash", path], capture_output=True, text=True, env={"PATH": os.defpath}, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("3 0\n", "")
    conf = place.directory / "nova.conf"
    assert (conf.read_bytes(), os.getxattr(conf, "user.note")) == (CONTENT, b"a")
    assert sorted(each.name for each in place.directory.iterdir()) == ["mine", "nova.conf"]


def plan(place: Place) -> Plan:
    """nova.conf, of root's alone, becomes another."""
    conf = place.directory / "nova.conf"
    conf.write_bytes(b"old\n")
    conf.chmod(0o600)
    step = WriteFile(
        path=CONF,
        before=FileState(sha256=digest(b"old\n"), mode="0600", owner="root:root"),
        after=FileContent.of(CONTENT, 0o600, "root:root"),
        chapters=("x",),
        phase="files",
        why=("w",),
        diff="",
    )
    return Plan(node=NodeName(hostname="", os="o", nova=None), steps=(step,))


def cleared(place: Place) -> None:
    shutil.rmtree(place.directory)
    shutil.rmtree(place.root / "var", ignore_errors=True)
    place.directory.mkdir()
    os.chown(place.directory, USER, USER)
    (place.directory / "mine").write_bytes(b"mine\n")
    os.chown(place.directory / "mine", USER, USER)


def quick(words: list[str], path: Path, place: Place) -> int:
    environment = {"PATH": os.defpath, "COMPUTE_WIZARD_ROOT": str(place.root)}
    return subprocess.run([*words, path], capture_output=True, env=environment, check=False, timeout=60).returncode


@pytest.mark.parametrize("writer", ["script", "undo of the script", "undo.sh of a run"])
def test_nor_against_the_whole_scripts(writer: str, place: Place) -> None:
    before, done = outside(place), 0
    for number in range(max(3, ROUNDS // 40)):
        words = list(SHELLS.values())[number % 2]
        cleared(place)
        wanted = plan(place)
        path = place.state.with_name("script.sh")
        if writer == "undo.sh of a run":
            started = launch.save(place.root, wanted, "stop", "none")
            assert go_on(place.root, started.run) == "done"
            path = started.directory / "undo.sh"
        else:
            path.write_text(script(facts.read(DirectoryNode(place.root)), wanted))
            if writer == "undo of the script":
                assert quick(words, path, place) == 0
                (path,) = place.root.glob("var/lib/compute-wizard/script-*/undo.sh")
        with at_work(place.directory, place.victim, place.inside, number):
            done += quick(words, path, place) == 0
        shutil.rmtree(place.root / "var", ignore_errors=True)
        assert outside(place) == before
        assert shown(place) == []
    print(f"\n{writer}: {done} came to their end")


@pytest.mark.parametrize("planted", [".compute-wizard-{pid}.new", "nova.conf.compute-wizard-undo"])
def test_what_is_planted_beforehand_is_not_followed(planted: str, place: Place) -> None:
    """Every name that earlier versions used, for each pid that may come."""
    before = outside(place)
    path = place.state.with_name("script.sh")
    path.write_text(script(facts.read(DirectoryNode(place.root)), plan(place)))
    links = {planted.format(pid=os.getpid() + offset) for offset in range(3000)}
    for name in links:
        (place.directory / name).symlink_to(place.victim)
    assert quick(["dash"], path, place) == 0
    (undo,) = place.root.glob("var/lib/compute-wizard/script-*/undo.sh")
    assert quick(["dash"], undo, place) == 0
    shutil.rmtree(place.root / "var")
    assert outside(place) == before
    assert (place.directory / "nova.conf").read_bytes() == b"old\n"
    assert all((place.directory / name).is_symlink() for name in links)


def test_the_owner_of_the_directory_wins_no_race_against_the_runner(place: Place) -> None:
    before = outside(place)
    tree, wrote = Tree(place.root), 0
    with at_work(place.directory, place.victim, place.inside, 7):
        for _ in range(ROUNDS):
            try:
                over = tree.find(CONF)
                tree.write(CONF, CONTENT, 0o600, "0:0", {}, over)
                wrote += 1
            except NodeError:
                pass
            tree.sweep(CONF)
    assert outside(place) == before
    assert shown(place) == []
    print(f"\nrunner: {wrote} of {ROUNDS} rounds wrote the file")

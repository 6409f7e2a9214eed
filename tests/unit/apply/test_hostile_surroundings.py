"""A run in surroundings that are against it: refused with the place named before anything is touched, or inert."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import needs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from surroundings import done, planned, written

from wizard.answers import files as answer_files
from wizard.apply import launch
from wizard.apply import preflight as obstacles
from wizard.apply.file_writer import Tree
from wizard.apply.preflight import refuse_obstacles
from wizard.errors import Denied, Exit, InputError, NodeError, Refused
from wizard.facts import facts
from wizard.hashing import digest
from wizard.planning.planner import make_plan
from wizard.runs import store
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

IMMUTABLE = 0x10


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    (tmp_path / "node").mkdir()
    return simulate(built_in("demo"), tmp_path / "node")


def outside(tmp_path: Path) -> dict[str, tuple[int, bytes]]:
    place = tmp_path / "outside"
    return {str(each): (each.stat().st_mode, each.read_bytes()) for each in place.rglob("*") if each.is_file()}


# symbolic links


def test_a_link_planted_at_any_path_that_is_written_leads_nowhere(node: SimulatedNode, tmp_path: Path) -> None:
    """After the plan was made: at the file, and at each directory above it. Nothing outside the node is touched."""
    place = tmp_path / "outside"
    place.mkdir()
    (place / "victim").write_text("precious\n", encoding="utf-8")
    plan = planned(node)
    tried = 0
    for path in written(plan):
        names = [path]
        while names[-1].count("/") > 1:
            names.append(names[-1].rpartition("/")[0])
        for name in names:
            there = node.place(name)
            kept = there.with_name(f"{there.name}.kept") if there.exists() else None
            if kept is not None:
                there.rename(kept)
            elif not there.parent.is_dir():
                continue
            there.symlink_to(place / "victim" if name == path else place)
            before = outside(tmp_path)
            with suppress(Refused, NodeError, InputError):
                done(node, plan)
            assert outside(tmp_path) == before, name
            assert sorted(each.name for each in place.iterdir()) == ["victim"], name
            assert Tree(node.directory).place(path).is_relative_to(node.directory)
            tried += 1
            there.unlink()
            if kept is not None:
                kept.rename(there)
    assert tried > 10


@pytest.mark.parametrize("which", ["/etc/nova/nova.conf", "/etc/nova", "/etc"])
def test_a_link_planted_between_resolving_and_opening_is_an_error(
    which: str, node: SimulatedNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst moment: the path was just looked through, and found to hold no link."""
    place = tmp_path / "outside"
    (place / "nova").mkdir(parents=True)
    (place / "nova.conf").write_text("precious\n", encoding="utf-8")
    (place / "nova" / "nova.conf").write_text("precious\n", encoding="utf-8")
    before = outside(tmp_path)
    tree = Tree(node.directory)
    found = tree.find("/etc/nova/nova.conf")
    assert found is not None
    real = tree.resolve("/etc/nova/nova.conf")
    monkeypatch.setattr(tree, "resolve", lambda _: real)
    there = node.place(which)
    there.rename(there.with_name("moved"))
    there.symlink_to(place / "nova.conf" if which.endswith("conf") else place)
    for attempt in (
        lambda: tree.find("/etc/nova/nova.conf"),
        lambda: tree.write("/etc/nova/nova.conf", b"x", 0o644, "root:root", None),
        lambda: tree.write("/etc/nova/nova.conf", b"x", 0o644, "root:root", None, found),
        lambda: tree.remove("/etc/nova/nova.conf", found),
        lambda: tree.make_directory("/etc/nova/nova.conf"),
    ):
        with suppress(NodeError):
            assert attempt() is None  # only what says that nothing is there may pass
        assert outside(tmp_path) == before
    assert sorted(each.name for each in place.rglob("*")) == ["nova", "nova.conf", "nova.conf"]


def test_temporary_files_cannot_be_taken_by_a_link(node: SimulatedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the name were known before: it is made anew or not at all."""
    monkeypatch.setattr("secrets.token_hex", lambda _: "0" * 16)
    tree = Tree(node.directory)
    victim = node.place("/etc/victim")
    victim.write_text("precious\n", encoding="utf-8")
    node.place("/etc/.compute-wizard-0000000000000000.new").symlink_to("victim")
    with pytest.raises(NodeError):
        tree.write("/etc/new", b"x", 0o644, "root:root", None)
    assert victim.read_text(encoding="utf-8") == "precious\n"


def test_links_that_are_the_nodes_own_still_work(node: SimulatedNode) -> None:
    """/var on another disk, and a directory of /etc that is a link: absolute ones are resolved inside the node."""
    for name, target in (("var", "/srv/var"), ("etc/modprobe.d", "/srv/modprobe.d")):
        there = node.directory / name
        there.parent.mkdir(exist_ok=True)
        (node.directory / "srv").mkdir(exist_ok=True)
        moved = node.directory / target.lstrip("/")
        if there.exists():
            there.rename(moved)
        else:
            moved.mkdir()
        there.symlink_to(target)
    started, _ = done(node, planned(node))
    assert launch.result(started) is Exit.DONE
    assert started.directory.is_relative_to(node.directory / "srv/var")
    assert (node.directory / "srv/modprobe.d/mlx4_core.conf").is_file()
    assert facts.read(node).history.runs[0].state == "done"


@pytest.mark.parametrize("target", ["../shadow", "../cron.d/new", "../cron.d", "/etc/shadow", "mine", "back"])
def test_who_owns_a_directory_does_not_choose_by_a_link_what_root_writes(target: str, tmp_path: Path) -> None:
    """A link of his is followed to what is his, and nowhere else; one of root's is the node's own."""
    needs.root("to give files away")
    nova = tmp_path / "etc/nova"
    (tmp_path / "etc/cron.d").mkdir(parents=True)
    nova.mkdir()
    (tmp_path / "etc/shadow").write_bytes(b"root's\n")
    (nova / "mine").write_bytes(b"his\n")
    for name, leads in (("back", "../shadow"), ("nova.conf", target)):
        (nova / name).symlink_to(leads)
    tree, path = Tree(tmp_path), "/etc/nova/nova.conf"
    assert tree.resolve(path) == tree.node.destination(path)  # root's own links
    for name in ("back", "mine", "nova.conf"):
        os.lchown(nova / name, 4242, 4242)
    os.chown(nova, 4242, 4242)
    if target == "mine":
        assert tree.resolve(path) == "/etc/nova/mine"
        return
    with pytest.raises(NodeError, match="symbolic link of user number 4242"):
        tree.find(path)
    with pytest.raises(NodeError, match="symbolic link of user number 4242"):
        tree.write(path, b"x", 0o600, "root:root", None)
    assert list((tmp_path / "etc/cron.d").iterdir()) == []


LINKS = st.dictionaries(
    st.sampled_from(["a", "b", "d/a", "d/b", "d/e/a"]),
    st.sampled_from(["a", "b", "/a", "/d", "d/b", "..", "../a", "e", "gone", "/d/e/x"]),
)


@settings(max_examples=60, deadline=None)
@given(LINKS, st.sampled_from(["/a", "/b/a", "/d/a", "/d/e/a", "/d/b/a", "/d/e/x/y", "/a/b/c"]))
def test_where_a_path_leads_is_said_as_by_the_node(links: dict[str, str], path: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "d/e").mkdir(parents=True)
        for name, target in links.items():
            (Path(directory) / name).symlink_to(target)
        tree = Tree(Path(directory))
        try:
            expected: str | None = tree.node.destination(path)
        except NodeError:
            expected = None
        try:
            found: str | None = tree.resolve(path)
        except NodeError:
            found = None
        assert found == expected


# hard links, and files that somebody else writes to


def test_a_hard_link_is_said_and_its_other_name_keeps_the_old_content(node: SimulatedNode) -> None:
    conf = node.place("/etc/nova/nova.conf")
    other = node.place("/etc/nova.backup")
    other.hardlink_to(conf)
    old = conf.read_bytes()
    _, events = done(node, planned(node))
    notes = [str(event["text"]) for event in events if event["event"] == "note"]
    assert [note for note in notes if note.startswith("/etc/nova/nova.conf had another name (a hard link)")]
    assert other.read_bytes() == old
    assert conf.read_bytes() != old


def test_a_file_that_is_written_to_while_it_is_read_is_read_from_one_moment(tmp_path: Path) -> None:
    """Two contents take turns in place: what is found is one of them and never a mixture, or an error."""
    tree, place = Tree(tmp_path), tmp_path / "file"
    contents = [bytes([letter]) * 200_000 for letter in b"ab"]
    place.write_bytes(contents[0])
    stop = threading.Event()

    def write() -> None:
        number = 0
        with place.open("r+b", buffering=0) as file:
            while not stop.is_set():
                number += 1
                for start in range(0, 200_000, 20_000):
                    file.seek(start)
                    file.write(contents[number % 2][start : start + 20_000])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(60):
            try:
                found = tree.find("/file")
            except NodeError as error:
                assert "is being written to by somebody else" in str(error)
            else:
                assert found is not None
                assert digest(found.content) == found.state.sha256
    finally:
        stop.set()
        writer.join()


def test_a_change_between_looking_and_replacing_is_not_lost(node: SimulatedNode) -> None:
    tree = Tree(node.directory)
    found = tree.find("/etc/nova/nova.conf")
    place = node.place("/etc/nova/nova.conf")
    with place.open("ab") as file:
        file.write(b"# in between\n")
    with pytest.raises(NodeError, match="changed by somebody else"):
        tree.write("/etc/nova/nova.conf", b"x", 0o644, "root:root", None, found)
    assert place.read_bytes().endswith(b"# in between\n")
    assert not list(place.parent.glob(".compute-wizard-*"))


def test_a_fifo_at_a_path_that_is_read_does_not_hold_anybody_up(node: SimulatedNode) -> None:
    place = node.place("/etc/dnsmasq-nova.conf")
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    assert "is not a regular file" in facts.read(node).hidden("/etc/dnsmasq-nova.conf")
    assert node._read("/etc/dnsmasq-nova.conf") == b""
    with pytest.raises(NodeError, match="not a regular file"):
        Tree(node.directory).find("/etc/dnsmasq-nova.conf")


# places that cannot be written


def _immutable(place: Path, on: bool) -> bool:
    """Set or take away what chattr +i sets; whether that can be done here."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        flags = struct.unpack("i", fcntl.ioctl(descriptor, 0x80086601, b"\0" * 4))[0]
        wanted = flags | IMMUTABLE if on else flags & ~IMMUTABLE
        fcntl.ioctl(descriptor, 0x40086602, struct.pack("i", wanted))
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


@pytest.mark.parametrize("path", ["/etc/nova/nova.conf", "/etc/modprobe.d"])
def test_an_immutable_file_or_directory_is_named_before_anything_is_touched(path: str, node: SimulatedNode) -> None:
    if not _immutable(node.place(path), True):
        needs.root("an immutable file")
        pytest.skip("kernel: this file system has no immutable files")
    try:
        with pytest.raises(InputError, match=r"immutable: chattr -i /etc/"):
            launch.start(node.directory, planned(node), simulated=True)
        assert store.runs(node.directory) == []
        if path.endswith("conf"):
            tree = Tree(node.directory)
            found = tree.find(path)
            with pytest.raises(Denied):
                tree.write(path, b"x", 0o644, "root:root", None, found)
    finally:
        assert _immutable(node.place(path), False)


def in_namespace(script: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run shell words, then Python's words for `refused`, in a mount namespace of its own."""
    needs.root("a mount namespace")
    tried = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("kernel: this process may not make a mount namespace")
    program = (
        "import sys; from pathlib import Path; from wizard.answers import suggestion; from wizard.apply import launch; "
        "from wizard.runs.journal import follow; from wizard.planning.planner import make_plan; from wizard.facts import facts; "
        "from wizard.simulator.simulated_node import SimulatedNode; from wizard.errors import WizardError\n"
        "node = SimulatedNode(Path(sys.argv[1])); seen = facts.read(node)\n"
        "plan = make_plan(seen, suggestion.suggest(seen))\n"
        "try:\n    started = launch.start(node.directory, plan, simulated=True)\n"
        "except WizardError as error:\n    print(error); sys.exit(int(error.exit_code))\n"
        "list(follow(started.journal)); print('ended', int(launch.result(started)))\n"
    )
    words = ["unshare", "-m", "sh", "-ec", f'{script}\nexec "$PYTHON" -I -c "$PROGRAM" "$1"', "sh", str(directory)]
    environment = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "PROGRAM": program}
    return subprocess.run(words, capture_output=True, text=True, env=environment, check=False, timeout=120)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('mount --bind "$1/etc/nova/nova.conf" "$1/etc/nova/nova.conf"', "/etc/nova/nova.conf is a mount point"),
        ('mount -t tmpfs -o ro none "$1/boot"', "/boot is mounted read-only"),
        (
            'mount --bind "$1/etc" "$1/etc"; mount -o remount,bind,ro "$1/etc"',
            "lies on a file system that is mounted read-only",
        ),
        (
            'mkdir -p "$1/var/lib/compute-wizard"; mount -t tmpfs -o mode=0700,nr_inodes=12 none "$1/var/lib/compute-wizard"',
            "inodes left, and",
        ),
        (
            'mkdir -p "$1/var/lib/compute-wizard"; mount -t tmpfs -o mode=0700,size=64k none "$1/var/lib/compute-wizard"',
            "bytes left, and",
        ),
        (
            'cp -a "$1/etc/modprobe.d" "$1/m"; mount -t tmpfs -o nr_inodes=4 none "$1/etc/modprobe.d"; '
            'cp "$1"/m/* "$1/etc/modprobe.d" || :; touch "$1/etc/modprobe.d/a" "$1/etc/modprobe.d/b" "$1/etc/modprobe.d/c" || :',
            "inodes left, and 1 are needed",
        ),
    ],
)
def test_what_is_mounted_in_the_way_is_named_before_anything_is_touched(
    script: str, said: str, node: SimulatedNode
) -> None:
    before = {each: each.read_bytes() for each in sorted((node.directory / "etc").rglob("*")) if each.is_file()}
    answer = in_namespace(script, node.directory)
    assert answer.stderr == "" or "No space left" in answer.stderr
    assert answer.returncode == 1, answer.stdout
    assert said in answer.stdout
    assert "Nothing was changed" in answer.stdout
    after = {each: each.read_bytes() for each in sorted((node.directory / "etc").rglob("*")) if each.is_file()}
    assert after == before
    assert store.runs(node.directory) == []


def test_a_root_that_a_mount_lies_in_is_no_obstacle(node: SimulatedNode) -> None:
    answer = in_namespace('mount --bind "$1/etc" "$1/etc"', node.directory)
    assert answer.stdout == "ended 0\n", answer.stdout + answer.stderr


def test_a_plan_that_was_held_up_is_not_used_up(node: SimulatedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(node)
    monkeypatch.setattr(obstacles, "obstacles", lambda *_, **__: iter(["the disk is full"]))
    with pytest.raises(InputError, match="the disk is full"):
        refuse_obstacles(Tree(node.directory), plan, node.directory, runs_commands=True)
    monkeypatch.undo()
    assert launch.result(done(node, plan)[0]) is Exit.DONE


# a clock that jumps


def test_the_order_of_runs_is_that_of_their_numbers(node: SimulatedNode) -> None:
    """The second run was made after the clock jumped back by years, and the tenth thousand is more than four digits."""
    first, _ = done(node, planned(node))
    state = store.state_directory(node.directory) / "runs"
    later = state / "0001-20991231T235959Z"
    first.directory.rename(later)
    journal = later / "journal.jsonl"
    journal.write_text(journal.read_text(encoding="utf-8").replace(first.run, later.name), encoding="utf-8")
    answers = answer_files.from_data({"metadata": {"redirect": False}})
    second, _ = done(node, make_plan(facts.read(node), answers))
    assert second.run.startswith("0002-20")
    runs = facts.read(node).history.runs
    assert [run.id for run in runs] == [later.name, second.run]
    last = facts.read(node).history.last
    assert last is not None
    assert last.id == second.run
    second.directory.rename(state / "10000-20010101T000000Z")
    assert store.new_run(node.directory)[0].startswith("10001-")

"""Facts are a snapshot: the same facts and answers give the same plan, whatever happens to the node meanwhile."""

from __future__ import annotations

import pytest

from wizard.answers import suggestion
from wizard.errors import Denied, NodeError, NotThere
from wizard.facts import facts as fact_reader
from wizard.facts import kept_files
from wizard.facts.facts import Facts
from wizard.node.files import Files
from wizard.node.recorded import Entry, MemoryNode
from wizard.planning.planner import make_plan
from wizard.planning.verification import verify
from wizard.simulator.built_in import built_in

NODES = ("demo", "origin", "today")


def change_everything(node: MemoryNode) -> None:
    """Every file has another content, mode and owner; each third is gone; there are new ones; no command answers."""
    for number, path in enumerate(sorted(node.entries)):
        entry = node.entries[path]
        if entry.kind == "file":
            node.entries[path] = Entry("file", b"changed\n" + entry.content, mode=0o600, owner="nobody:nogroup")
        elif entry.kind == "link":
            node.entries[path] = Entry("link", target="/changed")
        elif entry.kind == "directory":
            node.write(f"{path.rstrip('/')}/new.conf", "options mlx4_core num_vfs=1\n")
        if number % 3 == 0 and path != "/":
            node.entries.pop(path, None)
    node.commands.clear()


def planned(facts: Facts) -> str:
    answers = suggestion.suggest(facts)
    return make_plan(facts, answers).to_json() + repr(verify(facts, answers))


@pytest.mark.parametrize("name", NODES)
def test_a_plan_is_made_of_what_was_read(name: str) -> None:
    node = built_in(name)
    expected = planned(fact_reader.read(built_in(name)))
    facts = fact_reader.read(node)
    change_everything(node)
    assert planned(facts) == expected
    assert planned(facts) == expected  # and of nothing that the first plan left behind
    assert planned(fact_reader.read(node)) != expected  # the node is another one now


@pytest.mark.parametrize("name", NODES)
def test_facts_with_their_files_come_back_from_json(name: str) -> None:
    facts = fact_reader.read(built_in(name))
    back = Facts.from_json(facts.to_json(files=True))
    assert planned(back) == planned(facts)
    assert back.to_json(files=True) == facts.to_json(files=True)


def test_facts_without_files_have_none() -> None:
    facts = fact_reader.read(built_in("demo"))
    assert facts.content("/etc/default/grub") is not None
    assert "files" not in facts.to_data()
    with pytest.raises(Denied):
        Facts.from_json(facts.to_json()).files.get("/etc/default/grub")


class Counting(MemoryNode):
    """Counts what it is asked."""

    asked = 0

    def _get(self, path: str) -> Entry:
        self.asked += 1
        return super()._get(path)


def test_no_question_is_put_to_the_node_twice() -> None:
    node = Counting()
    node.write("/etc/a", "a")
    files = Files(node)

    def ask() -> list[object]:
        return [
            files.get("/etc/a"), files.content("/etc/no"), files.destination("/etc/no"), files.links("/etc/a"),
            files.names("/etc"), files.is_small("/etc/a", 1), files.is_small("/etc/a", 0), files.command("ls"),
        ]  # fmt: skip

    first, asked = ask(), node.asked
    assert asked
    assert ask() == first
    assert node.asked == asked


@pytest.mark.parametrize("path", ["/d/new", "/d/no/deeper", "/d/no/deeper/still", "/gone/x", "/gone/x/y"])
def test_a_kept_directory_knows_what_is_not_in_it(path: str) -> None:
    node = Counting()
    node.write("/real/there", "x")
    node.symlink("/d", "real")
    kept, open_ = Files(node), Files(node)
    for directory in ("/d", "/gone"):
        kept.keep_directory(directory)
    before = node.asked
    said = [
        (files.get(path), files.destination(path), files.links(path), files.names(path), files.is_small(path, 9))
        for files in (kept, open_)
    ]
    assert said[0] == said[1]
    assert Files(node).get("/d/there") is not None
    asked = node.asked
    assert (kept.get(path), kept.destination(path)) == (None, said[1][1])
    assert node.asked == asked
    assert asked > before


class Locked(MemoryNode):
    """A directory that may not be listed, nor what is in it read."""

    def _names(self, path: str) -> list[str]:
        if path == "/locked":
            raise Denied("may not be read", where=path)
        return super()._names(path)


def test_what_may_not_be_listed_is_not_taken_for_empty() -> None:
    node = Locked()
    node.write("/locked/a", "x")
    files = Files(node)
    assert files.keep_directory("/locked") == []
    assert files.content("/locked/a") == b"x"


@pytest.mark.parametrize("error", [NodeError, NotThere, Denied])
def test_errors_come_back(error: type[NodeError]) -> None:
    class Odd(MemoryNode):
        def _read(self, path: str) -> bytes:
            raise error("cannot be read", where=path, do="something")

    node = Odd()
    node.write("/a", "x")
    node.write("/b", b"\xff")
    files = Files(node)
    try:
        before: object = files.get("/a")
    except NodeError as told:
        before = (type(told), str(told))
    back = Files.from_data(files.to_data())
    try:
        after: object = back.get("/a")
    except NodeError as told:
        after = (type(told), str(told))
    assert after == before


def test_large_files_and_crowds_are_not_read() -> None:
    node = Counting()
    node.write("/etc/modprobe.d/large.conf", b"#" * (kept_files.SMALL + 1))
    for number in range(kept_files.MOST + 50):
        node.write(f"/etc/udev/rules.d/{number:04}.rules", "x")
    files = Files(node)
    kept_files.keep(files, [])
    assert len([path for path in files.to_data()["files"] if path.startswith("/etc/udev")]) == kept_files.MOST
    assert "/etc/modprobe.d/large.conf" not in files.to_data()["files"]

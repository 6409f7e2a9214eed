"""What is read of a directory that was resolved once is what is read by the whole path, whatever lies there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wizard.errors import NodeError
from wizard.node import recorded
from wizard.node.node import Node
from wizard.node.recorded import DirectoryNode, MemoryNode

NAMES = "file empty link absolute dangling loop out directory fifo missing latin locked large".split()


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Node, Node]:
    """The same in a directory and in memory, but for what memory cannot hold."""
    monkeypatch.setattr(recorded, "MAX_FILE", 1000)
    place, memory = tmp_path / "d", MemoryNode()
    place.mkdir()
    for name, content in {
        "file": b" text\0\n",
        "empty": b"",
        "latin": b"\xe9\n",
        "locked": b"x",
        "target": b"seen",
    }.items():
        (place / name).write_bytes(content)
        memory.write(f"/d/{name}", content)
    links = {
        "link": "target",
        "absolute": "/d/target",
        "dangling": "gone",
        "loop": "loop",
        "out": "../../../etc/passwd",
    }
    for name, target in links.items():
        (place / name).symlink_to(target)
        memory.symlink(f"/d/{name}", target)
    (place / "directory/inner").mkdir(parents=True)
    memory.write("/d/directory/inner/x", "")
    os.mkfifo(place / "fifo")
    (place / "large").write_bytes(b"x" * 1001)
    (place / "locked").chmod(0)
    return DirectoryNode(tmp_path), memory


def outcome(action: Callable[[], object]) -> object:
    try:
        return action()
    except NodeError as error:
        return type(error), str(error)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("which", [0, 1])
def test_it_is_what_the_whole_path_says(nodes: tuple[Node, Node], which: int, name: str) -> None:
    node, path = nodes[which], f"/d/{name}"
    if name != "large":  # its limit is lowered for the short way alone, which leaves it to the long one
        assert outcome(lambda: node.text_at("/d", name)) == outcome(lambda: node.text(path))
        assert outcome(lambda: node.read_at("/d", name)) == outcome(lambda: node.read(path))
    assert node.link_at("/d", name) == node.link(path)
    assert outcome(lambda: node.resolve_at("/d", name)) == outcome(lambda: node.resolve(path))
    assert outcome(lambda: node.names_at(path)) == outcome(lambda: node.names(path)) or node.link(path) is not None


def test_a_large_file_is_left_to_the_long_way(nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Node, "text", lambda _, path: asked.append(path))
    assert nodes[0].text_at("/d", "large") is None
    assert asked == ["/d/large"]

"""Trees of a node as text and as a picture, and colours that change no letter."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from screens.terminal.rich_looks import RichLooks
from wizard.cli import looks
from wizard.cli.main import main
from wizard.simulator.built_in import built_in, simulate

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def node(tmp_path: Path) -> str:
    simulate(built_in("demo"), tmp_path / "node")
    return str(tmp_path / "node")


def test_cards_and_networks_as_trees(node: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", node, "inspect", "--tree"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"ConnectX-3 Pro, serial MT1703X01358\n.*0000:04:00.0 mlx4_core, VFs 0 of 16 \(ib0, ib1\)", said)
    assert re.search(r"VLAN 1441 demo-net\n.*br1441: 10.44.1.0/24, this node is 10.44.1.3\n.*gateway: ", said)
    assert "169.254.169.254 through br1442" in said


def test_a_picture_holds_the_same_words(
    node: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "load", RichLooks)
    path = tmp_path / "node.svg"
    assert main(["--root", node, "inspect", "--svg", str(path)]) == 0
    assert path.stat().st_mode & 0o777 == 0o600
    words = "".join(ElementTree.fromstring(path.read_text(encoding="utf-8")).itertext()).replace("\xa0", " ")
    assert "ConnectX-3 Pro, serial MT1703X01358" in words and "VLAN 1442" in words


def test_inspect_shows_one_thing_at_a_time(node: str, capsys: pytest.CaptureFixture[str]) -> None:
    for way in (["--tree", "--json"], ["--nova", "--tree"], ["--svg", "x", "--tree"]):
        assert main(["--root", node, "inspect", *way]) != 0
        assert "one thing at a time" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["inspect"], ["check"], ["plan"], ["inspect", "--tree"], ["history"], ["verify"]])
def test_colours_change_no_letter(command: list[str], node: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--root", node, *command])
    said = capsys.readouterr().out
    painted = RichLooks().paint(said)
    assert ESCAPES.sub("", painted) == said
    assert command != ["plan"] or painted != said


class _Terminal:
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "dumb"}, False),
        ({}, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
    ],
)
def test_when_there_are_colours(environment: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(looks, "load", RichLooks)
    stream: Any = _Terminal()
    assert (looks.for_stream(stream) is not None) is coloured
    assert looks.for_stream(None) is None

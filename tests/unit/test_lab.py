"""The pure parts of the lab; its machines are not for here."""

from __future__ import annotations

import struct

import pytest
from lab.emulator import disguise
from lab.scenarios import SCENARIOS
from lab.stage import differences
from lab.terminal import Terminal

FUNCTION = b"\xc7\x80\xd8\0\0\0\x86\x80\xc9\x10"
VIRTUAL = b"\xc7\x80\xd8\0\0\0\x86\x80\xca\x10"
OFFERED = b"\xbe\x60\x01\0\0\xba\xca\x10\0\0"
PROGRAM = b"head" + FUNCTION + b"between" + VIRTUAL + bytes(80) + OFFERED + bytes(80)


def test_a_disguise_changes_three_constants_and_nothing_else() -> None:
    disguised = disguise(PROGRAM, 0x1017, 0x1018)
    assert len(disguised) == len(PROGRAM)
    assert struct.pack("<HH", 0x15B3, 0x1017) in disguised
    assert struct.pack("<HH", 0x15B3, 0x1018) in disguised
    assert b"\xba\x18\x10\0\0" in disguised
    assert sum(a != b for a, b in zip(disguised, PROGRAM, strict=True)) == 7
    assert b"\x86\x80" not in disguised


@pytest.mark.parametrize("program", [PROGRAM.replace(VIRTUAL, b""), PROGRAM + FUNCTION, PROGRAM.replace(OFFERED, b"")])
def test_a_program_that_is_built_otherwise_is_refused(program: bytes) -> None:
    with pytest.raises(ValueError, match="has to be once"):
        disguise(program, 0x1017, 0x1018)


def test_a_terminal_shows_what_was_sent_and_draws_it() -> None:
    terminal = Terminal(20, 3)
    terminal.feed(b"\x1b[2J\x1b[H\x1b]0;title\x07a < b\r\n\x1b[7mturned\x1b[0m\x1b[?2026$p")
    assert terminal.text().splitlines()[:2] == ["a < b", "turned"]
    picture = terminal.svg()
    assert "a &lt; b" in picture
    assert 'fill="#aaaaaa"/>' in picture  # the background of what is turned


def test_a_sequence_may_come_in_pieces_and_a_question_is_answered() -> None:
    said: list[str] = []
    terminal = Terminal(20, 3, answer=said.append)
    for piece in (b"ab\x1b", b"[", b"6", b"n\x1b]0;ti", b"tle\x07c\x1b[1;2;3H", b"\x1b[2;1Hd"):
        terminal.feed(piece)
    assert terminal.text().splitlines()[:2] == ["abc", "d"]
    assert said == ["\x1b[1;3R"]


def test_the_differences_of_two_manifests_are_told_by_line() -> None:
    assert differences("a\nb\n", "b\nc\n") == "- a\n+ c"
    assert differences("a\n", "a\n") == ""


def test_every_scenario_has_a_name_of_its_own_and_says_what_it_uses() -> None:
    names = [scenario.NAME for scenario in SCENARIOS]
    assert len(set(names)) == len(names)
    assert all(scenario.HARDWARE and scenario.TITLE for scenario in SCENARIOS)

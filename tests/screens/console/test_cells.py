"""What is sent makes the terminal show what is wanted: judged by a terminal emulator."""

from __future__ import annotations

import re
from typing import Any

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.console.cells import Cells
from screens.console.glyphs import fitting, in_ascii

WIDTH, HEIGHT = 12, 5
STYLES = ("", "0", "1", "7", "4", "31", "1;7", "36;40", "0;33", "39;49", "30;46")
TEXTS = st.text(st.sampled_from("ab cé─●"), max_size=WIDTH + 3)
PIECE = st.tuples(st.integers(1, HEIGHT), st.integers(1, WIDTH), st.sampled_from(STYLES), TEXTS)
FRAMES = st.lists(st.lists(PIECE, max_size=6), min_size=1, max_size=6)


def frame(pieces: list[tuple[int, int, str, str]]) -> str:
    return "".join(f"\x1b[{row};{column}H\x1b[{style}m{text}\x1b[0m" for row, column, style, text in pieces)


def seen(screen: Any) -> list[list[tuple[Any, ...]]]:
    """Cells as an eye sees them: on a space neither the colour of the letter nor its weight. What is reversed is not bold."""
    rows = []
    for y in range(HEIGHT):
        cells = [screen.buffer[y][x] for x in range(WIDTH)]
        rows.append(
            [
                (
                    c.data,
                    c.bg,
                    c.reverse,
                    c.underscore,
                    *(() if c.data == " " and not c.reverse else (c.fg, c.bold and not c.reverse)),
                )
                for c in cells
            ]
        )
    return rows


def shown_by(data: list[str]) -> Any:
    screen = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(screen)
    stream.feed("\x1b[?7l")
    for each in data:
        stream.feed(each)
    return screen


@given(FRAMES)
def test_any_frames_end_in_the_same_screen(frames: list[list[tuple[int, int, str, str]]]) -> None:
    cells = Cells(WIDTH, HEIGHT, in_ascii)
    # A terminal that gets the frames as they are; what would go over the edge is cut, as Textual does.
    cut = [[(r, c, s, "".join(map(in_ascii, t))[: WIDTH - c + 1]) for r, c, s, t in pieces] for pieces in frames]
    sent = []
    for pieces in cut:
        cells.read(frame(pieces))
        sent.append(cells.update())
        assert cells.update() == ""
    direct = shown_by([frame(pieces) for pieces in cut])
    through = shown_by(sent)
    assert seen(through) == seen(direct)
    if cut[-1]:
        assert (through.cursor.y, through.cursor.x) == cells.cursor


@given(FRAMES)
def test_what_is_forgotten_is_painted_anew(frames: list[list[tuple[int, int, str, str]]]) -> None:
    cells = Cells(WIDTH, HEIGHT, in_ascii)
    for pieces in frames:
        cells.read(frame(pieces))
    before = shown_by([cells.update()])
    cells.forget()
    again = cells.update()
    assert seen(shown_by(["\x1b[3;3Hnoise\x1b[7m", again])) == seen(before)


def test_only_what_changed_is_sent() -> None:
    cells = Cells(80, 24, in_ascii)
    cells.read(frame([(row, 1, "", "x" * 80) for row in range(1, 25)]))
    assert len(cells.update()) < 24 * 86
    cells.read(frame([(row, 1, "", "x" * 80) for row in range(1, 25)]) + "\x1b[3;5Hy\x1b[3;6H")
    assert cells.update() == "\x1b[3;5Hy"


@pytest.mark.parametrize(("wanted", "sent"), [("1;7", "7"), ("1", "1"), ("7;1;36", "7;36"), ("1;38;5;7", "1;38;5;7")])
def test_what_is_reversed_is_not_bold_too(wanted: str, sent: str) -> None:
    """A Linux console draws that in dark grey on light grey."""
    cells = Cells(WIDTH, HEIGHT, in_ascii)
    cells.update()
    cells.read(f"\x1b[1;1H\x1b[{wanted}mx\x1b[0m")
    assert f"\x1b[{sent}mx" in cells.update()


def test_modern_sequences_are_left_out() -> None:
    cells = Cells(WIDTH, HEIGHT, in_ascii)
    cells.update()
    cells.read("\x1b[?1049h\x1b[?1003h\x1b[>25u\x1b]22;pointer\x1b\\\x1b[?2026$p\x07\x1b]52;c;YQ==\x07")
    assert cells.update() == ""


def test_wide_characters_keep_their_two_cells() -> None:
    from rich.cells import get_character_cell_size

    plain = Cells(WIDTH, HEIGHT, in_ascii, get_character_cell_size)
    plain.read("\x1b[1;1H漢b")
    assert plain.update().endswith("??b")
    wide = Cells(WIDTH, HEIGHT, lambda char: char, get_character_cell_size)
    wide.read("\x1b[1;1Ha漢b")
    wide.update()
    wide.read("\x1b[1;1Ha字b")
    assert wide.update() == "\x1b[1;2H字\x1b[1;5H"


@given(st.characters())
def test_every_character_has_something_in_ascii(char: str) -> None:
    found = in_ascii(char)
    assert found.isascii() and found.isprintable() and 1 <= len(found) <= 2


@pytest.mark.parametrize(
    ("char", "plain"), [("─", "-"), ("▔", "-"), ("●", "*"), ("é", "e"), ("✓", "x"), ("…", "~"), ("ß", "?")]
)
def test_shapes_that_stand_for_others(char: str, plain: str) -> None:
    assert in_ascii(char) == plain


def test_a_font_shows_what_it_has() -> None:
    fit = fitting(frozenset(map(ord, "─é")))
    assert re.fullmatch("─é\\*", "".join(map(fit, "─é●")))

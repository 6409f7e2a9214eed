"""The console driver shows what Textual's own driver shows: random walks, cell by cell."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pseudoterminal import DEMO, Session

from screens.console.glyphs import in_ascii

KEYS = [
    b"\t",
    b"\t",
    b"\x1b[Z",
    b"\x1b[A",
    b"\x1b[B",
    b"\x1b[B",
    b"\x1b[C",
    b"\x1b[6~",
    b"\x1b[5~",
    b" ",
    b"1",
    b"\x7f",
    b"\r",
    b"\x1b",
]
PAGES = [b"3", b"5", b"7", b"1", b"6", b"4"]
# Both faces of one theme; the stock driver has to be told what the console face says of colours.
STOCK = "import sys; from screens.tui import base_app; base_app._driver = lambda face: None; from screens.start import main; sys.exit(main())"


def walk(seed: int) -> list[bytes]:
    """Keys that stay inside the wizard: a page, some keys in it, then out of any field."""
    chance = random.Random(seed)
    keys = []
    for _ in range(3):
        keys += [chance.choice(PAGES), *chance.choices(KEYS, k=6), b"\x1b", b"\x1b"]
    return keys


def seen(session: Session) -> list[list[tuple[Any, ...]]]:
    """Cells as an eye sees them, in ASCII: on a space neither the colour of the letter nor its weight. What is reversed is not bold."""
    screen = session.screen()
    rows = []
    for y in range(24):
        cells = [screen.buffer[y][x] for x in range(80)]
        rows.append(
            [
                (in_ascii(c.data) if c.data > "~" else c.data, c.bg, c.reverse, c.underscore)
                + (() if c.data == " " and not c.reverse else (c.fg, c.bold and not c.reverse))
                for c in cells
            ]
        )
    return rows


@pytest.mark.parametrize("seed", range(4))
def test_a_random_walk_ends_in_the_same_screen(seed: int) -> None:
    import sys

    environment = {"TERM": "vt220", "TEXTUAL_ANIMATIONS": "none"}
    with (
        Session((*DEMO, "--ui", "console"), environment=environment) as ours,
        Session((sys.executable, "-c", STOCK, "demo", "--ui", "console"), environment=environment) as stock,
    ):
        for session in (ours, stock):
            session.until_text("Enter next")
        for key in walk(seed):
            for session in (ours, stock):
                session.press(key)
            for session in (ours, stock):
                session.settle(0.25)
        for session in (ours, stock):
            session.settle(1.2)
        differing = [
            (y, x, one, other)
            for y, (ours_row, stock_row) in enumerate(zip(seen(ours), seen(stock), strict=True))
            for x, (one, other) in enumerate(zip(ours_row, stock_row, strict=True))
            if one != other
        ]
        assert not differing, (len(differing), differing[:5], ours.lines(), stock.lines())
        assert len(ours.output) < len(stock.output) / 4

"""Every screen as text, at 80x24 and at 120x40: what is in the pictures is what an admin sees."""

from __future__ import annotations

import os
import re
from pathlib import Path

import needs
import pytest
from driving import LARGE, SMALL, page, press, settled, state, text, until, whole, wizard, write
from places import SCREENS_GOLDEN as GOLDEN
from textual.pilot import Pilot

from screens.shared.page_order import PAGES
from screens.tui.widgets.list_view import Rows

SAFE = set("─│┌┐└┘├┤┬┴┼░▒▓█■▲▼►◄•")  # glyphs that every console's font has


def _same(pilot: Pilot[int], name: str, size: tuple[int, int]) -> None:
    shown = text(pilot)
    assert len(shown.splitlines()) == size[1]
    assert not {char for char in shown if ord(char) > 126 and char not in SAFE}
    shown = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d\+00:00)?", lambda found: "Y" * len(found[0]), shown)
    shown = re.sub(r"(\d{4})-\d{8}T\d{6}Z", r"\1-YYYYYYYYTYYYYYYZ", shown)
    shown = re.sub(r" +\d+ s$", "    T s", shown, flags=re.MULTILINE)  # how long a step took
    path = GOLDEN / f"{name}-{size[0]}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


sizes = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])


@sizes
async def test_every_page(size: tuple[int, int], tmp_path: Path) -> None:
    async with wizard(tmp_path, size=size) as pilot:
        for number, name in enumerate(PAGES):
            await press(pilot, str(number))
            assert page(pilot) == name
            _same(pilot, f"{number}-{name}", size)
            if name == "apply":
                await press(pilot, "escape")


@sizes
@pytest.mark.parametrize("name", ["origin", "today"])
async def test_the_welcome_of_other_nodes(name: str, size: tuple[int, int], tmp_path: Path) -> None:
    async with wizard(tmp_path, name, size) as pilot:
        _same(pilot, f"welcome-{name}", size)


@sizes
async def test_the_proofs(size: tuple[int, int], tmp_path: Path) -> None:
    async with wizard(tmp_path, size=size) as pilot:
        await press(pilot, "9", "p")
        await until(pilot, lambda: "Not here" in whole(pilot))
        _same(pilot, "prove", size)


async def test_colours(tmp_path: Path) -> None:
    """What the pictures in text do not show: problems, what was found, additions and removals, the focus."""
    async with wizard(tmp_path) as pilot:
        await press(pilot, "3", "tab", "x")
        await until(pilot, lambda: "type a whole number" in whole(pilot))
        _same_colours(pilot, "vfs")
        await press(pilot, "backspace", "escape", "7")
        rows = pilot.app.screen.query_one(Rows)
        rows.go(str(next(n for n, step in enumerate(_steps(pilot)) if step == "/etc/nova/nova.conf")))
        await press(pilot, "n")
        _same_colours(pilot, "preview")
        pilot.app.theme = "high-contrast"
        await settled(pilot)
        _same_colours(pilot, "preview-high-contrast")


def _steps(pilot: Pilot[int]) -> list[str]:
    plan = state(pilot).plan
    assert plan is not None
    return [str(getattr(step, "path", "")) for step in plan.steps]


def _same_colours(pilot: Pilot[int], name: str) -> None:
    shown = re.sub(r"terminal-\d+", "terminal-N", pilot.app.export_screenshot(title=name, simplify=True))
    path = GOLDEN / f"{name}.svg"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


@sizes
async def test_help_and_the_ways_to_add_networks(size: tuple[int, int], tmp_path: Path) -> None:
    async with wizard(tmp_path, size=size) as pilot:
        await press(pilot, "5", "f1")
        _same(pilot, "help", size)
        await press(pilot, "escape", "m")
        await write(pilot, "1440-1460")
        await press(pilot, "escape")
        _same(pilot, "add-pattern", size)
        await press(pilot, "escape", "p")
        await write(pilot, "net, 10.1.2.3, 7")
        _same(pilot, "add-pasted", size)
        await press(pilot, "escape", "escape", "a")
        await write(pilot, "third")
        _same(pilot, "edit-row", size)


@sizes
async def test_after_a_run(size: tuple[int, int], tmp_path: Path) -> None:
    needs.root("to give files to root, or the page has a note more")
    async with wizard(tmp_path, size=size) as pilot:
        await press(pilot, "8")
        await write(pilot, "yes")
        await press(pilot, "enter")
        await until(pilot, lambda: "Done." in whole(pilot))
        await settled(pilot)
        _same(pilot, "applied", size)
        await press(pilot, "enter")
        await until(pilot, lambda: "waits for the reboot" in whole(pilot))
        _same(pilot, "verify-pending", size)
        await press(pilot, "b")
        await until(pilot, lambda: "checks held" in whole(pilot))
        _same(pilot, "verify-held", size)
        await press(pilot, "h")
        _same(pilot, "history", size)
        await press(pilot, "u")
        _same(pilot, "undo", size)
        await press(pilot, "0")
        _same(pilot, "welcome-again", size)

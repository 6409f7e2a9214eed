"""The full face beside the console face: the same texts and keys, a mouse, three widths, and an undo for every edit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from driving import CONSOLE, FULL, opened, page, press, settled, state, text, until, whole, wizard, write
from textual.pilot import Pilot
from textual.widgets import Input, Tree

from screens.shared.page_order import PAGES
from screens.shared.session import NodeEngine
from screens.terminal.choice import Face
from screens.tui.page import Page
from screens.tui.widgets.list_view import Rows
from screens.tui.widgets.panel import Panel
from wizard.simulator.built_in import built_in, simulate

CUT = {"command", "holds"}  # the end of a step's title, where a pane is narrower
WIDE, VAST = (120, 40), (200, 60)


def words(pilot: Pilot[int]) -> list[str]:
    """Every text of the body, without the plan that stands beside it where there is room."""
    screen = pilot.app.screen
    for beside in screen.query("#overview"):
        beside.remove()
    found = []
    for widget in screen.query("#body *"):
        if isinstance(widget, Rows):
            found += [word for key in widget._keys for cell in widget._cells(key) for word in cell.split()]
        elif widget.id not in ("views",) and not widget.query("*"):
            found += str(widget.render()).split() if type(widget).__name__ in ("Static", "Hot", "Line") else []
    return sorted({word for word in found if word.isalpha()})


async def _seen(directory: Path, face: Face) -> dict[str, tuple[list[str], list[tuple[str, str]]]]:
    seen = {}
    async with wizard(directory, size=WIDE, face=face) as pilot:
        for number, name in enumerate(PAGES):
            await press(pilot, str(number))
            screen = pilot.app.screen
            assert isinstance(screen, Page)
            keys = [*screen.keys(), *screen.ways()]
            seen[name] = words(pilot), keys
            if name == "apply":
                await press(pilot, "escape")
    return seen


async def test_both_skins_of_every_page_hold_the_same_texts_and_keys(tmp_path: Path) -> None:
    full, console = await _seen(tmp_path / "full", FULL), await _seen(tmp_path / "console", CONSOLE)
    for name in PAGES:
        assert full[name][1] == console[name][1], name
        different = set(full[name][0]) ^ set(console[name][0])
        assert {word for word in different if len(word) > 3} <= {"more", "lines", *CUT}, name


async def test_the_head_says_what_state_the_node_is_in(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    async with opened(NodeEngine(node, str(tmp_path), True), WIDE, FULL) as pilot:
        assert re.search(r"compute-03 .* mitaka .* SIMULATION +NOTHING CHANGED", text(pilot).splitlines()[0])
        await press(pilot, "8")
        await write(pilot, "yes")
        await press(pilot, "enter")
        await until(pilot, lambda: "Done." in whole(pilot))
        await until(pilot, lambda: "REBOOT NEEDED" in text(pilot).splitlines()[0])
        titles = [panel._title for panel in pilot.app.screen.query(Panel)]
        assert titles == ["Result", "Next", "If it does not boot"]
        await press(pilot, "enter", "b")
        await until(pilot, lambda: "checks held" in whole(pilot))
        assert "REBOOT NEEDED" not in text(pilot)
        assert "CHANGED" in text(pilot).splitlines()[0]


async def test_a_run_that_failed_is_on_every_page(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    grub = tmp_path / "boot/grub/grub.cfg"
    grub.unlink()
    grub.mkdir()
    async with opened(NodeEngine(node, str(tmp_path), True), WIDE, FULL) as pilot:
        await press(pilot, "8")
        await write(pilot, "yes")
        await press(pilot, "enter")
        await until(pilot, lambda: "r tries again" in whole(pilot))
        for key in "013":
            await press(pilot, key)
            assert "FAILED" in text(pilot).splitlines()[0]


async def test_sections_have_states_that_mean_something(tmp_path: Path) -> None:
    async with wizard(tmp_path, size=WIDE, face=FULL) as pilot:
        assert re.search(r"2  IOMMU +○ suggested", text(pilot))
        assert re.search(r"7  Preview +· not visited", text(pilot))
        await press(pilot, "3")
        assert re.search(r"3  VFs +✓ answered", text(pilot))
        await press(pilot, "tab", "end")
        await write(pilot, "x")
        assert re.search(r"3  VFs +! problem", text(pilot))
        await press(pilot, "backspace", "escape", "o")
        await until(pilot, lambda: re.search(r"3  VFs +[–✗]", text(pilot)) is not None)


async def test_sections_keys_rows_and_choices_are_clicked(tmp_path: Path) -> None:
    async with wizard(tmp_path, size=WIDE, face=FULL) as pilot:
        await pilot.click("#pages", offset=(4, 4))
        await settled(pilot)
        assert page(pilot) == "vfs"
        lines = pilot.app.screen.query("Line")
        await pilot.click(lines.first(), offset=(4, 1))
        await settled(pilot)
        assert "(x) InfiniBand" in text(pilot)
        last = text(pilot).splitlines()[-1]
        await pilot.click("#keys", offset=(last.index("Enter"), 0))
        await settled(pilot)
        assert page(pilot) == "passthrough"
        await press(pilot, "7")
        rows = pilot.app.screen.query_one(Rows)
        await pilot.click("#steps", offset=(10, 4))
        await settled(pilot)
        assert rows.key == "2"
        before = round(rows.scroll_y)
        await press(pilot, "end")
        assert round(rows.scroll_y) > before


async def test_every_edit_can_be_undone(tmp_path: Path) -> None:
    async with wizard(tmp_path, face=FULL) as pilot:
        first = state(pilot).answers
        await press(pilot, "3", "tab", "backspace")
        await write(pilot, "2")
        assert state(pilot).answers != first
        await press(pilot, "escape", "z")
        assert state(pilot).answers == first and page(pilot) == "vfs"
        await press(pilot, "o", "0", "z")
        assert state(pilot).answers == first and page(pilot) == "vfs"
        await press(pilot, "5", "d", "d")
        assert state(pilot).answers != first
        await press(pilot, "z", "z")
        assert state(pilot).answers == first
        await press(pilot, "z")
        assert state(pilot).answers == first


@pytest.mark.parametrize("face", [FULL, CONSOLE], ids=["full", "console"])
async def test_a_window_that_is_too_small_says_so(face: Face, tmp_path: Path) -> None:
    async with wizard(tmp_path, size=(30, 8), face=face) as pilot:
        assert "at least 40x10" in " ".join(text(pilot).split())
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        assert "0 " in text(pilot) and "at least" not in text(pilot)


async def test_there_is_more_beside_the_page_where_there_is_room(tmp_path: Path) -> None:
    async with wizard(tmp_path, size=(80, 24), face=FULL) as pilot:
        assert "What will change" not in text(pilot)
        await pilot.resize_terminal(*WIDE)
        await settled(pilot)
        assert "What will change" in text(pilot) and "/etc/nova/nova.conf" in text(pilot)
        await press(pilot, "7")
        steps, detail = (pilot.app.screen.query_one(name).region for name in ("#steps", "#detail"))
        assert detail.y >= steps.bottom
        await pilot.resize_terminal(*VAST)
        await settled(pilot)
        steps, detail = (pilot.app.screen.query_one(name).region for name in ("#steps", "#detail"))
        assert detail.x >= steps.right and detail.y == steps.y and steps.height > 40


async def test_what_is_typed_into_a_row_is_in_sight(tmp_path: Path) -> None:
    async with wizard(tmp_path, size=(80, 24), face=FULL) as pilot:
        await press(pilot, "5", "a")
        for _ in range(4):
            focused = pilot.app.focused
            assert isinstance(focused, Input)
            assert pilot.app.screen.query_one("#body").region.contains_region(focused.region)
            await press(pilot, "tab")


async def test_devices_are_trees_and_a_table(tmp_path: Path) -> None:
    async with wizard(tmp_path, size=WIDE, face=FULL) as pilot:
        await press(pilot, "1")
        tree = pilot.app.screen.query_one("#cards", Tree)
        assert tree.has_focus and "ConnectX-3 Pro" in text(pilot)
        await press(pilot, "down")
        assert "serial MT1703X01358" in text(pilot)
        await press(pilot, "t")
        assert "VLAN 1441 demo-net" in text(pilot) and "169.254.169.254" in text(pilot)
        await press(pilot, "t")
        assert pilot.app.screen.query_one(Rows).has_focus
        await pilot.click("#views", offset=(3, 0))
        await settled(pilot)
        assert tree.has_focus


@pytest.mark.parametrize("theme", ["night", "day", "high-contrast", "textual-dark", "ansi-dark"])
async def test_any_theme_shows_every_page(theme: str, tmp_path: Path) -> None:
    async with wizard(tmp_path, size=WIDE, face=FULL) as pilot:
        pilot.app.theme = theme
        for key in "0137":
            await press(pilot, key)
            assert len(text(pilot).split()) > 50

"""The Textual face on the simulated node: keyboard only, from welcome to verify and back again."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from screens.app import WizardApp
from screens.engine import NodeEngine
from screens.state import PAGES
from wizard import answer_files
from wizard.demo import built_in, simulate
from wizard.node.recorded import DirectoryNode, MemoryNode

GOLDEN = Path(__file__).parent / "golden"
SAFE = set("─│┌┐└┘├┤┬┴┼░▒▓█■▲▼►◄•")


@asynccontextmanager
async def wizard(tmp_path: Path, name: str = "demo", size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[int]]:
    node = simulate(built_in(name), tmp_path)
    app = WizardApp(NodeEngine(node, str(tmp_path), True))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield pilot


async def settled(pilot: Pilot[int]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    await pilot.pause()


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    for _ in range(400):
        if condition():
            return
        await pilot.pause(0.05)
    raise AssertionError(f"this never came true on {pilot.app.screen}:\n{whole(pilot)}")


def page(pilot: Pilot[int]) -> str:
    return str(getattr(pilot.app.screen, "NAME", ""))


def text(pilot: Pilot[int]) -> str:
    """The screen as lines of text."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips) + "\n"


def whole(pilot: Pilot[int]) -> str:
    """All texts of the page, also those that are scrolled away."""
    return "\n".join(str(widget.render()) for widget in pilot.app.screen.query(Static))


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_every_page_as_a_picture(size: tuple[int, int], tmp_path: Path) -> None:
    GOLDEN.mkdir(exist_ok=True)
    async with wizard(tmp_path, size=size) as pilot:
        for number, name in enumerate(PAGES):
            if name in ("apply", "verify"):
                continue
            await press(pilot, str(number))
            assert page(pilot) == name
            shown = text(pilot)
            assert len(shown.splitlines()) == size[1]
            assert not {char for char in shown if ord(char) > 126 and char not in SAFE}
            path = GOLDEN / f"{number}-{name}-{size[0]}.txt"
            if os.environ.get("UPDATE_GOLDEN"):
                path.write_text(shown, encoding="utf-8")
            assert shown == path.read_text(encoding="utf-8")


async def test_the_whole_way_with_the_keyboard(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        seen = [page(pilot)]
        while page(pilot) != "apply":
            await press(pilot, "enter")
            seen.append(page(pilot))
        assert seen == list(PAGES[:-1])
        assert "SIMULATION" in text(pilot).splitlines()[0]
        await press(pilot, "n", "o", "enter")
        assert "Nothing was done." in whole(pilot)
        pilot.app.screen.query_one("#yes", Input).value = ""
        await press(pilot, "y", "e", "s", "enter")
        await until(pilot, lambda: "Done." in whole(pilot))
        assert "Reboot once, when it suits you" in whole(pilot)
        await press(pilot, "escape", "enter") if isinstance(pilot.app.focused, Input) else await press(pilot, "enter")
        await until(pilot, lambda: page(pilot) == "verify")
        assert "waits for the reboot" in whole(pilot)
        await press(pilot, "b")
        await until(pilot, lambda: "checks held" in whole(pilot))
        await press(pilot, "h")
        await until(pilot, lambda: page(pilot) == "history")
        await press(pilot, "u")
        assert "as it was before the run" in whole(pilot)
        await press(pilot, "enter")
        assert page(pilot) == "apply"
        assert "take back 0001-" in whole(pilot)
        await press(pilot, "y", "e", "s", "enter")
        await until(pilot, lambda: "Done." in whole(pilot))
    assert not (tmp_path / "etc/modprobe.d/mlx4_core.conf").exists()


async def test_back_never_loses_an_answer_and_an_error_stands_at_its_field(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "3", "tab", "backspace", "backspace", "x")
        assert "type a whole number" in whole(pilot)
        assert answer_files.value_at(pilot.app.state.answers, "vfs", ("card", 0, "count")) == 1  # type: ignore[attr-defined]
        await press(pilot, "backspace", "8")
        assert "type a whole number" not in whole(pilot)
        await press(pilot, "escape", "escape")
        assert page(pilot) == "iommu"
        await press(pilot, "enter")
        assert pilot.app.screen.query(Input).first().value == "8"
        await until(pilot, lambda: "num_vfs=8" in whole(pilot))


async def test_in_a_field_letters_and_digits_are_text(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "5", "tab", "q", "9", "h")
        assert page(pilot) == "gateways"
        assert pilot.app.screen.query(Input).first().value.endswith("q9h")


async def test_a_count_above_the_limit_blocks_where_it_is_typed(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "3", "tab", "end", "9")
        await until(pilot, lambda: "VFS-ABOVE-LIMIT" in whole(pilot))
        assert "[x ]" in whole(pilot)
        await press(pilot, "escape", "8")
        assert "a finding blocks" in whole(pilot)
        assert not pilot.app.screen.query("#yes")


async def test_rows_are_added_and_deleted(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "5", "a")
        assert "Networks: 3" in whole(pilot)
        await press(pilot, "d")
        assert "Networks: 2" in whole(pilot)


async def test_a_chapter_is_left_alone_and_answered_again(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "6", "o")
        assert "left alone" in whole(pilot)
        await press(pilot, "o")
        assert "Redirect metadata requests" in whole(pilot)
        await press(pilot, "tab", "space")
        assert "[ ] Redirect metadata requests" in whole(pilot)


@pytest.mark.parametrize("name", ["origin", "today"])
async def test_other_nodes(name: str, tmp_path: Path) -> None:
    async with wizard(tmp_path, name) as pilot:
        for number in range(len(PAGES)):
            if isinstance(pilot.app.focused, Input):
                await press(pilot, "escape")
            await press(pilot, str(number))
            assert page(pilot) == PAGES[number]
            await press(pilot, "f1")
            assert "Esc back" in text(pilot)
            await press(pilot, "escape")
            assert page(pilot) == PAGES[number]


async def test_an_empty_node_has_every_page(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    app = WizardApp(NodeEngine(DirectoryNode(tmp_path), str(tmp_path), False))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for number in range(len(PAGES)):
            await press(pilot, str(number))
            assert page(pilot) == PAGES[number]
        await press(pilot, "8")
        assert "Not now" in whole(pilot)
    assert MemoryNode("x").title == ""


async def test_text_of_the_node_is_never_markup_nor_an_escape_sequence(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    (tmp_path / "etc/hostname").write_text("[red]x[/red][/]\x1b[31m\n", encoding="utf-8")
    (tmp_path / "proc/sys/kernel/hostname").unlink(missing_ok=True)
    app = WizardApp(NodeEngine(node, str(tmp_path), True))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "[red]x[/red][/]\\x1b[31m" in text(pilot)

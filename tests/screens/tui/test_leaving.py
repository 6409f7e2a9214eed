"""The program may be left, or another page be asked for, at any moment of a page's coming."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from driving import settled, wizard
from textual.screen import Screen

from screens.shared.page_order import PAGES
from screens.tui.add_networks_screen import Import
from screens.tui.app import WizardApp
from screens.tui.help_screen import HelpPage
from screens.tui.pick_screen import Pick

PAGES_AND_HISTORY = (*PAGES, "history")
DIALOGS: dict[str, Callable[[], Screen[Any]]] = {
    "help": lambda: HelpPage("welcome"),
    "pick": lambda: Pick("Which?", {"a": "A"}),
    "add": lambda: Import([]),
}
MOMENTS = range(6)  # of the event loop: those in which a page is being made


async def moments(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_another_page_may_be_asked_for_before_one_stands(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        app = cast("WizardApp", pilot.app)
        for number in MOMENTS:
            for page in PAGES_AND_HISTORY:
                app.show(page)
                await moments(number)
        await settled(pilot)
        assert app.screen.display


@pytest.mark.parametrize("number", MOMENTS)
@pytest.mark.parametrize("page", ["history", "verify", *DIALOGS])
async def test_the_program_may_be_left_before_a_page_stands(tmp_path: Path, page: str, number: int) -> None:
    async with wizard(tmp_path) as pilot:
        app = cast("WizardApp", pilot.app)
        if page in DIALOGS:
            app.push_screen(DIALOGS[page]())
        else:
            app.show(page)
        await moments(number)

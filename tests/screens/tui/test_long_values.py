"""A value that is longer than its field is seen: its end where one types, its beginning elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import CONSOLE, FULL, settled, wizard
from textual.widgets import Input

from screens.terminal.choice import Face


@pytest.mark.parametrize("face", [CONSOLE, FULL], ids=["console", "full"])
async def test_a_long_value_is_in_its_field(tmp_path: Path, face: Face) -> None:
    async with wizard(tmp_path, face=face) as pilot:
        await pilot.press("3")
        await settled(pilot)
        field = pilot.app.screen.query(Input).first()
        field.value = "".join(chr(ord("a") + number % 26) for number in range(150)) + "END"
        for key, shown in (("end", "END"), ("home", "abcdef")):
            field.focus()
            await pilot.press(key)
            await settled(pilot)
            place = field.region
            lines = pilot.app.screen._compositor.render_strips()
            line = lines[place.y].crop(place.x, place.right).text
            assert shown in line, (key, line)

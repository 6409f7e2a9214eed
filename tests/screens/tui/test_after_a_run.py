"""Whatever is looked at after a run, it is the node as it is then."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import page, state, text, until, whole, wizard

from screens.shared.fit_text import cut
from screens.tui import subshell


@pytest.mark.parametrize(("key", "named"), [("9", "verify"), ("h", "history"), ("enter", "verify")])
async def test_each_way_on_from_a_run_shows_the_node_as_it_is(tmp_path: Path, key: str, named: str) -> None:
    async with wizard(tmp_path) as pilot:
        await pilot.press("8")
        await until(pilot, lambda: page(pilot) == "apply" and bool(pilot.app.screen.query("#yes")))
        pilot.app.screen.query_one("#yes").focus()
        await pilot.press("y", "e", "s", "enter")
        await until(pilot, lambda: state(pilot).run is not None and not state(pilot).running)
        await until(pilot, lambda: "controller" in whole(pilot))
        pilot.app.screen.query_one("Rows").focus()
        await pilot.press(key)
        await until(pilot, lambda: page(pilot) == named)
        await until(pilot, lambda: "Looking" not in text(pilot))
        shown = whole(pilot)
        assert "Nothing is applied" not in shown
        assert "never changed" not in shown
        seen = state(pilot).facts
        assert seen is not None
        assert [run.state for run in seen.history.runs] == ["done"]
        assert not state(pilot).outdated


def test_a_command_is_never_cut_in_its_middle() -> None:
    command = "$ update-initramfs -u -k 4.4.0-210-generic -b /boot/somewhere/else/very/long"
    for width in range(10, len(command)):
        shown = cut(command, width)
        assert len(shown) == width
        assert command.startswith(shown.removesuffix(".."))
    assert ".." in cut("+ /etc/a/very/long/path/of/a/file.conf", 20).strip(".")


def test_the_shell_of_a_simulation_is_said_to_be_on_the_real_machine() -> None:
    assert "REAL machine" in subshell.REAL
    assert "no simulation" in subshell.REAL

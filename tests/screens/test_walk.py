"""The Textual face on the simulated node: keyboard only, from welcome to verify and back again."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import keys, opened, page, planned, press, settled, state, text, until, whole, wizard, write
from textual.events import Key
from textual.widgets import Input

from screens.shared.page_order import PAGES
from screens.shared.session import NodeEngine
from wizard.answers import editing
from wizard.chapters.metadata import chapter as metadata
from wizard.chapters.vfs import chapter as vfs
from wizard.node.recorded import DirectoryNode
from wizard.simulator.built_in import built_in, simulate


async def test_the_whole_way_with_the_keyboard(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        seen = [page(pilot)]
        while page(pilot) != "apply":
            await press(pilot, "enter")
            seen.append(page(pilot))
        assert seen == list(PAGES[:-1])
        assert "SIMULATION" in text(pilot).splitlines()[0]
        await write(pilot, "no")
        await press(pilot, "enter")
        assert "Nothing was done" in whole(pilot)
        await press(pilot, "backspace", "backspace")
        await write(pilot, "yes")
        await press(pilot, "enter")
        await until(pilot, lambda: "Done." in whole(pilot))
        assert "Reboot once, when it suits you" in whole(pilot)
        assert "[################]" in text(pilot)
        await press(pilot, "enter")
        await until(pilot, lambda: "waits for the reboot" in whole(pilot))
        await press(pilot, "b")
        await until(pilot, lambda: "checks held" in whole(pilot))
        await press(pilot, "h")
        await press(pilot, "u")
        assert page(pilot) == "undo"
        assert "This takes run 0001 back" in whole(pilot)
        assert "- /etc/modprobe.d/mlx4_core.conf" in whole(pilot)
        await press(pilot, "enter")
        assert page(pilot) == "apply"
        assert "Take back run 0001" in whole(pilot)
        await write(pilot, "yes")
        await press(pilot, "enter")
        await until(pilot, lambda: "Done: run 0001 is taken back." in whole(pilot))
    assert not (tmp_path / "etc/modprobe.d/mlx4_core.conf").exists()


async def test_a_wizard_started_later_opens_where_the_node_is(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    async with opened(NodeEngine(node, str(tmp_path), True)) as pilot:
        await press(pilot, "8")
        await write(pilot, "yes")
        await press(pilot, "enter")
        await until(pilot, lambda: "Done." in whole(pilot))
    async with opened(NodeEngine(node, str(tmp_path), True)) as pilot:
        assert page(pilot) == "welcome"
        assert "by this tool, run 0001" in whole(pilot)
    node.reboot()
    async with opened(NodeEngine(node, str(tmp_path), True)) as pilot:
        await until(pilot, lambda: page(pilot) == "verify")
        await until(pilot, lambda: "checks held" in whole(pilot))


async def test_back_never_loses_an_answer_and_an_error_stands_at_its_field(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "3", "tab", "backspace", "backspace", "x")
        assert "type a whole number" in whole(pilot)
        await press(pilot, "backspace", "1", "6", "1", "x")
        assert editing.value_at(state(pilot).answers, "vfs", ("card", 0, "count")) == 16
        await press(pilot, *["backspace"] * 4, "x")
        await press(pilot, "escape", "escape")
        assert page(pilot) == "iommu"
        assert "3 VFs         [! ]" in text(pilot)
        await press(pilot, "enter")
        assert pilot.app.screen.query(Input).first().value == "x"
        assert "type a whole number" in whole(pilot)
        await press(pilot, "tab", "end", "backspace", "8")
        assert "type a whole number" not in whole(pilot)
        await press(pilot, "escape", "escape", "enter")
        assert pilot.app.screen.query(Input).first().value == "8"
        await until(pilot, lambda: "num_vfs=8" in whole(pilot))


async def test_what_is_not_right_yet_is_said_at_the_preview_and_not_applied(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "3", "tab", "x", "escape", "7")
        assert "! not in this plan, since it is not right yet: something in VFs" in whole(pilot)
        await press(pilot, "enter")
        assert "Not now: something is not right yet in VFs" in " ".join(whole(pilot).split())
        assert not pilot.app.screen.query("#yes")
        await press(pilot, "3", "n")
        assert isinstance(pilot.app.focused, Input)
        await press(pilot, "end", "backspace", "escape", "8")
        assert pilot.app.screen.query("#yes")


async def test_values_that_only_fit_together_are_taken_when_both_are_there(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "3", "tab", "tab", "backspace")
        await write(pilot, "16")
        await press(pilot, "shift+tab", "end", "backspace", "backspace", "8")
        assert "the host cannot keep 16 of 8 VFs" in whole(pilot)
        await press(pilot, "tab", "end", "backspace", "backspace", "4")
        assert "the host cannot keep" not in whole(pilot)
        card = editing.value_at(state(pilot).answers, "vfs", ("card", 0))
        assert (card["count"], card["host_vfs"]) == (8, 4)


async def test_in_a_field_letters_and_digits_are_text(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "5", "tab")
        await write(pilot, "q9h/")
        assert page(pilot) == "gateways"
        assert pilot.app.screen.query(Input).first().value.endswith("q9h/")
        await press(pilot, "f1")
        assert "Help | Gateways" in text(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.focused, Input)


async def test_a_count_above_the_limit_blocks_where_it_is_typed(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "3", "tab", "end", "9")
        await until(pilot, lambda: "VFS-ABOVE-LIMIT" in whole(pilot))
        assert "3 VFs         [x ]" in text(pilot)
        assert "4 Passthrough [x ]" in text(pilot)
        await press(pilot, "escape", "8")
        assert "a finding blocks" in whole(pilot)
        assert not pilot.app.screen.query("#yes")
        await press(pilot, "0", "j")
        assert page(pilot) == "vfs"


async def test_a_card_is_dropped_and_added_again(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        before = editing.value_at(state(pilot).answers, "vfs", ("card",))
        assert len(before) == 3
        await press(pilot, "3", "d")
        assert "go to a field of the card" in whole(pilot)
        await press(pilot, "tab", "tab", "tab", "d")
        assert editing.value_at(state(pilot).answers, "vfs", ("card",)) == before[1:]
        await press(pilot, "a")
        assert "Which device is to have VFs?" in text(pilot)
        assert "ConnectX-3 Pro" in text(pilot)
        await press(pilot, "enter")
        assert editing.value_at(state(pilot).answers, "vfs", ("card",)) == [*before[1:], before[0]]
        await press(pilot, "a")
        assert "is here already" in whole(pilot)


async def test_a_chapter_is_left_alone_and_answered_again(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "6", "o")
        assert "left alone" in whole(pilot)
        assert "6 Metadata    [- ]" in text(pilot)
        await press(pilot, "o")
        assert "Redirect metadata requests" in whole(pilot)
        await press(pilot, "tab", "space")
        assert "[ ] Redirect metadata requests" in whole(pilot)
        await planned(pilot)
        await until(pilot, lambda: "the redirect is off" in whole(pilot))


async def test_a_chapter_whose_suggestion_is_refused_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "suggest", lambda _: metadata.Answers.model_validate({"redirect": "of course"}))
    async with wizard(tmp_path) as pilot:
        await press(pilot, "6")
        assert "NODE-VALUE-REFUSED" in whole(pilot)
        await press(pilot, "o")
        assert "cannot be said as an answer: redirect: has to be true or false" in whole(pilot)
        assert state(pilot).answers.get("metadata") is None


async def test_a_chapter_whose_suggestion_is_refused_can_be_answered_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vfs, "suggest", lambda _: vfs.Answers.model_validate({"card": "none"}))
    async with wizard(tmp_path) as pilot:
        await press(pilot, "3", "o")
        assert state(pilot).answers.get("vfs") == vfs.Answers(card=[])
        await press(pilot, "a")
        assert "Which device is to have VFs?" in text(pilot)


@pytest.mark.parametrize("name", ["origin", "today", "demo"])
async def test_every_page_and_its_help_on_every_node(name: str, tmp_path: Path) -> None:
    async with wizard(tmp_path, name) as pilot:
        for number in range(len(PAGES)):
            if isinstance(pilot.app.focused, Input):
                await press(pilot, "escape")
            await press(pilot, str(number))
            assert page(pilot) == PAGES[number]
            assert text(pilot).startswith(" SIMULATION")
            await press(pilot, "f1")
            assert "Help" in text(pilot)
            assert "Esc back" in keys(pilot)
            await press(pilot, "escape")
            assert page(pilot) == PAGES[number]


async def test_an_empty_node_has_every_page(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    async with opened(NodeEngine(DirectoryNode(tmp_path), str(tmp_path), False)) as pilot:
        for number in range(len(PAGES)):
            await press(pilot, str(number))
            assert page(pilot) == PAGES[number]
        await press(pilot, "h")
        assert "never changed this node" in whole(pilot)
        await press(pilot, "u", "g", "8")
        assert "Not now" in whole(pilot)


async def test_text_of_the_node_is_never_markup_nor_an_escape_sequence(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    (tmp_path / "etc/hostname").write_text("[red]x[/red][/]\x1b[31m\n", encoding="utf-8")
    (tmp_path / "proc/sys/kernel/hostname").unlink(missing_ok=True)
    async with opened(NodeEngine(node, str(tmp_path), True)) as pilot:
        assert "[red]x[/red][/]\\x1b[31m" in text(pilot)
        for number in "1234567":
            await press(pilot, number)
            assert "[red]x[/red]" in text(pilot)
        await settled(pilot)


async def test_a_device_that_tells_no_numa_node_has_an_unknown_one(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    node.place("/sys/bus/pci/devices/0000:04:00.0/numa_node").write_text("-1\n", encoding="ascii")
    async with opened(NodeEngine(node, str(tmp_path), True)) as pilot:
        await press(pilot, "1")
        assert "NUMA node unknown" in text(pilot)


async def test_keys_that_come_in_one_burst_act_in_their_order(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "3", "tab")
        driver = pilot.app._driver
        assert driver is not None
        for key, character in (
            ("backspace", None),
            ("backspace", None),
            ("1", "1"),
            ("2", "2"),
            ("left", None),
            ("backspace", None),
        ):
            driver.send_message(Key(key, character))
        await until(pilot, lambda: pilot.app.screen.query(Input).first().value == "2")
        for key, character in (
            ("tab", "\t"),
            ("backspace", None),
            ("1", "1"),
            ("shift+tab", None),
            ("end", None),
            ("0", "0"),
        ):
            driver.send_message(Key(key, character))
        await until(pilot, lambda: [field.value for field in pilot.app.screen.query(Input)][:2] == ["20", "1"])

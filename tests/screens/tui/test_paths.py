"""The ways that are walked seldom: a step that fails, a node without rights, thousands of rows, and what the line of keys says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from driving import FULL, keys, opened, page, planned, press, settled, state, text, until, whole, wizard, write
from prior_states import run_here
from textual.pilot import Pilot
from textual.widgets import Input

from screens.shared.page_order import PAGES
from screens.shared.session import NodeEngine
from screens.tui.widgets.list_view import Rows
from screens.tui.widgets.text_view import TextView
from wizard.answers import editing, suggestion
from wizard.answers import files as answer_files
from wizard.apply import launch
from wizard.facts import facts
from wizard.model.guest_effects import touching
from wizard.model.steps import RunCommand
from wizard.planning.planner import make_plan
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

GATEWAYS = {"gateways": {"network": [{"label": "demo-net", "router": "10.44.1.1", "vlan": 1441}]}}


def broken(tmp_path: Path) -> SimulatedNode:
    """A node on which update-grub fails until it is mended: a directory stands in the place of grub.cfg."""
    node = simulate(built_in("demo"), tmp_path)
    grub = tmp_path / "boot/grub/grub.cfg"
    grub.rename(tmp_path / "grub.cfg.kept")
    grub.mkdir()
    return node


def mend(tmp_path: Path) -> None:
    (tmp_path / "boot/grub/grub.cfg").rmdir()
    (tmp_path / "grub.cfg.kept").rename(tmp_path / "boot/grub/grub.cfg")


def network_rows(pilot: Pilot[int]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = editing.value_at(state(pilot).answers, "gateways", ("network",))
    return rows


async def applied(pilot: Pilot[int], words: str) -> None:
    await press(pilot, "8")
    await write(pilot, "yes")
    await press(pilot, "enter")
    await until(pilot, lambda: words in " ".join(whole(pilot).split()))
    await settled(pilot)


async def test_rows_are_added_edited_and_taken_out(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "5", "a")
        assert "type the Label" in whole(pilot)
        await write(pilot, "third")
        assert "router is missing" in whole(pilot)
        assert len(network_rows(pilot)) == 2
        await press(pilot, "tab")
        await write(pilot, "10.44.3.1")
        assert network_rows(pilot)[2] == {"label": "third", "router": "10.44.3.1"}
        await write(pilot, "2x")
        assert len(network_rows(pilot)) == 2
        await press(pilot, "backspace", "backspace")
        assert network_rows(pilot)[2] == {"label": "third", "router": "10.44.3.1"}
        await press(pilot, "escape", "escape")
        assert "Networks: 3" in whole(pilot)
        await press(pilot, "e", "tab", "end", "backspace")
        await write(pilot, "x")
        assert "10.44.3.1, not" not in whole(pilot)
        assert "IPv4" in whole(pilot)
        await press(pilot, "escape", "escape")
        assert "1 not right yet" in whole(pilot)
        await press(pilot, "n", "tab")
        assert isinstance(pilot.app.focused, Input)
        assert pilot.app.focused.value == "10.44.3.x"
        await press(pilot, "end", "backspace", "9", "escape", "escape")
        assert network_rows(pilot)[2]["router"] == "10.44.3.9"
        await press(pilot, "d")
        assert len(network_rows(pilot)) == 2
        await press(pilot, "a", "escape", "escape")
        assert "not right" not in whole(pilot)
        assert page(pilot) == "gateways"


async def test_a_router_and_its_network_are_changed_together(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "5", "e", "tab", "end", *["backspace"] * 9)
        await write(pilot, "10.99.1.1")
        assert "is not in its network" in whole(pilot)
        await press(pilot, "tab", "tab", "end", *["backspace"] * 12)
        await write(pilot, "10.99.1.0/24")
        assert "is not in its network" not in whole(pilot)
        assert network_rows(pilot)[0]["router"] == "10.99.1.1"
        assert network_rows(pilot)[0]["cidr"] == "10.99.1.0/24"


async def test_all_vlans_at_once_and_one_found_among_them(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "5", "m")
        await write(pilot, "1-4094")
        await press(pilot, "escape")
        assert "4092 networks will be added" in whole(pilot)
        assert "2 are not right" in whole(pilot)
        await press(pilot, "enter")
        assert len(network_rows(pilot)) == 4094
        await press(pilot, "slash")
        await write(pilot, "net4000")
        await press(pilot, "enter")
        assert "1 of them seen" in whole(pilot)
        await press(pilot, "e", "end")
        await write(pilot, "x")
        assert network_rows(pilot)[3999]["label"] == "net4000x"
        await press(pilot, "escape", "escape", "n")
        assert "vlan 1441 is in the list already" in whole(pilot)
        await press(pilot, "escape", "escape", "d", "n", "escape", "escape", "d")
        assert "not right" not in whole(pilot)
        await planned(pilot)
        await until(pilot, lambda: "GATEWAYS-UNKNOWN-LABEL" in whole(pilot))
        await press(pilot, "7")
        assert "tag:net4000x,option:router,10.15.160.1" in "\n".join(_diff(pilot, "/etc/dnsmasq-nova.conf"))


def _diff(pilot: Pilot[int], path: str) -> list[str]:
    plan = state(pilot).plan
    assert plan is not None
    return next(str(getattr(step, "diff", "")) for step in plan.steps if getattr(step, "path", "") == path).splitlines()


async def test_lines_are_pasted_and_a_file_is_imported(tmp_path: Path) -> None:
    listed = tmp_path / "networks.csv"
    listed.write_text("label;gateway;vlan\nfive;10.5.0.1;5\nsix;10.6.0.300;6\n", encoding="utf-8")
    async with wizard(tmp_path / "node") as pilot:
        await press(pilot, "5", "p")
        await write(pilot, "four 10.4.0.1 4")
        await press(pilot, "escape", "enter")
        assert network_rows(pilot)[2] == {"label": "four", "router": "10.4.0.1", "vlan": 4}
        await press(pilot, "i")
        await write(pilot, str(tmp_path / "none"))
        assert "there is no such file" in whole(pilot)
        await press(pilot, *["backspace"] * 4)
        await write(pilot, "networks.csv")
        await press(pilot, "escape", "enter")
        assert len(network_rows(pilot)) == 4
        assert "1 not right yet" in whole(pilot)
        await press(pilot, "n", "tab", *["backspace"] * 3)
        await write(pilot, "9")
        assert network_rows(pilot)[4] == {"label": "six", "router": "10.6.0.9", "vlan": 6}


async def test_pools_are_edited_with_the_fields_that_a_table_has_no_room_for(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "4", "e", "tab", "tab", "tab", "tab", "right")
        pool = editing.value_at(state(pilot).answers, "passthrough", ("pool", 0))
        assert pool["cards"] == {"serial": "MT1703X01358"}
        await press(pilot, "down", "right")
        pool = editing.value_at(state(pilot).answers, "passthrough", ("pool", 0))
        assert pool["numa_policy"] == "required"


def crowd(tmp_path: Path, count: int) -> SimulatedNode:
    """A node whose card has many VFs already."""
    node = simulate(built_in("demo"), tmp_path)
    bus = tmp_path / "sys/bus/pci/devices"
    card = (bus / "0000:04:00.0").resolve()
    for number in range(count):
        address = f"0000:{32 + number // 256:02x}:{number // 8 % 32:02x}.{number % 8}"
        place = card.parent / address
        place.mkdir()
        for name, content in (("vendor", "0x15b3"), ("device", "0x1004"), ("class", "0x020700"), ("numa_node", "0")):
            (place / name).write_text(f"{content}\n", encoding="utf-8")
        (place / "physfn").symlink_to("../0000:04:00.0")
        (card / f"virtfn{number}").symlink_to(f"../{address}")
        (bus / address).symlink_to(f"../../../devices/pci0000:00/0000:00:02.0/{address}")
    return node


async def test_a_thousand_functions_are_filtered(tmp_path: Path) -> None:
    node = crowd(tmp_path, 1000)
    async with opened(NodeEngine(node, str(tmp_path), True)) as pilot:
        await press(pilot, "1")
        assert "1004 PCI functions" in whole(pilot)
        rows = pilot.app.screen.query_one(Rows)
        await press(pilot, "end", "pageup", "pagedown")
        assert rows.cursor == 1003
        await press(pilot, "slash")
        await write(pilot, "ssh")
        await press(pilot, "enter")
        assert rows.keys == ["0000:07:00.0"]
        assert "carries ssh" in whole(pilot)
        await press(pilot, "slash", "escape")
        assert len(rows.keys) == 1004


async def test_a_step_that_fails_is_mended_and_tried_again(tmp_path: Path) -> None:
    node = broken(tmp_path)
    async with opened(NodeEngine(node, str(tmp_path), True)) as pilot:
        await applied(pilot, "r tries again from there")
        assert "!!" in text(pilot)
        assert "r retry" in keys(pilot) and "u take back" in keys(pilot)
        mend(tmp_path)
        await press(pilot, "r")
        await until(pilot, lambda: "Done." in whole(pilot))


async def test_a_step_that_fails_is_taken_back(tmp_path: Path) -> None:
    node = broken(tmp_path)
    async with opened(NodeEngine(node, str(tmp_path), True)) as pilot:
        await applied(pilot, "r tries again from there")
    async with opened(NodeEngine(node, str(tmp_path), True)) as pilot:
        assert "run 0001 failed and was not taken back" in whole(pilot)
        mend(tmp_path)
        await press(pilot, "h")
        assert "g go on" in keys(pilot)
        await press(pilot, "u")
        await until(pilot, lambda: page(pilot) == "undo")
        await press(pilot, "enter")
        await write(pilot, "yes")
        await press(pilot, "enter")
        await until(pilot, lambda: "Done: run 0001 is taken back." in whole(pilot))
    assert not (tmp_path / "etc/modprobe.d/mlx4_core.conf").exists()


async def test_what_cannot_be_taken_back_asks_its_word_again_before_a_run_goes_on(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    seen = facts.read(node)
    plan = make_plan(seen, suggestion.suggest(seen))
    firmware = ("mstconfig", "-y", "-d", "0000:04:00.0", "set", "NUM_OF_VFS=32")
    last = RunCommand(chapters=("vfs",), phase="last", argv=firmware, why=("a test",), labels=("one-way",))
    steps = plan.model_copy(update={"steps": (*plan.steps[:2], last)})
    started = launch.save(node.directory, steps, "stop", "simulated")
    (started.directory / "stop").touch()  # asked to stop before its first step
    run_here(node.directory, started.run)
    async with opened(NodeEngine(node, str(tmp_path), True)) as pilot:
        await press(pilot, "h", "g")
        await until(pilot, lambda: "r goes on" in whole(pilot))
        await press(pilot, "r")
        assert "cannot be taken back: $ mstconfig" in " ".join(whole(pilot).split())
        await write(pilot, "yes")
        await press(pilot, "enter")
        assert "Nothing was done: that was not one-way." in whole(pilot)
        assert node.firmware() == {}
        await press(pilot, "escape")
        assert "r retry" in keys(pilot) and "u take back" in keys(pilot)
        await press(pilot, "r")
        assert "Type one-way to go on:" in whole(pilot)
        await write(pilot, "one-way")
        await press(pilot, "enter")
        await until(pilot, lambda: "Done." in whole(pilot))
        assert not pilot.app.screen.query("#word")
    assert node.firmware() == {"0000:04:00.0": {"NUM_OF_VFS": "32"}}


@pytest.mark.parametrize("way", ["history", "apply"])
async def test_guests_that_may_be_interrupted_are_named_and_their_word_is_asked_before_a_run_goes_on(
    tmp_path: Path, way: str
) -> None:
    node = simulate(built_in("demo"), tmp_path)
    plan = make_plan(facts.read(node), answer_files.from_data(GATEWAYS))
    assert touching(plan.steps)
    started = launch.save(node.directory, plan, "stop", "simulated")
    (started.directory / "stop").touch()  # asked to stop before its first step
    run_here(node.directory, started.run)
    if way == "history":
        guest(node)
    async with opened(NodeEngine(node, str(tmp_path), True)) as pilot:
        if way == "apply":  # where nobody runs, g goes on at once: so it comes after the run was opened here
            state(pilot).run = started.run
            await press(pilot, "8")
            guest(node)
        else:
            await press(pilot, "h", "g")
        await until(pilot, lambda: "r goes on" in whole(pilot))
        await press(pilot, "r")
        assert "instance-0000002a" in whole(pilot)
        assert "Type guests to go on:" in whole(pilot)
        await write(pilot, "yes")
        await press(pilot, "enter")
        assert "Nothing was done: that was not guests." in whole(pilot)
        assert facts.read(node).history.runs[-1].state == "stopped"
        await write(pilot, "guests")
        await press(pilot, "enter")
        await until(pilot, lambda: "Done." in whole(pilot))
        assert not pilot.app.screen.query("#word")


async def test_without_guests_a_run_goes_on_at_once(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    plan = make_plan(facts.read(node), answer_files.from_data(GATEWAYS))
    started = launch.save(node.directory, plan, "stop", "simulated")
    (started.directory / "stop").touch()
    run_here(node.directory, started.run)
    async with opened(NodeEngine(node, str(tmp_path), True)) as pilot:
        await press(pilot, "h", "g")
        await until(pilot, lambda: "Done." in whole(pilot))


def guest(node: SimulatedNode) -> None:
    node.place("/proc/4712").mkdir(parents=True)
    node.put("/proc/4712/cmdline", "/usr/bin/qemu-system-x86_64\0-name\0guest=instance-0000002a,debug-threads=on\0")


async def test_without_rights_it_says_so_and_saves_the_plan(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path / "node")
    async with opened(_Unprivileged(node, str(tmp_path / "node"), True)) as pilot:
        await press(pilot, "8")
        assert "Not now: applying needs root rights" in " ".join(whole(pilot).split())
        assert not pilot.app.screen.query("#yes")
        await press(pilot, "7", "s", *["backspace"] * 80)
        await write(pilot, str(tmp_path / "plan.json"))
        await press(pilot, "enter")
        assert "for its owner only" in whole(pilot)
    assert (tmp_path / "plan.json").stat().st_mode & 0o777 == 0o600


class _Unprivileged(NodeEngine):
    """What an ordinary user has."""

    @property
    def can_apply(self) -> str:
        return "applying needs root rights: save the plan, and run `compute-wizard apply PLAN` as root"


async def test_the_preview_is_searched_folded_and_walked_through(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "7")
        rows, view = pilot.app.screen.query_one(Rows), pilot.app.screen.query_one("#detail", TextView)
        await press(pilot, "slash")
        await write(pilot, "10.44.2.1")
        await press(pilot, "enter")
        assert "dnsmasq-nova.conf" in view.lines[0]
        assert "10.44.2.1" in view.lines[view.mark]
        await press(pilot, "slash", "escape")
        before = rows.cursor
        for _ in range(12):
            await press(pilot, "n")
        assert rows.cursor > before
        await press(pilot, "p")
        rows.go(str(next(n for n, s in enumerate(_steps(pilot)) if s.endswith("nova.conf") and "dnsmasq" not in s)))
        await settled(pilot)
        whole_diff = len(view.lines)
        await press(pilot, "f")
        assert len(view.lines) < whole_diff
        assert "as before)" in "\n".join(view.lines)
        await press(pilot, "c")
        assert "copied" in whole(pilot)


def _steps(pilot: Pilot[int]) -> list[str]:
    plan = state(pilot).plan
    assert plan is not None
    return [str(getattr(step, "path", "")) for step in plan.steps]


KEYS = {"Esc": "escape", "Enter": "enter", "Tab": "tab", "Space": "space", "/": "slash"}


@pytest.mark.parametrize("name", ["demo", "today"])
async def test_the_line_of_keys_never_lies(name: str, tmp_path: Path) -> None:
    """Each key that it names is bound to something there."""
    async with wizard(tmp_path, name, (140, 40)) as pilot:
        for number in [*range(len(PAGES)), "h"]:
            if isinstance(pilot.app.focused, Input):
                await press(pilot, "escape")
            await press(pilot, str(number))
            bound = set(pilot.app.screen.active_bindings) | {"tab"}
            named = re.findall(r"(?:^|  )\s*(\S+) [a-z]", keys(pilot))
            assert "F1" in named
            for key in named:
                for each in key.split("/") if len(key) > 1 else [key]:
                    real = KEYS.get(each, each.lower())
                    if real not in ("1-9",):
                        assert real in bound, (number, key, keys(pilot))


async def test_the_command_palette_leads_to_the_pages(tmp_path: Path) -> None:
    async with wizard(tmp_path, face=FULL) as pilot:
        await press(pilot, "3", "ctrl+p")
        await until(pilot, lambda: bool(pilot.app.screen.query("CommandList")))
        await write(pilot, "gatew")
        await until(pilot, lambda: pilot.app.screen.query_one("CommandList").option_count > 0)  # type: ignore[attr-defined]
        await press(pilot, "down", "enter")
        await until(pilot, lambda: page(pilot) == "gateways")


async def test_a_shell_that_cannot_be_had_is_said(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "f2")
        assert page(pilot) == "welcome"
        assert "cannot be handed to a shell" in " ".join(str(toast.message) for toast in pilot.app._notifications)

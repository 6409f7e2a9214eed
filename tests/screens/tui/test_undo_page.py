"""Taking a run back in the wizard: what was changed after it is shown, and one key says what becomes of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from driving import opened, page, press, settled, state, text, until, whole
from textual.pilot import Pilot

from screens.shared.session import NodeEngine
from screens.tui.widgets.list_view import Rows
from wizard.answers import files as answer_files
from wizard.apply import launch
from wizard.facts import facts
from wizard.planning.planner import make_plan
from wizard.runs.journal import follow
from wizard.simulator.built_in import built_in, simulate

DNSMASQ = "/etc/dnsmasq-nova.conf"
ANSWERS = {"gateways": {"network": [{"label": "demo-net", "router": "10.44.1.1", "vlan": 1441}]}}


def says(pilot: Pilot[int], words: str) -> bool:
    return words in text(pilot)


async def test_what_was_changed_since_is_kept_or_merged_by_one_key(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    started = launch.start(tmp_path, make_plan(facts.read(node), answer_files.from_data(ANSWERS)), simulated=True)
    list(follow(started.journal))
    place = node.place(DNSMASQ)
    place.write_bytes(place.read_bytes() + b"# mine\n")
    async with opened(NodeEngine(node, str(tmp_path), True), (100, 40)) as pilot:
        await press(pilot, "h")
        await press(pilot, "u")
        await until(pilot, lambda: page(pilot) == "undo")
        await settled(pilot)
        assert f"! changed since, not said yet: {DNSMASQ}" in text(pilot)
        assert "+# mine" in whole(pilot) + text(pilot)
        assert "m merge" in text(pilot)
        plan = state(pilot).undo
        assert plan is not None
        assert plan.stopped
        for key, choice in (("k", "keep"), ("b", "restore"), ("m", "merge")):
            await press(pilot, key)
            await until(pilot, partial(says, pilot, f"! changed since, {choice}: {DNSMASQ}"))
            plan = state(pilot).undo
            assert plan is not None
            assert not plan.stopped
            assert [work.choice for work in plan.later_work] == [choice]
        assert [key for key in pilot.app.screen.query_one(Rows).keys if key.startswith("later")] == [f"later {DNSMASQ}"]
        await press(pilot, "enter")
        await until(pilot, lambda: page(pilot) == "apply")

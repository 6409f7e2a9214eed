"""How quick the large tables are: 4,094 networks and 1,004 PCI functions, keys pressed under Pilot. Measured, never judged."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot

from screens.shared.session import NodeEngine
from screens.tui.app import WizardApp
from screens.tui.widgets.list_view import Rows
from wizard.answers import editing
from wizard.chapters.gateways import network_import
from wizard.facts.facts import Facts
from wizard.simulator.built_in import built_in, simulate

TEMPLATES = {"label": "net{vlan}", "router": "10.{vlan/256}.{vlan%256}.1"}
VFS = 1000


class Crowded(NodeEngine):
    """The demo node with a thousand VFs."""

    def look(self) -> Facts:
        facts = super().look()
        card = facts.pci.functions[0]
        vfs = [
            replace(card, address=f"0000:{32 + n // 256:02x}:{n // 8 % 32:02x}.{n % 8}", physical_function=card.address)
            for n in range(VFS)
        ]
        return replace(facts, pci=replace(facts.pci, functions=(*facts.pci.functions, *vfs)))


async def timed(pilot: Pilot[int], what: str, *keys: str) -> None:
    """Press each key, until the screen is drawn; print the median."""
    times = []
    for key in keys:
        start = time.perf_counter()
        await pilot.press(key)
        await pilot.pause()
        times.append((time.perf_counter() - start) * 1000)
    print(f"{what:50} {statistics.median(times):8.1f} ms  [{min(times):.1f} - {max(times):.1f}]")


async def quiet(pilot: Pilot[int]) -> None:
    while any(worker.is_running for worker in pilot.app.workers):
        await pilot.pause(0.05)
    await pilot.pause(0.1)


async def main() -> None:
    """Devices, then gateways."""
    with tempfile.TemporaryDirectory() as directory:
        node = simulate(built_in("demo"), Path(directory))
        app = WizardApp(lambda: Crowded(node, directory, True), True)
        async with app.run_test(size=(80, 24)) as pilot:
            await quiet(pilot)
            await timed(pilot, "one key, nothing to do (what Pilot itself takes)", *["f9"] * 7)
            await timed(pilot, f"devices, {VFS + 4} functions: open", "1")
            print(f"   rows: {len(app.screen.query_one(Rows).keys)}")
            await timed(pilot, "devices: a row down", *["down"] * 7)
            await timed(pilot, "devices: a page down", *["pagedown"] * 7)
            await pilot.press("slash")
            await timed(pilot, "devices: a character of the filter", *"2f:1")
            await pilot.press("escape")
            rows = [row.data() for row in network_import.from_pattern("1-4094", TEMPLATES)]
            app.state.answers = editing.change(app.state.answers, "gateways", ("network",), rows)
            await timed(pilot, "gateways, 4,094 networks: open, with its plan", "5")
            await quiet(pilot)
            await pilot.press("tab", "escape", "tab")
            await pilot.press("tab")
            await timed(pilot, "gateways: a row down", *["down"] * 7)
            await timed(pilot, "gateways: a page down", *["pagedown"] * 7)
            await pilot.press("slash")
            await timed(pilot, "gateways: a character of the filter", *"net40")
            await pilot.press("enter")
            await timed(pilot, "gateways: open a row", "e")
            await timed(pilot, "gateways: a character of a row", *"abcde")
            await quiet(pilot)


if __name__ == "__main__":
    asyncio.run(main())

"""The pictures of the README, made from the running program on the built-in demo node: `make pictures`."""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path

from textual.pilot import Pilot

from screens.shared.session import NodeEngine
from screens.tui.app import WizardApp
from wizard.simulator.built_in import built_in, simulate

HERE = Path(__file__).parent
SIZE = (100, 30)


async def quiet(pilot: Pilot[int]) -> None:
    """Until nothing is being read, planned, applied or drawn."""
    await pilot.pause(0.2)
    while any(worker.is_running for worker in pilot.app.workers):
        await pilot.pause(0.1)
    await pilot.pause(0.2)


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await quiet(pilot)


def take(pilot: Pilot[int], name: str) -> None:
    """Write the screen as an SVG, under names of its own that are the same each time."""
    svg = pilot.app.export_screenshot(title="compute-wizard demo").replace("<svg ", '<svg xml:space="preserve" ', 1)
    numbers = dict.fromkeys(re.findall(r"terminal-(\d+)", svg))
    for place, number in enumerate(numbers):
        svg = svg.replace(f"terminal-{number}", f"terminal-{name}-{place}")
    (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")


async def main() -> None:
    """The VFs, the preview, and verify after the reboot."""
    with tempfile.TemporaryDirectory() as directory:
        node = simulate(built_in("demo"), Path(directory))
        app = WizardApp(lambda: NodeEngine(node, directory, True), True)
        async with app.run_test(size=SIZE) as pilot:
            await quiet(pilot)
            await press(pilot, "3", "tab")
            take(pilot, "vfs")
            await press(pilot, "escape", "7", "down")
            take(pilot, "preview")
            await press(pilot, "8", "y", "e", "s", "enter")
            await press(pilot, "enter", "b")
            take(pilot, "verify")


if __name__ == "__main__":
    asyncio.run(main())

"""The pictures of the README, made from the running program on the built-in demo node: `make pictures`.

The letters that a picture shows are embedded in it, so that it looks the same everywhere; that needs fonttools and DejaVu Sans Mono.
"""

from __future__ import annotations

import asyncio
import base64
import io
import re
import tempfile
from pathlib import Path

from fontTools import subset
from textual.pilot import Pilot

from screens.shared.session import NodeEngine
from screens.tui.app import WizardApp
from wizard.simulator.built_in import built_in, simulate

HERE = Path(__file__).parent
SIZE, LARGE = (120, 36), (200, 50)
FONTS = Path("/usr/share/fonts/truetype/dejavu")
FAMILY = {"400": "DejaVuSansMono.ttf", "700": "DejaVuSansMono-Bold.ttf"}


async def quiet(pilot: Pilot[int]) -> None:
    """Until nothing is being read, planned, applied or drawn."""
    await pilot.pause(0.2)
    while any(worker.is_running for worker in pilot.app.workers):
        await pilot.pause(0.1)
    await pilot.pause(0.3)


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await quiet(pilot)


def embedded(svg: str) -> str:
    """The picture with the letters it shows inside, in place of a font from somewhere else."""
    letters = "".join(sorted(set(re.sub("<[^>]*>", "", svg))))
    faces = []
    for weight, name in FAMILY.items():
        options = subset.Options(flavor="woff2", layout_features=[])
        font = subset.load_font(str(FONTS / name), options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=letters)
        subsetter.subset(font)
        out = io.BytesIO()
        subset.save_font(font, out, options)
        data = base64.b64encode(out.getvalue()).decode()
        source = f'url(data:font/woff2;base64,{data}) format("woff2")'
        faces.append(f'@font-face {{ font-family: "Fira Code"; font-weight: {weight}; src: {source}; }}')
    return re.sub(
        r"@font-face \{.*?\}\s*(?:@font-face \{.*?\})?", lambda _: "\n".join(faces), svg, count=1, flags=re.DOTALL
    )


def take(pilot: Pilot[int], name: str) -> None:
    """Write the screen as an SVG, under names of its own that are the same each time."""
    svg = pilot.app.export_screenshot(title="compute-wizard demo").replace("<svg ", '<svg xml:space="preserve" ', 1)
    numbers = dict.fromkeys(re.findall(r"terminal-(\d+)", svg))
    for place, number in enumerate(numbers):
        svg = svg.replace(f"terminal-{number}", f"terminal-{name}-{place}")
    (HERE / f"{name}.svg").write_text(embedded(svg), encoding="utf-8")


async def walk(theme: str, ending: str) -> None:
    """From the first page to verify after the reboot, in one theme."""
    with tempfile.TemporaryDirectory() as directory:
        node = simulate(built_in("demo"), Path(directory))
        app = WizardApp(lambda: NodeEngine(node, directory, True), True)
        async with app.run_test(size=SIZE) as pilot:
            app.theme = theme
            await quiet(pilot)
            take(pilot, f"welcome{ending}")
            await press(pilot, "1", "down")
            take(pilot, f"devices{ending}")
            await press(pilot, "escape", "3", "tab")
            take(pilot, f"vfs{ending}")
            await pilot.resize_terminal(*LARGE)
            await press(pilot, "escape", "7", *["down"] * 7)
            take(pilot, f"preview{ending}")
            await pilot.resize_terminal(*SIZE)
            await press(pilot, "8", "y", "e", "s", "enter")
            while app.state.running:
                await quiet(pilot)
            await quiet(pilot)
            take(pilot, f"apply{ending}")
            await press(pilot, "enter", "b")
            await quiet(pilot)
            take(pilot, f"verify{ending}")


async def main() -> None:
    """Each page, dark and light."""
    await walk("night", "")
    await walk("day", "-light")


if __name__ == "__main__":
    asyncio.run(main())

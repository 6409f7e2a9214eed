"""The wizard under Pilot: on a simulated node, with the keyboard, and its screen as text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual import app as textual_app
from textual import pilot as textual_pilot
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Static

from screens.shared.session import NodeEngine
from screens.shared.state import State
from screens.terminal.choice import Face
from screens.terminal.probe import Terminal
from screens.tui.app import WizardApp
from screens.tui.widgets.list_view import Rows
from screens.tui.widgets.text_view import TextView
from wizard.simulator.built_in import built_in, simulate

SMALL, LARGE = (80, 24), (120, 40)
FULL = Face("full", "asked for", Terminal("xterm-256color", "pty"))
CONSOLE = Face("console", "asked for", Terminal("vt220", "pty", utf8=False))
BUSY = ("look", "verify")  # workers that end by themselves
NAMED = {
    " ": "space", "/": "slash", ".": "full_stop", ",": "comma", "-": "minus", "{": "left_curly_bracket",
    "}": "right_curly_bracket", "%": "percent_sign", "_": "underscore",
}  # fmt: skip
STUCK = 30.0  # seconds
FRAME = 0.02  # seconds: Textual paints what has changed within 1/60


async def idle(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Until the event loop has nothing to do, now or within a frame. Textual's own of this name looks at the processor's clock
    instead: it waits 20 ms at least, and far longer where something else of this process computes."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    while (now := loop.time()) < start + STUCK:
        await asyncio.sleep(0)
        if loop._ready:  # type: ignore[attr-defined]
            continue
        timers = [timer.when() for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        due = min((when for when in timers if when < now + FRAME), default=0.0)
        if now >= start + max_sleep or (not due and now >= start + min_sleep):
            return
        await asyncio.sleep(max(0.0, due - now) if due else 0.001)


async def _nothing_waits(pilot: Pilot[int], timeout: float = STUCK) -> bool:
    """In the place of Pilot's own, which sends a message to each widget: where the loop is idle, no widget has one to take."""
    await idle()
    return pilot.app._exception is None


textual_app.wait_for_idle = textual_pilot.wait_for_idle = idle  # type: ignore[attr-defined]
Pilot._wait_for_screen = _nothing_waits  # type: ignore[method-assign,assignment]


@asynccontextmanager
async def opened(engine: NodeEngine, size: tuple[int, int] = SMALL, face: Face = CONSOLE) -> AsyncIterator[Pilot[int]]:
    """The wizard over an engine."""
    app = WizardApp(lambda: engine, engine.simulation, face)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: page(pilot) != "")
        await settled(pilot)
        yield pilot


@asynccontextmanager
async def wizard(
    tmp_path: Path, name: str = "demo", size: tuple[int, int] = SMALL, face: Face = CONSOLE
) -> AsyncIterator[Pilot[int]]:
    """The wizard on a built-in node, simulated in `tmp_path`."""
    node = simulate(built_in(name), tmp_path)
    async with opened(NodeEngine(node, str(tmp_path), True), size, face) as pilot:
        yield pilot


async def settled(pilot: Pilot[int]) -> None:
    """Until nothing is being read or planned, and all is drawn."""
    await pilot.pause()
    await until(pilot, lambda: not any(w.is_running for w in pilot.app.workers if w.group in BUSY))
    await until(pilot, lambda: not (isinstance(pilot.app, WizardApp) and pilot.app._planning))
    await pilot.pause()
    await pilot.pause()


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    """Wait for something that comes true sooner or later; two minutes at most."""
    for _ in range(2400):
        if condition():
            return
        if pilot.app._exception is not None:
            raise pilot.app._exception
        await pilot.pause(0.05)
    raise AssertionError(f"this never came true on {pilot.app.screen}:\n{whole(pilot)}")


def page(pilot: Pilot[int]) -> str:
    return str(getattr(pilot.app.screen, "NAME", ""))


def state(pilot: Pilot[int]) -> State:
    assert isinstance(pilot.app, WizardApp)
    return pilot.app.state


def text(pilot: Pilot[int]) -> str:
    """The screen as lines of text."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips) + "\n"


def keys(pilot: Pilot[int]) -> str:
    """The line of keys."""
    return text(pilot).splitlines()[-1]


def whole(pilot: Pilot[int]) -> str:
    """All texts of the page, also those that are scrolled away."""
    return "\n".join(_text_of(widget) for widget in pilot.app.screen.query("*"))


def _text_of(widget: Widget) -> str:
    if isinstance(widget, TextView):
        return "\n".join(widget.lines)
    if isinstance(widget, Rows):
        return "\n".join(" ".join(widget._cells(key)) for key in widget.keys)
    return str(widget.render()) if isinstance(widget, Static) else ""


async def press(pilot: Pilot[int], *names: str) -> None:
    for name in names:
        await pilot.press(name)
        await settled(pilot)


async def write(pilot: Pilot[int], words: str) -> None:
    """Type a text."""
    await pilot.press(*(NAMED.get(char, char) for char in words))
    await settled(pilot)


async def planned(pilot: Pilot[int]) -> None:
    """Until the plan is that of the answers."""
    await until(pilot, lambda: state(pilot).planned is state(pilot).answers)
    await settled(pilot)

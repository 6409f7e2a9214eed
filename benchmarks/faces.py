"""What the faces send and how long their first picture takes, on a real pseudo-terminal of 80x24: measured and printed.

Bytes are exact and have budgets, which tests keep; times are only printed. With the word quick idle time is 5 s, not 60.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "screens"))

from pseudoterminal import DEMO, Session

RUNS = 7
VT220 = {"TERM": "vt220"}
LOOKING = b"Looking at this node"
DOWN, PAGE_DOWN = b"\x1b[B", b"\x1b[6~"
BARE = """
from textual.app import App
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static
class Bare(App):
    ENABLE_COMMAND_PALETTE = False
    CSS = "#pages { width: 20; } #status, #keys { height: 1; } #middle { height: 1fr; }"
    def compose(self):
        yield Static("status", id="status")
        with Horizontal(id="middle"):
            yield Static("pages", id="pages")
            with VerticalScroll():
                yield Static("body")
        yield Static("Enter next", id="keys")
Bare().run()
"""


def row(what: str, found: int, budget: int | None = None) -> None:
    limit = f"(budget {budget}{', OVER' if found > budget else ''})" if budget is not None else ""
    print(f"  {what:46} {found:7} B  {limit}")


def console(idle: float) -> None:
    """The console face: bytes by key."""
    print("console face")
    with Session((*DEMO, "--ui", "console"), environment=VT220) as session:
        session.until_text("Enter next")
        row("first paint", len(session.settle()), 4000)
        session.press(b"3")
        session.until_text(">3 VFs")
        row("another page", len(session.settle()))
        tabs = []
        for _ in range(2):
            session.press(b"\t")
            tabs.append(len(session.settle()))
        row("Tab, the dearer of two", max(tabs), 200)
        session.press(b"\x1b[Z\x7f")  # back to the first field: 16 becomes 1, then 12
        session.settle(2.0)
        session.press(b"2")
        row("one character", len(session.settle(0.2)), 30)
        row("what will change, after a rest", len(session.settle(2.0)), 600)
        row(f"idle, {idle:.0f} s", len(session.settle(idle)), 0)
        session.press(b"\x1b")
        session.settle()
        session.press(b"7")
        session.until_text(">7 Preview")
        session.settle()
        pages = []
        for _ in range(3):
            session.press(PAGE_DOWN)
            pages.append(len(session.settle()))
        row("page down in the preview, the dearest of three", max(pages), 2000)
        session.press(DOWN)
        row("down one step", len(session.settle()))


def plain(idle: float) -> None:
    """The plain face: bytes by question, the answer's echo included."""
    print("plain face")
    with Session((*DEMO, "--ui", "plain"), environment={"TERM": "dumb"}) as session:
        session.until(lambda: session.output.endswith(b"[Enter]: "))
        row("welcome", len(session.settle()))
        session.press(b"3\n")
        row("a chapter's introduction", len(session.settle()))
        questions = []
        for answer in (b"\n", b"8\n", b"\n", b"\n"):
            session.press(answer)
            questions.append(len(session.settle()))
        row("a question, the longest of four", max(questions), 300)
        row(f"idle, {idle:.0f} s", len(session.settle(idle)), 0)


def stock() -> None:
    """For comparison: the full face, that is Textual's own driver."""
    print("full face")
    with Session((*DEMO, "--ui", "full"), environment={"TERM": "xterm-256color", "COLORTERM": "truecolor"}) as session:
        session.until_text("Enter next")
        row("first paint", len(session.settle()))
        session.press(b"3")
        session.until_text(">3 VFs")
        session.settle()
        session.press(b"\t")
        row("Tab", len(session.settle()))


def first_picture(argv: tuple[str, ...], last: bytes) -> tuple[float, float]:
    """Milliseconds from the start until the last words of a picture are sent: by the clock, and of the processor."""
    start = time.perf_counter()
    with Session(argv, environment={"TERM": "xterm-256color"}) as session:
        session.until(lambda: last in session.output, last.decode())
        clock = (time.perf_counter() - start) * 1000
        return clock, session.processor_time() * 1000


def times() -> None:
    """First pictures, taken in turn: they are to take no more than 1.5 times what a bare app takes."""
    bare = (sys.executable, "-I", "-c", BARE)
    programs = {
        "a bare Textual app with the same widgets": (bare, b"Enter next"),
        "full face on the demo node": ((*DEMO, "--ui", "full"), LOOKING),
        "  its welcome page": ((*DEMO, "--ui", "full"), b"Enter next"),
        "console face on the demo node": ((*DEMO, "--ui", "console"), LOOKING),
        "  its welcome page ": ((*DEMO, "--ui", "console"), b"Enter next"),
        "plain face on the demo node": ((*DEMO, "--ui", "plain"), LOOKING),
        "  its first question": ((*DEMO, "--ui", "plain"), b"[Enter]: "),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(RUNS):
        for name, (argv, last) in programs.items():
            taken[name].append(first_picture(argv, last))
    print(f"first picture, median of {RUNS}: by the clock, of the processor")
    reference = _medians(next(iter(taken.values())))
    for name, found in taken.items():
        told = [
            f"{ms:7.0f} ms  {ms / bare_ms:.2f} times" for ms, bare_ms in zip(_medians(found), reference, strict=True)
        ]
        print(f"  {name:46} {'  '.join(told)}")


def _medians(found: list[tuple[float, float]]) -> list[float]:
    return [statistics.median(each) for each in zip(*found, strict=True)]


def main() -> None:
    idle = 5.0 if "quick" in sys.argv[1:] else 60.0
    console(idle)
    plain(idle)
    stock()
    times()


if __name__ == "__main__":
    main()

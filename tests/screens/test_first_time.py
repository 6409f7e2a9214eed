"""Someone who has never seen it sets the demo node up, in each face, with nothing but what the screen itself says."""

from __future__ import annotations

import re

import pytest
from pseudoterminal import DEMO, Session

MOST = 60  # screens or questions on the way

# What is read on the screen, and what is typed for it, the first that fits: the last line of a page names its keys.
PAGES = [
    (r"All \d+ checks held[\s\S]*q quit *$", b"q"),
    (r"waits for the reboot[\s\S]*\bb reboot", b"b"),
    (r"Type yes to start:[\s\S]*Enter do what you typed", b"yes\r"),
    (r"^\s*$|Looking at this node|Looking \.\.\.|x stop after this step", b""),
    (r"Enter to Verify", b"\r"),
    (r"Enter next *$", b"\r"),
]
QUESTIONS = [
    (r"(?m)^pending: [\s\S]*9 v verify again, r reboot.*: $", b"r\r"),
    (r"(?m)^held: [\s\S]*9 v verify again.*: $", b"q\r"),
    (r"Type yes \[no\]: $", b"yes\r"),
    (r"\]: $|> .*", b"\r"),
]


@pytest.mark.parametrize("face", ["full", "console"])
def test_with_pages(face: str) -> None:
    with Session((*DEMO, "--ui", face), environment={"TERM": "xterm-256color"}) as session:
        pressed: list[bytes] = []
        while b"q" not in pressed:
            assert len(pressed) < MOST
            session.settle(0.5)
            shown = "\n".join(session.lines()).rstrip()
            key = next((key for pattern, key in PAGES if re.search(pattern, shown)), None)
            assert key is not None, f"nothing says what to do here:\n{shown}"
            if key:
                session.press(key)
                pressed.append(key)
            if key not in (b"", b"q"):
                session.until(lambda shown=shown: "\n".join(session.lines()).rstrip() != shown, "another screen")  # type: ignore[misc]
        assert pressed == [*[b"\r"] * 8, b"yes\r", b"\r", b"b", b"q"]
        assert session.wait() == 0
        assert session.settings == session.before


def test_with_questions() -> None:
    with Session((*DEMO, "--ui", "plain"), environment={"TERM": "dumb"}) as session:
        session.until(lambda: session.output.endswith(b"[Enter]: "), "the first question")
        typed: list[bytes] = []
        while b"q\r" not in typed:
            assert len(typed) < MOST
            said = session.settle().decode().replace("\r\n", "\n")
            if not said.endswith(": "):  # a run is going on
                session.until(lambda: session.output.endswith(b": "), "the next question")
                said += session.settle().decode().replace("\r\n", "\n")
            answer = next(answer for pattern, answer in QUESTIONS if re.search(pattern, said))
            if answer == b"q\r":
                assert not re.search("(?m)^failed: ", said)
            session.press(answer)
            typed.append(answer)
        assert typed[-3:] == [b"yes\r", b"r\r", b"q\r"]
        assert set(typed[:-3]) == {b"\r"}
        assert session.wait() == 0
        assert session.settings == session.before

"""The console face on a real pseudo-terminal: bytes, sequences, signals, and the terminal as it was."""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path

import pytest
from pseudoterminal import DEMO, Session

CONSOLE = (*DEMO, "--ui", "console")
VT220 = {"TERM": "vt220"}
KNOWN_TO_A_VT100 = re.compile(rb"\x1b\[[0-9;]*[HmKJ]|\x1b\[\?(?:7|25)[hl]|\x1b[78]|[\r\n]|[ -~]")
DOWN, PAGE_DOWN = b"\x1b[B", b"\x1b[6~"


def started(session: Session) -> None:
    session.until_text("Enter next")
    session.settle()


def test_start_walk_quit_and_the_terminal_is_as_before() -> None:
    with Session(CONSOLE, environment=VT220) as session:
        started(session)
        for page, text in ((b"1", ">1 Devices"), (b"3", ">3 VFs"), (b"5", ">5 Gateways"), (b"7", ">7 Preview")):
            session.press(page)
            session.until_text(text)
            session.press(b"\t" + DOWN)
            session.settle()
            session.press(b"\x1b")
            session.settle()
        session.press(b"q" if ">" in "\n".join(session.lines()) else b"\x1bq")
        assert session.wait() == 0
        assert session.settings == session.before
        assert session.output.endswith(b"\x1b[?7h\x1b[?25h\x1b[m\x1b[2J\x1b[H")
        assert not [line for line in session.lines() if line]
        assert KNOWN_TO_A_VT100.sub(b"", session.output) == b""


def test_software_flow_control_stays_on_while_it_runs() -> None:
    import termios

    with Session(CONSOLE, environment=VT220) as session:
        started(session)
        assert session.settings[0] & termios.IXON
        assert not session.settings[3] & (termios.ICANON | termios.ECHO)


def test_the_budgets_in_bytes() -> None:
    with Session(CONSOLE, environment=VT220) as session:
        session.until_text("Enter next")
        assert len(session.settle()) <= 4000
        session.press(b"3")
        session.until_text(">3 VFs")
        assert len(session.settle()) <= 4000  # a whole page
        for _ in range(2):
            session.press(b"\t")
            assert 0 < len(session.settle()) <= 200
        session.press(b"\x7f1")  # one character goes, another comes, in a number field
        assert 0 < len(session.settle(0.2)) <= 2 * 30
        assert len(session.settle(3.0)) <= 600  # what will change
        assert session.settle(4.0) == b""
        session.press(b"\x1b")
        session.settle()
        session.press(b"7")
        session.until_text(">7 Preview")
        session.settle()
        for _ in range(3):
            session.press(PAGE_DOWN)
            assert len(session.settle()) <= 2000


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("face", ["console", "full"])
def test_a_signal_leaves_the_terminal_sane(face: str, number: int, code: int) -> None:
    with Session((*DEMO, "--ui", face), environment={"TERM": "xterm-256color"}) as session:
        started(session)
        session.send_signal(number)
        assert session.wait() == code
        assert session.settings == session.before
        assert b"\x1b[?25h" in session.settle()


BROKEN = """
import sys, types
from wizard import locations
locations.DIRECTORIES = types.SimpleNamespace(site_log_dir=sys.argv[1], user_log_dir=sys.argv[1])
from screens import start
from screens.shared import session
from screens.tui import page
def broken(*_):
    password = "topsecret"
    raise ZeroDivisionError("on purpose")
page.Page.action_help = session.NodeEngine.verify = broken
sys.argv = ["compute-wizard", "--ui", sys.argv[2], "demo"]
sys.exit(start.main())
"""


@pytest.mark.parametrize(("face", "key"), [("console", b"?"), ("full", b"?"), ("full", b"9")])
def test_a_defect_is_one_message_that_names_the_log(face: str, key: bytes, tmp_path: Path) -> None:
    """Also one in a thread: what Verify looks at."""
    argv = (sys.executable, "-c", BROKEN, str(tmp_path / "log"), face)
    with Session(argv, environment={"TERM": "xterm-256color"}) as session:
        started(session)
        session.press(key)
        assert session.wait() == 1
        assert session.settings == session.before
        said = b"".join(session.output.rpartition(b"compute-wizard: ")[1:]).decode()
    (log,) = (tmp_path / "log").iterdir()
    assert "a mistake in this program: ZeroDivisionError" in said
    assert str(log) in said.replace("\r\n", "")
    assert len(said.splitlines()) <= 4
    report = log.read_text()
    assert "on purpose" in report and "topsecret" not in report.replace('password = "topsecret"', "")
    assert log.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("size", [(10, 40), (24, 80), (50, 132), (100, 300)])
def test_any_size(size: tuple[int, int]) -> None:
    with Session(CONSOLE, environment=VT220, size=size) as session:
        session.until_text("F1 help")
        session.settle()
        assert session.lines()[-1].strip().startswith("F1 help")
        session.press(b"q")
        assert session.wait() == 0


def test_a_window_that_changes_its_size() -> None:
    with Session(CONSOLE, environment=VT220) as session:
        started(session)
        session.resize(40, 100)
        session.until(lambda: session.lines()[39].strip().startswith("F1 help"), "the keys in the last row")
        session.settle()
        session.resize(15, 60)
        session.until(lambda: session.lines()[14].strip().startswith("F1 help"), "the keys in the last row")
        session.press(b"q")
        assert session.wait() == 0


def test_a_line_without_a_size_gets_the_one_that_the_terminal_tells() -> None:
    with Session(
        CONSOLE, environment={**VT220, "COLUMNS": "132", "LINES": "43"}, size=None, corner=(30, 90)
    ) as session:
        session.until(lambda: session.lines()[29].strip().startswith("F1 help"), "the keys in the last row")
        session.press(b"q")
        assert session.wait() == 0


def test_noise_on_the_line_is_painted_over() -> None:
    with Session(CONSOLE, environment=VT220) as session:
        started(session)
        before = session.lines()
        session.output += b"\x1b[5;5H\x1b[7mnoise of the kernel"
        assert session.lines() != before
        session.press(b"\x0c")
        session.until(lambda: session.lines() == before, "the screen as it was")


def test_while_the_line_is_stopped_frames_are_merged() -> None:
    with Session(CONSOLE, environment=VT220) as session:
        started(session)
        session.press(b"\x13")  # Ctrl-S: the line takes nothing more
        for page in b"1234567654321765":
            session.press(bytes([page]))
            assert session.settle(0.3) == b""
        session.press(b"\x11")
        session.until_text(">5 ")
        assert len(session.settle()) <= 3 * 4000  # three pages at most, of sixteen
        session.press(b"\x1bq")
        session.settle()
        session.press(b"q")
        session.wait()


def test_the_hardware_cursor_follows_the_focus() -> None:
    with Session(CONSOLE, environment=VT220) as session:
        started(session)
        session.press(b"3")
        session.until_text(">3 VFs")
        session.press(b"\t")
        session.settle()
        screen = session.screen()
        assert "VFs:" in screen.display[screen.cursor.y]
        session.press(b"\t\t")
        session.settle()
        screen = session.screen()
        assert screen.display[screen.cursor.y][screen.cursor.x :].startswith("Ports")


def test_without_colour_the_focus_is_seen() -> None:
    with Session(CONSOLE, environment={**VT220, "NO_COLOR": "1"}) as session:
        started(session)
        session.press(b"3")
        session.until_text(">3 VFs")
        session.press(b"\t")
        session.settle()
        screen = session.screen()
        assert screen.buffer[screen.cursor.y][screen.cursor.x - 1].reverse
        colours = {cell.fg for row in screen.buffer.values() for cell in row.values()}
        assert colours == {"default"}

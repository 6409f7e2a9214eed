"""Which face for which terminal."""

from __future__ import annotations

import getpass
import io

import pytest

from screens.terminal import serial_choice as serial
from screens.terminal.choice import Face, choose, prepare
from screens.terminal.probe import Terminal
from wizard.errors import UsageError


@pytest.mark.parametrize(
    ("terminal", "environment", "face"),
    [
        (Terminal("xterm-256color", "pty"), {}, "full"),
        (Terminal("xterm", "pty"), {}, "full"),
        (Terminal("tmux-256color", "pty"), {}, "full"),
        (Terminal("vt220", "pty"), {"COLORTERM": "truecolor"}, "full"),
        (Terminal("xterm-256color", "pty"), {"NO_COLOR": "1"}, "full"),
        (Terminal("xterm-256color", "pty", utf8=False), {}, "console"),
        (Terminal("linux", "vt"), {}, "console"),
        (Terminal("linux", "pty"), {}, "console"),
        (Terminal("vt100", "pty"), {}, "console"),
        (Terminal("vt220", "serial", baud=115200, answers=True), {}, "console"),
        (Terminal("xterm-256color", "serial", answers=True), {}, "console"),
        (Terminal("vt220", "serial", baud=9600, answers=True), {}, "plain"),
        (Terminal("vt220", "serial", baud=115200, answers=False), {}, "plain"),
        (Terminal("xterm", "pty", answers=False), {}, "plain"),
        (Terminal("linux", "vt", speech="brltty"), {}, "plain"),
        (Terminal("dumb", "pty"), {}, "plain"),
        (Terminal("", "pty"), {}, "plain"),
        (Terminal("xterm", "none"), {}, "plain"),
        (Terminal("no-such-terminal", "pty"), {}, "plain"),
        (Terminal("xterm-256color", "pty", rows=9), {}, "plain"),
        (Terminal("xterm-256color", "pty", columns=39), {}, "plain"),
        (Terminal("xterm-256color", "pty", rows=10, columns=40), {}, "full"),
        (Terminal("xterm-256color", "pty"), {"COMPUTE_WIZARD_UI": "plain"}, "plain"),
    ],
)
def test_the_face_that_fits(terminal: Terminal, environment: dict[str, str], face: str) -> None:
    found = choose(terminal, "auto", environment)
    assert found.name == face
    assert found.why


@pytest.mark.parametrize("wanted", ["full", "console", "plain"])
def test_what_is_asked_for_wins(wanted: str) -> None:
    terminal = Terminal("vt220", "serial", baud=9600, answers=True)
    assert choose(terminal, wanted, {"COMPUTE_WIZARD_UI": "plain"}).name == wanted


@pytest.mark.parametrize("terminal", [Terminal("dumb", "pty"), Terminal("xterm", "none")])
def test_a_screen_is_refused_where_there_is_none(terminal: Terminal) -> None:
    assert choose(terminal, "plain", {}).name == "plain"
    with pytest.raises(UsageError, match="needs a terminal"):
        choose(terminal, "full", {})


def test_a_slip_in_the_environment_is_told() -> None:
    with pytest.raises(UsageError, match="COMPUTE_WIZARD_UI=tui is no face"):
        choose(Terminal("xterm", "pty"), "auto", {"COMPUTE_WIZARD_UI": "tui"})


def test_arrow_keys_are_used_only_where_they_work_and_nobody_listens() -> None:
    assert choose(Terminal("vt220", "serial", baud=9600, answers=True), "auto", {}).arrows
    for other in (
        Terminal("dumb", "pty"),
        Terminal("linux", "vt", speech="brltty"),
        Terminal("vt220", "pty", answers=False),
    ):
        assert not choose(other, "plain", {}).arrows


def test_libraries_are_told_before_they_are_imported() -> None:
    environment = {"COLORTERM": "truecolor", "ESCDELAY": "500"}
    prepare(Face("console", "", Terminal("linux", "vt")), environment)
    assert environment["TEXTUAL_COLOR_SYSTEM"] == "standard"
    assert environment["ESCDELAY"] == "500"


def asked(keys: str, monkeypatch: pytest.MonkeyPatch, baud: int = 9600) -> tuple[Face | None, str]:
    monkeypatch.setattr(serial, "ssh_addresses", lambda: ["192.0.2.7", "2001:db8::7"])
    monkeypatch.setattr(getpass, "getuser", lambda: "root")
    said = io.StringIO()
    line = Terminal("vt220", "serial", device="/dev/ttyS0", baud=baud, answers=True)
    return serial.ask(choose(line, "auto", {}), io.StringIO(keys), said), said.getvalue()


def test_on_a_serial_line_the_face_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    face, said = asked("\n", monkeypatch)
    assert face is not None and face.name == "plain"
    assert "Serial line /dev/ttyS0, 9600 baud, TERM=vt220, 80x24" in said
    assert asked("2\n", monkeypatch)[0] == Face("console", "chosen", face.terminal, face.arrows)
    fast = asked("\n", monkeypatch, 115200)[0]
    assert fast is not None and fast.name == "console"


def test_the_way_over_ssh_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    face, said = asked("x\n3\nq\n", monkeypatch)
    assert face is None
    assert "ssh root@192.0.2.7\n  ssh root@2001:db8::7\n" in said
    assert "Type 1, 2, 3" in said
    assert asked("", monkeypatch)[0] is None


def test_the_tables_of_names_are_in_no_conflict() -> None:
    from screens.terminal.choice import FEW_COLOURS, MANY_COLOURS

    assert not [many for many in MANY_COLOURS if many.startswith(FEW_COLOURS)]

"""What terminal is this: asked of real pseudo-terminals."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from screens.terminal.probe import Terminal, probe

Answer = Callable[[bytes], bytes]


class Line:
    """A pseudo-terminal whose far end answers as a terminal would."""

    def __init__(self, answer: Answer | None) -> None:
        self.master, self.slave = pty.openpty()
        self.asked = b""
        self._answer = answer
        if answer is not None:
            self._thread = threading.Thread(target=self._serve, daemon=True)
            self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                data = os.read(self.master, 4096)
            except OSError:
                return
            self.asked += data
            assert self._answer is not None
            if reply := self._answer(data):
                os.write(self.master, reply)

    def size(self) -> tuple[int, int]:
        rows, columns = struct.unpack("HHHH", fcntl.ioctl(self.slave, termios.TIOCGWINSZ, bytes(8)))[:2]
        return rows, columns

    def give_size(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self) -> None:
        os.close(self.slave)
        if self._answer is not None:
            self._thread.join(30)
        os.close(self.master)


def a_terminal(rows: int, columns: int, utf8: bool = True) -> Answer:
    def answer(question: bytes) -> bytes:
        if b"\x1b[999;999H" in question:
            return b"\x1b[%d;%dR" % (rows, columns)
        return b"\x1b[1;%dR" % (2 if utf8 else 3) if b"\x1b[6n" in question else b""

    return answer


@pytest.fixture
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    made = Line(getattr(request, "param", None))
    yield made
    made.close()


def looked(line: Line, root: Path, **environment: str) -> tuple[Terminal, dict[str, str]]:
    surroundings = {"TERM": "vt220", "LANG": "C.UTF-8", **environment}
    patience = 60.0 if line._answer is not None else 0.05
    return probe(line.slave, line.slave, surroundings, patience, root), surroundings


@pytest.mark.parametrize("line", [a_terminal(40, 132)], indirect=True)
def test_a_line_without_a_size_is_asked_for_it_and_the_kernel_is_told(line: Line, tmp_path: Path) -> None:
    found, _ = looked(line, tmp_path)
    assert (found.rows, found.columns, found.answers) == (40, 132, True)
    assert line.size() == (40, 132)


def test_one_that_does_not_answer_is_taken_for_24_by_80(line: Line, tmp_path: Path) -> None:
    found, _ = looked(line, tmp_path)
    assert (found.rows, found.columns, found.answers) == (24, 80, False)
    assert line.size() == (24, 80)


@pytest.mark.parametrize("line", [a_terminal(999, 999)], indirect=True)
def test_an_echo_of_the_question_is_no_size(line: Line, tmp_path: Path) -> None:
    found, _ = looked(line, tmp_path)
    assert (found.rows, found.columns) == (24, 80)


def test_stale_sizes_of_the_environment_lose_against_the_real_one(line: Line, tmp_path: Path) -> None:
    line.give_size(24, 80)
    found, surroundings = looked(line, tmp_path, COLUMNS="132", LINES="43")
    assert (found.rows, found.columns, found.answers) == (24, 80, None)
    assert "COLUMNS" not in surroundings and "LINES" not in surroundings


def test_the_settings_of_the_line_are_as_before(line: Line, tmp_path: Path) -> None:
    before = termios.tcgetattr(line.slave)
    looked(line, tmp_path)
    assert termios.tcgetattr(line.slave) == before


@pytest.mark.parametrize(
    ("line", "utf8"), [(a_terminal(24, 80), True), (a_terminal(24, 80, False), False)], indirect=["line"]
)
def test_where_the_locale_names_no_character_set_the_terminal_is_asked(line: Line, utf8: bool, tmp_path: Path) -> None:
    line.give_size(24, 80)
    assert looked(line, tmp_path, LANG="C")[0].utf8 is utf8
    end = time.monotonic() + 60
    while not line.asked.endswith(b"\r\x1b[K") and time.monotonic() < end:
        time.sleep(0.01)
    assert line.asked.endswith(b"\r\x1b[K")  # what was written to find out is gone again


def test_a_locale_that_is_not_utf8_is_believed(line: Line, tmp_path: Path) -> None:
    line.give_size(24, 80)
    assert not looked(line, tmp_path, LANG="de_DE.ISO-8859-1")[0].utf8
    assert looked(line, tmp_path, LC_ALL="de_DE.utf8", LANG="C")[0].utf8


def test_a_dumb_terminal_is_asked_nothing(line: Line, tmp_path: Path) -> None:
    found, _ = looked(line, tmp_path, TERM="dumb")
    assert found.dumb and found.answers is None
    os.set_blocking(line.master, False)
    with pytest.raises(BlockingIOError):
        os.read(line.master, 10)


def test_a_terminal_without_a_name_is_taken_for_a_pseudo_terminal(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(_: int) -> str:
        raise FileNotFoundError(2, "as in a container whose /dev/pts is another")

    monkeypatch.setattr(os, "ttyname", nowhere)
    line.give_size(24, 80)
    found, _ = looked(line, tmp_path)
    assert (found.kind, found.device) == ("pty", "")


def test_a_pipe_is_no_terminal(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    try:
        assert probe(reader, writer, {"TERM": "xterm"}, root=tmp_path).kind == "none"
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("line", [a_terminal(24, 100)], indirect=True)
@pytest.mark.parametrize(
    ("device", "baud"),
    [("/dev/ttyS0", 9600), ("/dev/ttyAMA0", 9600), ("/dev/ttyUSB1", 9600), ("/dev/hvc0", None), ("/dev/console", 9600)],
)
def test_a_serial_line_is_known_by_its_name_and_has_a_speed(
    line: Line, device: str, baud: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sys/class/tty/console").mkdir(parents=True)
    (tmp_path / "sys/class/tty/console/active").write_text("tty0 ttyS1\n")
    attributes = termios.tcgetattr(line.slave)
    attributes[4] = attributes[5] = termios.B9600
    termios.tcsetattr(line.slave, termios.TCSANOW, attributes)
    line.give_size(24, 80)
    monkeypatch.setattr(os, "ttyname", lambda _: device)
    found, _ = looked(line, tmp_path)
    assert (found.kind, found.baud) == ("serial", baud)
    assert found.columns == 100  # the size that the kernel had was from another session: nothing tells it of a change


@pytest.mark.parametrize(
    ("path", "content", "reader"),
    [
        ("sys/accessibility/speakup/synth", "soft\n", "speakup (soft)"),
        ("sys/accessibility/speakup/synth", "none\n", ""),
        ("run/brltty.pid", "812\n", "brltty"),
        ("run/other", "", ""),
    ],
)
def test_speech_and_braille_on_a_console_are_found(
    line: Line, path: str, content: str, reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(content)
    line.give_size(24, 80)
    monkeypatch.setattr(os, "ttyname", lambda _: "/dev/tty3")
    found, _ = looked(line, tmp_path)
    assert (found.kind, found.speech) == ("vt", reader)
    assert found.glyphs is None  # a pseudo-terminal has no font

"""The pure parts of the lab; its machines are not for here."""

from __future__ import annotations

import json
import os
import re
import signal
import struct
import time
from pathlib import Path

import pytest
from lab import __main__ as lab
from lab import host, play
from lab import machine as guest_machine
from lab.emulator import disguise
from lab.machine import Hardware, Machine
from lab.play import Row, play_all
from lab.scenarios import SCENARIOS, Scenario
from lab.stage import Stage, differences
from lab.terminal import WIDTH, Terminal
from lab.vt import Picture

FUNCTION = b"\xc7\x80\xd8\0\0\0\x86\x80\xc9\x10"
VIRTUAL = b"\xc7\x80\xd8\0\0\0\x86\x80\xca\x10"
OFFERED = b"\xbe\x60\x01\0\0\xba\xca\x10\0\0"
PROGRAM = b"head" + FUNCTION + b"between" + VIRTUAL + bytes(80) + OFFERED + bytes(80)


def test_a_disguise_changes_three_constants_and_nothing_else() -> None:
    disguised = disguise(PROGRAM, 0x1017, 0x1018)
    assert len(disguised) == len(PROGRAM)
    assert struct.pack("<HH", 0x15B3, 0x1017) in disguised
    assert struct.pack("<HH", 0x15B3, 0x1018) in disguised
    assert b"\xba\x18\x10\0\0" in disguised
    assert sum(a != b for a, b in zip(disguised, PROGRAM, strict=True)) == 7
    assert b"\x86\x80" not in disguised


@pytest.mark.parametrize("program", [PROGRAM.replace(VIRTUAL, b""), PROGRAM + FUNCTION, PROGRAM.replace(OFFERED, b"")])
def test_a_program_that_is_built_otherwise_is_refused(program: bytes) -> None:
    with pytest.raises(ValueError, match="has to be once"):
        disguise(program, 0x1017, 0x1018)


def test_a_terminal_shows_what_was_sent_and_draws_it() -> None:
    terminal = Terminal(20, 3)
    terminal.feed(b"\x1b[2J\x1b[H\x1b]0;title\x07a < b\r\n\x1b[7mturned\x1b[0m\x1b[?2026$p")
    assert terminal.text().splitlines()[:2] == ["a < b", "turned"]
    picture = terminal.svg()
    assert "a &lt; b" in picture
    assert 'fill="#aaaaaa"/>' in picture  # the background of what is turned


def test_a_picture_has_a_text_where_it_was_shown() -> None:
    terminal = Terminal(20, 3)
    terminal.feed(b"\x1b[7m  in the middle  ")
    assert f'x="{2 * WIDTH}" y="14" textLength="{13 * WIDTH}" fill="#000000">in the middle<' in terminal.svg()


def test_a_character_of_the_colour_of_its_ground_is_found_in_a_picture(tmp_path: Path) -> None:
    black, grey, white = bytes(3), bytes((60, 60, 60)), bytes((255, 255, 255))
    screen = tmp_path / "screen.ppm"
    screen.write_bytes(b"P6\n6 1\n255\n" + b"".join((black, black, black, grey, black, white)))
    picture = Picture.read(screen)
    assert [picture.contrast(left, 0, 2, 1) for left in (0, 2, 4)] == [0, 60, 255]
    screen.write_bytes(b"P5\n1 1\n255\n\0")
    with pytest.raises(ValueError, match="no PPM"):
        Picture.read(screen)


def test_a_sequence_may_come_in_pieces_and_a_question_is_answered() -> None:
    said: list[str] = []
    terminal = Terminal(20, 3, answer=said.append)
    for piece in (b"ab\x1b", b"[", b"6", b"n\x1b]0;ti", b"tle\x07c\x1b[1;2;3H", b"\x1b[2;1Hd"):
        terminal.feed(piece)
    assert terminal.text().splitlines()[:2] == ["abc", "d"]
    assert said == ["\x1b[1;3R"]


def test_the_differences_of_two_manifests_are_told_by_line() -> None:
    assert differences("a\nb\n", "b\nc\n") == "- a\n+ c"
    assert differences("a\n", "a\n") == ""


def test_every_scenario_has_a_name_of_its_own_and_says_what_it_uses() -> None:
    names = [scenario.NAME for scenario in SCENARIOS]
    assert len(set(names)) == len(names)
    assert all(scenario.HARDWARE and scenario.TITLE for scenario in SCENARIOS)


@pytest.mark.parametrize(
    ("said", "raised"),
    [
        ("E: Failed to fetch http://deb.debian.org/x  Temporary failure resolving 'deb.debian.org'", host.NotPossible),
        ("WARNING: Retrying after connection broken by 'NewConnectionError'", host.NotPossible),
        ("ERROR: No matching distribution found for textual>=999", RuntimeError),
    ],
)
def test_a_network_that_fails_is_no_failure_of_the_lab(said: str, raised: type[Exception]) -> None:
    with pytest.raises(raised, match=re.escape(said)):
        host.fetch(["sh", "-c", 'echo "$0" >&2; exit 1', said])


def test_a_host_that_lacks_something_is_told_in_the_last_line_and_is_no_failure_where_that_was_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def lacks() -> None:
        raise host.NotPossible("no machines here\nbecause")

    monkeypatch.setattr(host, "RESULTS", tmp_path)
    monkeypatch.setattr(host, "prepare", lacks)
    monkeypatch.delenv("COMPUTE_WIZARD_STRICT_SKIPS", raising=False)
    codes = []
    for words in (["lab", "--if-possible", "any-device"], ["lab", "any-device"]):
        monkeypatch.setattr("sys.argv", words)
        codes.append(lab.main())
        assert capsys.readouterr().out.splitlines()[-1] == "lab: not run: no machines here"
    assert codes == [0, 1]


class Played(Scenario):
    NAME = "played"
    TITLE = "It holds"
    HARDWARE = (Hardware(),)

    @classmethod
    def play(cls, stage: Stage) -> None:
        stage.hold("one is one", True)


class Broken(Played):
    NAME = "broken"

    @classmethod
    def play(cls, stage: Stage) -> None:
        stage.hold("one is two", False, "one")


class Lost(Played):
    NAME = "lost"

    @classmethod
    def play(cls, stage: Stage) -> None:
        os._exit(9)


class Endless(Played):
    NAME = "endless"

    @classmethod
    def play(cls, stage: Stage) -> None:
        try:
            (stage.directory / "begun").touch()
            signal.pause()
        finally:
            (stage.directory / "switched-off").touch()


@pytest.mark.parametrize("together", [1, 3])
def test_each_scenario_has_its_row_also_one_whose_process_is_lost(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path, together: int
) -> None:
    monkeypatch.setattr(host, "RESULTS", tmp_path)
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / "verdict.json").write_text('{"verdict": "held", "why": "long ago", "seconds": 1}')
    rows: dict[str, Row] = {}
    play_all([Played, Broken, Lost], together, rows)
    assert {name: (row.verdict, row.why) for name, row in rows.items()} == {
        "played": ("held", "1 checks"),
        "broken": ("failed", "one is two; seen: one"),
        "lost": ("failed", "its process ended with 9 and left no verdict"),
    }
    assert "broken: [" in capfd.readouterr().out


def test_when_it_is_ended_each_scenario_switches_off_what_it_has_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Waiting(Endless):
        NAME = "waiting"

    def both_play(_sentinels: object) -> None:
        while not all((tmp_path / name / "begun").exists() for name in ("endless", "waiting")):
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(host, "RESULTS", tmp_path)
    monkeypatch.setattr(play, "wait", both_play)
    with pytest.raises(KeyboardInterrupt):
        play_all([Endless, Waiting], 2, {})
    for name in ("endless", "waiting"):
        assert (tmp_path / name / "switched-off").exists()
        assert json.loads((tmp_path / name / "verdict.json").read_text())["verdict"] == "interrupted"


class Booting(Machine):
    """A machine of which only the lines that its boots say are there; `None`: QEMU is gone."""

    def __init__(self, directory: Path, *boots: str | None) -> None:
        self.directory, self._boots, self.powered = directory, list(boots), 0
        self.on()

    def on(self) -> None:
        self.powered += 1
        log = self.directory / "qemu.log"
        self._logged = log.stat().st_size if log.exists() else 0
        self._boot()

    def _boot(self) -> None:
        self._said = self._boots.pop(0)
        if self._said is None:
            with (self.directory / "qemu.log").open("a") as file:
                file.write("qemu-system: system/physmem.c:2671: iotlb_to_section: Assertion `a < b' failed.\n")

    def cut_power(self) -> None:
        pass

    def control(self, command: str, **arguments: object) -> None:
        assert command == "system_reset"
        self._boot()

    @property
    def line(self) -> Booting:  # type: ignore[override]
        return self

    def wait(self, pattern: str, seconds: float) -> re.Match[bytes]:
        if self._said is None:
            raise EOFError
        found = re.search(pattern.encode(), self._said.encode())
        assert found, pattern
        return found


LOGIN = "login: root (automatic login) root@compute-lab:~# "
TIMER = "---[ end Kernel panic - not syncing: timer doesn't work through Interrupt-remapped IO-APIC"


@pytest.mark.parametrize(("boots", "powered"), [([LOGIN], 1), ([None, LOGIN], 2), ([TIMER, None, TIMER, LOGIN], 2)])
def test_a_boot_that_the_emulator_or_its_timer_spoiled_is_tried_again(
    boots: list[str | None], powered: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guest_machine, "PROMPT", "root@compute-lab:")
    machine = Booting(tmp_path, *boots)
    machine.wait_for_shell()
    assert machine.powered == powered


def test_a_boot_that_ends_otherwise_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "qemu.log").write_text("Assertion `of an older boot' failed\n")
    machine = Booting(tmp_path, "---[ end Kernel panic - not syncing: no root")
    with pytest.raises(RuntimeError, match="no root"):
        machine.wait_for_shell()
    machine = Booting(tmp_path, LOGIN)
    machine._said = None
    with pytest.raises(EOFError, match="QEMU ended"):
        machine.wait_for_shell()
    with pytest.raises(RuntimeError, match="no boot in 4 attempts"):
        Booting(tmp_path, None, None, None, None, None).wait_for_shell()

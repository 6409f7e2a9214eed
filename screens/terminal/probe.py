"""What terminal is this? Looked at before any library of a face is imported; the standard library is enough."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import termios
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["none", "vt", "serial", "pty"]

PATIENCE = 1.0  # seconds that a terminal has to answer
DUMB = ("", "dumb", "unknown", "emacs", "network", "dialup")
FALLBACK = (24, 80)
LARGEST = (500, 1000)  # what is larger is no size but an echo of the question
SERIAL = re.compile(r"/dev/(ttyS|ttyAMA|ttyUSB|ttyACM|ttyPS|ttymxc|ttyO|ttysclp|hvc|xvc|hvsi)\d+")
VT = re.compile(r"/dev/tty\d+")
BAUD = {getattr(termios, name): int(name[1:]) for name in dir(termios) if re.fullmatch(r"B[1-9]\d*", name)}
GIO_UNIMAP = 0x4B66
POSITION = re.compile(rb"\x1b\[(\d+);(\d+)R")
FAR_CORNER = b"\x1b7\x1b[999;999H\x1b[6n\x1b8"
ONE_UTF8_CHARACTER = b"\r\xc3\xa9\x1b[6n"  # one column wide where UTF-8 is understood, two or three elsewhere
TIDY = b"\r\x1b[K"


@dataclass(frozen=True, slots=True)
class Terminal:
    """What is known of the terminal. `baud` is None where the line has no speed that limits it; `answers` says whether it
    told its cursor position when asked, None where it was not asked; `glyphs` are the code points of a Linux VT's font.
    `speech` names what reads the screen aloud or in braille."""

    name: str
    kind: Kind
    rows: int = FALLBACK[0]
    columns: int = FALLBACK[1]
    device: str = ""
    baud: int | None = None
    utf8: bool = True
    answers: bool | None = None
    glyphs: frozenset[int] | None = None
    speech: str = ""

    @property
    def dumb(self) -> bool:
        return self.name in DUMB


def probe(
    stdin: int = 0,
    stdout: int = 1,
    environment: MutableMapping[str, str] = os.environ,
    patience: float = PATIENCE,
    root: Path = Path("/"),
) -> Terminal:
    """Look at the terminal, and ask it where the kernel does not know. Gives a line without a size one, so that all
    libraries see the same. `patience` in seconds; `root` is where /sys and /run are."""
    name = environment.get("TERM", "")
    if not (os.isatty(stdin) and os.isatty(stdout)):
        return Terminal(name, "none", utf8=_utf8_locale(environment) is not False)
    for variable in ("COLUMNS", "LINES"):  # stale ones would win over the real size
        environment.pop(variable, None)
    device = _device(_name(stdin), root)
    kind: Kind = "vt" if VT.fullmatch(device) else "serial" if SERIAL.fullmatch(device) else "pty"
    size = _kernel_size(stdin)
    utf8, answers = _utf8_locale(environment), None
    if name not in DUMB and (kind == "serial" or size is None or utf8 is None):
        with _asking(stdin):
            corner = _position(stdin, stdout, FAR_CORNER, patience)
            answers = corner is not None
            if corner and corner <= LARGEST and (kind == "serial" or size is None):
                size = corner
            if corner and utf8 is not False:
                column = _position(stdin, stdout, ONE_UTF8_CHARACTER, patience)
                utf8 = column is not None and column[1] == 2
                os.write(stdout, TIDY)
    rows, columns = size or FALLBACK
    _set_size(stdin, rows, columns)
    return Terminal(
        name=name,
        kind=kind,
        rows=rows,
        columns=columns,
        device=device,
        baud=_baud(stdin, device) if kind == "serial" else None,
        utf8=bool(utf8),
        answers=answers,
        glyphs=_glyphs(stdin) if kind == "vt" else None,
        speech=_speech(root) if kind == "vt" else "",
    )


def _name(descriptor: int) -> str:
    """The path of a terminal; empty where it has none here, as in a container or a chroot that was entered from outside."""
    try:
        return os.ttyname(descriptor)
    except OSError:
        return ""


def _device(path: str, root: Path) -> str:
    """The device behind a name: /dev/console stands for the last one that the kernel lists."""
    if path not in ("/dev/console", "/dev/tty0"):
        return path
    try:
        active = (root / "sys/class/tty" / path.removeprefix("/dev/") / "active").read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return path
    return _device(f"/dev/{active[-1]}", root) if active and path != f"/dev/{active[-1]}" else path


def _utf8_locale(environment: Mapping[str, str]) -> bool | None:
    """What the locale says; None where it names no character set, as C does."""
    value = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or ""
    codeset = value.partition(".")[2].partition("@")[0].lower()
    if codeset:
        return codeset.replace("-", "") == "utf8"
    return None if value in ("", "C", "POSIX") else False


def _kernel_size(descriptor: int) -> tuple[int, int] | None:
    """Rows and columns as the kernel has them; None where it has none, as on a serial line."""
    rows, columns = struct.unpack("HHHH", fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(8)))[:2]
    return (rows, columns) if rows and columns else None


def _set_size(descriptor: int, rows: int, columns: int) -> None:
    """Tell the kernel, if it knows otherwise: every library then asks it."""
    if _kernel_size(descriptor) == (rows, columns):
        return
    with suppress(OSError):  # a terminal of somebody else
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@contextmanager
def _asking(descriptor: int) -> Iterator[None]:
    """Without echo and line editing, so that an answer reaches us and is not shown; what came too late is thrown away."""
    before = termios.tcgetattr(descriptor)
    raw = termios.tcgetattr(descriptor)
    raw[3] &= ~(termios.ICANON | termios.ECHO)
    termios.tcsetattr(descriptor, termios.TCSANOW, raw)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)


def _position(stdin: int, stdout: int, question: bytes, patience: float) -> tuple[int, int] | None:
    """Row and column of the cursor, as the terminal says, counted from 1; None if it does not say."""
    os.write(stdout, question)
    answer, end = b"", time.monotonic() + patience
    while (found := POSITION.search(answer)) is None:
        left = end - time.monotonic()
        if left <= 0 or not select.select([stdin], [], [], left)[0]:
            return None
        more = os.read(stdin, 256)
        if not more:
            return None
        answer += more
    return int(found[1]), int(found[2])


def _baud(descriptor: int, device: str) -> int | None:
    """The speed of a serial line. A hypervisor's console has one in name only."""
    if device.startswith(("/dev/hvc", "/dev/xvc", "/dev/ttysclp")):
        return None
    return BAUD.get(termios.tcgetattr(descriptor)[5])


def _glyphs(descriptor: int) -> frozenset[int] | None:
    """The code points that the font of a Linux VT has (ioctl GIO_UNIMAP); None where the kernel does not say."""
    import ctypes

    class Description(ctypes.Structure):
        _fields_ = (("count", ctypes.c_ushort), ("pairs", ctypes.c_void_p))

    size = 65535  # the kernel's own limit
    pairs = (ctypes.c_ushort * (2 * size))()
    description = Description(size, ctypes.addressof(pairs))
    try:
        fcntl.ioctl(descriptor, GIO_UNIMAP, description, True)
    except OSError:
        return None
    return frozenset(pairs[2 * index] for index in range(description.count))


def _speech(root: Path) -> str:
    """What reads a VT aloud or in braille here; empty if nothing does."""
    try:
        synth = (root / "sys/accessibility/speakup/synth").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        synth = ""
    if synth and synth != "none":
        return f"speakup ({synth})"
    running = any((root / place).exists() for place in ("run/brltty.pid", "run/brltty/brltty.pid"))
    return "brltty" if running else ""

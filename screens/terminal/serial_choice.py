"""The first screen on a serial line: which face it is to be, and the way to a better terminal."""

from __future__ import annotations

import getpass
import socket
import sys
from dataclasses import replace
from typing import TextIO

from screens.terminal.choice import Face, Name

# Documentation addresses: a datagram socket that is connected sends nothing, and tells the way that it would take.
ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def ask(face: Face, source: TextIO | None = None, target: TextIO | None = None) -> Face | None:
    """Ask once which face; None where the admin leaves for ssh."""
    source, target = source or sys.stdin, target or sys.stdout
    options: tuple[Name, ...] = ("plain", "console")
    suggested = options.index(face.name) + 1 if face.name in options else 1
    target.write(_introduction(face))
    while True:
        target.write(f"1, 2, 3 or q [{suggested}]: ")
        target.flush()
        line = source.readline()
        answer = line.strip().lower() or str(suggested)
        if answer == "q" or not line:
            return None
        if answer in ("1", "2"):
            return replace(face, name=options[int(answer) - 1], why="chosen")
        target.write(_over_ssh() if answer == "3" else "Type 1, 2, 3, or q to leave.\n")


def _introduction(face: Face) -> str:
    terminal = face.terminal
    speed = f", {terminal.baud} baud" if terminal.baud else ""
    return (
        f"Serial line {terminal.device}{speed}, TERM={terminal.name}, {terminal.columns}x{terminal.rows}\n"
        "  1  questions, line by line: quick on any line\n"
        "  2  a full screen, of which only changes are sent\n"
        "  3  say how to come here over ssh instead\n"
    )


def _over_ssh() -> str:
    addresses = ssh_addresses()
    if not addresses:
        return "No address of this node has a way out: bring its network up first.\n"
    lines = [f"  ssh {getpass.getuser()}@{address}\n" for address in addresses]
    return "".join(["From another machine:\n", *lines, "and there: compute-wizard\n"])


def ssh_addresses() -> list[str]:
    """The addresses of this machine that its default routes leave from."""
    found = []
    for family, elsewhere in ELSEWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((elsewhere, 9))
                found.append(str(probe.getsockname()[0]))
        except OSError:
            continue
    return found

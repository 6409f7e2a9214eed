"""What a run does, in the system's own log as well: one line an event, with the run's id. A log that is not there, is full or
hangs holds nothing up."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

from wizard.runs.event_text import sentence
from wizard.runs.records import Event

SOCKET = "/dev/log"  # syslogd's, and journald's
_DAEMON = 3 << 3
_WARNING, _INFO = 4, 6


class SystemLog:
    """Sends lines to the log of this machine."""

    def __init__(self, run: str, path: str = SOCKET) -> None:
        self._run, self._path = run, path

    def tell(self, event: Event) -> None:
        """What the journal has written down, but what commands say, in the words for people."""
        if event["event"] != "output" and (text := sentence(event).strip()):
            self.write(text, warn="failed" in event["event"])

    def write(self, text: str, *, warn: bool = False) -> None:
        """One line. The library's syslog() would wait for a log that does not read: so a datagram that is sent or dropped."""
        when = time.strftime("%b %e %H:%M:%S")
        line = (
            f"<{_DAEMON | (_WARNING if warn else _INFO)}>{when} compute-wizard[{os.getpid()}]: run {self._run}: {text}"
        )
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.connect(self._path)
            channel.send(line.encode("utf-8", "replace"))

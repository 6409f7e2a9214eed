"""A port of its own on a bridge, whose other end is in a network namespace without a name.

The namespace belongs to one child and to nothing else. When the child ends, for whatever reason, the kernel takes the
namespace, and with it both ends of the port: nothing has to be cleaned, so nothing can be left.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from wizard import program
from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.node.live import ENVIRONMENT
from wizard.node.node import Node
from wizard.probes import commands

COMMAND_LIMIT = 15  # seconds for one `ip`
FORWARDING = "3"  # BR_STATE_FORWARDING, include/uapi/linux/if_bridge.h
FORWARDING_LIMIT = 45  # seconds; with STP a port listens and learns for 15 each before it forwards
LIFETIME = 120  # seconds after which the child ends by itself, whatever happens
_INSIDE = "wizard.probes.metadata.client"


def ip(*words: str) -> None:
    """Run one `ip` command. Raises NodeError."""
    commands.run(["ip", *words], COMMAND_LIMIT)


class Child:
    """The process in the namespace: one question a line in JSON, one answer a line."""

    def __init__(self) -> None:
        argv = ["unshare", "--net", "--", *program.argv(_INSIDE, str(LIFETIME))]
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is ours to handle; the child ends with its input
                env=ENVIRONMENT,
                text=True,
            )
        except OSError as error:
            raise NodeError(f"`unshare` cannot be run: {error.strerror}") from None
        self._lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def answer(self, limit: float) -> dict[str, Any]:
        """The next answer, within `limit` seconds. Raises NodeError."""
        try:
            line = self._lines.get(timeout=limit)
        except Empty:
            raise NodeError(f"the probe gave no answer within {limit:g} seconds") from None
        if not line:
            assert self._process.stderr is not None
            last = self._process.stderr.read().strip().splitlines()
            raise NodeError(f"the probe ended early: {last[-1] if last else 'without a word'}")
        found: dict[str, Any] = json.loads(line)
        if "problem" in found:
            raise NodeError(str(found["problem"]))
        return found

    def ask(self, question: Mapping[str, object], limit: float) -> dict[str, Any]:
        """One question and its answer. Raises NodeError."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # the answer tells why
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        return self.answer(limit)

    def end(self) -> None:
        """End it, and with it the namespace."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


@dataclass(frozen=True, slots=True)
class Port:
    """`child` is at the port's other end, which is called `other` and has `mac`; `name` is the end on the bridge."""

    child: Child
    name: str
    other: str
    mac: str

    def wait(self, node: Node) -> None:
        """Until the bridge forwards what comes from the port. Raises NodeError."""
        place = f"/sys/class/net/{self.name}/brport/state"
        if not _becomes(lambda: node.text(place) == FORWARDING, FORWARDING_LIMIT):
            raise NodeError(
                f"the bridge did not let a new port forward within {FORWARDING_LIMIT} seconds (spanning tree?)"
            )


@contextmanager
def port(node: Node, bridge: str, prefix: str) -> Iterator[Port]:
    """A port on the bridge for as long as the context lasts. Raises NodeError.

    A bridge has the lowest MAC address of its ports, and the smallest MTU: so the port's MAC is a high one, set before it
    joins (systemd's link policy leaves alone what was set), and its MTU is the bridge's.
    """
    serial = secrets.token_hex(2)
    tail = f"{serial[:2]}:{serial[2:]}"
    mtu = node.text(f"/sys/class/net/{bridge}/mtu") or "1500"
    child = Child()
    made = Port(child, f"{prefix[:11]}{serial}", f"cwn{serial}", f"02:16:3e:{tail}:02")
    try:
        child.answer(COMMAND_LIMIT)  # it is in its namespace, where IPv6 is off
        ip(
            *("link", "add", made.name, "mtu", mtu, "address", f"fe:16:3e:{tail}:01", "type", "veth"),
            *("peer", "name", made.other, "mtu", mtu, "address", made.mac, "netns", str(child.pid)),
        )
        _no_ipv6(made.name)
        ip("link", "set", "dev", made.name, "master", bridge)
        ip("link", "set", "dev", made.name, "up")
        yield made
    finally:
        child.end()
        _becomes(lambda: not node.exists(f"/sys/class/net/{made.name}"), COMMAND_LIMIT)


def _no_ipv6(name: str) -> None:
    """No router solicitation, no multicast report from the port; nothing is to be done where the kernel has no IPv6."""
    with suppress(OSError):
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1\n", encoding="ascii")


def _becomes(true: Callable[[], bool], limit: float) -> bool:
    """Whether it becomes true within `limit` seconds."""
    end = time.monotonic() + limit
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True

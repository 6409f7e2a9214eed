"""What a guest would do, in a network namespace that is this process's own: `python -I -m wizard.probes.metadata.client SECONDS`.

Questions come on stdin, one a line in JSON, answers go to stdout. It ends with its input, and after SECONDS whatever
happens; the namespace ends with it. Whom it talks to it is told with the MAC address, so that it never asks by ARP, and
nobody's table learns the address that it has borrowed.
"""

from __future__ import annotations

import errno
import json
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wizard.errors import NodeError
from wizard.probes.metadata import dhcp
from wizard.probes.metadata.namespace import ip

METADATA = "169.254.169.254"
DHCP_ATTEMPTS, DHCP_PATIENCE = 3, 1.5  # seconds each; nova's dnsmasq answers in milliseconds
FETCH_LIMIT = 8.0  # seconds; a SYN that is lost is sent again after 1, 3 and 7
_FIRST_BYTES = 4096  # more than any status line; the body does not matter


def main(argv: list[str]) -> int:
    """Answer until the input ends."""
    signal.alarm(int(argv[0]))
    for family in ("all", "default"):
        place = Path(f"/proc/sys/net/ipv6/conf/{family}/disable_ipv6")
        if place.exists():
            place.write_text("1\n", encoding="ascii")
    _say({"ready": True})
    doing: dict[str, Callable[..., dict[str, Any]]] = {"up": _up, "dhcp": _dhcp, "fetch": _fetch}
    for line in sys.stdin:
        question: dict[str, str] = json.loads(line)
        try:
            _say(doing[question.pop("do")](**question))
        except NodeError as error:
            _say({"problem": str(error)})
        except OSError as error:
            _say({"problem": f"inside the probe: {error.strerror}"})
    return 0


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _up(name: str, address: str, neighbour: str, mac: str) -> dict[str, Any]:
    """The interface with its address ("10.44.1.254/24"); the node's own address there is a neighbour with this MAC."""
    ip("link", "set", "dev", name, "up")
    ip("address", "add", address, "dev", name)
    _know(name, neighbour, mac)
    return {"up": True}


def _know(name: str, neighbour: str, mac: str) -> None:
    ip("neigh", "replace", neighbour, "lladdr", mac, "nud", "permanent", "dev", name)


def _dhcp(name: str, mac: str, address: str, bridge_mac: str) -> dict[str, Any]:
    """What the server tells: {"routers": [...]}, or {"routers": null} where it does not answer.

    The frame goes to the bridge's MAC address, so that no server outside sees it; the packet in it goes to everybody. Without
    --interface all of nova's dnsmasq share 0.0.0.0:67: a packet for one address is given to any one of them, and only the right one
    answers; a broadcast is given to each.
    """
    transaction = secrets.randbits(32)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link,
    ):
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode() + b"\0")
        udp.bind(("", dhcp.CLIENT_PORT))
        link.bind((name, 0))
        frame = dhcp.broadcast(dhcp.inform(transaction, mac, address), source=address, mac=mac, to_mac=bridge_mac)
        for _ in range(DHCP_ATTEMPTS):
            link.send(frame)
            told = _wait(udp, transaction)
            if told is not None:
                return {"routers": told.routers, "server": told.server}
    return {"routers": None, "server": ""}


def _wait(udp: socket.socket, transaction: int) -> dhcp.Told | None:
    end = time.monotonic() + DHCP_PATIENCE
    while (left := end - time.monotonic()) > 0:
        udp.settimeout(left)
        try:
            told = dhcp.told(udp.recv(4096), transaction)
        except (TimeoutError, ConnectionRefusedError):  # the second: nobody listens there
            time.sleep(max(0.0, min(left, 0.2)))
            continue
        if told is not None:
            return told
    return None


def _fetch(name: str, router: str, mac: str) -> dict[str, Any]:
    """The metadata service's list of versions, by way of the router: how it ended, and the HTTP status where there is one."""
    _know(name, router, mac)
    ip("route", "replace", "default", "via", router, "dev", name, "onlink")
    return get()


def get() -> dict[str, Any]:
    """One request to the metadata service from here: how it ended, and the HTTP status where there is one."""
    try:
        with socket.create_connection((METADATA, 80), timeout=FETCH_LIMIT) as tcp:
            tcp.sendall(f"GET / HTTP/1.0\r\nHost: {METADATA}\r\nUser-Agent: compute-wizard\r\n\r\n".encode())
            first = _first_line(tcp)
    except ConnectionRefusedError:
        return {"outcome": "refused", "status": None}
    except TimeoutError:
        return {"outcome": "silent", "status": None}
    except OSError as error:
        if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES):
            return {"outcome": "unreachable", "status": None}
        if error.errno == errno.ECONNRESET:
            return {"outcome": "broken", "status": None}
        raise
    words = first.split()
    if len(words) >= 2 and words[0].startswith("HTTP/") and words[1].isdecimal():
        return {"outcome": "answered", "status": int(words[1])}
    return {"outcome": "broken", "status": None}


def _first_line(tcp: socket.socket) -> str:
    received = b""
    while b"\n" not in received and len(received) < _FIRST_BYTES and (piece := tcp.recv(_FIRST_BYTES)):
        received += piece
    return received.partition(b"\n")[0].decode("ascii", "replace")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

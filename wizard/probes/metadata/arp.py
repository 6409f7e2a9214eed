"""ARP from this node itself: whether an address is taken, and which MAC address has it.

Asked from the bridge with the bridge's own MAC address, so that no switch and no neighbour learns of the probe.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import time

from wizard.errors import NodeError

_PROTOCOL = 0x0806
_FRAME = struct.Struct("!6s6sHHHBBH6s4s6s4s")
_REQUEST, _REPLY = 1, 2
_NOBODY = "0.0.0.0"
PATIENCE = 0.5  # seconds for each of the attempts
ATTEMPTS = 2


def request(mac: str, sender: str, wanted: str) -> bytes:
    """The frame that asks who has `wanted`. The sender 0.0.0.0 makes it a probe (RFC 5227): nobody's table learns from it."""
    own = bytes.fromhex(mac.replace(":", ""))
    addresses = [ipaddress.IPv4Address(each).packed for each in (sender, wanted)]
    return _FRAME.pack(
        b"\xff" * 6, own, _PROTOCOL, 1, 0x0800, 6, 4, _REQUEST, own, addresses[0], bytes(6), addresses[1]
    )


def holder(frame: bytes, wanted: str, own_mac: str) -> str | None:
    """The MAC address that a frame shows to have the address, or to be about to take it; None where it shows nothing of it."""
    if len(frame) < _FRAME.size:
        return None
    *_, kind, operation, mac, sender, _, target = _FRAME.unpack_from(frame)
    address = ipaddress.IPv4Address(wanted).packed
    text = bytes(mac).hex(":")
    probing = operation == _REQUEST and sender == bytes(4) and target == address
    if kind != 4 or text == own_mac.lower() or not (sender == address or probing):
        return None
    return text


def ask(bridge: str, mac: str, wanted: str, sender: str = _NOBODY) -> str | None:
    """Ask on a bridge who has the address; `mac` is the bridge's own. None where nobody answers in time. Raises NodeError."""
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as link:
            link.bind((bridge, _PROTOCOL))
            for _ in range(ATTEMPTS):
                link.send(request(mac, sender, wanted))
                found = _listen(link, wanted, mac)
                if found is not None:
                    return found
    except OSError as error:
        raise NodeError(f"ARP cannot be asked on {bridge}: {error.strerror}") from None
    return None


def _listen(link: socket.socket, wanted: str, mac: str) -> str | None:
    end = time.monotonic() + PATIENCE
    while (left := end - time.monotonic()) > 0:
        link.settimeout(left)
        try:
            found = holder(link.recv(128), wanted, mac)
        except TimeoutError:
            return None
        if found is not None:
            return found
    return None

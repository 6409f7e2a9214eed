"""DHCPINFORM (RFC 2131, 4.3.5): what a server tells a host that has an address already. It makes no lease."""

from __future__ import annotations

import ipaddress
import struct

from wizard.dataclass import dataclass

SERVER_PORT, CLIENT_PORT = 67, 68
_REQUEST, _REPLY, _ETHERNET = 1, 2, 1
_COOKIE = b"\x63\x82\x53\x63"
_HEADER = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
_PAD, _MASK, _ROUTER, _TYPE, _SERVER, _WANTED, _END = 0, 1, 3, 53, 54, 55, 255
_INFORM, _ACK = 8, 5
_SHORTEST = 300  # bytes; some servers drop what is shorter than BOOTP's own message


@dataclass(frozen=True, slots=True)
class Told:
    """What a server answered: the routers in its order (none where it gives no option 3), and who it says it is."""

    routers: tuple[str, ...]
    server: str


def inform(transaction: int, mac: str, address: str) -> bytes:
    """The question of the host that has `address`: the message alone, without UDP."""
    client = ipaddress.IPv4Address(address).packed
    nobody = bytes(4)
    hardware = bytes.fromhex(mac.replace(":", ""))
    head = _HEADER.pack(
        _REQUEST, _ETHERNET, 6, 0, transaction, 0, 0, client, nobody, nobody, nobody, hardware, b"", b""
    )
    options = bytes([_TYPE, 1, _INFORM, _WANTED, 3, _MASK, _ROUTER, _SERVER, _END])
    return (head + _COOKIE + options).ljust(_SHORTEST, b"\0")


def broadcast(message: bytes, *, source: str, mac: str, to_mac: str) -> bytes:
    """An Ethernet frame for one MAC address that holds the message as a packet to 255.255.255.255 (RFC 791, RFC 768)."""
    udp = struct.pack("!HHHH", CLIENT_PORT, SERVER_PORT, 8 + len(message), 0)  # no checksum: optional over IPv4
    ends = ipaddress.IPv4Address(source).packed + b"\xff" * 4
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp) + len(message), 0, 0, 64, 17, 0) + ends
    head = head[:10] + struct.pack("!H", _checksum(head)) + head[12:]
    link = bytes.fromhex(to_mac.replace(":", "")) + bytes.fromhex(mac.replace(":", "")) + b"\x08\x00"
    return link + head + udp + message


def _checksum(head: bytes) -> int:
    total = sum(int.from_bytes(head[at : at + 2], "big") for at in range(0, len(head), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def told(message: bytes, transaction: int) -> Told | None:
    """What a message says, or None where it is no whole acknowledgement of that transaction."""
    start = _HEADER.size + len(_COOKIE)
    if len(message) < start or message[0] != _REPLY or message[_HEADER.size : start] != _COOKIE:
        return None
    if int.from_bytes(message[4:8], "big") != transaction:
        return None
    options = _options(message[start:])
    if options is None or options.get(_TYPE) != bytes([_ACK]):
        return None
    servers = _addresses(options.get(_SERVER, b""))
    return Told(_addresses(options.get(_ROUTER, b"")), servers[0] if servers else "")


def _options(data: bytes) -> dict[int, bytes] | None:
    """By number; one that is there twice is one value (RFC 3396). None where a length leads past the end."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data) and data[at] != _END:
        if data[at] == _PAD:
            at += 1
            continue
        if at + 1 >= len(data) or at + 2 + data[at + 1] > len(data):
            return None
        number, size = data[at], data[at + 1]
        found[number] = found.get(number, b"") + data[at + 2 : at + 2 + size]
        at += 2 + size
    return found


def _addresses(value: bytes) -> tuple[str, ...]:
    return tuple(str(ipaddress.IPv4Address(value[at : at + 4])) for at in range(0, len(value) - 3, 4))

"""The messages of the proof: what is sent is what the standards say, and any bytes that come back are borne."""

from __future__ import annotations

import ipaddress
import struct

from hypothesis import given
from hypothesis import strategies as st

from wizard.probes.metadata import arp, dhcp

MAC = "02:16:3e:aa:bb:02"
COOKIE = b"\x63\x82\x53\x63"


def reply(options: bytes, transaction: int = 7, kind: int = 2) -> bytes:
    return struct.pack("!BBBBI", kind, 1, 6, 0, transaction) + bytes(228) + COOKIE + options


def test_an_inform_asks_for_the_router_and_takes_no_lease() -> None:
    sent = dhcp.inform(0x01020304, MAC, "10.44.1.254")
    assert len(sent) == 300
    assert sent[:8] == bytes([1, 1, 6, 0, 1, 2, 3, 4])
    assert sent[12:16] == ipaddress.IPv4Address("10.44.1.254").packed  # ciaddr
    assert sent[16:28] == bytes(12)
    assert sent[28:34].hex(":") == MAC
    assert sent[236:240] == COOKIE
    assert sent[240:249] == bytes([53, 1, 8, 55, 3, 1, 3, 54, 255])
    assert not any(sent[249:])


def test_what_a_server_tells() -> None:
    two = reply(bytes([53, 1, 5, 54, 4, 10, 44, 1, 2, 0, 3, 8, 10, 44, 1, 1, 10, 44, 1, 9, 255]))
    assert dhcp.told(two, 7) == dhcp.Told(("10.44.1.1", "10.44.1.9"), "10.44.1.2")
    split = reply(bytes([53, 1, 5, 3, 2, 10, 44, 3, 2, 1, 1, 255]))
    assert dhcp.told(split, 7) == dhcp.Told(("10.44.1.1",), "")
    assert dhcp.told(reply(bytes([53, 1, 5, 255])), 7) == dhcp.Told((), "")


def test_what_is_no_answer_to_us() -> None:
    good = bytes([53, 1, 5, 255])
    assert dhcp.told(reply(good), 8) is None
    assert dhcp.told(reply(good, kind=1), 7) is None
    assert dhcp.told(reply(bytes([53, 1, 6, 255])), 7) is None  # NAK
    assert dhcp.told(reply(bytes([53, 1, 5, 3, 200, 1])), 7) is None
    assert dhcp.told(reply(good)[:200], 7) is None
    assert dhcp.told(reply(good).replace(COOKIE, b"abcd"), 7) is None


@given(st.binary(max_size=400), st.binary(max_size=80))
def test_any_bytes_are_borne(noise: bytes, options: bytes) -> None:
    dhcp.told(noise, 7)
    told = dhcp.told(reply(options), 7)
    assert told is None or all(ipaddress.IPv4Address(router) for router in told.routers)
    arp.holder(noise, "10.44.1.254", MAC)


def answer(operation: int, mac: str, sender: str, target: str = "0.0.0.0") -> bytes:
    packed = [ipaddress.IPv4Address(each).packed for each in (sender, target)]
    hardware = bytes.fromhex(mac.replace(":", ""))
    return (
        bytes(12)
        + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, operation)
        + (hardware + packed[0] + bytes(6) + packed[1])
    )


def test_a_probe_names_no_sender() -> None:
    frame = arp.request(MAC, "0.0.0.0", "10.44.1.254")
    assert frame[:6] == b"\xff" * 6
    assert frame[28:32] == bytes(4)
    assert frame[38:42] == ipaddress.IPv4Address("10.44.1.254").packed
    assert arp.holder(frame, "10.44.1.254", MAC) is None  # our own, seen again
    assert arp.holder(frame, "10.44.1.254", "02:00:00:00:00:09") == MAC  # another's probe for the same address


def test_who_has_an_address() -> None:
    other = "fa:16:3e:44:01:03"
    assert arp.holder(answer(2, other, "10.44.1.254"), "10.44.1.254", MAC) == other
    assert arp.holder(answer(1, other, "10.44.1.254", "10.44.1.1"), "10.44.1.254", MAC) == other  # it asks for somebody
    assert arp.holder(answer(2, other, "10.44.1.9"), "10.44.1.254", MAC) is None
    assert (
        arp.holder(answer(1, other, "10.44.1.9", "10.44.1.254"), "10.44.1.254", MAC) is None
    )  # it asks for the address

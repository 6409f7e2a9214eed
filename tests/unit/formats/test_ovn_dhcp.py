"""DHCP answers in flows and option files: real ones, and whatever else there may be."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.formats import ovn_dhcp
from wizard.formats.ovn_dhcp import Told

HEAD = "00.00.00.02.00.00.00.00.00.01.de.10.00.00.00.63"
REAL = (
    " cookie=0xde02f356, duration=1151.234s, table=30, n_packets=2, n_bytes=684, "
    "priority=100,conj_id=2777113398,udp,reg14=0x3,metadata=0x2,"
    f"dl_src=fa:16:3e:48:79:07,tp_src=68,tp_dst=67 actions=controller(userdata={HEAD}.c0.a8.64.cf.79.0e.20.a9.fe.a9.fe.c0.a8.64.01.00."
    "c0.a8.64.fe.06.04.0a.00.00.fe.33.04.00.00.a8.c0.1a.02.05.dc.01.04.ff.ff.ff.00.03.04.c0.a8.64.fe.36.04.c0.a8.64.fe,pause),resubmit(,31)"
)


def test_a_real_flow() -> None:
    assert ovn_dhcp.of_flows(REAL) == (
        Told("fa:16:3e:48:79:07", "0x2", "192.168.100.207", "192.168.100.254", "192.168.100.1"),
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "NXST_FLOW reply (xid=0x4):",
        REAL.replace("00.00.00.02.00", "00.00.00.05.00"),  # another opcode
        REAL.replace("actions=controller", "actions=drop # "),
        REAL.replace("dl_src=fa:16:3e:48:79:07,", ""),
        "dl_src=fa:16:3e:48:79:07 actions=controller(userdata=00.00.00.02)",
        "dl_src=fa:16:3e:48:79:07,nw_src=0.0.0.0,tp_src=68 actions=conjunction(2777113398,2/2)",
    ],
)
def test_other_flows_are_passed_over(line: str) -> None:
    assert ovn_dhcp.of_flows(line) == ()


def hexed(data: bytes) -> str:
    return data.hex(".")


addresses = st.integers(1, 2**32 - 2).map(lambda number: str(ipaddress.IPv4Address(number)))


@settings(max_examples=150, deadline=None)
@given(
    router=addresses | st.none(),
    hop=addresses | st.none(),
    routes=st.lists(st.tuples(st.integers(1, 31), addresses), max_size=4),
    others=st.lists(st.tuples(st.sampled_from([1, 6, 15, 26, 51, 54, 67]), st.binary(max_size=20)), max_size=4),
    experimenter=st.booleans(),
)
def test_what_is_encoded_is_read(
    router: str | None,
    hop: str | None,
    routes: list[tuple[int, str]],
    others: list[tuple[int, bytes]],
    experimenter: bool,
) -> None:
    encoded = (
        b"\0\0\0\2" + bytes(4) + (b"\xff\xff\0\x08\0\0#\x20" if experimenter else b"\0\1\xde\x10") + bytes(3) + b"c"
    )
    encoded += ipaddress.IPv4Address("10.44.1.20").packed
    told = b""
    for bits, via in routes:  # none of them leads to 169.254.169.254: 10.0.0.0 and longer
        told += bytes([bits]) + bytes([10, 0, 0, 0][: (bits + 7) // 8]) + ipaddress.IPv4Address(via).packed
    if hop:
        told += b"\x20" + ipaddress.IPv4Address(ovn_dhcp.METADATA).packed + ipaddress.IPv4Address(hop).packed
    for code, value in others:
        encoded += bytes([code, len(value)]) + value
    if told:
        encoded += bytes([121, len(told)]) + told
    if router:
        encoded += b"\x03\x04" + ipaddress.IPv4Address(router).packed
    (answer,) = ovn_dhcp.of_flows(
        f"udp,metadata=0x7,dl_src=fa:16:3e:00:00:01 actions=controller(userdata={hexed(encoded)},pause)"
    )
    assert (answer.address, answer.router) == ("10.44.1.20", router or "")
    wide = any(bits < 4 for bits, _ in routes)  # 8.0.0.0/1 to 0.0.0.0/3 hold what is wanted, or may
    assert answer.via == (hop or "") or wide


@settings(max_examples=150, deadline=None)
@given(st.binary(min_size=1, max_size=80), st.text(max_size=200))
def test_nothing_makes_it_fail(data: bytes, text: str) -> None:
    ovn_dhcp.of_flows(f"dl_src=fa:16:3e:00:00:01 actions=controller(userdata=00.00.00.02.{hexed(data)},pause)")
    ovn_dhcp.of_flows(text)
    ovn_dhcp.of_option_file(text, "net")


@pytest.mark.parametrize(
    ("routes", "via"),
    [
        ({"169.254.169.254/32": "10.0.0.2", "0.0.0.0/0": "10.0.0.1"}, "10.0.0.2"),
        ({"169.254.0.0/16": "10.0.0.3"}, "10.0.0.3"),
        ({"169.254.0.0/16": "10.0.0.3", "169.254.169.254/32": "10.0.0.2"}, "10.0.0.2"),
        ({"0.0.0.0/0": "10.0.0.1"}, ""),
        ({"10.0.0.0/8": "10.0.0.1", "nonsense": "x"}, ""),
        ({}, ""),
    ],
)
def test_the_longest_route_leads_to_the_service(routes: dict[str, str], via: str) -> None:
    assert ovn_dhcp.via(routes) == via

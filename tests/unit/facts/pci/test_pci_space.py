"""Bytes of PCI functions: capabilities and vital product data; and the addresses of VFs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.facts.pci import config_space
from wizard.facts.pci.config_space import SriovCapability, serial_number, sriov_capability, vf_addresses


def header(space: bytearray, where: int, capability: int, following: int) -> None:
    space[where : where + 4] = (following << 20 | 1 << 16 | capability).to_bytes(4, "little")


def test_capability_is_found_behind_others_and_before_them() -> None:
    space = bytearray(4096)
    for where, capability, following in ((0x100, 0x0E, 0x148), (0x148, 0x03, 0x18C), (0x18C, 0x19, 0x108)):
        header(space, where, capability, following)
    header(space, 0x108, 0x10, 0)
    values = {0x0C: 63, 0x0E: 16, 0x14: 1, 0x16: 2, 0x1A: 0x1004}
    for where, value in values.items():
        space[0x108 + where : 0x108 + where + 2] = value.to_bytes(2, "little")
    assert sriov_capability(bytes(space)) == SriovCapability(total_vfs=16, offset=1, stride=2, vf_device="1004")
    assert config_space.is_whole(bytes(space))


@pytest.mark.parametrize("start", [0x0000_0000, 0xFFFF_FFFF])
def test_empty_or_dead_space_has_no_capability(start: int) -> None:
    space = bytearray(4096)
    space[0x100:0x104] = start.to_bytes(4, "little")
    assert sriov_capability(bytes(space)) is None


def test_chain_that_leads_back_into_itself_ends() -> None:
    space = bytearray(4096)
    header(space, 0x100, 0x01, 0x140)
    header(space, 0x140, 0x02, 0x100)
    assert sriov_capability(bytes(space)) is None


@pytest.mark.parametrize("size", [0, 64, 256])
def test_space_that_was_cut_is_not_whole(size: int) -> None:
    assert not config_space.is_whole(bytes(size))
    assert sriov_capability(bytes(size)) is None


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 0x104))
def test_any_bytes_have_a_capability_or_none(tail: bytes, zeros: int) -> None:
    found = sriov_capability(bytes(zeros) + tail)
    assert found is None or 0 <= found.total_vfs <= 0xFFFF


def product_data(*fields: tuple[bytes, bytes], name: bytes = b"a card", before: bytes = b"") -> bytes:
    body = b"".join(key + bytes([len(value)]) + value for key, value in fields)
    return (
        before
        + b"\x82"
        + len(name).to_bytes(2, "little")
        + name
        + b"\x90"
        + len(body).to_bytes(2, "little")
        + body
        + b"\x78"
    )


def test_serial_number_without_its_padding() -> None:
    fields = (
        (b"PN", b"MCX354A-FCCT"),
        (b"SN", b"MT1644X02937            "),
        (b"V0", b"SN\x04none"),
        (b"RV", b"\x94\0\0\0"),
    )
    assert serial_number(product_data(*fields)) == "MT1644X02937"


def test_small_resources_are_passed_over() -> None:
    assert serial_number(product_data((b"SN", b"ABC"), before=b"\x22\x90\x90")) == "ABC"


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\x78", b"\x82", b"\x90", b"\x90\xff\xff", b"\xff" * 64, b"\0" * 64),
        product_data((b"PN", b"X")),
        product_data((b"SN", b"")),
        product_data((b"SN", b"   ")),
        product_data((b"SN", b"\x01\x02")),
        product_data((b"SN", b"MT\xe4")),
        product_data((b"SN", b"MT1644X02937"))[:-6],
        b"\x78" + product_data((b"SN", b"behind the end")),
    ],
)
def test_no_serial_number_where_there_is_none_to_trust(data: bytes) -> None:
    assert serial_number(data) is None


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=120), st.binary(max_size=40).map(lambda tail: product_data((b"SN", tail)) + tail)))
def test_any_bytes_have_a_serial_number_or_none(data: bytes) -> None:
    found = serial_number(data)
    assert found is None or (found.isprintable() and found == found.strip() and found)


@settings(max_examples=100, deadline=None)
@given(st.from_regex(r"[A-Z0-9]{1,20}", fullmatch=True), st.binary(max_size=30))
def test_serial_number_is_found_behind_any_other_field(serial: str, other: bytes) -> None:
    assert serial_number(product_data((b"V1", other), (b"SN", serial.encode()))) == serial


def test_vfs_go_on_at_the_next_device_and_the_next_bus() -> None:
    assert vf_addresses("0000:81:00.0", 2, 1, 8)[-1] == "0000:81:01.1"
    assert vf_addresses("0000:81:00.1", 9, 1, 8) == (
        *(f"0000:81:01.{number}" for number in range(2, 8)),
        *("0000:81:02.0", "0000:81:02.1"),
    )
    assert vf_addresses("0000:18:00.0", 8, 1, 1) == ("0000:18:01.0",)
    assert vf_addresses("0108:ff:00.0", 1, 8, 2) == ("0108:ff:00.1", "0108:ff:01.1")
    assert vf_addresses("10000:02:1f.7", 1, 1, 1) == ("10000:03:00.0",)
    assert vf_addresses("0000:04:00.0", 1, 0, 0) == ()


def test_vfs_behind_the_last_bus_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        vf_addresses("0000:ff:1f.0", 1, 1, 8)


@pytest.mark.parametrize("address", ["", "04:00.0", "0000:04:00", "0000:04:20.0", "0000:04:00.8", "0000:04:00.0\n"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="no PCI address"):
        vf_addresses(address, 1, 1, 1)


def test_addresses_sort_as_numbers() -> None:
    addresses = ["10000:00:00.0", "0000:81:00.0", "0000:09:00.0", "0000:09:00.1", "0001:00:00.0"]
    assert sorted(addresses, key=config_space.sort_key) == [
        *("0000:09:00.0", "0000:09:00.1", "0000:81:00.0", "0001:00:00.0", "10000:00:00.0"),
    ]

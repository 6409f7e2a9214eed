"""What a device_spec value hands out, as nova's own code was seen to read it (34.0.0)."""

from __future__ import annotations

import dataclasses

import pytest
from nodes import today

from wizard.chapters.passthrough import device_spec
from wizard.errors import FormatError
from wizard.facts.pci import functions as pci
from wizard.facts.pci.functions import PciFunction

FUNCTIONS = pci.read(today()).functions
PF = next(function for function in FUNCTIONS if function.address == "0000:3b:00.0")
VF = dataclasses.replace(
    PF, address="0000:3b:00.2", device="1018", physical_function=PF.address, netdevs=(), total_vfs=None
)
DISK = next(function for function in FUNCTIONS if function.address == "0000:4b:00.0")


@pytest.mark.parametrize(
    ("value", "hit"),
    [
        ('{"vendor_id": "15b3", "product_id": "1018"}', [VF]),
        ('{"vendor_id": "15B3", "product_id": "0x1018"}', [VF]),
        ('{"vendor_id": "15b3"}', [PF, VF]),
        ('{"address": "0000:3b:00.0"}', [PF, VF]),
        ('{"address": "0000:3b:00.0", "product_id": "1018"}', [VF]),
        ('{"address": "0000:3b:00.*"}', [PF, VF]),
        ('{"address": ":3b:00."}', [PF, VF]),
        ('{"address": "3b:00.2"}', [VF]),
        ('{"address": {"bus": "3b", "function": "[2-9]"}}', [VF]),
        ('{"address": {"bus": "3b", "func": "9"}}', [PF, VF]),
        ('{"devname": "enp59s0f0np0"}', [PF, VF]),
        ("{}", [PF, VF, DISK]),
        ('{"adress": "0000:3b:00.2"}', [PF, VF, DISK]),
        ('{"Vendor_id": "15b3"}', [PF, VF, DISK]),
        ("[]", []),
        ('[{"product_id": "1018"}, {"vendor_id": "144d"}]', [VF, DISK]),
    ],
)
def test_which_devices_a_value_hands_out(value: str, hit: list[PciFunction]) -> None:
    assert device_spec.matched(device_spec.parse(value), [PF, VF, DISK]) == hit


@pytest.mark.parametrize("value", ["", "1", "null", '{"a": 1,}', '{"a": 1} # c', "{'vendor_id': '15b3'}", "[1]"])
def test_what_nova_would_refuse_is_refused(value: str) -> None:
    with pytest.raises(FormatError):
        device_spec.parse(value)


def test_keys_that_nova_does_not_know_are_named() -> None:
    (spec,) = device_spec.parse('{"vendor_id": "15b3", "adress": "0000:3b:00.0", "trusted": "true"}')
    assert spec.unknown() == ["adress"]


def test_our_own_values_are_one_line_of_strict_json_and_match_what_is_meant() -> None:
    value = device_spec.value("15B3", "1018", "0000:3b:00.0", [("physical_network", "physnet1")])
    assert "\n" not in value
    assert device_spec.matched(device_spec.parse(value), [PF, VF, DISK]) == [VF]

"""Nova's own code of several releases judges our simulation of it: which line a device is handed out by, and who gets it."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from nova_process import started

from wizard.chapters.passthrough.matching import handout, outlook
from wizard.chapters.passthrough.matching.devices import Device, Host
from wizard.chapters.passthrough.matching.handout import Handout
from wizard.chapters.passthrough.matching.rules import Rules
from wizard.facts import facts
from wizard.facts.nova.nova import NovaSetting
from wizard.facts.nova.release import release_of
from wizard.simulator.built_in import built_in

NOVA = Path(os.environ.get("COMPUTE_WIZARD_NOVA", ".venv-nova/bin/python"))
RELEASES = Path(os.environ.get("COMPUTE_WIZARD_NOVA_RELEASES", NOVA.parent.parent / "releases")).resolve()
INSTALLED = "34.0.0"
VERSIONS = ("27.5.1", "28.3.1", "29.4.0", "30.3.0", "31.3.1", "32.2.1", "33.0.2", INSTALLED)
ASKED = VERSIONS if os.environ.get("COMPUTE_WIZARD_NOVA_ALL") else ("27.5.1", "31.3.1", INSTALLED)
CASES = 400

DEVICES = (
    Device("0000:c1:00.0", "15b3", "101d", "type-PF", None, ("ens7f0np0",), is_card=True),
    Device("0000:c1:00.1", "15b3", "101d", "type-PF", None, ("ens7f1np1",), is_card=True),
    *(Device(f"0000:c1:00.{n}", "15b3", "101e", "type-VF", "0000:c1:00.0") for n in (2, 3)),
    *(
        Device(f"0000:c1:02.{n}", "15b3", "101e", "type-VF", "0000:c1:00.1", ("ens7v2",) if n == 2 else ())
        for n in (2, 3)
    ),
    Device("0000:17:00.0", "10de", "20b5", "type-PCI"),
    Device("0001:00:1f.2", "8086", "a1d2", "type-PCI"),
)
VENDORS = ["15b3", "15b3", "15B3", "*", "0x15b3", " 15b3 ", "10de"]
PRODUCTS = ["101e", "101e", "101D", "*", " 101e", "20b5", "0x101e"]
ADDRESSES: list[Any] = [
    *("0000:c1:00.0", "0000:c1:00.1", "0000:c1:00.2", "0:c1:0.0", "*:c1:*", "c1:00.", ":c1:", "*:*:*.*", ".2", "00.2"),
    *("0000:c1:*.*", "0000:17:00.0", "0000:99:00.0", " : :00.0", "", "0001:*", "c1:2.3"),
    {"bus": "c1"},
    {"bus": "c1", "function": "[0-2]"},
    {"domain": "0000", "bus": "c1", "slot": "00", "function": "0"},
    {"domain": "0000", "bus": "c1", "slot": "0", "function": "0"},
    {"func": "1"},
    {"slot": ".*", "bus": "c"},
    {},
    *(
        "0000:C1:00.2",
        "0000:c1:0?.*",
        "0000:c1:00.[2-3]",
        "*:*:02.*",
        "0000:c1:00.2 ",
        " 0000:c1:00.2",
        "0000:C1:*",
        "*",
        ":",
        ".",
    ),
    *({"bus": "C1"}, {"bus": "^c1$"}, {"bus": "c1|17"}, {"bus": "(c1|17)", "slot": "0[02]"}, {"function": "[23]$"}),
    *(
        {"domain": ".*", "bus": "c1", "slot": "02", "function": "*"},
        {"domain": "0"},
        {"bus": ""},
        {"bus": "[c-d]1", "x": "y"},
    ),
    *({"function": "0|1"}, {"slot": "1f", "domain": "0001"}, {"slot": "(?i)1F"}, {"bus": ".1"}),
]
TAGS: dict[str, list[Any]] = {
    "physical_network": ["physnet1", "PHYSNET1", "physnet2", None],
    "trusted": ["true", "True", "false"],
    "dev_type": ["type-PCI", "type-PF", "type-VF", "vdpa"],
    "managed": ["yes", "no", True],
    "live_migratable": ["yes", "no", "true"],
    "one_time_use": ["no", False],
    "remote_managed": ["true", "false", "no", "True", " yes", "1", "on", ""],
    "resource_class": ["CUSTOM_X", "pgpu", "PCI_15B3_101E", "", "a-b"],
    "traits": ["a,b", "CUSTOM_A", "", " ,", "hw:x,CUSTOM_B"],
    "capability_type": ["pci"],
    "adress": ["0000:c1:00.2"],
    "numa_node": [0],
}
BAD: dict[str, list[Any]] = {
    "vendor_id": ["mlnx", 5555, None, "1fffff", "", "-1", "1_5b3", ["15b3"], "15b3z"],
    "product_id": ["zz", 1018, None, "", "10 1e", "+101e", "fffff"],
    "address": [
        "0000:c1:0*.*",
        "0000:c1:00.2-5",
        "0000:c1:00.8",
        "0000:c1:20.0",
        "1:2:3:4.0",
        "g:1:2.3",
        3,
        ["x"],
        {"bus": "["},
        {"bus": 5},
    ],
    "managed": ["maybe", 2, {}],
    "live_migratable": ["maybe", ""],
    "one_time_use": ["true", True, "x"],
    "remote_managed": [True, "yes"],
}
TEXTS = ["not json", "[]", "1", "null", '""', '{"a": 1,}', "{}", "[{}, 1]", '[[{"vendor_id": "15b3"}]]', '"[]"']


def _object(chance: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, values in (("vendor_id", VENDORS), ("product_id", PRODUCTS)):
        if chance.random() < 0.6:
            found[key] = chance.choice(values)
    if chance.random() < 0.5:
        found["address"] = chance.choice(ADDRESSES)
    elif chance.random() < 0.25:
        found["devname"] = chance.choice(["ens7f0np0", "ens7f1np1", "ens7v2", "nosuch", ""])
    for key, values in TAGS.items():
        if chance.random() < (0.4 if key == "physical_network" else 0.07):
            found[key] = chance.choice(values)
    if chance.random() < 0.06:
        key = chance.choice(list(BAD))
        found[key] = chance.choice(BAD[key])
    if chance.random() < 0.03:
        found |= {"devname": "ens7f0np0", "address": "0000:c1:00.0"}
    return found


def _line(chance: random.Random) -> str:
    if chance.random() < 0.03:
        return chance.choice(TEXTS)
    objects = [_object(chance) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
    return _spelled(chance, json.dumps(objects if len(objects) > 1 or chance.random() < 0.2 else objects[0]))


def _spelled(chance: random.Random, text: str) -> str:
    """The same JSON as people and other programs write it: without blanks, with many, in another case, with a key twice, escaped."""
    how = chance.random()
    if how < 0.08:
        return text.replace(": ", ":").replace(", ", ",")
    if how < 0.14:
        return f"  {text} ".replace(": ", " :\t").replace("{", "{ \n ")
    if how < 0.17:
        return text.replace('"vendor_id"', '"Vendor_Id"')
    if how < 0.21:
        return text.replace("{", '{"product_id": "101d", "vendor_id": "8086", ')  # the last one of a key counts
    if how < 0.24:
        return text.replace("15b3", "15\\u00623").replace("physnet", "physnet\\u00e4")
    return text.replace('"', "'") if how < 0.25 else text


def _alias(chance: random.Random) -> str:
    found: dict[str, Any] = {"name": chance.choice(["a", "b", " a ", "A"])}
    found |= {"vendor_id": chance.choice(["15b3", "15B3"]), "product_id": chance.choice(["101e", "101d", "20b5"])}
    if chance.random() < 0.7:
        found["device_type"] = chance.choice(["type-VF", "type-VF", "type-PF", "type-PCI"])
    for key, values, often in (
        ("numa_policy", ["required", "legacy", "socket"], 0.1),
        ("live_migratable", ["yes", "no"], 0.15),
        ("resource_class", ["X"], 0.1),
        ("traits", ["t"], 0.1),
        ("capability_type", ["pci"], 0.05),
    ):
        if chance.random() < often:
            found[key] = chance.choice(values)
    if chance.random() < 0.08:
        key, value = chance.choice(
            [
                *(("dev_type", "type-VF"), ("address", "0000:c1:00.2"), ("vendor_id", "0x15b3"), ("product_id", 101)),
                *(("numa_policy", "prefered"), ("device_type", "type-vf"), ("name", ""), ("name", "x" * 257)),
                *(("live_migratable", True), ("live_migratable", "maybe"), ("physical_network", "p"), ("traits", None)),
            ]
        )
        found[key] = value
    for key in ("vendor_id", "product_id", "name"):
        if chance.random() < 0.02:
            del found[key]
    return json.dumps([found] if chance.random() < 0.01 else found)


def _lines(chance: random.Random) -> list[str]:
    lines = [_line(chance) for _ in range(chance.choice([1, 2, 2, 3, 4]))]
    if chance.random() < 0.1:  # the same line twice, or all of them the other way round
        lines = [*lines, lines[0]] if chance.random() < 0.5 else [*lines, *lines[::-1]]
    if chance.random() < 0.1:  # a whole card beside its VFs, in either order
        both = ['{"vendor_id": "15b3", "product_id": "101d"}', '{"vendor_id": "15b3", "product_id": "101e"}']
        lines = [*(both if chance.random() < 0.5 else both[::-1]), *lines]
    return lines


def _cases(seed: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    return [
        {
            "lines": _lines(chance),
            "aliases": [_alias(chance) for _ in range(chance.choice([0, 1, 1, 2, 3]))],
            "reported": chance.random() < 0.15,
            "in_placement": chance.random() < 0.15,
            "networks": ["physnet1", "physnet2"],
            "devices": [
                {
                    "address": device.address,
                    "vendor_id": device.vendor,
                    "product_id": device.product,
                    "parent_addr": device.parent,
                    "dev_type": device.kind,
                    "card": device.is_card,
                    "names": device.names,
                }
                for device in DEVICES
            ],
        }
        for _ in range(CASES)
    ]


def _ask(version: str, cases: list[dict[str, Any]], files: list[str]) -> dict[str, Any]:
    if not NOVA.exists():
        pytest.skip("nova: it is not installed beside the tests (`make test` does it)")
    unpacked = [] if version == INSTALLED else [str(RELEASES / version)]
    if unpacked and not (RELEASES / version).is_dir():
        pytest.skip(f"nova: {version} could not be had beside the tests (`make test` asks for it)")
    program = Path(__file__).with_name("nova_matching.py").read_text(encoding="utf-8")
    said = started(str(NOVA), program, *unpacked).ask({"cases": cases, "files": files})
    if unpacked:
        assert said["from"].startswith(unpacked[0]), "another release than the one that was meant"
    return said


def _settings(option: str, values: list[str]) -> list[NovaSetting]:
    return [NovaSetting("/etc/nova/nova.conf", n, "pci", option, value) for n, value in enumerate(values, 1)]


def _ours(case: dict[str, Any], release: str) -> Handout:
    rules = Rules(release, case["reported"], case["in_placement"])
    host = Host(DEVICES)
    return handout.handout(host, _settings("device_spec", case["lines"]), _settings("alias", case["aliases"]), rules)


@pytest.mark.parametrize("version", ASKED)
def test_every_device_is_handed_out_as_nova_does_it(version: str) -> None:
    release = release_of(version)
    assert release is not None
    cases = _cases(15)
    refused = taken = 0
    for case, said in zip(cases, _ask(version, cases, [])["said"], strict=True):
        ours, shown = _ours(case, release), json.dumps(case | {"devices": []})
        by_placement = [each for each in ours.refused if "report_in_placement is on" in each.why]
        if not by_placement:  # nova refuses a devname only where it writes to Placement
            assert bool(ours.refused) == bool(said["refused"]), f"{ours.refused} {said['refused']} {shown}"
        assert bool(ours.refused_aliases) == bool(said["aliases"]), f"{ours.refused_aliases} {said['aliases']} {shown}"
        if said["refused"] or ours.refused:
            refused += 1
            continue
        winners = {row.device.address: dict(row.spec.fields) if row.spec else None for row in ours.rows}
        assert winners == said["winners"], shown
        for name, devices in said["given"].items():
            assert sorted(row.device.address for row in ours.rows if name in row.aliases) == devices, f"{name} {shown}"
            taken += len(devices)
        for asked, devices in said["ports"].items():
            network, trusted = asked.split()
            rows = [row for row in ours.rows if handout.port_gets(row, network, trusted == "True", ours.rules)]
            assert sorted(row.device.address for row in rows) == devices, f"{asked} {shown}"
    assert refused > 40 and taken > 50  # the cases are worth something


def test_lines_of_several_names_and_files_are_read_in_nova_s_order(tmp_path: Path) -> None:
    first = '[pci]\ndevice_spec = {"a": "1"}\npasspthrough = x\n[DEFAULT]\npci_passthrough_whitelist = {"a": "2"}\npci_alias = {"n": "1"}\n'
    first += '[pci]\npassthrough_whitelist = {"a": "3"}\ndevice_spec = {"a": "4"}\nalias = {"n": "2"}\n'
    second = '[pci]\ndevice_spec = {"a": "5"}\npassthrough_whitelist = {"a": "6"}\n[DEFAULT]\npci_alias = {"n": "3"}\n'
    node = built_in("today")
    node.write("/etc/nova/nova.conf", first)
    node.write("/etc/nova/nova-compute.conf", second)
    seen = facts.read(node)
    assert seen.nova.config_files == ("/etc/nova/nova.conf", "/etc/nova/nova-compute.conf")
    paths = []
    for name, text in (("nova.conf", first), ("nova-compute.conf", second)):
        (tmp_path / name).write_text(text)
        paths.append(str(tmp_path / name))
    said = _ask(INSTALLED, [], paths)
    names = (("DEFAULT", "pci_passthrough_whitelist"), ("pci", "passthrough_whitelist"), ("pci", "device_spec"))
    assert [each.value for each in outlook.in_order(seen, seen.nova.settings, names)] == said["device_spec"]
    aliases = (("DEFAULT", "pci_alias"), ("pci", "alias"))
    assert [each.value for each in outlook.in_order(seen, seen.nova.settings, aliases)] == said["alias"]

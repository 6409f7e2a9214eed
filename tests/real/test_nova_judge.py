"""Nova itself is the judge of nova.conf: it reads what is planned, and hands out what we say it would."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest
from nova_process import started

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.chapters.passthrough import device_spec
from wizard.chapters.passthrough import pools as passthrough_pools
from wizard.errors import FormatError
from wizard.facts import facts
from wizard.model.answers import AllAnswers
from wizard.model.steps import WriteFile
from wizard.planning.planner import make_plan
from wizard.simulator.built_in import built_in

NOVA = os.environ.get("COMPUTE_WIZARD_NOVA", ".venv-nova/bin/python")

ASK = """
import logging, os
from unittest import mock
os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "1"
import nova.conf
from nova import exception, objects
from nova.pci import request, stats, whitelist
objects.register_all()

def answer(asked):
    nova.conf.CONF(["--config-file", asked["file"]], project="nova", default_config_dirs=[])
    said = {"device_spec": nova.conf.CONF.pci.device_spec, "hits": []}
    try:
        said["alias"] = {name: found[1] for name, found in request.get_alias_from_config().items()}
    except exception.PciInvalidAlias as error:
        said["alias"] = str(error)
    with mock.patch("nova.pci.utils.is_physical_function", lambda *a: "%s:%s:%s.%s" % a in asked["pfs"]), \\
         mock.patch("nova.pci.utils.get_mac_by_pci_address", side_effect=exception.PciDeviceNotFoundById(id="x")):
        for value in asked["values"]:
            try:
                found = whitelist.Whitelist([value])
            except Exception as error:
                said["hits"].append(type(error).__name__)
                continue
            said["hits"].append([d["address"] for d in asked["devices"] if found.device_assignable(d)])
    said["given"] = {}
    if isinstance(said["alias"], dict):
        with mock.patch("nova.pci.utils.is_physical_function", lambda *a: "%s:%s:%s.%s" % a in asked["pfs"]):
            there = stats.PciDeviceStats(objects.NUMATopology(cells=[]))
            for each in asked["devices"]:
                kind = "type-VF" if each["parent_addr"] != each["address"] else "type-PF" if each["address"] in asked["pfs"] else "type-PCI"
                there.add_device(objects.PciDevice(
                    dev_type=kind, numa_node=None, extra_info={}, status="available",
                    parent_addr=each["parent_addr"] if kind == "type-VF" else None,
                    **{key: each[key] for key in ("vendor_id", "product_id", "address")}))
        for name in said["alias"]:
            (wanted,) = request._translate_alias_to_requests(name + ":1")
            found = there._filter_pools(there.pools, wanted, None, []) or []
            said["given"][name] = sorted(device.address for pool in found for device in pool["devices"])
    return said

serve(answer)
"""

VALUES = [
    '{"vendor_id": "15b3", "product_id": "1018"}',
    '{"vendor_id": "15B3", "product_id": "0x1018"}',
    '{"vendor_id": "15b3"}',
    '{"address": "0000:3b:00.0"}',
    '{"address": "0000:3b:00.0", "product_id": "1018"}',
    '{"address": "0000:3b:00.*"}',
    '{"address": ":3b:00."}',
    '{"address": "*:3b:*.2"}',
    '{"address": "3b:00.2"}',
    '{"address": {"bus": "3b", "function": "[2-9]"}}',
    '{"address": {"bus": "3b", "func": "9"}}',
    "{}",
    '{"adress": "0000:3b:00.2"}',
    '{"Vendor_id": "15b3"}',
    "[]",
    '[{"product_id": "1018"}, {"vendor_id": "144d"}]',
    "null",
    "not json",
    '{"a": 1,}',
]


def asked(values: list[str], path: Path) -> tuple[dict[str, Any], list[Any]]:
    """What nova says about values, and the devices that it was asked about."""
    if not Path(NOVA).exists():
        pytest.skip("nova: it is not installed beside the tests (`make test` does it)")
    functions = facts.read(built_in("today")).pci.functions
    pf = next(function for function in functions if function.address == "0000:3b:00.0")
    vf = dataclasses.replace(
        pf, address="0000:3b:00.2", device="1018", physical_function=pf.address, netdevs=(), total_vfs=None
    )
    other = dataclasses.replace(vf, address="0000:3b:01.2", physical_function="0000:3b:00.1")
    devices = [*functions, vf, other]
    question = {
        "file": str(path),
        "values": values,
        "pfs": [function.address for function in functions if function.total_vfs],
        "devices": [
            {
                "vendor_id": f.vendor,
                "product_id": f.device,
                "address": f.address,
                "parent_addr": f.physical_function or f.address,
            }
            for f in devices
        ],
    }
    said = started(NOVA, ASK).ask(question)
    return said, devices


def test_nova_reads_the_plan_and_hands_out_what_we_say(tmp_path: Path) -> None:
    seen = facts.read(built_in("today"))
    plan = make_plan(seen, suggestion.suggest(seen))
    path = tmp_path / "nova.conf"
    path.write_bytes(
        next(
            step.after.data()
            for step in plan.steps
            if isinstance(step, WriteFile) and step.path == "/etc/nova/nova.conf"
        )
    )
    said, devices = asked(VALUES, path)
    assert said["device_spec"] == ['{"vendor_id": "15b3", "product_id": "1018"}']
    assert said["alias"] == {"mlx": [{"vendor_id": "15b3", "product_id": "1018", "dev_type": "type-VF"}]}
    for value, hits in zip(VALUES, said["hits"], strict=True):
        if isinstance(hits, str):  # nova refuses it
            assert hits == "PciConfigInvalidSpec", value
            with pytest.raises(FormatError):
                device_spec.parse(value)
        else:
            assert [f.address for f in device_spec.matched(device_spec.parse(value), devices)] == hits, value


def _mixed(pool: dict[str, Any], path: Path) -> tuple[str, Any]:
    """The severity that we give a pool of two kinds of devices, and what nova makes of its alias."""
    seen = facts.read(built_in("today"))
    vfs = {
        "card": [{"match": {"vendor": v, "product": p}, "count": 4} for v, p in (("15b3", "1017"), ("8086", "159b"))]
    }
    answers = answer_files.from_data({"vfs": vfs, "passthrough": {"pool": [pool]}})
    plan = make_plan(seen, answers)
    lines = "".join(f"alias = {value}\n" for value in passthrough_pools.alias(seen, answers, *_pool_of(answers)))
    path.write_text(f"[pci]\n{lines}")
    (severity,) = [finding.severity for finding in plan.findings if finding.code == "PASSTHROUGH-MIXED-POOL"]
    return severity, asked([], path)[0]["alias"]


def _pool_of(answers: AllAnswers) -> tuple[passthrough_pools.Pool, str]:
    mine = answers.of(passthrough_pools.Answers)
    assert mine is not None
    return mine.pool[0], "2026.1"


def test_a_pool_of_two_kinds_is_either_or_refused_as_we_say(tmp_path: Path) -> None:
    severity, alias = _mixed({"name": "any", "cards": "all"}, tmp_path / "nova.conf")
    assert severity == "warns"
    assert [each["product_id"] for each in alias["any"]] == ["1018", "1889"]
    ids = [{"vendor_id": "15b3", "product_id": "1018"}, {"vendor_id": "8086", "product_id": "1889"}]
    severity, alias = _mixed({"name": "any", "devices": ids}, tmp_path / "nova.conf")
    assert severity == "blocks"
    assert "Invalid PCI alias definition" in alias


def _lines(path: Path, *lines: str, **passthrough: Any) -> tuple[set[tuple[str, str]], dict[str, Any]]:
    """The findings about a nova.conf with these lines under [pci], and what nova says of it with ours beside them."""
    node = built_in("today")
    node.entries["/etc/nova/nova.conf"].content += "\n".join(["", "[pci]", *lines, ""]).encode()
    seen = facts.read(node)
    data = suggestion.suggest(seen).to_data()
    answers = answer_files.from_data(data | ({"passthrough": passthrough} if passthrough else {}))
    mine = answers.of(passthrough_pools.Answers)
    assert mine is not None
    ours = passthrough_pools.fragment(passthrough_pools.for_node(seen, answers, mine, "2026.1"))
    path.write_text("\n".join(["[pci]", *lines, *ours, ""]))
    return {(each.code, each.severity) for each in make_plan(seen, answers).findings}, asked([], path)[0]


@pytest.mark.parametrize(
    ("theirs", "refused"),
    [
        ({}, True),
        ({"device_type": "type-VF"}, False),
        ({"device_type": "type-VF", "numa_policy": "legacy"}, False),
        ({"device_type": "type-VF", "numa_policy": "preferred"}, True),
        ({"device_type": "type-PF"}, True),
        ({"device_type": "type-VF", "product_id": "1016"}, False),
    ],
)
def test_aliases_of_one_name_are_refused_as_we_say(theirs: dict[str, str], refused: bool, tmp_path: Path) -> None:
    ids = {"name": "mlx", "vendor_id": "15b3", "product_id": "1018"}
    line = json.dumps(ids | theirs, separators=(",", ":"))  # not in our very words, or it would be ours
    found, said = _lines(tmp_path / "nova.conf", f"alias = {line}")
    assert ("PASSTHROUGH-ALIAS", "blocks" if refused else "warns") in found
    assert isinstance(said["alias"], str) == refused


def test_an_alias_gets_what_another_pool_was_meant_to_have(tmp_path: Path) -> None:
    one, other = ({"cards": {"address": f"0000:3b:00.{n}"}} for n in (0, 1))
    vfs = ["0000:3b:00.2", "0000:3b:01.2"]
    two = [{"name": "storage", **one}, {"name": "tenant", **other}]
    found, said = _lines(tmp_path / "nova.conf", pool=two)
    assert ("PASSTHROUGH-NOT-APART", "blocks") in found
    assert said["given"] == {"storage": vfs, "tenant": vfs}
    two[1]["physical_network"] = "physnet1"
    found, said = _lines(tmp_path / "nova.conf", pool=two)
    assert ("PASSTHROUGH-NOT-APART", "blocks") in found
    assert said["given"] == {"storage": vfs}


def test_a_whole_card_is_given_to_an_alias_that_asks_for_it_alone(tmp_path: Path) -> None:
    devices = [{"vendor_id": "15b3", "product_id": "1017"}]
    plain = 'alias = {"name": "plain", "vendor_id": "15b3", "product_id": "1017"}'
    found, said = _lines(tmp_path / "nova.conf", plain, pool=[{"name": "port", "devices": devices}])
    assert ("PASSTHROUGH-WHOLE-CARD", "warns") in found
    assert said["given"] == {"plain": [], "port": ["0000:3b:00.0", "0000:3b:00.1"]}

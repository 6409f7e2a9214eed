"""Settings for whoever owns the files: in its own names, and read back by what reads them."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
from neutron_nodes import CX5, PF, bare, kolla, sriov
from nodes import answered

from wizard.export import override
from wizard.facts import facts
from wizard.formats import oslo_config
from wizard.node.recorded import MemoryNode

yaml: Any = importlib.import_module("yaml")  # ansible-core's
VFS = {"card": [{"match": {"address": PF[0]}, "count": 4}, {"match": {"address": PF[1]}, "count": 4}]}
POOLS = {
    "pool": [
        {"name": "fast", "cards": {"address": PF[0]}, "physical_network": "fast"},
        {"name": "slow", "cards": {"address": PF[1]}, "physical_network": "slow"},
    ],
    "sriov_agent": True,
}


def made(
    owner: str, node: MemoryNode | None = None, passthrough: object = POOLS, drive: bool = True
) -> list[override.Override]:
    seen = facts.read(node or sriov(bare(), "[sriov_nic]\n"))
    answers = answered(seen, iommu=None, vfs=VFS, passthrough=passthrough, metadata={"config_drive": drive})
    return override.files(seen, answers, owner)


def specs(values: list[object]) -> list[str]:
    return [str(value["physical_network"]) for value in values if isinstance(value, dict)]


def test_kolla_has_one_file_of_nova_and_one_of_the_agent() -> None:
    nova, agent = made("kolla")
    assert nova.place == "/etc/kolla/config/nova/compute-12/nova.conf"
    settings = oslo_config.parse(nova.text.encode())
    assert specs([json.loads(value) for value in oslo_config.values(settings, "pci", "device_spec")]) == [
        "fast",
        "slow",
    ]
    assert oslo_config.last(settings, "DEFAULT", "force_config_drive") == "True"
    assert agent.place == "/etc/kolla/config/neutron/compute-12/sriov_agent.ini"
    mapped = oslo_config.last(oslo_config.parse(agent.text.encode()), "sriov_nic", "physical_device_mappings")
    assert mapped == f"fast:{CX5[0]},slow:{CX5[1]}"


def test_openstack_ansible_takes_a_list_as_one_text() -> None:
    (file,) = made("osa")
    data = yaml.safe_load(file.text)
    assert specs(json.loads(data["nova_pci_passthrough_whitelist"])) == ["fast", "slow"]
    assert data["nova_nova_conf_overrides"]["DEFAULT"]["force_config_drive"] == "True"
    assert CX5[0] in data["neutron_sriov_nic_agent_ini_overrides"]["sriov_nic"]["physical_device_mappings"]


def test_juju() -> None:
    (file,) = made("juju")
    data = yaml.safe_load(file.text)["applications"]
    assert specs(json.loads(data["nova-compute"]["options"]["pci-passthrough-whitelist"])) == ["fast", "slow"]
    assert data["nova-compute"]["options"]["config-flags"] == "force_config_drive=True"
    assert data["ovn-chassis"]["options"]["sriov-device-mappings"] == f"fast:{CX5[0]} slow:{CX5[1]}"


def test_tripleo_puppet_and_rhoso() -> None:
    (file,) = made("tripleo")
    data = yaml.safe_load(file.text)["parameter_defaults"]
    assert specs(data["NovaPCIPassthrough"]) == ["fast", "slow"]
    assert data["NeutronPhysicalDevMappings"] == f"fast:{CX5[0]},slow:{CX5[1]}"
    assert data["ComputeExtraConfig"]["nova::compute::force_config_drive"] is True
    (file,) = made("puppet")
    data = yaml.safe_load(file.text)
    assert specs(data["nova::compute::pci::passthrough"]) == ["fast", "slow"]
    assert data["neutron::agents::ml2::sriov::physical_device_mappings"] == [f"fast:{CX5[0]}", f"slow:{CX5[1]}"]
    nova, _ = made("rhoso")
    settings = oslo_config.parse(yaml.safe_load(nova.text)["data"]["30-compute-wizard.conf"].encode())
    assert len(oslo_config.values(settings, "pci", "device_spec")) == 2


@pytest.mark.parametrize("owner", ["kolla", "osa", "juju", "tripleo", "puppet", "rhoso", "chef", "ansible"])
def test_aliases_and_nothing(owner: str) -> None:
    text = "".join(each.text for each in made(owner, passthrough={"alias": "ib"}, drive=False))
    assert '"ib"' in text
    assert "force_config_drive" not in text
    assert made(owner, passthrough={"pool": []}, drive=False) == []


def test_the_owners_of_a_node() -> None:
    seen = facts.read(kolla())
    assert override.owners(seen, answered(seen, iommu=None, vfs=VFS, passthrough=POOLS)) == ["kolla"]

"""Who else writes the files of Neutron's agents, and where the settings belong then."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wizard.facts.nova import managers
from wizard.facts.nova.managers import PUPPET_STATE, Manager
from wizard.node import best_effort
from wizard.node.node import Node

TRIPLEO = "/var/lib/config-data/puppet-generated/neutron"
RHOSO = "/var/lib/config-data/ansible-generated"
KOLLA = "/etc/kolla"
PLACES = {
    "kolla": "/etc/kolla/config/neutron/{file}, or /etc/kolla/config/neutron/{host}/{file} for this node alone, on the deployment "
    "host, then kolla-ansible reconfigure --tags neutron",
    "tripleo": "the parameters of the overcloud (NeutronPhysicalDevMappings, NeutronBridgeMappings), then a deployment",
    "rhoso": "the config map of the data plane's Neutron service, then a deployment of the data plane",
    "container": "wherever the container's {file} comes from: its image, a volume or a config map",
    "juju": "the options of the charm (ovn-chassis or neutron-openvswitch: enable-sriov, sriov-device-mappings, sriov-numvfs, "
    "bridge-interface-mappings, ovn-bridge-mappings or bridge-mappings)",
    "osa": "the *_overrides of os_neutron for {file}, or neutron_provider_networks, in /etc/openstack_deploy/user_variables.yml, then "
    "os-neutron-install.yml",
    "snap": "the settings of the openstack-hypervisor snap (sunbeam configure)",
    "puppet": "the hieradata or manifest that feeds puppet-neutron",
}


def read(node: Node, path: str, container: str) -> tuple[Manager, ...]:
    """All of them for one file; nothing where the file is not known and no container hides it."""
    found: dict[str, Manager] = {}
    for name, evidence, inert in (*_by_place(node, path, container), *_by_traces(node, path), *_by_header(node, path)):
        place = PLACES.get(name) or managers.FILE_PLACES.get(name, f"the configuration of {name}")
        found.setdefault(name, Manager(name, evidence, inert, _filled(node, place, path)))
    return tuple(sorted(found.values(), key=lambda each: not each.inert))


def _filled(node: Node, place: str, path: str) -> str:
    name = path.rpartition("/")[2] or "its file"
    return place.replace("{file}", name).replace("{host}", (node.text("/etc/hostname") or "HOST").split(".")[0])


def _by_place(node: Node, path: str, container: str) -> Iterator[tuple[str, str, bool]]:
    for name, root in (("kolla", KOLLA), ("tripleo", TRIPLEO), ("rhoso", RHOSO)):
        if path.startswith(f"{root}/"):
            yield name, f"the agent's container has {path}", True
            return
    if path.startswith("/var/snap/"):
        yield "snap", f"the agent reads {path}", False
    elif container:
        yield "container", f"the agent runs in the container {container}", True


def _by_traces(node: Node, path: str) -> Iterator[tuple[str, str, bool]]:
    if not path.startswith("/etc/neutron"):
        return
    for name in best_effort.names(node, "/var/lib/juju/agents"):
        if re.match(r"unit-(ovn-chassis|neutron-)", name):
            yield "juju", f"/var/lib/juju/agents/{name} is here", False
    for name in best_effort.names(node, "/openstack/venvs"):
        if name.startswith("neutron-"):
            yield "osa", f"/openstack/venvs/{name} is here", False
    for state in PUPPET_STATE:
        match = re.search(r"^neutron(::\S+)?$", node.text(f"{state}/classes.txt") or "", re.MULTILINE)
        if match:
            yield "puppet", f"{state}/classes.txt has {match[0].strip()}", False


def _by_header(node: Node, path: str) -> Iterator[tuple[str, str, bool]]:
    claim = managers.claimed(node.text(path) or "") if path else None
    if claim is not None and claim[0]:
        yield claim[0], f"{path} says: {claim[1]}", False

"""Who else writes nova.conf here: found by what they leave on the node and by the headers of the files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.facts.processes import Process
from wizard.node import best_effort
from wizard.node.node import Node, Unseen
from wizard.regex import regex

KOLLA = "/etc/kolla/nova-compute"
TRIPLEO = "/var/lib/config-data/puppet-generated/nova_libvirt"
RHOSO = "/var/lib/openstack/config/nova"
PUPPET_STATE = ("/opt/puppetlabs/puppet/cache/state", "/var/lib/puppet/state", "/var/cache/puppet/state")
PLACES = {
    "kolla": "/etc/kolla/config/nova/nova-compute.conf on the deployment host, then kolla-ansible reconfigure",
    "tripleo": "the parameters of the overcloud (NovaPCIPassthrough), then a deployment",
    "rhoso": "the config map of the data plane's nova service, then a deployment of the data plane",
    "container": "wherever the container's nova.conf comes from: its image, a volume or a config map",
    "juju": "the options of the nova-compute charm: pci-passthrough-whitelist (one JSON list of all objects), config-flags",
    "osa": "nova_pci_passthrough_whitelist (a list), or nova_nova_conf_overrides, in "
    "/etc/openstack_deploy/user_variables.yml, then os-nova-install.yml",
    "snap": "the settings of the openstack-hypervisor snap (sunbeam configure)",
    "puppet": "the hieradata or manifest that feeds puppet-nova (nova::compute::pci, nova_config)",
    "chef": "the attributes of the cookbook that renders nova.conf",
    "salt": "the pillar of the state that renders nova.conf",
    "ansible": "the variables or the template of the playbook that renders nova.conf",
}
FILE_PLACES = {
    "juju": "the options of the charm that writes that file",
    "puppet": "the hieradata or manifest that feeds that file",
    "chef": "the attributes or the template of the cookbook that renders that file",
    "salt": "the pillar of the state that renders that file",
    "ansible": "the variables or the template of the playbook that renders that file",
}
"""Where the lines of any other file belong that such a tool writes."""
_TOOLS = {"juju": "juju", "puppet": "puppet", "chef": "chef", "salt": "salt(stack)?", "ansible": "ansible"}
_CLAIM = regex(r"managed|maintained|generated|overwritten|do not (edit|modify)", re.IGNORECASE)
_CONTAINER = regex(
    r"/(?:[^\s/]+/)*?(docker[-/][0-9a-f]{12,}|libpod-[0-9a-f]{12,}|libpod_parent|crio-[0-9a-f]{12,}"
    r"|cri-containerd[-:][0-9a-f]{12,}|kubepods[^/\s]*|lxc(?:\.payload)?[./][^/\s]+|machine-[^/\s]+\.scope)"
)
_HEADER_LINES = 40


@dataclass(frozen=True, slots=True)
class Manager:
    """Something else that writes nova.conf here: kolla, tripleo, rhoso, a container, juju, osa, snap, puppet, chef,
    salt or ansible."""

    name: str
    evidence: str
    inert: bool  # True where a change to nova.conf on the host is not even read (a container's own copy)
    place: str  # where the setting belongs instead


def container_of(node: Node, process: Process) -> str:
    """The container that a process runs in, by its cgroup, or empty; one that this tool runs in too does not count."""
    match = _CONTAINER.search(process.cgroup)
    if match is None or match[1] in (node.text("/proc/1/cgroup") or ""):
        return ""
    return match[1]


def read(node: Node, process: Process | None, container: str, files: Iterable[str]) -> tuple[Manager, ...]:
    """All of them, those that make a change here inert first. `files` are the configuration files that count."""
    paths = list(files)
    found: dict[str, Manager] = {}
    for name, evidence, inert in (
        *_of_containers(node, process, container),
        *_of_directories(node, paths),
        *_of_puppet(node),
        *_of_headers(node, paths),
    ):
        found.setdefault(name, Manager(name, evidence, inert, PLACES[name]))
    return tuple(sorted(found.values(), key=lambda manager: not manager.inert))


def owns_configuration(node: Node) -> str:
    """The directory from which a container gets its nova.conf here, or empty."""
    return next((place for place in (KOLLA, TRIPLEO, RHOSO) if best_effort.is_directory(node, place)), "")


def _of_containers(node: Node, process: Process | None, container: str) -> Iterator[tuple[str, str, bool]]:
    if process is not None and not container:
        return
    where = f"nova-compute (pid {process.pid}) runs in the container {container}" if process is not None else ""
    for name, place in (("kolla", KOLLA), ("tripleo", TRIPLEO), ("rhoso", RHOSO)):
        if best_effort.is_directory(node, place):
            yield name, "; ".join(part for part in (f"{place} is here", where) if part), True
            return
    if where:
        yield "container", where, True


def _of_directories(node: Node, paths: list[str]) -> Iterator[tuple[str, str, bool]]:
    for name in best_effort.names(node, "/var/lib/juju/agents"):
        if name.startswith("unit-") and "nova-compute" in name:
            yield "juju", f"/var/lib/juju/agents/{name} is here", False
    for name in best_effort.names(node, "/openstack/venvs"):
        if name.startswith("nova-"):
            yield "osa", f"/openstack/venvs/{name} is here", False
    for path in paths:
        if path.startswith("/var/snap/"):
            yield "snap", f"nova-compute reads {path}", False


def _of_puppet(node: Node) -> Iterator[tuple[str, str, bool]]:
    for state in PUPPET_STATE:
        for file, pattern in (("classes.txt", r"^nova(::\S+)?$"), ("resources.txt", r"^nova_config\[.*$")):
            match = re.search(pattern, node.text(f"{state}/{file}") or "", re.MULTILINE)
            if match:
                yield "puppet", f"{state}/{file} has {match[0].strip()}", False


def _of_headers(node: Node, paths: list[str]) -> Iterator[tuple[str, str, bool]]:
    for path in paths:
        for line in header(node.text(path) or ""):
            for name, word in _TOOLS.items():
                if re.search(rf"\b{word}\b", line, re.IGNORECASE) and _CLAIM.search(line):
                    yield name, f"{path} says: {line.strip('# ')}", False


def claimed(text: str) -> tuple[str, str] | None:
    """Whose file this is by its own header: (tool, line that says so); the tool is "" where the header names none that is known.
    None where nothing is claimed."""
    lines = header(text)
    claims = [line for line in lines if _CLAIM.search(line)]
    if not claims:
        return None
    for line in [*claims, *lines]:
        for name, word in _TOOLS.items():
            if re.search(rf"\b{word}\b", line, re.IGNORECASE):
                return name, line.strip("# ;")
    return "", claims[0].strip("# ;")


def header(text: str) -> list[str]:
    """The comment lines at the top of a file, before its first section or option."""
    found: list[str] = []
    for line in text.splitlines()[:_HEADER_LINES]:
        if line.strip() and not line.lstrip().startswith(("#", ";")):
            break
        found.append(line.strip())
    return found


def unseen(node: Node) -> Iterator[Unseen]:
    """What may hide a manager."""
    for state in PUPPET_STATE:
        try:
            node.status(f"{state}/classes.txt")
            hidden = node.exists(f"{state}/classes.txt") and node.text(f"{state}/classes.txt") is None
        except NodeError:
            hidden = True
        if hidden:
            yield Unseen("whether puppet writes nova.conf", f"{state}/classes.txt may not be read without root rights")

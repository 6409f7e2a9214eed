"""Which of Neutron's agents this node has, and which files each of them really reads."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping

from wizard.dataclass import dataclass
from wizard.facts.neutron import owners
from wizard.facts.neutron.catalog import AGENTS, Kind, Known
from wizard.facts.nova import config as nova_config
from wizard.facts.nova import managers
from wizard.facts.nova.managers import Manager
from wizard.facts.processes import Process, Processes
from wizard.node import best_effort
from wizard.node.node import Node

UNITS = ("/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system")
_COMMON = ("/usr/share/neutron/neutron-dist.conf", "/etc/neutron/neutron.conf")
SHARED = "/etc/neutron/plugins/ml2/ml2_conf.ini"  # of several agents and of the server: it shows none of them
CONTAINER = "unknown: it reads files inside its container"


@dataclass(frozen=True, slots=True)
class NeutronAgent:
    """One agent that this node has: it runs, or its service or its container's configuration is there."""

    kind: Kind
    program: str
    pid: int | None  # None: it is not seen running
    started: float | None  # seconds since the epoch
    evidence: str  # what shows it
    files: tuple[str, ...]  # its configuration as this node has it, in the order in which it is read; later overrides
    source: str  # what names these files
    own_file: str  # the one with its own options: what would be edited; "" where it is not known
    service: str  # the unit or job that runs it here; "" where none is seen
    container: str  # the container that it runs in, or ""
    owners: tuple[Manager, ...] = ()  # who else writes own_file

    @property
    def running(self) -> bool:
        return self.pid is not None


def read(node: Node, running: Processes, packages: Mapping[str, str]) -> tuple[NeutronAgent, ...]:
    """Every agent of the catalog that is found here, in its order."""
    services = _services(node)
    found = (_agent(node, known, running, services, packages) for known in AGENTS)
    return tuple(agent for agent in found if agent is not None)


def _agent(
    node: Node, known: Known, running: Processes, services: Mapping[str, str], packages: Mapping[str, str]
) -> NeutronAgent | None:
    process = next(iter(running.of(known.program, *known.once)), None)
    program = process.program if process is not None else known.program
    container = managers.container_of(node, process) if process is not None else ""
    service = next((name for name in known.service_names if name in services), "")
    kolla = f"/etc/kolla/{known.kolla}" if known.kolla else ""
    place = kolla if kolla and best_effort.is_directory(node, kolla) else ""
    package = next((name for name in known.service_names if name in packages), "")
    file = next((path for path in known.files if path != SHARED and node.exists(path)), "")
    if process is not None:
        evidence = f"{program} runs (pid {process.pid}{f', in the container {container}' if container else ''})"
    elif place:
        evidence = f"{place} is here; it is not seen running"
    elif service:
        evidence = f"{services[service]} is here; it is not seen running"
    elif file:
        evidence = f"{file} is here; it is not seen running"
    elif package:
        evidence = f"the package {package} is installed; it is not seen running"
    else:
        return None
    files, source = _files(node, known, process, container, place, services.get(service, ""))
    own = _own(known, files)
    return NeutronAgent(
        kind=known.kind,
        program=program,
        pid=process.pid if process else None,
        started=process.started if process else None,
        evidence=evidence,
        files=files,
        source=source,
        own_file=own,
        service="" if container or place else service,
        container=container,
        owners=owners.read(node, own, container),
    )


def _services(node: Node) -> dict[str, str]:
    """Each service of the catalog that is here, with its unit, job or script; a unit that is masked is none."""
    names = {name for known in AGENTS for name in known.service_names}
    found: dict[str, str] = {}
    for place in UNITS:
        for name in sorted(names & {each.removesuffix(".service") for each in best_effort.names(node, place)}):
            path = f"{place}/{name}.service"
            if name not in found:
                found[name] = "" if best_effort.resolved(node, path) in ("/dev/null", "") else path
    for directory, ending in (("/etc/init", ".conf"), ("/etc/init.d", "")):
        there = best_effort.names(node, directory)
        for name in sorted(names):
            if f"{name}{ending}" in there and name not in found:
                found[name] = f"{directory}/{name}{ending}"
    return {name: path for name, path in found.items() if path}


def _files(
    node: Node, known: Known, process: Process | None, container: str, kolla: str, unit: str
) -> tuple[tuple[str, ...], str]:
    if known.kind == "ovn":
        return (), "Open vSwitch's database: it reads no file of Neutron"
    named = nova_config.files_named(process.argv[1:]) if process is not None else []
    if container or (process is None and kolla):
        return _contained(node, known, named, kolla)
    if process is not None:
        why = f"command line of {known.program} (pid {process.pid})"
        return (_there(node, named), why) if named else (_defaults(node, known), f"{why}, which names none")
    words = (node.text(unit) or "").replace('"', " ").replace("'", " ").split() if unit else []
    named = nova_config.files_named(words)
    if named:
        return _there(node, named), f"arguments in {unit}"
    return _defaults(node, known), "default of the package"


def _defaults(node: Node, known: Known) -> tuple[str, ...]:
    own = next((path for path in known.files if node.exists(path)), "")
    return tuple(path for path in (*_COMMON, own) if path and node.exists(path))


def _there(node: Node, named: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(path for each in named for path in _expanded(node, *each))


def _expanded(node: Node, kind: str, path: str) -> Iterator[str]:
    if kind == "file" and node.exists(path):
        yield path
    if kind == "dir":
        yield from (f"{path.rstrip('/')}/{name}" for name in best_effort.names(node, path) if name.endswith(".conf"))


def _contained(node: Node, known: Known, named: list[tuple[str, str]], kolla: str) -> tuple[tuple[str, ...], str]:
    """The files of a container as the node has them, by the deployment tools that put them there."""
    if kolla:
        names = [posixpath.basename(path) for kind, path in named if kind == "file"]
        names = names or ["neutron.conf", *(posixpath.basename(path) for path in known.files)]
        paths = [f"{kolla}/{name}" for name in dict.fromkeys(names)]
        return tuple(path for path in paths if node.exists(path)), f"{kolla}: copied into the container at each start"
    for root in (owners.TRIPLEO, f"{owners.RHOSO}/{known.program}", f"{owners.RHOSO}/{known.kolla}"):
        if not best_effort.is_directory(node, root):
            continue
        if root == owners.TRIPLEO:
            found = _there(node, [(kind, f"{root}{path}") for kind, path in named])
        else:
            found = _there(node, [("dir", root)])
        if found:
            return found, f"{root}: mounted into the container"
    return (), CONTAINER


def _own(known: Known, files: tuple[str, ...]) -> str:
    """The file of the agent's own options: by the names that it has had, else the last one that it reads."""
    own = {posixpath.basename(path) for path in known.files}
    fitting = [path for path in files if posixpath.basename(path) in own]
    others = [path for path in files if posixpath.basename(path) not in ("neutron.conf", "neutron-dist.conf")]
    return next(iter([*reversed(fitting), *reversed(others)]), "")

"""Nova on this node: release, whose configuration it really reads, who else writes it, and which networking it uses."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.facts import processes
from wizard.facts.nova import compute_log, config_drive
from wizard.facts.nova import config as nova_config
from wizard.facts.nova import managers as nova_managers
from wizard.facts.nova import networks as nova_networks
from wizard.facts.nova import release as nova_release
from wizard.facts.nova.compute_log import ComputeLog
from wizard.facts.nova.config import SHOWN_OPTIONS, NovaSetting
from wizard.facts.nova.managers import Manager
from wizard.facts.nova.networks import Networking, NovaNetwork
from wizard.facts.nova.release import RELEASES, at_least
from wizard.facts.processes import Process, Processes
from wizard.node import best_effort
from wizard.node.node import Node, Unseen

__all__ = [
    "RELEASES",
    "SHOWN_OPTIONS",
    "Manager",
    "Networking",
    "NovaFacts",
    "NovaNetwork",
    "NovaSetting",
    "at_least",
    "read",
]

SERVICES = (
    *("nova-compute", "nova-network", "nova-api-metadata", "nova-api"),
    *("openstack-nova-compute", "openstack-nova-network", "openstack-nova-metadata-api", "openstack-nova-api"),
    *("libvirt-bin", "libvirtd"),
)
"""The services that a change here may have to restart: names of Debian and Ubuntu, then of RDO, then libvirt's."""

WATCH = "compute-wizard-metadata"
_UNITS = ("/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system")


@dataclass(frozen=True, slots=True)
class NovaFacts:
    installed: bool
    release: str | None  # "kilo" … "2026.2"; None where unknown
    release_source: str  # "package nova-compute 1:2015.1.4-0ubuntu2", or why it is unknown
    config_files: tuple[str, ...]  # what nova-compute reads, in its order; later overrides
    config_source: str  # "command line of nova-compute (pid 2211)" or "default of the package"
    main_file: str  # the file of config_files that is edited: "/etc/nova/nova.conf"
    problem: str  # what oslo.config would refuse in main_file, with its line; "" where it is fine or absent
    compute_running: bool
    compute_started: float | None  # seconds since the epoch
    services: tuple[str, ...]  # names that exist here and that we may restart: nova-compute, openstack-nova-network …
    managers: tuple[Manager, ...]
    settings: tuple[NovaSetting, ...]
    networking: Networking
    networking_source: str
    networks: tuple[NovaNetwork, ...]
    networks_path: str
    unseen: tuple[Unseen, ...]
    redirect_watched: bool | None = None
    """Whether our own `compute-wizard-metadata watch` runs; None where not every process is seen, as in a recording."""

    network_files: tuple[str, ...] | None = None
    """What nova-network reads, where that is another list than nova-compute's; else None."""
    network_main_file: str = ""
    network_settings: tuple[NovaSetting, ...] = ()
    network_problem: str = ""
    network_running: bool = False  # a process of nova-network is seen
    network_run_by: str = ""  # the systemd unit that its process belongs to; "" where that is not known

    neutron_agents: tuple[str, ...] = ()  # programs of Neutron and OVN that are seen running
    config_drive_program: str = config_drive.DEFAULT  # what nova-compute makes config drives with
    config_drive_ready: bool | None = None  # whether that program is here; None where that is not known
    compute_log: ComputeLog | None = None  # what the running nova-compute wrote about PCI devices; None where none runs

    def for_network(self) -> NovaFacts:
        """The same with the configuration that nova-network reads: dnsmasq's file, routers and metadata are its business."""
        if self.network_files is None:
            return self
        return replace(
            self,
            config_files=self.network_files,
            main_file=self.network_main_file,
            settings=self.network_settings,
            problem=self.network_problem,
            network_files=None,
        )

    def all(self, section: str, option: str) -> tuple[NovaSetting, ...]:
        """Every occurrence, in the order in which nova reads them."""
        return tuple(s for s in self.settings if (s.section, s.option) == (section, option))

    def last(self, section: str, option: str) -> str | None:
        """The effective value of a single-valued option, or None where it is not set, or :meth:`unknown`."""
        return nova_config.last(self.settings, section, option)

    def unknown(self, section: str, option: str) -> NovaSetting | None:
        """The setting that counts for a single-valued option, where its value cannot be said."""
        found = self.all(section, option)
        return found[-1] if found and found[-1].unknown else None


def read(node: Node) -> NovaFacts:
    """Look at Nova. Changes nothing, and never fails: what cannot be read is in `unseen`."""
    running = processes.read(node)
    compute = next(iter(running.of("nova-compute")), None)
    container = nova_managers.container_of(node, compute) if compute else ""
    release, release_source, traced = nova_release.read(node, compute, bool(container))
    owner = nova_managers.owns_configuration(node)
    sources = nova_config.sources(node, compute, container, owner, release)
    content = nova_config.read(node, sources)

    network_process = next(iter(running.of("nova-network")), None)
    own = None if container or owner else nova_config.network_sources(node, network_process, release, sources)
    network_content = nova_config.read(node, own) if own else content

    def last(section: str, option: str) -> str | None:
        return nova_config.last(network_content.settings, section, option)

    installed = traced or compute is not None or bool(owner) or bool(sources.files)

    def last_of_compute(section: str, option: str) -> str | None:
        return nova_config.last(content.settings, section, option)

    told = last_of_compute if content.complete else None
    network, network_source = nova_networks.networking(release, told, running)
    if network == "unknown" and not installed:
        network_source = "nova is not installed here"
    place = nova_networks.networks_path(last)
    flat = "Flat" in (last("DEFAULT", "network_manager") or "")
    served, unseen_state = nova_networks.networks(node, place, flat, running)
    services = tuple(_services(node))
    drives = config_drive.program(content.settings)
    return NovaFacts(
        installed=installed,
        release=release,
        release_source=release_source,
        config_files=sources.files,
        config_source=sources.source,
        main_file=sources.main_file,
        problem=content.problem,
        compute_running=compute is not None,
        compute_started=compute.started if compute else None,
        services=services,
        managers=nova_managers.read(node, compute, container, sources.files),
        settings=content.settings,
        networking=network,
        networking_source=network_source,
        networks=served,
        networks_path=place,
        unseen=(
            *_unseen_processes(running, compute),
            *dict.fromkeys((*content.unseen, *network_content.unseen)),
            *nova_managers.unseen(node),
            *(() if network == "neutron" else unseen_state),
        ),
        redirect_watched=_redirect_watched(node, running),
        network_files=own.files if own else None,
        network_main_file=own.main_file if own else "",
        network_settings=network_content.settings if own else (),
        network_problem=network_content.problem if own else "",
        neutron_agents=tuple(
            sorted({each.program for each in running.seen if each.program.startswith(("neutron-", "ovn-"))})
        ),
        config_drive_program=drives,
        config_drive_ready=config_drive.is_there(node, drives, bool(container or owner)),
        compute_log=compute_log.read(node, compute, content.settings, bool(container)),
        network_running=network_process is not None,
        network_run_by=nova_networks.unit_of(network_process) if network_process else "",
    )


def _redirect_watched(node: Node, running: Processes) -> bool | None:
    watches = any(
        posixpath.basename(word) == WATCH and "watch" in process.argv
        for process in running.seen
        for word in process.argv[:2]
    )
    return True if watches else False if (node.live or node.simulated) and not running.hidden else None


def _unseen_processes(running: Processes, compute: Process | None) -> Iterator[Unseen]:
    if running.hidden and compute is None:
        yield Unseen("whether nova-compute runs", running.hidden)


def _services(node: Node) -> Iterator[str]:
    """Names with an upstart job, a systemd unit that is not masked, or a System V script that may be run: as the init system here reads
    them. systemd reads no job, and no script beside a unit of the name (systemd-sysv-generator)."""
    upstart, scripts = best_effort.names(node, "/etc/init"), best_effort.names(node, "/etc/init.d")
    units = {place: best_effort.names(node, place) for place in _UNITS}
    by_systemd = best_effort.is_directory(node, "/run/systemd/system")
    for name in SERVICES:
        unit = next((f"{place}/{name}.service" for place in _UNITS if f"{name}.service" in units[place]), "")
        masked = bool(unit) and best_effort.resolved(node, unit) in ("/dev/null", "")
        job = f"{name}.conf" in upstart and not by_systemd
        if (
            job
            or (unit and not masked)
            or (name in scripts and not masked and _may_be_run(node, f"/etc/init.d/{name}"))
        ):
            yield name


def _may_be_run(node: Node, path: str) -> bool:
    try:
        status = node.status(path)
    except NodeError:
        return True
    return status is None or status.kind != "file" or bool(status.mode & 0o111)

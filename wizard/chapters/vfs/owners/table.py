"""All mechanisms by which somebody else may set VFs at boot. A new one is a reader, and an entry here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wizard.chapters.vfs.owners import (
    attributes,
    ifupdown,
    link_files,
    lists,
    modules,
    netplan,
    network_manager,
    scripts,
    tuned,
    udev,
    units,
)
from wizard.chapters.vfs.owners.model import Owner
from wizard.chapters.vfs.owners.view import View

Reader = Callable[[View], Iterator[Owner]]

READERS: dict[str, Reader] = {
    "netplan": netplan.read,
    "sriov-netplan-shim": lists.sriov_netplan_shim,
    "udev": udev.read,
    "os-net-config": lists.os_net_config,
    "nmstate": lists.nmstate,
    "systemd.link": link_files.read,
    "tmpfiles.d": attributes.tmpfiles,
    "NetworkManager profiles": network_manager.profiles,
    "ifcfg": network_manager.ifcfg,
    "NetworkManager.conf": network_manager.configuration,
    "NetworkManager dispatcher": scripts.nm_dispatcher,
    "networkd-dispatcher": scripts.networkd_dispatcher,
    "sysfsutils": attributes.sysfsutils,
    "ifupdown": ifupdown.read,
    "upstart": scripts.upstart,
    "rc.local": scripts.rc_local,
    "init scripts": scripts.init_scripts,
    "cron": scripts.cron,
    "tuned": tuned.read,
    "module options": modules.options,
    "modprobe install": modules.installs,
    "units": units.read,
}
"""networkd is not among them: the [SR-IOV] sections of its .network files set up VFs that are there, and make none."""

"""The files that a plan may ask for, read with the facts, so that a plan made later starts from the same node.

They are those that rule the next boot, set VFs, or are edited. What a file names (a script of a unit), and what an answers file
alone names, is read when it is first asked for, and kept from then on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from wizard.node.files import Files
from wizard.regex import regex

SMALL = 64 * 1024  # bytes; what is larger in these directories is no configuration
MOST = 500  # names of one directory; more are no configuration
_PLACES = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")
DIRECTORIES = (
    *("/etc/default/grub.d", "/etc/init", "/etc/init.d", "/etc/rc.d", "/etc/profile.d", "/etc/compute-wizard"),
    *("/etc/network", "/etc/network/interfaces.d", "/etc/network/if-pre-up.d", "/etc/network/if-up.d"),
    *("/etc/nmstate", "/etc/sysconfig/network-scripts", "/etc/cron.d", "/etc/sysfs.d", "/etc/driverctl.d"),
    *("/etc/initramfs-tools", "/etc/rdma", "/etc/os-net-config", "/etc/sriov-netplan-shim", "/usr/local/sbin"),
    *("/var/spool/cron", "/var/spool/cron/crontabs", "/var/spool/cron/tabs"),
    *(f"{place}/modprobe.d" for place in _PLACES),
    *(f"{place}/netplan" for place in _PLACES),
    *(f"{place}/tmpfiles.d" for place in _PLACES),
    *(f"{place}/udev/rules.d" for place in _PLACES),
    *(f"{place}/systemd/network" for place in _PLACES),
    *(f"{place}/systemd/system" for place in _PLACES),
    *(f"{place}/NetworkManager/{name}" for place in _PLACES for name in ("conf.d", "system-connections")),
    *(f"{place}/NetworkManager/dispatcher.d" for place in _PLACES),
    *(f"{place}/NetworkManager/dispatcher.d/{name}" for place in _PLACES for name in ("pre-up.d", "no-wait.d")),
    *(
        f"{place}/networkd-dispatcher/{state}.d"
        for place in ("/etc", "/usr/lib")
        for state in "carrier configured configuring degraded dormant initialized no-carrier off routable".split()
    ),
)
FILES = (
    *(
        "/etc/default/grub",
        "/etc/crontab",
        "/etc/rc.local",
        "/etc/sysfs.conf",
        "/etc/NetworkManager/NetworkManager.conf",
    ),
    *("/etc/tuned/active_profile", "/etc/tuned/post_loaded_profile", "/etc/dnsmasq-nova.conf"),
)
COMMANDS = (
    *("cp", "dnsmasq", "rm", "service", "systemctl", "initctl", "update-grub", "update-initramfs", "dracut"),
    *("grub-mkconfig", "grub2-mkconfig", "grubby", "mstconfig", "mlxconfig"),
)
PARAMETERS = tuple(f"/sys/module/{name}/parameters" for name in ("mlx4_core", "mlx5_core"))
_STARTED = regex(r"^[ \t]*(?:Exec\w+[ \t]*=[ \t]*[-@:+!|]*|exec[ \t]+)(/[^\s;]+)", re.MULTILINE)
_OF_UNITS = (".wants", ".requires", ".d")


def keep(files: Files, named: Iterable[str]) -> None:
    """Read what a plan may ask for, and the files that the facts name."""
    programs: set[str] = set()
    for directory in DIRECTORIES:
        programs |= _whole(files, directory)
    for path in sorted(programs):
        if files.is_small(path, SMALL):
            files.keep(path)
    for directory in PARAMETERS:
        files.names(directory)
    for path in (*FILES, *named):
        files.keep(path)
    for name in COMMANDS:
        command = files.command(name)
        if command is not None:
            files.keep(command)


def _whole(files: Files, directory: str) -> set[str]:
    """A directory with its small files; of units, what is laid beside them too. Gives the programs that units start."""
    names, programs = files.keep_directory(directory), set[str]()
    for name in sorted(names)[:MOST]:
        path = f"{directory}/{name}"
        if name.endswith(_OF_UNITS) and directory.endswith("/systemd/system"):
            programs |= _whole(files, path)
        elif files.is_small(path, SMALL):
            files.keep(path)
            if name.endswith((".service", ".conf")):
                programs.update(_STARTED.findall((files.content(path) or b"").decode("utf-8", "replace")))
        else:
            files.destination(path)
    return programs

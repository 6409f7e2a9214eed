"""Files that list attributes of /sys with their values: sysfsutils and systemd-tmpfiles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wizard.chapters.vfs.owners.cards import is_number_file
from wizard.chapters.vfs.owners.model import NO, RUNS, Owner, Runs
from wizard.chapters.vfs.owners.scripts import started_in_runlevel
from wizard.chapters.vfs.owners.view import View
from wizard.integers import parse_int

_TMPFILES = ("/etc/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d")
_SYSFSUTILS = ("sysfsutils.service", "sysfsconf.service")


def sysfsutils(view: View) -> Iterator[Owner]:
    """sysfs.conf(5): `attribute = value` below /sys, read by the init script or the unit of the package sysfsutils."""
    paths = ["/etc/sysfs.conf", *view.layered(["/etc/sysfs.d"], ".conf")]
    for path in paths:
        for number, line in enumerate((view.text(path) or "").splitlines(), 1):
            match = re.match(r"\s*([^#\s=]\S*)\s*=\s*(\S*)", line)
            if match and is_number_file(match[1]):
                aim = view.cards.target(f"/sys/{match[1].lstrip('/').removeprefix('sys/')}")
                yield Owner(
                    "sysfsutils",
                    path,
                    number,
                    line.strip()[:80],
                    parse_int(match[2]),
                    aim,
                    "sriov_numvfs = {count}",
                    runs=_reads(view),
                )


def _reads(view: View) -> Runs:
    if any(view.unit(name) for name in _SYSFSUTILS):
        return view.service(*_SYSFSUTILS)
    if view.text("/etc/init.d/sysfsutils") is None:
        return Runs(NO, "the package sysfsutils is not installed (no init script, no unit), so that nothing reads it")
    runs = view.executable("/etc/init.d/sysfsutils")
    if runs is not RUNS:
        return runs
    started = started_in_runlevel(view, "sysfsutils")
    return started if started.verdict is NO else RUNS  # its package enables it; a recording may lack the links


def tmpfiles(view: View) -> Iterator[Owner]:
    """tmpfiles.d(5): lines `w PATH - - - - VALUE`, at boot by systemd-tmpfiles-setup.service."""
    if not view.facts.system.init_system.may_run_units:
        return
    for path in view.layered(_TMPFILES, ".conf"):
        for number, line in enumerate((view.text(path) or "").splitlines(), 1):
            match = re.match(r"\s*w[+!=~^-]*\s+\"?([^\s\"]+)\"?(?:\s+\S+){4}\s+\"?([^\"]*?)\"?\s*$", line)
            if match and is_number_file(match[1]):
                aim = view.cards.target(match[1])
                yield Owner(
                    "systemd-tmpfiles",
                    path,
                    number,
                    line.strip()[:80],
                    parse_int(match[2]),
                    aim,
                    "{count} as the argument",
                )

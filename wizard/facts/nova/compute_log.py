"""What the running nova-compute wrote about PCI devices since its start: the only place where it says that it did not take a line.

nova/pci/*.py and nova/compute/resource_tracker.py log to the file of `log_file` and `log_dir` (oslo.log), or to the journal. A
recording does not hold it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from wizard.dataclass import dataclass
from wizard.facts.nova import config as nova_config
from wizard.facts.nova.config import NovaSetting
from wizard.facts.processes import Process
from wizard.node import best_effort
from wizard.node.node import Node
from wizard.redaction import redacted
from wizard.regex import regex

MOST = 4_000_000  # bytes read from the end of the log: days of a quiet node, minutes of one that debugs
LONGEST = 400  # characters kept of a line
KEPT = 5  # lines kept
DEFAULT_DIR = "/var/log/nova"  # what the packages of every distribution set, or give on the command line
VOLUMES = (
    "/var/lib/docker/volumes/kolla_logs/_data/nova",  # kolla: /var/log/kolla/nova inside the container
    "/var/lib/containers/storage/volumes/kolla_logs/_data/nova",
    "/var/log/containers/nova",  # RHOSO and TripleO
)

# "2026-12-01 07:00:00.123 2211 ERROR nova.pci.manager [req-...] text": oslo.log's own format, in the journal too
_LINE = regex(r"\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) (\S+) (?! )(.*)")  # a blank there: a frame of a traceback
_START = regex(r"Starting compute (node|service) \(version ")  # nova/service.py, Service.start
_ABOUT = regex(r"\bpci\b|pci_?device|device_spec|passthrough_whitelist|pci_alias|\[pci\]|sr-?iov", 2)  # re.IGNORECASE


@dataclass(frozen=True, slots=True)
class ComputeLog:
    """Lines of warnings and errors about PCI devices, secrets hidden. `unseen` says why the log was not read, or "".

    `errors` and `warnings` hold the last few of each, oldest first.
    """

    place: str
    unseen: str
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read(node: Node, compute: Process | None, settings: Iterable[NovaSetting], contained: bool) -> ComputeLog | None:
    """Look at the log of the running nova-compute; None where none runs, or its node is
    simulated. Never fails."""
    if compute is None or node.simulated:
        return None
    if not node.live:
        return ComputeLog("", "not part of a recording")
    place = _place(node, compute, tuple(settings), contained)
    if not place:
        argv = ["journalctl", "-q", "--no-pager", "-b", "-o", "cat", f"_PID={compute.pid}"]
        said = best_effort.ask(node, argv)
        if said is None or said.status or not said.stdout:
            return ComputeLog("the journal", "nothing of it is there")
        return _judged("the journal", said.stdout[-MOST:])
    status = node.status(place)
    if status is None or compute.started is None or status.modified < compute.started:
        return ComputeLog(place, "nothing was written since nova-compute started")
    said = best_effort.ask(node, ["tail", "-c", str(MOST), place])
    if said is None or said.status:
        return ComputeLog(place, "cannot be read")
    return _judged(place, said.stdout)


def _place(node: Node, compute: Process, settings: tuple[NovaSetting, ...], contained: bool) -> str:
    """The log's file on this node; "" where there is none."""
    name = _given(compute, settings, "log-file") or "nova-compute.log"
    directory = _given(compute, settings, "log-dir") or DEFAULT_DIR
    inside = posixpath.join(directory, name)
    places = [posixpath.join(volume, posixpath.basename(name)) for volume in VOLUMES] if contained else [inside]
    return next((place for place in places if best_effort.resolved(node, place)), "")


def _given(compute: Process, settings: tuple[NovaSetting, ...], option: str) -> str:
    """The command line has the last word (oslo.config)."""
    said = (*compute.options(f"--{option}"), *compute.options(f"--{option.replace('-', '')}"))
    return said[-1] if said else (nova_config.last(settings, "DEFAULT", option.replace("-", "_")) or "").strip()


def _judged(place: str, text: str) -> ComputeLog:
    lines = text.splitlines()
    start = max((number for number, line in enumerate(lines) if _START.search(line)), default=0)
    errors: dict[str, None] = {}
    warnings: dict[str, None] = {}
    for line in lines[start:]:
        found = _LINE.match(line)
        if found is None or not (found[2].startswith("nova.pci") or _ABOUT.search(found[3])):
            continue
        said = redacted(f"{found[2]}: {found[3]}")[:LONGEST]
        kept = warnings if found[1] == "WARNING" else errors
        kept.pop(said, None)
        kept[said] = None
    return ComputeLog(place, "", tuple(errors)[-KEPT:], tuple(warnings)[-KEPT:])

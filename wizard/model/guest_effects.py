"""What each kind of step may do to guests that run on the node. One table: a step of no row may do anything.

none: guests notice nothing. traffic: what carries their traffic, or answers their DHCP or metadata requests, pauses. device: a
device that a guest may hold goes away, is reset or is bound anew: never done while one holds it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import Literal

from wizard.dataclass import dataclass
from wizard.model.steps import RemoveFile, RunCommand, Step, StopByPidfile, WriteFile, WriteSysfs

Effect = Literal["none", "traffic", "device"]


@dataclass(frozen=True, slots=True)
class Row:
    """`words` is matched with the name of an attribute, or with a command whose program stands without its directory."""

    kind: str
    words: str
    effect: Effect
    why: str


TABLE = (
    Row("write_file", ".*", "none", "it is read later, by what another step restarts or by the next boot"),
    Row("remove_file", ".*", "none", "as above"),
    Row("set_attribute", "sriov_drivers_autoprobe", "none", "it is asked when VFs are made, not of those there are"),
    Row("set_attribute", "sriov_numvfs", "device", "the VFs there are go, whoever holds them"),
    Row("set_attribute", "mlx4_port[0-9]+", "device", "the card's ports and its VFs are taken down"),
    Row("set_attribute", "(un)?bind|driver_override|remove|rescan|reset", "device", "a device changes its driver"),
    Row("stop_by_pidfile", ".*", "traffic", "dnsmasq answers no DHCP request until it is started anew"),
    Row("run", "systemctl (daemon-reload|enable|disable)( .*)?", "none", "no service is touched now"),
    Row(
        "run",
        "systemctl (restart|stop) .*|service .*",
        "traffic",
        "a service that sets up the guests' networks starts anew",
    ),
    Row("run", "compute-wizard-metadata (apply|remove)", "traffic", "bridge rules that their requests pass change"),
    Row("run", "dnsmasq --test .*", "none", "a file is only read"),
    Row("run", "(update-grub|grub2?-mkconfig|grubby|update-initramfs|dracut)( .*)?", "none", "for the next boot"),
    Row("run", "(cp|rm) .*", "none", "an image in /boot is copied, or a copy removed"),
    Row("run", "(mstconfig|mlxconfig) .* set .*", "none", "firmware takes it at the next reset of the card"),
    Row("run", "(mstfwreset|mlxfwreset)( .*)?", "device", "the card is reset"),
)


def row(step: Step) -> Row:
    """The row of a step; where there is none, one that expects the worst."""
    words = _words(step)
    found = (each for each in TABLE if each.kind == step.kind and re.fullmatch(each.words, words, re.DOTALL))
    return next(found, Row(step.kind, ".*", "device", "what it does to guests is not known"))


def _words(step: Step) -> str:
    match step:
        case RunCommand():
            return " ".join([posixpath.basename(step.argv[0]), *step.argv[1:]])
        case WriteSysfs():
            return posixpath.basename(step.path)
        case WriteFile() | RemoveFile():
            return step.path
        case StopByPidfile():
            return step.must_contain


def touching(steps: Iterable[Step]) -> list[tuple[int, Step, Row]]:
    """The steps, counted from 1, that may touch guests."""
    found = [(number, step, row(step)) for number, step in enumerate(steps, 1)]
    return [each for each in found if each[2].effect != "none"]


def undoing(step: Step) -> Step | None:
    """What undoes a step, as a step of its own: a command runs its way back, another kind does the same the other way round. None
    where there is no way back."""
    if isinstance(step, RunCommand):
        return step.model_copy(update={"argv": step.undo}) if step.undo else None
    return step

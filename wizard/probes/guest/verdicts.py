"""What a guest with a VF has shown: that it has it, that it has not, or nothing. Pure."""

from __future__ import annotations

from typing import Literal

from wizard.chapters.passthrough import chapter as passthrough
from wizard.dataclass import dataclass
from wizard.facts.pci.functions import PciFunction
from wizard.model.findings import Check
from wizard.probes.guest import qemu
from wizard.probes.guest.report import Device, Report

WHAT = "A guest sees a VF of this node"
_CANNOT = "QEMU cannot take the VF; libvirt's could not either."
_LOOK = "Look at dmesg, and at the IOMMU's group of the VF."
_RMRR = (
    "The platform keeps memory of this slot for itself (RMRR): switch that off (HPE: the shared memory feature of the slot, by conrep "
    "or in the BIOS set-up), use another slot, or ask the maker for a newer BIOS."
)
_INTREMAP = (
    "Interrupts are not remapped: take intremap=off or nointremap off the kernel's line, or look for a newer BIOS."
)
_REMEDIES = {
    "RMRR": _RMRR,
    "interrupt remapping": _INTREMAP,
    "not viable": "Another device of its IOMMU group is still with the host: use another slot, or switch on ACS in the BIOS set-up.",
    "Operation not permitted": "dmesg says which it is. `No interrupt remapping support`: "
    f"{_INTREMAP} `ineligible for IOMMU domain attach due to platform RMRR requirement`: {_RMRR}",
    "Cannot allocate memory": "The guest's memory could not be locked: look at the limit of locked memory, and at hugepages.",
    "resource busy": "Somebody else has the IOMMU group open: another guest, or a program that uses vfio.",
}
Ended = Literal["", "time", "stopped", "not started"]


@dataclass(frozen=True, slots=True)
class Booted:
    """How it went. `problem`: why no guest was started; `left`: why the VF was not given back; "" where all was well.

    `ended` is "" where QEMU came to its end by itself; `errors` are its own messages.
    """

    vf: PciFunction
    kvm: bool
    seconds: float
    report: Report
    ended: Ended
    errors: str
    problem: str
    left: str


def unknown(why: str, do: str = "") -> list[Check]:
    """The check where no guest could be booted."""
    return [Check(passthrough.NAME, WHAT, "unknown", why, do)]


def checks(booted: Booted) -> list[Check]:
    """What the guest saw; and, only where it is not so, that the VF was given back."""
    vf = booted.vf
    what = f"A guest sees {vf.address} ({vf.model})"
    found = [_seen(booted, what, booted.report.device(qemu.DEVICE))]
    if booted.left:
        had = vf.driver or "no driver"
        found.append(
            Check(
                passthrough.NAME,
                f"{vf.address} was given back to {had}",
                "failed",
                booted.left,
                "Run `verify --guest` again: it begins by giving it back. A reboot does too.",
            )
        )
    return found


def _seen(booted: Booted, what: str, device: Device | None) -> Check:
    vf, report = booted.vf, booted.report
    if booted.problem:
        return Check(passthrough.NAME, what, "unknown", booted.problem, "Nothing was booted.")
    if device is not None and (device.vendor, device.device) == (vf.vendor, vf.device):
        return Check(passthrough.NAME, what, "held", _described(booted, device))
    if device is not None:
        seen = f"the guest has {device.vendor}:{device.device} instead of {vf.vendor}:{vf.device}"
        return Check(passthrough.NAME, what, "failed", seen, "Look at the card's firmware and at dmesg.")
    if report.whole:
        seen = f"the guest (Linux {report.kernel}) came up and has no such device"
        return Check(passthrough.NAME, what, "failed", seen, "Look at dmesg: vfio-pci says why it kept it.")
    said = _last(booted.errors)
    if "vfio" in booted.errors:
        return Check(passthrough.NAME, what, "failed", f"QEMU says: {said}", f"{_CANNOT} {_remedy(booted.errors)}")
    return Check(passthrough.NAME, what, "unknown", _not_booted(booted, said), "This says nothing about the VF.")


def _remedy(errors: str) -> str:
    """What helps, by what QEMU and the kernel say of it (drivers/vfio, drivers/iommu/intel)."""
    return next((remedy for word, remedy in _REMEDIES.items() if word in errors), _LOOK)


def _described(booted: Booted, device: Device) -> str:
    report = booted.report
    by = f"driver {device.driver}" if device.driver else "no driver for it in this node's kernel modules"
    parts = [
        f"{device.vendor}:{device.device} class {device.class_code}, {by}",
        *report.links,
        f"Linux {report.kernel} by {'KVM' if booted.kvm else 'TCG'} in {booted.seconds:.0f} s",
        *report.problems,
    ]
    given = "" if booted.left else f"; given back to {booted.vf.driver or 'no driver'}"
    return "; ".join(parts) + given


def _not_booted(booted: Booted, said: str) -> str:
    last = booted.report.console[-1] if booted.report.console else ""
    if booted.ended == "stopped":
        return "it was stopped before the guest had come up"
    how = (
        f"the guest had not come up after {booted.seconds:.0f} s"
        if booted.ended == "time"
        else "the guest did not come up"
    )
    told = [f"QEMU says: {said}"] if said else []
    told += [f"its console ends with: {last}"] if last else []
    return "; ".join([how, *told])


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""

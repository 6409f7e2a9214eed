"""What a guest has shown: held, failed, or nothing at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from nodes import today

from wizard.facts import facts
from wizard.probes.guest import qemu
from wizard.probes.guest.report import Device, Report
from wizard.probes.guest.verdicts import Booted, checks

HERE = Device(qemu.DEVICE, "020000", "15b3", "1018", "mlx5_core")
WHOLE = Report(True, "6.1.0", (HERE,), ("eth0 0c:42:a1:00:00:01 link up",), (), ())
NOTHING = Report(False, "", (), (), (), ())


def read(**changes: Any) -> list[tuple[str, str]]:
    pf = next(each for each in facts.read(today()).pci.functions if each.address == "0000:3b:00.0")
    vf = replace(pf, address="0000:3b:00.4", device="1018", driver=None, model="ConnectX-5 VF")
    well: dict[str, Any] = {
        "vf": vf,
        "kvm": True,
        "seconds": 3.7,
        "report": WHOLE,
        **dict.fromkeys(("ended", "errors", "problem", "left"), ""),
    }
    return [(check.state, check.seen) for check in checks(Booted(**{**well, **changes}))]


def test_it_is_there() -> None:
    assert read() == [
        (
            "held",
            "15b3:1018 class 020000, driver mlx5_core; eth0 0c:42:a1:00:00:01 link up; Linux 6.1.0 by KVM in 4 s; given back to no driver",
        )
    ]


def test_it_is_there_before_the_guest_had_told_all() -> None:
    assert read(report=replace(WHOLE, whole=False), ended="time")[0][0] == "held"


def test_a_guest_without_a_driver_for_it_has_it_all_the_same() -> None:
    report = replace(WHOLE, devices=(replace(HERE, driver=""),), links=())
    state, seen = read(report=report)[0]
    assert state == "held"
    assert "no driver for it" in seen


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({"problem": "another proof is under way"}, "unknown", "another proof"),
        (
            {"report": replace(WHOLE, devices=(replace(HERE, device="1017"),))},
            "failed",
            "15b3:1017 instead of 15b3:1018",
        ),
        ({"report": replace(WHOLE, devices=())}, "failed", "has no such device"),
        (
            {"report": NOTHING, "errors": "x\nqemu: vfio 0000:3b:00.4: group 70 is not viable\n"},
            "failed",
            "group 70 is not viable",
        ),
        ({"report": NOTHING, "errors": "qemu: failed to initialize kvm\n"}, "unknown", "failed to initialize kvm"),
        ({"report": NOTHING, "ended": "time", "seconds": 120.0}, "unknown", "not come up after 120 s"),
        ({"report": NOTHING, "ended": "stopped"}, "unknown", "stopped"),
        (
            {"report": replace(NOTHING, console=("a", "Kernel panic - not syncing"))},
            "unknown",
            "ends with: Kernel panic",
        ),
    ],
)
def test_it_is_not_there(changes: dict[str, Any], state: str, words: str) -> None:
    found = read(**changes)
    assert [each[0] for each in found] == [state]
    assert words in found[0][1]


def test_one_that_does_not_come_back_is_a_failure_of_its_own() -> None:
    found = read(left="the kernel does not answer")
    assert found[1] == ("failed", "the kernel does not answer")
    assert "given back" not in found[0][1]


@pytest.mark.parametrize(
    ("errors", "says"),
    [
        ("qemu: vfio 0000:3b:00.4: group 70 is not viable\n", "ACS"),
        ("qemu: vfio 0000:3b:00.4: failed to set iommu for container: Operation not permitted\n", "RMRR"),
        ("qemu: vfio 0000:3b:00.4: failed to set iommu for container: Operation not permitted\n", "intremap=off"),
        (
            "qemu: vfio 0000:3b:00.4: ineligible for IOMMU domain attach due to platform RMRR requirement\n",
            "shared memory",
        ),
        ("qemu: vfio 0000:3b:00.4: something new\n", "Look at dmesg"),
    ],
)
def test_what_keeps_qemu_from_the_vf_has_a_remedy(errors: str, says: str) -> None:
    pf = next(each for each in facts.read(today()).pci.functions if each.address == "0000:3b:00.0")
    booted = Booted(pf, True, 1.0, NOTHING, "", errors, "", "")
    (check,) = checks(booted)
    assert check.state == "failed"
    assert says in check.do

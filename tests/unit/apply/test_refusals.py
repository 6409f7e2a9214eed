"""A number of VFs that the kernel refused: a cause and a remedy beside its word."""

from __future__ import annotations

import errno
import os

import pytest

from wizard.apply import refusals

PATH = "/sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs"


@pytest.mark.parametrize(
    ("number", "cause", "remedy"),
    [
        (errno.ENOMEM, "not enough MMIO", "BIOS"),
        (errno.ENOSPC, "run out", "fewer VFs"),
        (errno.EBUSY, "another number of VFs", "compute-wizard check"),
        (errno.ERANGE, "more than the card offers", "NUM_OF_VFS"),
        (errno.ENOENT, "no driver is bound", "mlx4_core"),
        (errno.ENOSYS, "makes no VFs by sysfs", "mlx4_core"),
        (errno.EINVAL, "interface is down", "ip link set"),
        (errno.EOPNOTSUPP, "switchdev", "devlink dev eswitch show pci/0000:3b:00.0"),
        (errno.EIO, "firmware refused", "dmesg"),
    ],
)
def test_each_word_of_the_kernel_has_a_cause_and_a_remedy(number: int, cause: str, remedy: str) -> None:
    said = refusals.refused(PATH, "8", os.strerror(number))
    assert cause in said
    assert remedy in said


def test_to_take_vfs_away_that_are_in_use_is_another_matter() -> None:
    assert "in use" in refusals.refused(PATH, "0", os.strerror(errno.EBUSY))


def test_of_other_attributes_and_words_nothing_is_made_up() -> None:
    assert (
        refusals.refused(PATH.replace("sriov_numvfs", "sriov_drivers_autoprobe"), "0", os.strerror(errno.ENOMEM)) == ""
    )
    assert refusals.refused(PATH, "8", "something else") == ""


def test_a_driver_that_takes_the_number_and_makes_none_is_told() -> None:
    assert "ip link set" in refusals.not_taken(PATH, "8", "0")
    assert refusals.not_taken(PATH, "8", "4") == ""
    assert refusals.not_taken(PATH, "0", "8") == ""

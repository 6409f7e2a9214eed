"""The IOMMU: what the BIOS offers, what the kernel does without being told, and what runs now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wizard.node.node import Node, Unseen

Vendor = Literal["intel", "amd", "arm", "other"]


@dataclass(frozen=True, slots=True)
class IommuFacts:
    vendor: Vendor
    table: str | None  # ACPI table of the vendor that is there: "DMAR", "IVRS", "IORT"; None: not there
    table_seen: bool  # False where /sys/firmware/acpi/tables itself could not be seen, so that None proves nothing
    kernel_default_on: bool | None  # what the kernel does with no argument at all
    kernel_default_passthrough: bool | None
    kernel_config: str  # where that was read: "/boot/config-6.12.0: CONFIG_INTEL_IOMMU_DEFAULT_ON=y", or why not
    sriov_in_kernel: bool | None  # CONFIG_PCI_IOV
    command_line: str  # of the running kernel, /proc/cmdline; "" where unknown
    groups: tuple[tuple[int, tuple[str, ...]], ...]  # IOMMU group -> PCI addresses, running now
    units: tuple[str, ...]  # /sys/class/iommu: dmar0, ivhd0 …
    unseen: tuple[Unseen, ...]

    @property
    def running(self) -> bool:
        """IOMMU groups are the criterion: no kernel message and no parameter proves as much."""
        return bool(self.groups)

    def group_of(self, address: str) -> int | None:
        return next((number for number, members in self.groups if address in members), None)

"""The IOMMU: what the BIOS offers, what the kernel does without being told, and what runs now."""

from __future__ import annotations

import zlib
from typing import Literal

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.facts import reserved_memory
from wizard.facts.system import SystemFacts
from wizard.integers import parse_int
from wizard.node import best_effort
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
    driver_in_kernel: bool | None = None  # whether the running kernel was built with the driver of this vendor's IOMMU
    interrupts_in_kernel: bool | None = None  # whether it was built with interrupt remapping (x86: CONFIG_IRQ_REMAP)
    reserved: tuple[
        reserved_memory.Kept, ...
    ] = ()  # devices whose memory the firmware keeps mapped: no guest gets them
    groups_tell: bool = False  # the running kernel names such memory for each group

    @property
    def running(self) -> bool:
        """IOMMU groups are the criterion: no kernel message and no parameter proves as much."""
        return bool(self.groups)

    def group_of(self, address: str) -> int | None:
        return next((number for number, members in self.groups if address in members), None)


TABLES: dict[Vendor, str] = {"intel": "DMAR", "amd": "IVRS", "arm": "IORT"}
DRIVERS: dict[Vendor, tuple[str, ...]] = {
    "intel": ("CONFIG_INTEL_IOMMU",),
    "amd": ("CONFIG_AMD_IOMMU",),
    "arm": ("CONFIG_ARM_SMMU", "CONFIG_ARM_SMMU_V3"),
}
ACPI = "/sys/firmware/acpi/tables"
GROUPS = "/sys/kernel/iommu_groups"


def read(node: Node, system: SystemFacts) -> IommuFacts:
    """Existence of the ACPI tables is visible to everybody, their content to root only: existence is enough."""
    unseen: list[Unseen] = []
    vendor = _vendor(node, system)
    tables = best_effort.names(node, ACPI)
    wanted = TABLES.get(vendor, "")
    config, where = _config(node, system)
    if config is None:
        unseen.append(Unseen("what the kernel does with no argument", where))
    driver = _driver(config, vendor)
    on, line = _default_on(config, vendor, driver)
    groups = _groups(node)
    memory = reserved_memory.read(node, groups)
    return IommuFacts(
        vendor=vendor,
        table=wanted if wanted in tables else None,
        table_seen=bool(tables),
        kernel_default_on=on,
        kernel_default_passthrough=None if config is None else "CONFIG_IOMMU_DEFAULT_PASSTHROUGH=y" in config,
        kernel_config=f"{where}: {line}" if line else where,
        sriov_in_kernel=None if config is None else "CONFIG_PCI_IOV=y" in config,
        command_line=" ".join((node.text("/proc/cmdline") or "").split()),
        groups=groups,
        units=tuple(best_effort.names(node, "/sys/class/iommu")),
        unseen=(*unseen, *memory.unseen),
        driver_in_kernel=driver,
        interrupts_in_kernel=_interrupts(config),
        reserved=memory.kept,
        groups_tell=memory.groups_tell,
    )


def _interrupts(config: frozenset[str] | None) -> bool | None:
    """None where the configuration says neither: it may be a part of one."""
    if config is None:
        return None
    return True if "CONFIG_IRQ_REMAP=y" in config else False if "# CONFIG_IRQ_REMAP is not set" in config else None


def _vendor(node: Node, system: SystemFacts) -> Vendor:
    names: dict[str, Vendor] = {"GenuineIntel": "intel", "AuthenticAMD": "amd", "HygonGenuine": "amd"}
    for line in (node.text("/proc/cpuinfo") or "").splitlines():
        if line.startswith("vendor_id"):
            return names.get(line.partition(":")[2].strip(), "other")
        if line.startswith("CPU implementer"):
            return "arm"
    if system.architecture in ("aarch64", "arm64"):
        return "arm"
    tables = best_effort.names(node, ACPI)
    return next((vendor for vendor, table in TABLES.items() if table in tables), "other")


def _config(node: Node, system: SystemFacts) -> tuple[frozenset[str] | None, str]:
    """The running kernel's own configuration, as a set of lines, and where it was read."""
    places = [
        f"/boot/config-{system.kernel}",
        f"/lib/modules/{system.kernel}/config",
        f"/usr/lib/modules/{system.kernel}/config",
    ]
    for path in places if system.kernel else ():
        text = node.text(path)
        if text is not None:
            return frozenset(text.splitlines()), path
    try:
        import gzip

        text = gzip.decompress(node.read("/proc/config.gz")).decode("utf-8", "replace")
    except (NodeError, OSError, EOFError, zlib.error):
        return None, f"neither /boot/config-{system.kernel or '*'} nor /proc/config.gz could be read"
    return frozenset(text.splitlines()), "/proc/config.gz"


def _driver(config: frozenset[str] | None, vendor: Vendor) -> bool | None:
    """Whether the kernel was built with it; None where its configuration says neither: it may be a part of one.

    Debian's cloud kernel has CONFIG_AMD_IOMMU not set."""
    options = DRIVERS.get(vendor, ())
    if config is None or not options:
        return None
    if any(f"{option}={how}" in config for option in options for how in "ym"):
        return True
    return False if all(f"# {option} is not set" in config for option in options) else None


def _default_on(config: frozenset[str] | None, vendor: Vendor, driver: bool | None) -> tuple[bool | None, str]:
    """AMD's and ARM's drivers are on wherever the firmware has the table, Intel's is as the kernel was built."""
    if config is None or vendor not in DRIVERS:
        return None, ""
    options = DRIVERS[vendor]
    if driver is False:
        return False, f"{', '.join(options)} {'are' if len(options) > 1 else 'is'} not set"
    if vendor in ("amd", "arm"):
        if driver is None:
            return None, f"nothing is said of {', '.join(options)}"
        return True, "on wherever the firmware has the table"
    for name in ("CONFIG_INTEL_IOMMU_DEFAULT_ON=y", "CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y"):
        if name in config:
            return True, name
    return False, "CONFIG_INTEL_IOMMU_DEFAULT_ON is not set"


def _groups(node: Node) -> tuple[tuple[int, tuple[str, ...]], ...]:
    numbers = sorted(number for name in best_effort.names(node, GROUPS) if (number := parse_int(name)) is not None)
    return tuple((number, tuple(best_effort.names(node, f"{GROUPS}/{number}/devices"))) for number in numbers)

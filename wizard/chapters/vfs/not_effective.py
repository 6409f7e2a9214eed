"""Why a value is not there after the reboot that was to bring it: which layer dropped it. Another reboot would change nothing."""

from __future__ import annotations

from wizard.chapters.shared import mlx4_sources
from wizard.chapters.vfs import mlx4
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.formats import kernel_arguments, mlx4_options


def vfs(facts: Facts, function: PciFunction, wanted: int) -> tuple[str, str]:
    """For VFs of an mlx4 card that the option file and the initramfs promise: what was seen, and what to do."""
    content = facts.content(f"{mlx4.PARAMETERS}/num_vfs")
    given = (content or b"").decode("ascii", "replace").strip()  # empty where the module was given none
    seen = f"sriov_numvfs is {function.num_vfs}"
    on_line = _on_line(facts, "num_vfs")
    if on_line:
        return (
            f"{seen}: {on_line}",
            "Take it away where it is set; it is the way to boot without VFs, and somebody may have chosen it.",
        )
    if content is None:
        return (
            f"{seen}: {mlx4_sources.MODULE} is not loaded",
            f"Look at `dmesg | grep {mlx4_sources.MODULE}` and for a blacklist of it.",
        )
    if mlx4_options.number(given, function.address) != wanted:
        return (
            f"{seen}: {mlx4_sources.MODULE} was loaded with {f'num_vfs={given}' if given else 'no num_vfs'}, "
            f"{mlx4.said_in(facts, 'num_vfs')} says {wanted}",
            f"Another initramfs was booted, or the module was loaded with other options: /proc/cmdline names "
            f"{' '.join(kernel_arguments.values(facts.iommu.command_line, 'BOOT_IMAGE')) or 'no image'}; see `dmesg | grep "
            f"{mlx4_sources.MODULE}`.",
        )
    return (
        f"{seen}: {mlx4_sources.MODULE} was loaded with num_vfs={given}, and the card did not get them",
        f"The firmware or the BIOS dropped it: see `dmesg | grep {mlx4_sources.MODULE}` (requested vfs, not enough MMIO resources).",
    )


def ports(facts: Facts, function: PciFunction, seen: str) -> tuple[str, str]:
    """For ports of an mlx4 card that came up as something else (`seen`) than the option file and the initramfs ask for."""
    on_line = _on_line(facts, mlx4.PORTS)
    if on_line:
        return f"{seen}: {on_line}", "Take it away where it is set, or answer the ports as they are."
    later = mlx4.set_by_rdma(facts, function)
    if later is not None:
        return (
            f"{seen}: set after the driver by {later}",
            "Take that line away, or write there what is wanted: rdma-core sets the ports when the module is loaded.",
        )
    asked = mlx4_sources.Mlx4Options.read(facts).parameters.get(mlx4.PORTS, "")
    given = (facts.content(f"{mlx4.PARAMETERS}/{mlx4.PORTS}") or b"").decode("ascii", "replace").strip()
    if given and given != asked:
        return (
            f"{seen}: {mlx4_sources.MODULE} was loaded with {mlx4.PORTS}={given}, {mlx4.said_in(facts, mlx4.PORTS)} says {asked}",
            f"Another initramfs was booted, or the module was loaded with other options: see `dmesg | grep {mlx4_sources.MODULE}`.",
        )
    return (
        f"{seen}: {mlx4_sources.MODULE} was told {asked}, and the card did not take it",
        f"The firmware may fix the kind of its ports: mstconfig -d {function.address} query LINK_TYPE_P1 LINK_TYPE_P2 (1 "
        f"InfiniBand, 2 Ethernet, 3 both); see also `dmesg | grep {mlx4_sources.MODULE}`.",
    )


def _on_line(facts: Facts, parameter: str) -> str:
    """A sentence about an option of mlx4_core on the running kernel's command line; empty where there is none."""
    name = f"{mlx4_sources.MODULE}.{parameter}"
    words = [word for word in facts.iommu.command_line.split() if kernel_arguments.key(word) == name]
    return f"the kernel's command line holds {words[-1]}, which goes before the files of modprobe.d" if words else ""

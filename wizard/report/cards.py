"""Cards that can have VFs, in every detail that tells them apart: for `inspect`."""

from __future__ import annotations

from wizard.facts.facts import Facts
from wizard.facts.pci.functions import NetDevice, PciFunction

MAC = len("00:00:00:00:00:00")


def lines(facts: Facts) -> list[str]:
    """Three lines a function: what it is, what hangs on it, and who limits its VFs; VFs and other functions are left out."""
    return [line for function in facts.pci.functions if function.is_listed for line in _of(function)]


def _of(function: PciFunction) -> list[str]:
    own = [f"{function.vendor}:{function.device}", f"serial {function.serial}" if function.serial else "no serial"]
    own += [f"firmware {device.firmware} ({device.board_id})" for device in function.rdma[:1] if device.firmware]
    return [
        f"{function.address} {function.model}: {', '.join(own)}",
        f"  {'; '.join([*_children(function), _group(function)])}",
        f"  {_limits(function)}",
    ]


def _children(function: PciFunction) -> list[str]:
    # IPoIB's hardware addresses are 20 bytes long, and change with each start
    found = [f"{device.name} {_addresses(device)}".strip() for device in function.netdevs]
    if function.switchdev:
        found.append("switchdev mode: its VFs are ports of Open vSwitch (hardware offload)")
    for device in function.rdma:
        ports = [f"port {port.number} {port.link_layer} {port.state}".rstrip() for port in device.ports]
        found.append(f"{device.name} {', '.join(ports)}".strip())
    return found or ["no interface"]


def _addresses(device: NetDevice) -> str:
    if len(device.mac) != MAC:
        return ""
    return f"{device.mac} (came with {device.own})" if device.own not in ("", device.mac) else device.mac


def _group(function: PciFunction) -> str:
    return "no IOMMU group" if function.iommu_group is None else f"IOMMU group {function.iommu_group}"


def _limits(function: PciFunction) -> str:
    if function.total_vfs is None:
        return f"no VFs: {function.why_no_vfs or 'its limit is not known'}"
    most = function.card_family.most_vfs
    driver = f", {function.driver} at most {most}" if most is not None else ""
    why = f": {function.why_no_vfs}" if function.why_no_vfs else ""
    return f"VFs: the kernel and the firmware allow {function.total_vfs}{driver}; {function.num_vfs or 0} now{why}"

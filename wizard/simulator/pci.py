"""VFs and IOMMU groups of a simulated node, as directories and links the way sysfs has them."""

from __future__ import annotations

import ctypes
import os
import posixpath
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wizard.errors import NodeError
from wizard.facts.pci.functions import vf_addresses
from wizard.facts.pci.ids import CARDS, MELLANOX
from wizard.simulator.state import PlayedNode

DEVICES = "/sys/bus/pci/devices"
GROUPS = "/sys/kernel/iommu_groups"
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h


def number(node: PlayedNode, path: str) -> int:
    """A number from a small file; 0 where it is not there."""
    text = node.text(path) or "0"
    return int(text, 0) if text.lstrip("-").replace("x", "", 1).isalnum() else 0


def set_numvfs(node: PlayedNode, function: str, count: int) -> None:
    """Write sriov_numvfs. Raises NodeError as the kernel refuses (drivers/pci/iov.c)."""
    now, total = number(node, f"{function}/sriov_numvfs"), number(node, f"{function}/sriov_totalvfs")
    driver = node.link_name(f"{function}/driver") or ""
    if count == now:
        return
    if driver == "mlx4_core":
        raise NodeError("No such file or directory: the driver does not support SR-IOV configuration via sysfs")
    if count > total:
        raise NodeError("Numerical result out of range")
    if count and now:
        raise NodeError("Device or resource busy")
    with _at_once(node) as aside:
        make_vfs(aside, posixpath.basename(function), count)


@contextmanager
def _at_once(node: PlayedNode) -> Iterator[PlayedNode]:
    """A node whose /sys takes the place of this one's at the end, by one call: a kernel is not killed half-way with whoever
    writes to it, and where it cannot do something, all is as it was."""
    place = node.place("/.compute-wizard/kernel")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(
        node.place("/sys"), place / "sys", symlinks=True, copy_function=os.link
    )  # a changed file is a new one
    yield PlayedNode(place)
    exchange(place / "sys", node.place("/sys"))
    shutil.rmtree(place, ignore_errors=True)


def exchange(one: Path, other: Path) -> None:
    """Let two directories change places (renameat2, from Linux 3.15 on). Raises OSError."""
    arguments = (AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE)
    if ctypes.CDLL(None, use_errno=True).renameat2(*arguments):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(other))


def make_vfs(node: PlayedNode, address: str, count: int) -> None:
    """Give a PF exactly this many VFs, old ones gone."""
    function = f"{DEVICES}/{address}"
    real = node.resolve(function)
    for name in [name for name in node.names(function) if name.startswith("virtfn")]:
        gone = node.link_name(f"{function}/{name}") or ""
        node.place(f"{real}/{name}").unlink()
        shutil.rmtree(node.place(f"{posixpath.dirname(real)}/{gone}"), ignore_errors=True)
        node.place(f"{DEVICES}/{gone}").unlink(missing_ok=True)
        _leave_group(node, gone)
    shutil.rmtree(node.place(f"{real}/sriov"), ignore_errors=True)  # GUIDs go with the VFs
    offset = number(node, f"{function}/sriov_offset") or 1
    stride = number(node, f"{function}/sriov_stride") or 1
    for index, vf in enumerate(vf_addresses(address, offset, stride, count)):
        _add(node, real, vf, index)
    if count and node.names(GROUPS):
        for index in range(count):
            join_group(node, posixpath.basename(node.link(f"{function}/virtfn{index}") or ""))
    node.put(f"{function}/sriov_numvfs", f"{count}\n")


def _add(node: PlayedNode, real: str, vf: str, index: int) -> None:
    parent = posixpath.dirname(real)
    vendor = (node.text(f"{real}/vendor") or "0x0000").removeprefix("0x")
    device = (node.text(f"{real}/device") or "0x0000").removeprefix("0x")
    card = CARDS.get(device) if vendor == MELLANOX else None
    own = node.text(f"{real}/sriov_vf_device") or (card.vf_device if card else device)
    place = node.place(f"{parent}/{vf}")
    shutil.rmtree(place, ignore_errors=True)
    node.place(f"{DEVICES}/{vf}").unlink(missing_ok=True)
    _leave_group(node, vf)
    place.mkdir(parents=True)
    values = {"vendor": f"0x{vendor}", "device": f"0x{own}", "class": node.text(f"{real}/class") or "0x020000"}
    for name, value in values.items():
        (place / name).write_text(f"{value}\n", encoding="ascii")
    (place / "numa_node").write_text(f"{node.text(f'{real}/numa_node') or '-1'}\n", encoding="ascii")
    (place / "physfn").symlink_to(f"../{posixpath.basename(real)}")
    node.place(f"{real}/virtfn{index}").symlink_to(f"../{vf}")
    node.place(f"{DEVICES}/{vf}").symlink_to(f"../../../{parent.removeprefix('/sys/')}/{vf}")


def set_ports(node: PlayedNode, address: str, wanted: list[str]) -> None:
    """The kinds of a card's ports as mlx4_core makes them of port_type_array: 1 and 2; all else is what the card is by itself.

    Ethernet on port 1 beside InfiniBand on port 2 is refused, and both are InfiniBand (main.c, mlx4_check_port_params).
    """
    real = node.resolve(f"{DEVICES}/{address}")
    ports = [name for name in ("mlx4_port1", "mlx4_port2") if node.exists(f"{real}/{name}")]
    kept = f"/.compute-wizard/ports-{address}"
    if not node.exists(kept):
        node.put(kept, "\n".join(node.text(f"{real}/{name}") or "" for name in ports))
    own = (node.text(kept) or "").split("\n")
    if wanted == ["2", "1"]:
        wanted = ["1", "1"]
    elif len(wanted) != len(ports):
        wanted = [""] * len(ports)
    for index, name in enumerate(ports):
        kind = {"1": "ib", "2": "eth"}.get(wanted[index], own[index])
        node.put(f"{real}/{name}", f"{kind}\n")
        for device in node.names(f"{real}/infiniband"):
            layer = f"{real}/infiniband/{device}/ports/{index + 1}/link_layer"
            if node.exists(layer):
                node.put(layer, "InfiniBand\n" if kind == "ib" else "Ethernet\n")


def join_group(node: PlayedNode, address: str) -> None:
    """Put a function into an IOMMU group of its own."""
    taken = [int(name) for name in node.names(GROUPS) if name.isdigit()]
    group = max(taken, default=-1) + 1
    members = node.place(f"{GROUPS}/{group}/devices")
    members.mkdir(parents=True)
    target = (node.link(f"{DEVICES}/{address}") or "").removeprefix("../../../")
    (members / address).symlink_to(f"../../../../{target}")
    real = node.resolve(f"{DEVICES}/{address}")
    up = "../" * (real.count("/") - 1)
    link = node.place(f"{real}/iommu_group")
    link.unlink(missing_ok=True)
    link.symlink_to(f"{up}kernel/iommu_groups/{group}")


def _leave_group(node: PlayedNode, address: str) -> None:
    for group in node.names(GROUPS):
        if node.link(f"{GROUPS}/{group}/devices/{address}") is not None:
            shutil.rmtree(node.place(f"{GROUPS}/{group}"))


def set_groups(node: PlayedNode, on: bool) -> None:
    """All IOMMU groups anew: one for each function, or none."""
    for group in node.names(GROUPS):
        shutil.rmtree(node.place(f"{GROUPS}/{group}"))
    node.place(GROUPS).mkdir(parents=True, exist_ok=True)
    for address in node.names(DEVICES):
        node.place(f"{node.resolve(f'{DEVICES}/{address}')}/iommu_group").unlink(missing_ok=True)
        if on:
            join_group(node, address)

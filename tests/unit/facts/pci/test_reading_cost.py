"""A node has a thousand functions, so what is read of each is counted: files opened, links read. Clocks are not asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from wizard.facts.pci import functions
from wizard.node.recorded import DirectoryNode

FILES = ("vendor", "device", "class", "subsystem_vendor", "subsystem_device", "numa_node", "irq", "config")
VALUES = {"vendor": "0x15b3", "device": "0x1018", "class": "0x020000", "numa_node": "0"}
NET_FILES = ("address", "dev_port", "dev_id", "operstate")
READ = len(FILES) - 2 + len(NET_FILES)  # irq and config say nothing of a VF
TRIED = 1  # what tells a representor is there on few


def node(directory: Path, vfs: int, depth: int = 1) -> DirectoryNode:
    """A PF and so many VFs behind so many bridges."""
    bus = directory / "sys/bus/pci/devices"
    bus.mkdir(parents=True)
    above = directory.joinpath("sys/devices/pci0000:00", *(f"0000:00:{number:02x}.0" for number in range(depth)))
    addresses = ["0000:20:00.0", *(f"0000:20:{1 + n // 8:02x}.{n % 8}" for n in range(vfs))]
    for address in addresses:
        place = above / address
        (place / f"net/n{address}").mkdir(parents=True)
        for name in FILES:
            (place / name).write_text(VALUES.get(name, "0x0001") + "\n")
        for name in NET_FILES:
            (place / f"net/n{address}" / name).write_text("0\n")
        (place / "driver").symlink_to("../../../bus/pci/drivers/mlx5_core")
        (place / "iommu_group").symlink_to("../../../kernel/iommu_groups/7")
        if address != addresses[0]:
            (place / "physfn").symlink_to(f"../{addresses[0]}")
        (bus / address).symlink_to(os.path.relpath(place, bus))
    return DirectoryNode(directory)


def cost(node: DirectoryNode, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often each of these is called while the functions of a node are read."""
    counted = dict.fromkeys(("open", "readlink", "lstat", "listdir"), 0)
    with monkeypatch.context() as patch:
        for name in counted:
            real = getattr(os, name)

            def call(*given: Any, name: str = name, real: Any = real, **named: Any) -> Any:
                counted[name] += 1
                return real(*given, **named)

            patch.setattr(os, name, call)
        assert len(functions.read(node).functions) == len(node.names("/sys/bus/pci/devices"))
    return counted


def each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: int) -> dict[str, float]:
    """What one more VF costs."""
    few, many = (cost(node(tmp_path / f"{depth}-{vfs}", vfs, depth), monkeypatch) for vfs in (8, 40))
    return {name: (many[name] - few[name]) / 32 for name in few}


def test_each_file_of_a_function_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = each(tmp_path, monkeypatch, 1)
    assert one["open"] == READ + TRIED
    assert one["listdir"] == 2  # of itself and of net
    assert one["lstat"] == 0


def test_each_link_is_read_once_however_deep_it_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shallow, deep = each(tmp_path, monkeypatch, 1), each(tmp_path, monkeypatch, 9)
    assert shallow == deep
    # where it is, driver, group; its PF is asked for twice; that it, net (twice) and the interface in it are no links
    assert deep["readlink"] <= 9

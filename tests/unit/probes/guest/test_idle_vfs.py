"""Which VF may be lent: each thing that speaks against one, and which of the idle ones is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from nodes import answered, today

from wizard.facts import facts
from wizard.facts.facts import Facts
from wizard.facts.guests import Role, VfUse
from wizard.facts.pci.functions import NetDevice, PciFunction, RdmaDevice, RdmaPort
from wizard.probes.guest import idle_vfs

PF = "0000:3b:00.0"
VFS = ("0000:3b:00.2", "0000:3b:00.3", "0000:3b:00.4")


def node(*changes: dict[str, Any], in_use: tuple[VfUse, ...] = (), roles: tuple[Role, ...] = ()) -> Facts:
    """Today's node with three VFs of its first ConnectX-5, without a driver; `changes` are for each of them in turn."""
    seen = facts.read(today())
    pf = next(each for each in seen.pci.functions if each.address == PF)
    bare = replace(pf, physical_function=PF, virtual_functions=(), device="1018", driver=None, netdevs=(), rdma=())
    vfs = [replace(bare, address=address, iommu_group=70 + at) for at, address in enumerate(VFS)]
    vfs = [replace(vf, **change) for vf, change in zip(vfs, [*changes, {}, {}, {}], strict=False)]
    others = [each if each.address != PF else replace(each, virtual_functions=VFS) for each in seen.pci.functions]
    guests = replace(seen.guests, in_use=in_use, roles=roles)
    return replace(seen, pci=replace(seen.pci, functions=(*others, *vfs)), guests=guests)


def chosen(seen: Facts, only: str = "", up: frozenset[str] = frozenset(), **answers: Any) -> tuple[str, str]:
    choice = idle_vfs.choose(seen, answered(seen, **answers), up, only)
    return (choice.vf.address if choice.vf else "", choice.why)


def test_the_last_of_those_without_a_driver() -> None:
    assert chosen(node(), vfs=None) == (VFS[2], "")
    assert chosen(node({}, {}, {"driver": "mlx5_core"}), vfs=None) == (VFS[1], "")
    assert chosen(node({}, {}, {"driver": "vfio-pci"}), vfs=None) == (VFS[2], "")


def test_a_host_driver_is_taken_from_one_only_where_nothing_else_is_idle() -> None:
    all_bound = [{"driver": "mlx5_core"}] * 3
    assert chosen(node(*all_bound), vfs=None) == (VFS[2], "")


def test_the_one_that_is_named() -> None:
    assert chosen(node(), VFS[0], vfs=None) == (VFS[0], "")
    assert chosen(node(), PF) == ("", f"{PF} is no VF of this node")


def test_there_are_none() -> None:
    assert chosen(facts.read(today())) == ("", "there is no VF on this node")


ETH = NetDevice("eth9", "0c:42:a1:00:00:01", 1, "down")
RDMA = RdmaDevice("mlx5_9", "", "", "", (RdmaPort(1, "InfiniBand", "ACTIVE"),))


@pytest.mark.parametrize(
    ("change", "more", "why"),
    [
        ({}, {"in_use": (VfUse(VFS[0], "guest instance-0000001a"),)}, "in use by guest instance-0000001a"),
        ({"driver": "pci-stub"}, {"in_use": (VfUse(VFS[0], "driver pci-stub"),)}, "in use by driver pci-stub"),
        ({}, {"roles": (Role(VFS[0], "ssh", "eth9"),)}, "it carries ssh"),
        ({"netdevs": (ETH,)}, {}, "its interface eth9 is up"),
        ({"rdma": (RDMA,)}, {}, "its RDMA port is active"),
        ({"iommu_group": None}, {}, "it is in no IOMMU group"),
        ({"iommu_group": 45}, {}, "it shares IOMMU group 45 with 0000:3b:00.0, which mlx5_core has"),
    ],
)
def test_what_speaks_against_one(change: dict[str, Any], more: dict[str, Any], why: str) -> None:
    found, said = chosen(node(change, **more), VFS[0], up=frozenset({"eth9"}), vfs=None)
    assert found == ""
    assert said.startswith(f"no VF is idle: {VFS[0]}: {why}")


def test_one_that_waits_in_vfio_for_a_guest_is_idle() -> None:
    seen = node({"driver": "vfio-pci"}, in_use=(VfUse(VFS[0], "driver vfio-pci"),))
    assert chosen(seen, VFS[0], vfs=None) == (VFS[0], "")
    held = node({"driver": "vfio-pci"}, in_use=(VfUse(VFS[0], "qemu-kvm (pid 7)"),))
    assert chosen(held, VFS[0], vfs=None)[0] == ""


def test_bridges_and_driverless_functions_in_the_group_do_no_harm() -> None:
    seen = node({"iommu_group": 7})
    bridge: PciFunction = replace(seen.pci.functions[-1], class_code="060400", driver="pcieport", iommu_group=7)
    idle = replace(bridge, class_code="020000", driver=None, address="0000:ff:00.1")
    pci = replace(seen.pci, functions=(*seen.pci.functions, replace(bridge, address="0000:ff:00.0"), idle))
    assert chosen(replace(seen, pci=pci), VFS[0], vfs=None) == (VFS[0], "")


def test_what_the_host_keeps_is_left_to_it() -> None:
    cards = {"card": [{"match": {"address": PF}, "count": 3, "host_vfs": 2}]}
    seen = node()
    assert idle_vfs.kept_by_host(seen, answered(seen, vfs=cards)) == set(VFS[:2])
    assert chosen(seen, VFS[1], vfs=cards) == (
        "",
        f"no VF is idle: {VFS[1]}: it is one of those that the host keeps (host_vfs)",
    )


def test_many_reasons_are_not_all_told() -> None:
    seen = node()
    vf = seen.pci.functions[-1]
    vfs = [replace(vf, address=f"0000:3b:01.{number}", iommu_group=None) for number in range(7)]
    seen = replace(seen, pci=replace(seen.pci, functions=tuple(vfs)))
    assert chosen(seen, vfs=None)[1].endswith("; and 3 more")

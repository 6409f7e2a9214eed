"""Who else keeps on what is answered as off: yes, nobody, or not to be told, of kernel arguments, module options, rules and routers.

A right yes stays one, what cannot be followed is never a no, and a node as it was delivered, with our own files alone, has nothing that cannot
be told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from nodes import answered, origin, planned, replace

from wizard.facts import facts
from wizard.model.steps import WriteFile
from wizard.node.node import Output
from wizard.node.recorded import MemoryNode
from wizard.planning.verification import verify
from wizard.simulator.built_in import built_in, names

CODE = "NODE-SET-ELSEWHERE"
ALONE: dict[str, Any] = dict.fromkeys(("iommu", "vfs", "passthrough", "gateways", "metadata"))
OFF: dict[str, Any] = {
    "iommu": {"enable": False},
    "vfs": {"card": [{"match": {"serial": "MT1644X02937"}, "count": 0}]},
    "gateways": {"network": []},
    "metadata": {"redirect": False},
}
GRUB = "/etc/default/grub"
LISTING = ("ebtables", "-t", "nat", "-L", "--Lc")
RULE = "-p IPv4 --ip-dst 169.254.169.254 --ip-proto tcp --ip-dport 80 -j redirect , pcnt = 3 -- bcnt = 180"
Change = Callable[[MemoryNode], None]


def grub(text: str) -> Change:
    def change(node: MemoryNode) -> None:
        node.entries[GRUB].content += text.encode()

    return change


def modprobe(text: str) -> Change:
    return lambda node: node.write("/etc/modprobe.d/theirs.conf", text)


def nova(line: str, **files: str) -> Change:
    def change(node: MemoryNode) -> None:
        replace(node, "/etc/nova/nova.conf", "[DEFAULT]\n", f"[DEFAULT]\n{line}\n")
        for name, text in files.items():
            node.write(f"/etc/{name}.conf", text)

    return change


def tables(status: int, text: str) -> Change:
    def change(node: MemoryNode) -> None:
        node.commands[LISTING] = Output(LISTING, status, text, "" if status == 0 else "The kernel doesn't support it")

    return change


def listing(*rules: str) -> str:
    return "\n".join(
        ["Bridge table: nat", "", f"Bridge chain: PREROUTING, entries: {len(rules)}, policy: ACCEPT", *rules, ""]
    )


TABLE: dict[str, list[tuple[str, Change]]] = {
    "iommu": [
        ("yes", grub('GRUB_CMDLINE_LINUX="intel_iommu=on"\n')),
        ("yes", grub('A=intel_iommu=on\nGRUB_CMDLINE_LINUX_DEFAULT="quiet $A"\n')),
        ("yes", grub("true && GRUB_CMDLINE_LINUX='iommu=pt'\n")),
        ("no", grub('GRUB_CMDLINE_LINUX="intel_iommu=on"\nGRUB_CMDLINE_LINUX=quiet\n')),
        ("no", grub("# GRUB_CMDLINE_LINUX=intel_iommu=on\n")),
        ("no", grub('GRUB_CMDLINE_LINUX="intel_iommu=off"\n')),
        ("no", grub('X="intel_iommu=on"\n')),
        ("not to be told", grub('[ -e /etc/site ] && GRUB_CMDLINE_LINUX="intel_iommu=on"\nX=\n')),
        ("not to be told", grub(". /etc/site\n")),
        ("not to be told", grub('GRUB_CMDLINE_LINUX="$(site-arguments)"\n')),
        ("not to be told", grub(": </etc/site\nGRUB_CMDLINE_LINUX=quiet\n")),
    ],
    "vfs": [
        ("yes", modprobe("options mlx4_core num_vfs=8\n")),
        ("yes", modprobe("options mlx4-core port_type_array=2,2 num_vfs=0000:04:00.0-4\n")),
        ("yes", modprobe("install mlx4_core /sbin/modprobe --ignore-install mlx4_core num_vfs=8\n")),
        ("yes", grub('GRUB_CMDLINE_LINUX="mlx4_core.num_vfs=8"\n')),
        ("no", modprobe("options mlx5_core num_vfs=8\n")),
        ("no", modprobe("# options mlx4_core num_vfs=8\n")),
        ("no", modprobe("options mlx4_core num_vfs=0\n")),
        ("no", modprobe("install mlx4_core /sbin/modprobe --ignore-install mlx4_core && /sbin/modprobe mlx4_en\n")),
        ("no", lambda node: node.write("/etc/modprobe.d/theirs.txt", "options mlx4_core num_vfs=8\n")),
        ("not to be told", modprobe("install mlx4_core /usr/local/sbin/load-card\n")),
        ("not to be told", modprobe("install mlx4_core /sbin/modprobe -i mlx4_core $(cat /etc/card)\n")),
        ("not to be told", grub(". /etc/site\n")),
    ],
    "gateways": [
        (
            "yes",
            nova("dnsmasq_config_file = /etc/theirs.conf", theirs="dhcp-option=tag:demo-net,option:router,10.44.1.9\n"),
        ),
        ("no", lambda node: node.write("/etc/theirs.conf", "dhcp-option=tag:demo-net,option:router,10.44.1.9\n")),
        ("no", nova("# dnsmasq_config_file = /etc/theirs.conf")),
        ("not to be told", nova("dnsmasq_config_file = $elsewhere")),
    ],
    "metadata": [
        ("yes", tables(0, listing(RULE))),
        ("no", tables(0, listing())),
        ("no", tables(0, listing("-p IPv4 --ip-dst 169.254.169.253 --ip-proto tcp --ip-dport 80 -j redirect"))),
        ("not to be told", tables(255, "")),
    ],
}


def verdict(node: MemoryNode, chapter: str) -> str:
    """What the plan says of it; verify has to say the same."""
    only = {**ALONE, chapter: OFF[chapter]}
    found = [each for each in planned(node, **only).findings if each.code == CODE and each.chapter == chapter]
    seen = facts.read(node)
    checks = [each for each in verify(seen, answered(seen, **only)) if each.chapter == chapter]
    if not found:
        assert not [each for each in checks if "set elsewhere" in each.seen or "cannot be determined" in each.seen]
        return "no"
    (finding,) = found
    said = {"tells": "yes", "warns": "not to be told"}[finding.severity]
    assert [each.state for each in checks if each.seen == finding.seen] == ["held" if said == "yes" else "unknown"]
    return said


@pytest.mark.parametrize(
    ("chapter", "expected", "change"),
    [(chapter, expected, change) for chapter, rows in TABLE.items() for expected, change in rows],
)
def test_yes_no_or_not_to_be_told(chapter: str, expected: str, change: Change) -> None:
    node = origin()
    change(node)
    assert verdict(node, chapter) == expected


def test_a_certain_yes_goes_before_what_cannot_be_told() -> None:
    """Options of a driver alone have several places; elsewhere it is known or it is not."""
    chapter = "vfs"
    yes = next(change for expected, change in TABLE[chapter] if expected == "yes")
    node = origin()
    yes(node)
    node.write("/etc/modprobe.d/zz.conf", "install mlx4_core /usr/local/sbin/load-card\n")
    assert verdict(node, chapter) == "yes"


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("chapter", sorted(OFF))
def test_a_node_as_it_was_delivered_has_nothing_that_cannot_be_told(name: str, chapter: str) -> None:
    node = built_in(name)
    if chapter == "vfs" and name != "origin":
        return  # the answer names the card of that node
    assert verdict(node, chapter) != "not to be told"


@pytest.mark.parametrize("chapter", sorted(OFF))
def test_our_own_files_alone_leave_nothing_that_cannot_be_told(chapter: str) -> None:
    """All files as our plan writes them, then answered as off. Lines without a run in the history count as anybody's."""
    node = origin()
    written = [step for step in planned(node).steps if isinstance(step, WriteFile)]
    assert len(written) > 3
    for step in written:
        node.write(step.path, step.after.data())
    assert verdict(node, chapter) != "not to be told"

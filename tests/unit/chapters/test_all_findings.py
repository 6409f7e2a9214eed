"""Findings of no chapter in particular; and that each has a page and a test."""

from __future__ import annotations

import re

import pytest
from nodes import codes, found, origin, planned, today
from places import REPOSITORY


def test_a_good_node_has_no_finding_that_blocks_or_warns() -> None:
    for node in (origin(), today()):
        assert {finding.severity for finding in planned(node).findings} <= {"tells"}


def test_guests_that_run_are_named() -> None:
    node = origin()
    argv = "/usr/bin/qemu-system-x86_64\0-name\0instance-0000002a\0-m\x002048\0"
    node.write("/proc/4711/cmdline", argv)
    node.write("/proc/4711/stat", "4711 (qemu-system-x86) S 1 " + "0 " * 17 + "12345 " + "0 " * 20 + "\n")
    assert "instance-0000002a" in found(planned(node), "GUESTS-RUNNING").seen


def test_a_file_that_may_not_be_read_blocks_its_chapters_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from wizard.errors import Denied

    node = origin()
    read = node._read

    def denied(path: str) -> bytes:
        if path == "/etc/nova/nova.conf":
            raise Denied("may not be read without root rights", where=path)
        return read(path)

    monkeypatch.setattr(node, "_read", denied)
    plan = planned(node, metadata={"redirect": True, "bridges": ["br1441"], "uplinks": ["vlan+"]})
    assert "/etc/nova/nova.conf" in found(plan, "FILE-HIDDEN").seen
    assert {name for step in plan.steps for name in step.chapters} >= {"iommu", "vfs", "metadata"}


def test_every_code_has_a_page() -> None:
    pattern = re.compile(
        r'"((?:BOOT|IOMMU|VFS|PASSTHROUGH|GATEWAYS|METADATA|FILE|GUESTS|NEUTRON|NODE|NOVA|UNDO)-[A-Z0-9]+(?:-[A-Z0-9]+)*)"'
    )
    used = {
        code
        for path in (REPOSITORY / "wizard").rglob("*.py")
        for code in pattern.findall(path.read_text(encoding="utf-8"))
    } | {"IOMMU-NO-DMAR", "IOMMU-NO-IVRS", "IOMMU-NO-IORT"}
    pages = {path.stem for path in (REPOSITORY / "docs/findings").glob("*.md")} - {"README"}
    errors = {path.stem for path in (REPOSITORY / "docs/errors").glob("*.md")}
    assert used - errors == pages
    assert errors & pages == set()


def test_a_file_that_dnsmasq_would_refuse_to_have_edited_blocks() -> None:
    node = origin()
    node.write("/etc/modprobe.d/mlx4_core.conf", "options mlx4_core num_vfs=4\n")
    node.entries["/etc/nova/nova.conf"].content = b"\xff" + node.entries["/etc/nova/nova.conf"].content
    plan = planned(node, passthrough=None, gateways={"network": [{"label": "demo-net", "router": "10.44.1.1"}]})
    assert found(plan, "FILE-NOT-EDITABLE").chapter == "gateways"


def test_what_is_no_file_is_not_a_matter_of_rights() -> None:
    node = origin()
    node.entries["/etc/nova/nova.conf"].kind = "other"
    finding = found(planned(node), "FILE-HIDDEN")
    assert "a FIFO, a socket or a device" in finding.seen
    assert "root" not in finding.do


def test_guests_count_where_a_reboot_is_needed_whatever_chapter_needs_it() -> None:
    node = origin()
    node.write("/proc/4711/cmdline", "/usr/bin/qemu-system-x86_64\0-name\0instance-0000002a\0")
    node.write("/proc/4711/stat", "4711 (qemu-system-x86) S 1 " + "0 " * 17 + "12345 " + "0 " * 20 + "\n")
    only = planned(node, vfs=None, passthrough=None, gateways=None, metadata=None)
    assert found(only, "GUESTS-RUNNING").chapter == "iommu"
    assert "GUESTS-RUNNING" not in codes(planned(node, iommu=None, vfs=None, passthrough=None))


def test_every_code_has_a_test() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "tests").rglob("test_*.py"))
    pages = {path.stem for path in (REPOSITORY / "docs/findings").glob("*.md")} - {"README"}
    assert [code for code in pages if code not in tests] == []

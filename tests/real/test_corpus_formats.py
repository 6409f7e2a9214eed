"""Every real file of the corpus is read, or refused clearly; what was not to change is byte-identical; twice is once."""

from __future__ import annotations

import difflib
from contextlib import suppress

import corpus
import pytest

from wizard.errors import FormatError
from wizard.facts import system
from wizard.formats import dnsmasq, ebtables, grub_cfg, modprobe, shell_variables
from wizard.node.recorded import MemoryNode


def kept(before: bytes, after: bytes) -> list[bytes]:
    """Lines of before that are gone in after."""
    pairs = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False).get_opcodes()
    return [
        line
        for tag, first, last, _, _ in pairs
        if tag in ("delete", "replace")
        for line in before.splitlines()[first:last]
    ]


def test_grub_defaults() -> None:
    corpus.need()
    known = 0
    for path in corpus.files("grub"):
        source = shell_variables.Source(str(path), path.read_bytes())
        found = shell_variables.evaluate([source])
        for name in ("GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"):
            if found.is_set(name) and found.known(name):
                known += 1
                more = shell_variables.Source("/zz", f'{name}="${name} intel_iommu=on"\n'.encode())
                assert shell_variables.evaluate([source, more]).value(name) == f"{found.value(name)} intel_iommu=on"
            elif found.is_set(name):
                assert str(path) in found.why_unknown(name)
        grub_cfg.linux_lines(source.content)
    assert known > 40


def test_modprobe_files() -> None:
    corpus.need()
    for path in corpus.files("modprobe"):
        before = path.read_bytes()
        after = modprobe.set_parameters(before, "mlx4_core", {"num_vfs": "16"})
        assert modprobe.effective([("x", after)])["mlx4_core"]["num_vfs"] == "16", path
        assert modprobe.set_parameters(after, "mlx4_core", {"num_vfs": "16"}) == after, path
        assert all(b"mlx4" in line for line in kept(before, after)), path


def test_dnsmasq_files() -> None:
    corpus.need()
    for path in corpus.files("dnsmasq"):
        before = path.read_bytes()
        with suppress(FormatError):
            dnsmasq.problems(before)
            after = dnsmasq.set_router(before, "corpus-net", "10.44.1.1")
            assert ("corpus-net", "10.44.1.1") in [
                (each.label, each.router) for each in dnsmasq.router_options(after)
            ], path
            assert dnsmasq.set_router(after, "corpus-net", "10.44.1.1") == after, path
            assert kept(before, after) in (
                [],
                [before.splitlines()[-1]] if before and not before.endswith(b"\n") else [],
            ), path


def test_ebtables_listings() -> None:
    corpus.need()
    read = 0
    for path in corpus.files("ebtables"):
        text = path.read_text(encoding="utf-8")
        try:
            chains = ebtables.parse_listing(text)
        except FormatError:
            assert "broute" in path.name, path  # an error message, not a listing
            continue
        read += 1
        for chain in chains.values():
            for rule in chain.rules:
                assert rule.words[-2:-1] in (("-j",), ("--redirect-target",)) or "-j" in rule.words, (path, rule)
                assert ebtables.canonical(rule.words) == rule.words, (path, rule)
    assert read > 35


@pytest.mark.parametrize("variant", ["legacy-2_0_10_4", "nft-1_8_4"])
def test_listings_with_and_without_counters_say_the_same(variant: str) -> None:
    corpus.need()
    found = [
        path
        for path in corpus.files("ebtables")
        if f"{variant}-libvirt-clean-traffic-nat-l" in path.name and "lx" not in path.name
    ]
    rules = [
        {
            rule.words
            for chain in ebtables.parse_listing(path.read_text(encoding="utf-8")).values()
            for rule in chain.rules
        }
        for path in found
    ]
    assert len(rules) == 2
    assert rules[0] == rules[1]


def test_os_releases() -> None:
    corpus.need()
    for path in corpus.files("osrelease"):
        node = MemoryNode(path.name)
        node.write("/etc/os-release", path.read_bytes().decode("utf-8", "replace"))
        seen = system.read(node)
        assert seen.os_name
        assert '"' not in seen.os_id + seen.os_version, path

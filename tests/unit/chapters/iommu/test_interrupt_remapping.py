"""Without interrupt remapping vfio hands out nothing: the word that switches it off is named."""

from __future__ import annotations

import pytest
from nodes import codes, found, planned, today

from wizard.answers import files as answer_files
from wizard.chapters.iommu.interrupt_remapping import switched_off
from wizard.facts import facts
from wizard.planning.verification import verify

DROP_IN = "/etc/default/grub.d/99-x.cfg"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("quiet intremap=off", "intremap=off"),
        ("nointremap quiet", "nointremap"),
        ("intremap=nosid,off", "intremap=nosid,off"),
        ("intremap=off intremap=on", ""),
        ("intremap=on intremap=off", "intremap=off"),
        ("intremap=no_x2apic_optout", ""),
        ("intremap=nosid", ""),
        ("quiet splash", ""),
    ],
)
def test_the_last_word_counts(line: str, word: str) -> None:
    assert switched_off(line) == word


@pytest.mark.parametrize("word", ["intremap=off", "nointremap"])
def test_it_is_a_warning_with_its_place_and_verify_does_not_hold(word: str) -> None:
    node = today()
    node.write(DROP_IN, f'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT {word}"\n')
    finding = found(planned(node), "IOMMU-NO-INTREMAP")
    assert (finding.severity, finding.seen) == ("warns", f"{DROP_IN} line 1: {word} switches interrupt remapping off")
    checks = verify(facts.read(node), answer_files.from_data({"iommu": {"enable": True}}))
    assert [check.state for check in checks if "remapped" in check.what] == ["failed"]


def test_a_kernel_without_it_is_told_and_a_stock_node_is_not() -> None:
    node = today()
    assert "IOMMU-NO-INTREMAP" not in codes(planned(node))
    entry = node.entries["/boot/config-6.8.0-79-generic"]
    entry.content = entry.content.replace(b"CONFIG_IRQ_REMAP=y", b"# CONFIG_IRQ_REMAP is not set")
    assert "CONFIG_IRQ_REMAP" in found(planned(node), "IOMMU-NO-INTREMAP").seen

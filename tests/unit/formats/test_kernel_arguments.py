"""The kernel's command line: tokens, and what the kernel does with those for the IOMMU."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.formats.kernel_arguments import iommu_verdict, join, missing, split, values


def test_quotes_keep_blanks_together() -> None:
    assert split('a  b="c d" \te') == ["a", 'b="c d"', "e"]


def test_values_in_order_and_dashes_are_underscores() -> None:
    assert values("intel-iommu=off quiet intel_iommu=on", "intel_iommu") == ["off", "on"]
    assert values("quiet", "quiet") == [""]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("quiet", ["intel_iommu=on"]),
        ("intel_iommu=on", []),
        ("intel_iommu=on,sm_on", []),
        ("intel_iommu=only", ["intel_iommu=on"]),
        ("xintel_iommu=on", ["intel_iommu=on"]),
        ("intel_iommu=off", ["intel_iommu=on"]),
    ],
)
def test_missing_looks_at_tokens_and_not_at_pieces_of_them(line: str, left: list[str]) -> None:
    assert missing(line, ["intel_iommu=on"]) == left


@pytest.mark.parametrize(
    ("line", "vendor", "default", "on"),
    [
        ("", "intel", False, False),
        ("", "intel", True, True),
        ("", "intel", None, None),
        ("intel_iommu=on", "intel", None, True),
        ("intel_iommu=off intel_iommu=on", "intel", False, True),
        ("intel_iommu=on intel_iommu=off", "intel", True, False),
        ("intel_iommu=on,igfx_off", "intel", False, True),
        ("intel_iommu=igfx_off", "intel", False, False),
        ("intel_iommu=on iommu=off", "intel", False, False),
        ("intel_iommu=on iommu=soft", "intel", False, False),
        ("", "amd", None, True),
        ("amd_iommu=on", "amd", None, True),
        ("amd_iommu=off", "amd", None, False),
        ("intel_iommu=off", "amd", None, True),
        ("iommu=pt", "arm", None, True),
    ],
)
def test_whether_the_iommu_is_on(line: str, vendor: Any, default: bool | None, on: bool | None) -> None:
    assert iommu_verdict(line, vendor, default, False).on is on


@pytest.mark.parametrize(
    ("line", "default", "passthrough"),
    [
        ("iommu=pt", False, True),
        ("iommu=nopt", True, False),
        ("iommu=pt iommu.passthrough=0", False, False),
        ("iommu.passthrough=1", False, True),
        ("", True, True),
        ("", None, None),
    ],
)
def test_whether_the_host_is_translated(line: str, default: bool | None, passthrough: bool | None) -> None:
    assert iommu_verdict(line, "intel", True, default).passthrough is passthrough


def test_what_stands_against_it_is_named() -> None:
    line = "intel_iommu=off iommu=nopt pci=noari,nomsi mlx4_core.num_vfs=4 quiet amd_iommu=on"
    assert iommu_verdict(line, "intel", True, False).conflicts == (
        "intel_iommu=off",
        "iommu=nopt",
        "pci=noari,nomsi",
    )


@given(st.lists(st.text("abc=,-_", min_size=1, max_size=6)))
def test_split_takes_apart_what_join_put_together(tokens: list[str]) -> None:
    assert split(join(tokens)) == tokens
    assert missing(join(tokens), tokens) == []

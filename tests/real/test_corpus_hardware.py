"""Every output of firmware tools, every sysfs tree and every lspci listing of a corpus of real files."""

from __future__ import annotations

import os
import re
import tarfile
from functools import cache
from pathlib import Path

import pytest

from wizard.facts import firmware_query
from wizard.facts.pci import functions as pci
from wizard.facts.pci.ids import CARDS, VFS, family_of
from wizard.node.node import Node
from wizard.node.recorded import MemoryNode, read_tar

DEFAULT_CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus"
CORPUS = Path(os.environ.get("COMPUTE_WIZARD_CORPUS", DEFAULT_CORPUS))
TOOLS = sorted((CORPUS / "fwtools").glob("*.txt"))
SETTINGS = [path for path in TOOLS if re.search(r"mlxconfig|mstconfig", path.name)]
TREES = sorted((CORPUS / "sysfs").glob("*.tar.*"))
LISTINGS = sorted((CORPUS / "lspci").glob("*.txt"))

pytestmark = pytest.mark.skipif(not (TOOLS and TREES and LISTINGS), reason="corpus")


def name(path: Path | None) -> str:
    return path.name if path else "none"


def text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


@pytest.mark.parametrize("path", TOOLS or [None], ids=name)
def test_every_tools_output_is_settings_or_none(path: Path) -> None:
    query = firmware_query.parse(text(path))
    assert (query is not None) == (path in SETTINGS)


@pytest.mark.parametrize("path", SETTINGS or [None], ids=name)
def test_every_setting_that_was_printed_is_read(path: Path) -> None:
    query = firmware_query.parse(text(path))
    assert query is not None
    printed = text(path).partition("Configurations:")[2].splitlines()[1:]
    rows = [line for line in printed if line.strip(" .")]
    assert len(query.rows) == len(rows)
    assert query.device_type.startswith("ConnectX")
    found = dict(query.next_boot)
    assert re.fullmatch(r"(True|False)\([01]\)", found["SRIOV_EN"])
    assert found["NUM_OF_VFS"].isdecimal()


@cache
def tree(path: Path) -> tuple[Node, set[str]]:
    """The node in a tar, whose files lie below one directory there, and the addresses on its bus."""
    whole = read_tar(path)
    (top,) = whole.names("/")
    node = MemoryNode(path.name)
    node.entries = {
        place.removeprefix(f"/{top}") or "/": entry for place, entry in whole.entries.items() if place != "/"
    }
    with tarfile.open(path) as archive:
        places = (re.fullmatch(r"[^/]+/sys/bus/pci/devices/([^/]+)/?", name) for name in archive.getnames())
        return node, {match[1] for match in places if match}


@pytest.mark.parametrize("path", TREES or [None], ids=name)
def test_every_function_of_every_tree_is_read_or_unseen(path: Path) -> None:
    node, addresses = tree(path)
    facts = pci.read(node)
    assert addresses
    seen = {each.address for each in facts.functions}
    unseen = {each.what.removeprefix("PCI function ") for each in facts.unseen}
    assert seen | unseen == addresses
    for each in facts.functions:
        place = f"/sys/bus/pci/devices/{each.address}"
        assert node.text(f"{place}/vendor") == f"0x{each.vendor}"
        assert node.text(f"{place}/device") == f"0x{each.device}"
        assert node.text(f"{place}/class") == f"0x{each.class_code}"


def test_a_connectx3_of_an_old_kernel_is_known_by_its_id() -> None:
    path = next(path for path in TREES if "mic-dimms" in path.name)
    node, _ = tree(path)
    card = pci.read(node).functions[0]
    assert (card.model, card.family, card.driver, card.offer) == ("ConnectX-3", "mlx4", "mlx4_core", "off")
    assert (card.total_vfs, card.vf_device, card.numa_node) == (None, "1004", 1)
    assert (card.netdevs[0].name, card.netdevs[0].port, card.link_layers) == ("ib0", 1, ("InfiniBand",))


def test_the_table_says_what_lspci_says() -> None:
    named = re.compile(r"\[(ConnectX[^\]]*|Connect-IB[^\]]*)\] \[15b3:([0-9a-f]{4})\]")
    told = {match.groups() for path in LISTINGS for match in named.finditer(text(path))}
    assert told
    assert told == {(CARDS[device].model, device) for _, device in told}


def test_the_table_knows_the_vfs_that_lspci_shows() -> None:
    record = re.compile(r"^(?:\S+:)?\S\S:\S\S\.\d .*\[(ConnectX-[^\]]*)\].*\n((?:[ \t]+.*\n)+)", re.MULTILINE)
    by_model = {card.model: card for card in CARDS.values()}
    told = {
        (match[1], vf[1])
        for path in LISTINGS
        for match in record.finditer(text(path).replace("\r", ""))
        if (vf := re.search(r"VF offset: \d+, stride: \d+, Device ID: ([0-9a-f]{4})", match[2]))
    }
    assert told
    assert told == {(model, by_model[model].vf_device) for model, _ in told}
    assert all(vf in VFS and family_of("15b3", vf) == by_model[model].family for model, vf in told)

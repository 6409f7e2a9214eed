"""Families of cards, boot loaders and init systems: each has both halves, and nobody outside their rooms tells them apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from wizard.chapters.iommu.editors import EDITORS
from wizard.chapters.shared.init_system import STARTERS
from wizard.chapters.vfs.drivers import DRIVERS
from wizard.facts.bootloaders.loader import Way
from wizard.facts.bootloaders.registry import LOADERS
from wizard.facts.init_systems import INIT_SYSTEMS, Init
from wizard.facts.pci.families import FAMILIES

ROOT = Path(__file__).resolve().parents[2]


def test_every_family_has_one_driver_and_no_driver_is_for_a_family_that_is_not_there() -> None:
    named = [name for driver in DRIVERS for name in driver.families]
    assert sorted(named) == sorted(family.name for family in FAMILIES)


def test_every_boot_loader_has_both_halves() -> None:
    assert (
        sorted(editor.loader for editor in EDITORS)
        == sorted(loader.name for loader in LOADERS)
        == sorted(get_args(Way))
    )


def test_every_init_system_has_both_halves() -> None:
    started = sorted(name for starter in STARTERS for name in starter.init_systems)
    assert started == sorted(each.name for each in INIT_SYSTEMS) == sorted(get_args(Init))


def _comparisons(tree: ast.AST, names: frozenset[str]) -> Iterator[ast.AST]:
    """Comparisons, memberships, matches, look-ups and tests of the truth of an attribute or variable with one of these names."""
    for node in ast.walk(tree):
        if (
            (isinstance(node, ast.Compare) and any(_mentions(each, names) for each in (node.left, *node.comparators)))
            or (isinstance(node, ast.Match) and _mentions(node.subject, names))
            or (isinstance(node, ast.Subscript) and _mentions(node.slice, names))
        ):
            yield node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            subject = node.func.attr in ("startswith", "endswith") and _mentions(node.func.value, names)
            key = node.func.attr == "get" and any(_mentions(each, names) for each in node.args)
            if subject or key:
                yield node


def _mentions(node: ast.AST, names: frozenset[str]) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr in names) or (isinstance(node, ast.Name) and node.id in names)


def _outside(rooms: tuple[str, ...]) -> Iterator[tuple[str, ast.Module]]:
    for top in ("wizard", "screens"):
        for path in sorted((ROOT / top).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            if not place.startswith(rooms):
                yield place, ast.parse(path.read_text())


def _found(rooms: tuple[str, ...], *names: str) -> list[str]:
    wanted = frozenset(names)
    return [f"{place}:{node.lineno}" for place, tree in _outside(rooms) for node in _comparisons(tree, wanted)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "code",
    [
        "if function.family == 'mlx4': pass",
        "x = 'a' if family != 'mlx4' else 'b'",
        "y = TABLE[function.family]",
        "z = {}.get(function.family)",
        "ok = function.family in ('mlx4',)",
        "function.family.startswith('mlx')",
        "match function.family:\n    case 'mlx4': pass",
    ],
)
def test_a_comparison_of_a_family_is_seen(code: str) -> None:
    assert len(list(_comparisons(ast.parse(code), frozenset({"family"})))) == 1


def test_families_of_cards_are_told_apart_where_they_are_defined() -> None:
    rooms = ("wizard/facts/pci/",)
    assert _found(rooms, "family", "card_family") == []
    used = [
        f"{place}:{node.lineno}"
        for place, tree in _outside(rooms)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "is_mellanox"
    ]
    assert used == []


def test_boot_loaders_are_told_apart_where_they_are_defined() -> None:
    assert _found(("wizard/facts/bootloaders/",), "way") == []


def test_init_systems_are_told_apart_where_they_are_defined() -> None:
    assert _found(("wizard/facts/init_systems.py",), "init") == []

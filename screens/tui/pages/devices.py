"""Devices: what can have VFs, and what the node itself lives on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static, Tree
from textual.widgets.tree import TreeNode

from screens.shared.key_line import Key
from screens.tui import tones
from screens.tui.page import Page
from screens.tui.widgets.hot import Hot, hot
from screens.tui.widgets.list_view import Column, Rows
from screens.tui.widgets.text_view import TextView
from wizard.chapters.shared import cards
from wizard.facts.pci.functions import PciFunction
from wizard.report import node_tree
from wizard.report.node_tree import Branch
from wizard.safe_text import safe_text

SHORT = {"default route": "route", "root disk": "root"}  # the page has the long words below the table


VIEWS = {"cards": "Cards", "networks": "Networks", "functions": "Table"}


class Branches(Tree[str]):
    """Space folds a branch; Enter is the page's, as everywhere."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "select_cursor" and super().check_action(action, parameters)


def fill(tree: Tree[str], branches: Sequence[Branch]) -> None:
    """Put branches into a tree that shows no root of its own."""
    tree.show_root = False
    tree.guide_depth = 3
    tree.auto_expand = True
    for branch in branches:
        _grow(tree.root, branch)
    tree.root.expand()
    tree.cursor_line = 0


def _grow(node: TreeNode[str], branch: Branch) -> None:
    text = Text(safe_text(branch.text))
    if not branch.children:
        node.add_leaf(text, branch.address)
        return
    grown = node.add(text, branch.address, expand=not branch.folded)
    for child in branch.children:
        _grow(grown, child)


class DevicesPage(Page):
    """Cards as a tree, networks as another one, and all functions as a table; details of the one under the cursor below."""

    NAME = "devices"
    AUTO_FOCUS = ""
    SCROLLS = False
    FINDS = "only devices with"
    BINDINGS: ClassVar = [("t", "view", "another view"), ("space", "fold", "fold")]

    def __init__(self) -> None:
        super().__init__()
        self._view = ""  # one of VIEWS

    def keys(self) -> list[Key]:
        return [("Up/Down", "device"), ("Space", "fold"), ("t", "another view"), ("/", "filter"), ("Tab", "details")]

    def below(self) -> ComposeResult:
        yield from self.overview()

    def body(self) -> ComposeResult:
        yield Hot("", id="views", markup=False)
        yield Static("", id="count", markup=False)
        yield Branches("", id="cards", classes="pane")
        yield Branches("", id="networks", classes="pane")
        columns = [
            Column("address", 12 if self._domains else 7),
            Column("model"),
            Column("driver", 9),
            Column("VFs", 6),
        ]
        yield Rows([*columns, Column("carries", 15)], id="functions", empty="no such device")
        yield TextView(id="detail")

    def on_mount(self) -> None:
        facts = self.state.facts
        if facts is not None:
            fill(self.query_one("#cards", Tree), node_tree.devices(facts))
            fill(self.query_one("#networks", Tree), node_tree.networks(facts))
        self.name_part("#functions", "Table")
        self.name_part("#detail", "Details")
        self.find("")
        self.show_view("cards" if self.full else "functions")

    def show_view(self, view: str) -> None:
        """Show one of the views, and go there."""
        self._view = view
        texts = []
        for name, title in VIEWS.items():
            self.query_one(f"#{name}").display = name == view
            text = f"[{title}]" if name == view else f" {title} "
            texts.append(
                hot(tones.plain(text, "bold $primary" if name == view else tones.DIM), f"screen.view('{name}')")
            )
        self.query_one("#views", Hot).update(Content(" ").join(texts))
        self.query_one("#count").display = view == "functions"
        self.query_one("#detail").display = view != "networks"
        if view == "cards":
            node = self.query_one("#cards", Tree).cursor_node
            self.show_detail(node.data if node is not None else None)
        self.query_one(f"#{view}").focus()

    def action_view(self, view: str = "") -> None:
        """The next view, or the one that was clicked."""
        names = list(VIEWS)
        self.show_view(view or names[(names.index(self._view) + 1) % len(names)])

    def action_fold(self) -> None:
        """Fold or unfold the branch under the cursor."""
        if self._view in ("cards", "networks"):
            self.query_one(f"#{self._view}", Branches).action_toggle_node()

    def action_find(self) -> None:
        self.show_view("functions")
        super().action_find()

    def on_tree_node_highlighted(self, message: Tree.NodeHighlighted[str]) -> None:
        message.stop()
        if message.node.tree.id == "cards":
            self.show_detail(message.node.data or None)

    @cached_property
    def functions(self) -> dict[str, PciFunction]:
        """All that matter here, by address: with VFs, or a network card, or one that the node lives on."""
        facts = self.state.facts
        if facts is None:
            return {}
        return {function.address: function for function in node_tree.shown(facts)}

    @cached_property
    def _domains(self) -> bool:
        return any(not address.startswith("0000:") for address in self.functions)

    @cached_property
    def _roles(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for role in self.state.facts.guests.roles if self.state.facts else ():
            if role.role not in found.setdefault(role.address, []):
                found[role.address].append(role.role)
        return found

    def find(self, text: str) -> None:
        """Only functions with this text in their address, model, driver, interfaces or in what they carry."""
        keys = [address for address in self.functions if text.lower() in self._words(address)]
        of = f" of {len(self.functions)}" if len(keys) != len(self.functions) else ""
        self.query_one("#count", Static).update(
            f"{len(keys)}{of} PCI functions that can have VFs, are network cards, or carry the node itself."
        )
        self.query_one(Rows).show(keys, self.cells)

    def leave_find(self) -> None:
        self.query_one(Rows).focus()

    def _words(self, address: str) -> str:
        function = self.functions[address]
        names = [device.name for device in function.netdevs] + [device.name for device in function.rdma]
        words = [address, function.model, function.driver or "", *names, *self._roles.get(address, [])]
        return " ".join([*words, "vf" if function.is_vf else "", function.serial or ""]).lower()

    def cells(self, address: str) -> list[str]:
        function = self.functions[address]
        bound = cards.limit(function)
        off = "off" if function.offer == "off" else "-"
        vfs = "VF" if function.is_vf else f"{function.num_vfs or 0}/{bound}" if bound is not None else off
        carries = ", ".join(SHORT.get(role, role) for role in self._roles.get(address, []))
        shown = address if self._domains else address[5:]
        return [shown, function.model, function.driver or "-", vfs, carries]

    def on_rows_moved(self, message: Rows.Moved) -> None:
        message.stop()
        if self._view != "cards":
            self.show_detail(message.key)

    def show_detail(self, address: str | None) -> None:
        lines = self.detail(self.functions[address]) if address in self.functions else []
        self.query_one("#detail", TextView).show([safe_text(line) for line in lines])

    def detail(self, function: PciFunction) -> list[str]:
        facts = self.state.facts
        assert facts is not None
        group = facts.iommu.group_of(function.address)
        members = next((members for number, members in facts.iommu.groups if number == group), ())
        firmware = facts.firmware.card(function.address)
        names = ", ".join(device.name for device in function.netdevs) or "none"
        numa = "unknown" if function.numa_node is None else function.numa_node
        lines = [
            f"{function.address} {function.model} [{function.vendor}:{function.device}]",
            f"  serial {function.serial or 'unknown'}, driver {function.driver or 'none'}, NUMA node {numa}",
            f"  interfaces: {names}",
        ]
        for device in function.rdma:
            layers = "/".join(port.link_layer for port in device.ports)
            lines.append(f"  {device.name}: firmware {device.firmware}, {layers}")
        if function.is_vf:
            lines.append(f"  a VF of {function.physical_function}")
        elif function.why_no_vfs:
            lines.append(f"  no VFs: {function.why_no_vfs}")
        if firmware is not None:
            sriov, count = firmware.value("SRIOV_EN"), firmware.value("NUM_OF_VFS")
            lines.append(f"  firmware at the next boot: SRIOV_EN {sriov}, NUM_OF_VFS {count}")
        lines += [f"  carries {role.role}: {role.detail}" for role in facts.guests.roles_of(function.address)]
        lines += [f"  used by {use.by}" for use in facts.guests.uses_of(function.address)]
        vf_uses = [use for use in facts.guests.in_use if use.address in function.virtual_functions]
        lines += [f"  its VF {use.address} is used by {use.by}" for use in vf_uses]
        off = "no IOMMU group: the IOMMU is off"
        lines.append(f"  {off}" if group is None else f"  IOMMU group {group}: {', '.join(members)}")
        return lines

"""Devices: what can have VFs, and what the node itself lives on."""

from __future__ import annotations

from functools import cached_property

from textual.app import ComposeResult
from textual.widgets import Static

from screens.shared.key_line import Key
from screens.tui.page import Page
from screens.tui.widgets.list_view import Column, Rows
from screens.tui.widgets.text_view import TextView
from wizard.chapters.shared import cards
from wizard.facts.pci.functions import PciFunction
from wizard.safe_text import safe_text

SHORT = {"default route": "route", "root disk": "root"}  # the page has the long words below the table


class DevicesPage(Page):
    """A table of PCI functions, details of the one under the cursor below."""

    NAME = "devices"
    AUTO_FOCUS = "Rows"
    SCROLLS = False
    FINDS = "only devices with"

    def keys(self) -> list[Key]:
        return [("Up/Down", "device"), ("/", "filter"), ("Tab", "details")]

    def body(self) -> ComposeResult:
        yield Static("", id="count", markup=False)
        columns = [
            Column("address", 12 if self._domains else 7),
            Column("model"),
            Column("driver", 9),
            Column("VFs", 6),
        ]
        yield Rows([*columns, Column("carries", 15)], id="functions", empty="no such device")
        yield TextView(id="detail")

    def on_mount(self) -> None:
        self.find("")

    @cached_property
    def functions(self) -> dict[str, PciFunction]:
        """All that matter here, by address: with VFs, or a network card, or one that the node lives on."""
        facts = self.state.facts
        if facts is None:
            return {}
        lived_on = {role.address for role in facts.guests.roles}
        return {f.address: f for f in facts.pci.functions if f.offer != "none" or f.is_network or f.address in lived_on}

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
        lines = self.detail(self.functions[message.key]) if message.key else []
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

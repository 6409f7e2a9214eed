"""Devices: what can have VFs, and what the node itself lives on."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import DataTable, Static

from screens.base import Page
from wizard import cards
from wizard.node.pci import PciFunction
from wizard.report import printable


class DevicesPage(Page):
    """A table of PCI functions, details of the one under the cursor below."""

    NAME = "devices"
    AUTO_FOCUS = "DataTable"

    def body(self) -> ComposeResult:
        yield Static("PCI functions: cards that can have VFs first, Mellanox before others.", markup=False)
        table: DataTable[str] = DataTable(cursor_type="row", id="functions")
        yield table
        yield Static("", id="detail", markup=False)

    def functions(self) -> list[PciFunction]:
        """All that matter here: with VFs, or a network card, or one that the node lives on."""
        facts = self.state.facts
        if facts is None:
            return []
        return [f for f in facts.pci.functions if f.offer != "none" or f.is_network or facts.guests.roles_of(f.address)]

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("address", "model", "driver", "VFs", "carries")
        for function in self.functions():
            bound = cards.limit(function)
            vfs = f"{function.num_vfs or 0}/{bound}" if bound is not None else "VF" if function.is_vf else "-"
            table.add_row(
                *(
                    printable(each)
                    for each in (
                        function.address,
                        function.model[:16],
                        function.driver or "-",
                        vfs,
                        self.roles(function),
                    )
                ),
                key=function.address,
            )

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        found = [function for function in self.functions() if function.address == event.row_key.value]
        if found and self.state.facts is not None:
            self.query_one("#detail", Static).update(printable(self.detail(found[0])))

    def on_data_table_row_selected(self, _: DataTable.RowSelected) -> None:
        self.action_next()

    def roles(self, function: PciFunction) -> str:
        facts = self.state.facts
        found = facts.guests.roles_of(function.address) if facts else ()
        return ", ".join(dict.fromkeys(role.role for role in found))

    def detail(self, function: PciFunction) -> str:
        facts = self.state.facts
        assert facts is not None
        group = facts.iommu.group_of(function.address)
        members = next((members for number, members in facts.iommu.groups if number == group), ())
        firmware = facts.firmware.card(function.address)
        names = ", ".join(device.name for device in function.netdevs) or "none"
        rdma = ", ".join(
            f"{d.name} firmware {d.firmware} {'/'.join(p.link_layer for p in d.ports)}" for d in function.rdma
        )
        lines = [
            f"{function.address} {function.model} [{function.vendor}:{function.device}] serial {function.serial or 'unknown'}",
            f"  driver {function.driver or 'none'}, NUMA {function.numa_node}, interfaces {names}{', ' + rdma if rdma else ''}",
            f"  IOMMU group {group} with {', '.join(members)}"
            if group is not None
            else "  no IOMMU group: the IOMMU is off",
        ]
        if function.why_no_vfs:
            lines.append(f"  no VFs: {function.why_no_vfs}")
        if firmware is not None:
            lines.append(
                f"  firmware at the next boot: SRIOV_EN {firmware.value('SRIOV_EN')}, NUM_OF_VFS {firmware.value('NUM_OF_VFS')}"
            )
        lines += [f"  carries {role.role}: {role.detail}" for role in facts.guests.roles_of(function.address)]
        lines += [f"  used: {use.address} by {use.by}" for use in facts.guests.uses_of(function.address)]
        return "\n".join(lines)

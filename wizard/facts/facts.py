"""Facts: all that is known of a node, frozen. What could not be seen is part of it."""

from __future__ import annotations

import json
from dataclasses import field, fields, replace
from typing import Any

from pydantic import TypeAdapter

from wizard.dataclass import dataclass
from wizard.errors import Denied, NodeError
from wizard.facts import bootloader, firmware, guests, initramfs, iommu, kept_files, system
from wizard.facts.network import network
from wizard.facts.neutron import neutron
from wizard.facts.nova import nova
from wizard.facts.pci import functions as pci
from wizard.node.files import Files
from wizard.node.node import Node, Unseen
from wizard.runs import history


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything, one kind of fact each. `files` are the node's configuration files, never part of the JSON."""

    live: bool
    simulated: bool
    privileged: bool
    source: str
    system: system.SystemFacts
    iommu: iommu.IommuFacts
    boot: bootloader.BootFacts
    pci: pci.PciFacts
    firmware: firmware.FirmwareFacts
    nova: nova.NovaFacts
    network: network.NetworkFacts
    guests: guests.GuestFacts
    history: history.History
    initramfs_copies: tuple[tuple[str, str, str], ...] | None
    """(image, path in it, sha256) of the modprobe.d files that the initramfs images hold; None: not looked into."""
    initramfs_setters: tuple[tuple[str, str], ...] = ()
    """(image, path in it) of those of them that give mlx4_core options."""
    neutron: neutron.NeutronFacts = field(default_factory=neutron.NeutronFacts)
    files: Files = field(default_factory=Files, repr=False, compare=False)

    @property
    def unseen(self) -> tuple[Unseen, ...]:
        """Everything that could not be read, each thing once."""
        parts = (getattr(self, each.name) for each in fields(self))
        every = [unseen for part in parts for unseen in getattr(part, "unseen", ())]
        return tuple(dict.fromkeys(every))

    def content(self, path: str) -> bytes | None:
        """The bytes of a configuration file, or None where there is none or it may not be read."""
        return self.files.content(path)

    def hidden(self, path: str) -> str:
        """Why a file may not be read; empty where it may, or is not there."""
        try:
            self.files.get(path)
        except Denied as error:
            return error.what
        except NodeError as error:
            return error.what
        return ""

    def to_data(self) -> dict[str, Any]:
        """As JSON-able data, without the files."""
        return {
            each.name: TypeAdapter(type(getattr(self, each.name))).dump_python(getattr(self, each.name), mode="json")
            for each in fields(self)
            if each.name != "files"
        }

    def to_json(self, *, files: bool = False) -> str:
        """As JSON. With `files` the configuration files are in it, secrets and all, and a plan can be made of what comes back."""
        kept = {"files": self.files.to_data()} if files else {}
        return json.dumps({**self.to_data(), **kept}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Facts:
        """The facts that were written by :meth:`to_json`; their files are at hand only if they were written too."""
        data = json.loads(text)
        kept = data.pop("files", None)
        facts = cls._from_data(data)
        return facts if kept is None else replace(facts, files=Files.from_data(kept))

    @classmethod
    def _from_data(cls, data: dict[str, Any]) -> Facts:
        kinds: dict[str, Any] = {
            "system": system.SystemFacts,
            "iommu": iommu.IommuFacts,
            "boot": bootloader.BootFacts,
            "pci": pci.PciFacts,
            "firmware": firmware.FirmwareFacts,
            "nova": nova.NovaFacts,
            "network": network.NetworkFacts,
            "guests": guests.GuestFacts,
            "neutron": neutron.NeutronFacts,
            "history": history.History,
            "initramfs_copies": tuple[tuple[str, str, str], ...] | None,
            "initramfs_setters": tuple[tuple[str, str], ...],
        }
        return cls(
            **{
                name: _adapter(kinds[name]).validate_python(value) if name in kinds else value
                for name, value in data.items()
            }
        )


def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def read(node: Node) -> Facts:
    """Look at the whole node. Changes nothing, and does not fail for what cannot be seen."""
    the_system = system.read(node)
    the_pci = pci.read(node)
    the_network = network.read(node)
    the_boot = bootloader.read(node, the_system)
    the_nova = nova.read(node)
    held = initramfs.looked_into(node, the_boot.initramfs_images)[0] if _needs_initramfs(the_pci) else None
    facts = Facts(
        live=node.live,
        simulated=node.simulated,
        privileged=node.privileged,
        source=node.name,
        system=the_system,
        iommu=iommu.read(node, the_system),
        boot=the_boot,
        pci=the_pci,
        firmware=firmware.read(node, the_pci),
        nova=the_nova,
        network=the_network,
        guests=guests.read(node, the_pci, the_network),
        history=history.read(node),
        initramfs_copies=initramfs.copies(held) if held is not None else None,
        initramfs_setters=initramfs.setters(held, "mlx4_core") if held is not None else (),
        neutron=neutron.read(node, the_nova, the_network),
        files=Files(node),
    )
    kept_files.keep(facts.files, _named(facts))
    return facts


def _named(facts: Facts) -> list[str]:
    """The files that are named by what was read."""
    kernel = [f"/lib/modules/{facts.system.kernel}/modules.builtin"] if facts.system.kernel else []
    of_dnsmasq = facts.nova.for_network().last("DEFAULT", "dnsmasq_config_file")
    return [*facts.boot.sources, *facts.nova.config_files, *kernel, *([of_dnsmasq] if of_dnsmasq else [])]


def _needs_initramfs(functions: pci.PciFacts) -> bool:
    """Where VFs come from a module's options; looking into images of 60 MB for nothing would cost seconds."""
    return any(function.card_family.option_module and not function.is_vf for function in functions.functions)

"""ConnectX-3 and older: VFs by the options of mlx4_core. One line of them counts for all cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wizard.boot import next_command_line
from wizard.chapters.shared import boot_space, mlx4_sources
from wizard.chapters.shared.cards import Ports, Request
from wizard.chapters.vfs import mlx4, mlx4_checks, mlx4_findings
from wizard.chapters.vfs.vf_driver import CHAPTER, SUGGESTED
from wizard.facts.facts import Facts
from wizard.facts.pci.families import MLX4
from wizard.facts.pci.functions import PciFunction
from wizard.formats import modprobe
from wizard.model.changes import Changes
from wizard.model.findings import Check, Finding


class Mlx4:
    families: tuple[str, ...] = (MLX4.name,)
    one_for_all = True
    sets_ports = True

    def configured(self, facts: Facts, function: PciFunction) -> int | None:
        """Of cards that share one option, what all of them can have where it says nothing."""
        return mlx4.suggested(facts, function, SUGGESTED)

    def host_vfs(self, facts: Facts, function: PciFunction) -> int:
        return mlx4.host_vfs(facts, function)

    def ports(self, facts: Facts, function: PciFunction) -> Ports | list[Ports]:
        return mlx4.configured_ports(facts)

    def gets_none(self, facts: Facts, function: PciFunction) -> bool:
        """The option is more than this card can have, and another one has it: to ask for fewer would take VFs from that one, to
        ask for as many would be refused."""
        count = self.configured(facts, function)
        if not count or mlx4.gets(function, count):
            return False
        return any(mlx4.gets(other, self.configured(facts, other) or 0) for other in mlx4.cards_here(facts))

    def changes(self, facts: Facts, requests: Sequence[Request]) -> Changes:
        return mlx4.changes(facts, list(requests))

    def changes_now(self, facts: Facts, request: Request) -> bool:
        return True

    def findings_of_one(self, facts: Facts, request: Request) -> list[Finding]:
        return mlx4_findings.of_ports(facts, request)

    def findings(self, facts: Facts, requests: Sequence[Request]) -> list[Finding]:
        found = mlx4_findings.of_all_cards(facts, list(requests))
        if mlx4.rebuilds_initramfs(facts, list(requests)):
            found += boot_space.finding(facts, CHAPTER, "making the initramfs anew", boot_space.needed(facts))
        return found

    def set_by_others(self, facts: Facts, request: Request) -> list[str]:
        edits = mlx4.changes(facts, [request]).edits
        return _options(facts, {edit.path: edit.change(facts.content(edit.path)) for edit in edits})

    def perhaps_set_by_others(self, facts: Facts, request: Request) -> list[str]:
        return _doubts(facts)

    def owners(self, facts: Facts, function: PciFunction) -> list[str]:
        return _options(facts, {})

    def checks_of_all(self, facts: Facts, requests: Sequence[Request]) -> list[Check]:
        return mlx4_checks.initramfs(facts, requests)

    def is_idle(self, facts: Facts, request: Request) -> bool:
        return False

    def not_yet(self, facts: Facts, request: Request, what: str, seen: str) -> Check | None:
        return mlx4_checks.not_yet(facts, request, what, seen)

    def set_at_boot(self, facts: Facts, request: Request) -> bool:
        return True

    def checks(self, facts: Facts, request: Request) -> list[Check]:
        return [mlx4_checks.ports(facts, request)] if mlx4.wanted_ports(request) else []


def _options(facts: Facts, overlay: Mapping[str, bytes | None]) -> list[str]:
    """num_vfs as mlx4_core will be loaded with it, unless that is 0: of the files, and of what comes after them."""
    options = mlx4_sources.Mlx4Options.read(facts, overlay)
    found = [
        f"{each.place}: {mlx4_sources.MODULE}.num_vfs={each.options['num_vfs']}"
        for each in options.later
        if each.options.get("num_vfs", "0") != "0"
    ]
    places = modprobe.places(options.files, mlx4_sources.MODULE, "num_vfs")
    if places and places[-1][2].partition("=")[2].strip('"') != "0":
        path, number, word = places[-1]
        found.append(f"{path} line {number}: options {mlx4_sources.MODULE} {word}")
    return found


def _doubts(facts: Facts) -> list[str]:
    """Files of modprobe.d that may not be read, a next kernel line that cannot be computed, and a program that loads the module."""
    found = [
        f"{directory}/{name}: {facts.hidden(f'{directory}/{name}')}"
        for directory in modprobe.DIRECTORIES
        for name in facts.files.names(directory)
        if name.endswith(".conf") and facts.hidden(f"{directory}/{name}")
    ]
    line = next_command_line.next_boot(facts)
    if line.arguments is None and not line.broken:
        found.append(f"the next boot's kernel line, which has the last word: {line.why}")
    files = mlx4_sources.Mlx4Options.read(facts, {}).files
    installs = modprobe.installs(files, mlx4_sources.MODULE)
    for path, number, command in installs[:1]:  # the first one counts
        if not modprobe.known_install(command):
            found.append(f"{path} line {number}: install {mlx4_sources.MODULE} {command[:80]}")
    return found

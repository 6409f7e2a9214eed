"""Virtual functions: how many each card is to have, now and after each boot."""

from __future__ import annotations

from wizard.chapters.shared import cards
from wizard.chapters.shared.cards import Card, CardAnswers, Request
from wizard.chapters.vfs import checks as vfs_checks
from wizard.chapters.vfs import findings as vfs_findings
from wizard.chapters.vfs import firmware as vfs_firmware_findings
from wizard.chapters.vfs import ib_guid_suggestion, ib_guids
from wizard.chapters.vfs.drivers import driver_of, shared_out
from wizard.chapters.vfs.vf_driver import SUGGESTED
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.model.answers import AllAnswers
from wizard.model.changes import Changes, LiveAction
from wizard.model.findings import Check, Finding
from wizard.model.questions import Choice, Question, Table
from wizard.model.steps import RunCommand

NAME = "vfs"
TITLE = "Virtual functions"
WHY = (
    "One VM takes one virtual function: this is how many VMs here can have the card. "
    "ConnectX-3 gets them from a module option at boot, every other card from sysfs, now and at each boot."
)
NEEDS: tuple[str, ...] = ()


class Answers(CardAnswers):
    """One entry a card."""


def suggest(facts: Facts) -> Answers | None:
    """Every network card that can have VFs, with what it is set to have; one that has none gets some if it is Mellanox's. A card in
    switchdev mode is left to what set that: VFs have to be made in its order, before or after the mode."""
    found: list[Card] = []
    for function in facts.pci.functions:
        able = function.is_network and not function.is_vf and function.offer == "offered" and not function.switchdev
        if not able or _covered(found, function, facts) or driver_of(function).gets_none(facts, function):
            continue
        found.append(card_for(facts, function))
    return Answers(card=found) if found else None


def card_for(facts: Facts, function: PciFunction) -> Card:
    """An entry for a function, with what it is set to have; one that has no VFs gets some if it is Mellanox's."""
    now = configured(facts, function)
    fresh = min(cards.limit(function) or 0, SUGGESTED) if function.card_family.for_guests else 0
    count = min(now if now is not None else fresh, cards.MOST_VFS)  # whatever the node says, answers hold no more
    match = _identity(facts, function)
    guids, policy = ib_guid_suggestion.suggested(facts, match) if count else ("", "follow")
    return Card(
        match=match,
        count=count,
        host_vfs=min(driver_of(function).host_vfs(facts, function), count),
        ports=driver_of(function).ports(facts, function),
        guids=guids,
        policy=policy,
    )


def _identity(facts: Facts, function: PciFunction) -> cards.Match:
    """The whole card; but for its port alone where another one is in switchdev mode, and left alone, or has GUIDs of another kind."""
    match = cards.identity(function)
    ports = cards.select(match, facts.pci)
    alone = any(port.switchdev for port in ports if port.address != function.address)
    return cards.port_identity(function) if alone or ib_guid_suggestion.differ(facts, ports) else match


def not_answered(facts: Facts, answers: AllAnswers) -> list[PciFunction]:
    """Functions that can have VFs and are in no entry of the answers."""
    mine = answers.of(Answers)
    there = list(mine.card) if mine else []
    able = [function for function in facts.pci.functions if function.offer == "offered" and not function.is_vf]
    return [function for function in able if not _covered(there, function, facts)]


def _covered(found: list[Card], function: PciFunction, facts: Facts) -> bool:
    return any(function in cards.select(card.match, facts.pci) for card in found)


def configured(facts: Facts, function: PciFunction) -> int | None:
    """How many VFs the function is set to have at the next boot, by whoever set it; None where nobody did."""
    return driver_of(function).configured(facts, function)


def questions(facts: Facts, answers: AllAnswers) -> list[Question | Table]:
    mine = answers.of(Answers)
    found: list[Question | Table] = []
    for index, card in enumerate(mine.card if mine else []):
        functions = cards.select(card.match, facts.pci)
        group = "; ".join(describe(function) for function in functions) or f"no card here has {card.match}"
        off = "" if functions else "there is no such card on this node"
        bound = min((cards.limit(f) or 0 for f in functions), default=0)
        found.append(
            Question(
                ("card", index, "count"),
                "number",
                "VFs for each function" if len(functions) > 1 else "VFs",
                help=f'up to {bound}, or "max"; 0 takes them away',
                group=group,
                disabled=off,
            )
        )
        found.append(
            Question(("card", index, "host_vfs"), "number", "of these, kept by the host", group=group, disabled=off)
        )
        if any(driver_of(function).sets_ports for function in functions):
            found.append(_ports_question(index, group))
        if any(ib_guids.needs(function) for function in functions):
            found += _guid_questions(index, group)
        if any(function.card_family.mstconfig for function in functions):
            found.append(_firmware_question(facts, index, group))
    return found


def _ports_question(index: int, group: str) -> Question:
    choices = (Choice("infiniband", "InfiniBand"), Choice("ethernet", "Ethernet"), Choice("keep", "keep as they are"))
    return Question(("card", index, "ports"), "choice", "Ports", choices=choices, group=group)


def _guid_questions(index: int, group: str) -> list[Question]:
    choices = (Choice("follow", "as the port"), Choice("up", "always up"), Choice("down", "down"))
    guids = "FIRST-LAST or a list, unique in the fabric; each port gets an equal part. Empty: none are set"
    return [
        Question(("card", index, "guids"), "text", "GUIDs of the VFs", help=guids, group=group),
        Question(("card", index, "policy"), "choice", "State of their ports", choices=choices, group=group),
    ]


def _firmware_question(facts: Facts, index: int, group: str) -> Question:
    choices = (
        Choice("keep", "leave it as it is"),
        Choice("set", "raise its limits where they stand in the way (one way)"),
    )
    off = "" if facts.firmware.tool else "mstconfig is not installed (package mstflint)"
    return Question(("card", index, "firmware"), "choice", "Firmware", choices=choices, group=group, disabled=off)


def describe(function: PciFunction) -> str:
    """One line: address, model, driver, link layer, NUMA node, VFs now and at most."""
    layers = "/".join(dict.fromkeys(function.link_layers))
    numa = f"NUMA {function.numa_node}" if function.numa_node is not None and function.numa_node >= 0 else ""
    bound = cards.limit(function)
    vfs = f"VFs now {function.num_vfs or 0}, at most {bound}" if bound is not None else function.why_no_vfs
    parts = [function.address, function.model, function.driver or "no driver", layers, numa]
    return " ".join(part for part in parts if part) + f": {vfs}"


def changes(facts: Facts, answers: AllAnswers) -> Changes:
    mine = answers.of(Answers)
    if mine is None:
        return Changes()
    requests = cards.requests(mine, facts.pci)
    parts = [driver.changes(facts, own) for driver, own in shared_out(requests)]
    return Changes(
        edits=tuple(edit for part in parts for edit in part.edits),
        products=tuple(product for part in parts for product in part.products),
        actions=tuple(action for part in parts for action in part.actions) + _firmware(facts, requests),
        reads=tuple(path for part in parts for path in part.reads),
        attributes=_identities(facts, requests),
    )


def _identities(facts: Facts, requests: list[Request]) -> tuple[tuple[str, str], ...]:
    """What says that the cards still are where they were: a card can be replaced, and addresses can move, without a reboot."""
    found: dict[str, str] = {}
    for function in (request.function for request in requests):
        place = f"/sys/bus/pci/devices/{function.address}"
        found |= {f"{place}/vendor": f"0x{function.vendor}", f"{place}/device": f"0x{function.device}"}
        if function.total_vfs is not None:
            found[f"{place}/sriov_totalvfs"] = str(function.total_vfs)
    return tuple(found.items())


def _firmware(facts: Facts, requests: list[Request]) -> tuple[LiveAction, ...]:
    """Firmware is changed only where it stands in the way, and only when the answers say so. It cannot be taken back."""
    return tuple(
        LiveAction(
            RunCommand(
                chapters=(NAME,),
                phase="last",
                argv=(facts.firmware.tool or "", "-y", "-d", function.address, "set", *words),
                why=(f"the firmware of {function.address} does not offer {count} VFs",),
                labels=("one-way", "reboot"),
                deadline_s=120,
                id=f"{NAME}/firmware:{function.address}",
            ),
            order=90,
        )
        for function, words, count in vfs_firmware_findings.steps(facts, requests)
    )


def findings(facts: Facts, answers: AllAnswers) -> list[Finding]:
    mine = answers.of(Answers)
    return vfs_findings.findings(facts, mine.card if mine else [], cards.requests(mine, facts.pci) if mine else [])


def checks(facts: Facts, answers: AllAnswers) -> list[Check]:
    mine = answers.of(Answers)
    return vfs_checks.checks(facts, cards.requests(mine, facts.pci)) if mine else []


def summary(facts: Facts) -> list[str]:
    functions = [f for f in facts.pci.functions if not f.is_vf and (f.offer != "none" or f.card_family.for_guests)]
    return [describe(function) for function in functions] or ["no device with SR-IOV was found"]

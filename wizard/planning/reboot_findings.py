"""What is to be known before a plan ends in a reboot: what else wakes at it, and whether it is one that reaches GRUB at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from wizard.boot.woken import RENAMES, Woken, woken
from wizard.chapters.iommu.kernel_arguments import Answers
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments
from wizard.model.answers import AllAnswers
from wizard.model.findings import Finding, Severity
from wizard.model.steps import RunCommand

NAMING = (
    "/etc/network/interfaces.d",
    "/etc/netplan",
    "/etc/sysconfig/network-scripts",
    "/etc/sysconfig/network",
    "/etc/systemd/network",
    "/etc/NetworkManager/system-connections",
)
NAMING_FILES = ("/etc/network/interfaces", "/etc/nova/nova.conf", "/etc/nova/nova-compute.conf")
MOST = 8  # interfaces or files that are named


def findings(
    facts: Facts, answers: AllAnswers, steps: Iterable[Any], overlay: Mapping[str, bytes | None]
) -> list[Finding]:
    """Nothing where the steps need no reboot."""
    planned = list(steps)
    chapter = next((step.chapters[0] for step in planned if {"reboot", "power-cycle"} & set(step.labels)), None)
    if chapter is None:
        return []
    commands = [step.argv for step in planned if isinstance(step, RunCommand)]
    mine = answers.of(Answers)
    found = [_pending(facts, each, mine) for each in woken(facts, overlay, commands)]
    return [*found, *_kexec(facts, chapter)]


def _pending(facts: Facts, word: Woken, mine: Answers | None) -> Finding:
    """A word that can lose the node blocks until the answers accept it by its name."""
    accepted = mine is not None and word.name in mine.accept
    severity: Severity = "tells"
    if word.loses and not accepted:
        severity = "blocks" if mine is not None else "warns"
    where = "; ".join(word.places) or "the boot loader's entry"
    if word.gone:
        seen = f"{word.name} runs now, and is not on the next boot's line"
    else:
        seen = f"{where}: {word.name} is on the next boot's line, and does not run now"
    renamed = _renamed(facts) if kernel_arguments.key(word.word) in RENAMES else ""
    how = f"It can lose the node: {word.loses}." if word.loses else "What it does has not been seen on this node yet."
    change = "put it back where the line is made" if word.gone else "take it away where it is set"
    accept = f'accept it by its name, in the wizard or as accept = ["{word.name}"] in [iommu]'
    return Finding(
        code="BOOT-PENDING-WORD",
        severity=severity,
        chapter="iommu",
        seen=seen,
        why=f"Somebody set it after the last boot: it comes into force with the reboot that this plan needs. {how}{renamed}",
        do=f"If it is not meant, {change}; if it is, {accept}." if word.loses else "Nothing, if it is meant.",
    )


def _renamed(facts: Facts) -> str:
    """The interfaces whose names change, and the files that name them, as a sentence."""
    names = [link.name for link in facts.network.links if link.kind == "physical"]
    if not names:
        return ""
    files = [path for path in _naming_files(facts) if _mentions(facts.content(path), names)]
    said = f" {', '.join(names[:MOST])} may be renamed"
    return said + (f"; {', '.join(files[:MOST])} name{'s' if len(files) == 1 else ''} them." if files else ".")


def _naming_files(facts: Facts) -> list[str]:
    listed = [f"{directory}/{name}" for directory in NAMING for name in facts.files.names(directory)]
    return [*NAMING_FILES, *listed]


def _mentions(content: bytes | None, names: Iterable[str]) -> bool:
    text = (content or b"").decode("utf-8", "replace")
    return any(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text) for name in names)


def _kexec(facts: Facts, chapter: str) -> list[Finding]:
    if not facts.boot.kexec:
        return []
    return [
        Finding(
            code="BOOT-KEXEC",
            severity="warns",
            chapter=chapter,
            seen=facts.boot.kexec,
            why="A reboot of this node goes through kexec, which passes GRUB, the BIOS and the reset of the cards by: what the plan "
            "prepares for the next boot may not come with it.",
            do="Switch the node off and on (or `systemctl reboot` with LOAD_KEXEC=false) in place of a plain reboot.",
        )
    ]

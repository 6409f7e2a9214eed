"""The kernel's command line at the next boot, word by word: what is new, what goes, and which file each word comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wizard.boot import next_command_line
from wizard.boot.next_command_line import NextLine
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments
from wizard.model.plan import Plan
from wizard.model.steps import RemoveFile, RunCommand, WriteFile


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the line. `origin` is PATH:LINE or the variable it comes from, "" where that is not known. `foreign`: it is new,
    and not because of this plan: somebody else's file takes effect at the same boot."""

    sign: Literal["+", "-", " "]
    word: str
    origin: str = ""
    foreign: bool = False


def tokens(facts: Facts, plan: Plan) -> list[Token]:
    """The words of the next boot's line in their order, then those that are gone; empty where one of the two lines is unknown."""
    line = plan.kernel_command_line
    if line.now is None or line.after_reboot is None:
        return []
    overlay = {step.path: _content(step) for step in plan.steps if isinstance(step, WriteFile | RemoveFile)}
    commands = [step.argv for step in plan.steps if isinstance(step, RunCommand)]
    coming = next_command_line.next_boot(facts, overlay, commands)
    origins = _origins(coming)
    now, then = kernel_arguments.split(line.now), kernel_arguments.split(line.after_reboot)
    found = []
    for word in then:
        origin, path = origins.get(word, ("", ""))
        new = word not in now
        found.append(Token("+" if new else " ", word, origin, new and bool(path) and path not in overlay))
    return [*found, *(Token("-", word) for word in now if word not in then)]


def _origins(coming: NextLine) -> dict[str, tuple[str, str]]:
    """By word: the place where it came into its variable, and the file. A later assignment holds what it was appended to."""
    found: dict[str, tuple[str, str]] = {}
    before: dict[str, list[str]] = {}
    for path, number, variable, value in coming.layers:
        words = kernel_arguments.split(value)
        found |= {word: (f"{path}:{number}", path) for word in words if word not in before.get(variable, [])}
        before[variable] = words
    for place, value in coming.brought:
        found |= dict.fromkeys(kernel_arguments.split(value), (place, ""))
    return found


def _content(step: WriteFile | RemoveFile) -> bytes | None:
    return step.after.data() if isinstance(step, WriteFile) else None

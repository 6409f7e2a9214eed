"""After an apply, before a reboot is suggested: will the next boot find what the plan wanted, and how does one boot without it?"""

from __future__ import annotations

from dataclasses import dataclass

from wizard.answers import files as answer_files
from wizard.boot import next_command_line
from wizard.boot.artifacts import normal
from wizard.chapters.shared import mlx4_sources
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments
from wizard.model.plan import Plan
from wizard.model.step_text import title
from wizard.planning import guest_findings
from wizard.planning.planner import make_plan
from wizard.runs.history import RUNS

BLACKLIST = f"modprobe.blacklist={mlx4_sources.MODULE}"


@dataclass(frozen=True, slots=True)
class Advice:
    """What is to be said once a run has ended: what comes next, and how to boot without it. A sentence or two each."""

    following: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def after_apply(facts: Facts, plan: Plan) -> list[str]:
    """Sentences for the end of a run, in the order of :func:`advise`."""
    advice = advise(facts, plan)
    return [*advice.following, *advice.without]


def advise(facts: Facts, plan: Plan) -> Advice:
    """What to say at the end of a run: nothing where no reboot is needed; else whether to reboot now, and the way back.

    `facts` are read after the run: the boot menu and the initramfs are judged as they are now.
    """
    if not plan.needs_reboot:
        return Advice()
    wrong = not_ready(facts, plan)
    if wrong:
        waits = [f"Do not reboot yet: {sentence}." for sentence in wrong]
        return Advice((*waits, "Run plan, then apply: what is left is done."))
    verb = "Reboot once, when it suits you, then run `compute-wizard verify`."
    guests = facts.guests.guests
    if guests:
        verb = f"{guest_findings.named(guests)}. A reboot ends every one of them: move them away first. {verb}"
    unknown = not_seen(facts, plan)
    checked = "The boot menu and the initramfs were looked into: they hold what was planned."
    looked = f"Not looked into: {'; '.join(unknown)}." if unknown else checked
    return Advice((looked, verb), (way_back(facts), *_rescue(facts)))


def _rescue(facts: Facts) -> list[str]:
    """The last way back, for a node that this tool cannot be run on any more."""
    runs = facts.history.runs
    return [f"If nothing else helps: from a rescue shell, sh /mnt{RUNS}/{runs[-1].id}/undo.sh."] if runs else []


def not_ready(facts: Facts, plan: Plan) -> list[str]:
    """What is left to be done before a reboot could help, a sentence each."""
    answers = answer_files.from_data(plan.answers, "the plan")
    left = [step for step in make_plan(facts, answers).steps if step.phase == "boot" and "reboot" in step.labels]
    return [f"{title(step)} is still due ({'; '.join(step.why)})" for step in left]


def not_seen(facts: Facts, plan: Plan) -> list[str]:
    """What of the next boot could not be looked into."""
    chapters = {name for step in plan.steps for name in step.chapters}
    found = []
    if "iommu" in chapters and facts.boot.entries is None and facts.boot.grubby_arguments is None:
        found.append(f"the boot menu ({facts.boot.because})")
    by_option = any(function.card_family.option_module for function in facts.pci.functions)
    if "vfs" in chapters and facts.initramfs_copies is None and by_option:
        found.append("the initramfs (an image could not be read or unpacked)")
    if "vfs" in chapters and by_option and not facts.boot.images_follow:
        found.append(f"whether the entries in {facts.boot.generated} hold the initramfs that was made")
    return found


def way_back(facts: Facts) -> str:
    """How to boot this node without the change, in one line."""
    words = _added(facts)
    option = "num_vfs" in mlx4_sources.Mlx4Options.read(facts).parameters
    if not words and not option:
        undo = "; `compute-wizard undo` undoes it" if facts.history.last else ""
        return f"If it does not come up: nothing of this plan is on the kernel's line{undo}."
    recovery = [entry for entry in facts.boot.entries or () if entry.recovery]
    lacks = [entry for entry in recovery if not set(words) & set(kernel_arguments.split(entry.arguments))]
    if lacks:
        how = "choose the recovery entry in the boot menu"
        how += f": it lacks {' '.join(words)}" if words else ""
    else:
        how = facts.boot.loader.without(words)
    if option:
        how += f", and add {BLACKLIST} to its linux line (e): the options are in the initramfs too"
    kept = f"; the initramfs before: {', '.join(facts.boot.kept_images)}" if facts.boot.kept_images else ""
    return f"If it does not come up: {how}{kept}."


def _added(facts: Facts) -> list[str]:
    """The arguments of this tool's that the next boot's line holds and the recovery entries' source does not bring."""
    line = next_command_line.next_boot(facts).arguments
    if line is None:  # the menu that was made of it says it, too
        line = " ".join(entry.arguments for entry in normal(facts.boot.entries or ())[:1])
    return [word for word in next_command_line.OURS if word in kernel_arguments.split(line)]

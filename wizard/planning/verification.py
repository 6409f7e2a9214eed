"""Is it so now? Will it be so after the next boot?"""

from __future__ import annotations

from wizard.answers import files as answer_files
from wizard.chapters.registry import chapters
from wizard.dataclass import dataclass
from wizard.errors import Exit, InputError
from wizard.facts.facts import Facts
from wizard.model.answers import AllAnswers
from wizard.model.findings import Check, Remedy
from wizard.planning.planner import make_plan


@dataclass(frozen=True, slots=True)
class ToBe:
    """What the runs that stand were asked for, chapter by chapter: the later answer replaces the earlier.

    `runs` are those whose answers count, oldest first; none where no run stands. `unseen` says of which it is not known.
    """

    answers: AllAnswers
    runs: tuple[str, ...]
    unseen: tuple[Check, ...]


def to_be(facts: Facts) -> ToBe:
    """What has to be so on this node, as far as this tool was asked for it."""
    asked = {name: (run.id, value) for run in facts.history.standing for name, value in run.answers.items()}
    unseen = [_unseen(each.what, each.why, each.do) for each in facts.history.unread]
    answers, counted = AllAnswers(), set()
    for name, (run, value) in asked.items():
        try:
            answers = answers.replace(name, answer_files.from_data({name: value}).get(name))
            counted.add(run)
        except InputError as error:  # of another version of this tool
            unseen.append(_unseen(f"run {run}", str(error), f"Say it anew: verify --answers FILE, with [{name}]."))
    ordered = {each.NAME: found for each in chapters() if (found := answers.get(each.NAME)) is not None}
    runs = tuple(run.id for run in facts.history.standing if run.id in counted)
    return ToBe(AllAnswers(ordered), runs, tuple(unseen))


def undone(facts: Facts) -> Check | None:
    """What is so on a node whose runs were all undone: nothing of them is asked for. None where a run stands, where one cannot be
    read, or where none was ever undone."""
    gone = [run for run in facts.history.runs if run.undone_by]
    if not gone or facts.history.standing or facts.history.unread:
        return None
    last = gone[-1]
    seen = f"run {last.id} was undone by run {last.undone_by}; nothing that this tool did is asked for any more"
    return Check("history", "Every run of this tool on this node was undone", "held", seen)


def _unseen(run: str, why: str, do: str) -> Check:
    see = "`compute-wizard history` shows what can be seen."
    return Check("history", f"What {run} was asked for", "unknown", why, do or see)


def verify(facts: Facts, answers: AllAnswers) -> list[Check]:
    """Every check of every chapter that is answered; then whether the configuration is all as it is wanted."""
    found = [check for chapter in chapters() for check in chapter.checks(facts, answers)]
    return [*found, _configured(facts, answers)] if answers.names() else found


def _configured(facts: Facts, answers: AllAnswers) -> Check:
    what = "Nothing is left to be done to this node"
    plan = make_plan(facts, answers)
    if plan.blocked:
        first = next(
            (each for each in plan.findings if each.severity == "blocks" and each.chapter in plan.blocked), None
        )
        code, do = (f" ({first.code}: {first.seen})", first.do) if first else ("", "Run check with these answers.")
        return Check("plan", what, "failed", f"blocked: {', '.join(plan.blocked)}{code}", do)
    if plan.steps:
        return Check(
            "plan",
            what,
            "failed",
            f"{len(plan.steps)} step{'s are' if len(plan.steps) > 1 else ' is'} left",
            Remedy.RUN_PLAN,
        )
    return Check("plan", what, "held", "the plan is empty")


def exit_code(checks: list[Check]) -> Exit:
    """0 all held; 2 something failed or waits for a reboot; 7 nothing failed, but something could not be seen."""
    states = {check.state for check in checks}
    if states & {"failed", "pending"}:
        return Exit.CHANGES
    return Exit.UNSEEN if "unknown" in states else Exit.DONE

"""What nova would hand out, now and after the plan: below the questions of Passthrough, in every face."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the first screen loads no engine
    from wizard.facts.facts import Facts
    from wizard.model.answers import AllAnswers


def nova_lines(chapter: str, facts: Facts | None, answers: AllAnswers) -> list[str]:
    """The lines; none in another chapter, or before the node was looked at."""
    if chapter != "passthrough" or facts is None:
        return []
    from wizard.chapters.passthrough import shown

    return shown.lines(facts, answers)

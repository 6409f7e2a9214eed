"""Answers that fit a node as it is."""

from __future__ import annotations

from contextlib import suppress

from pydantic import ValidationError

from wizard.chapters.base import Chapter
from wizard.chapters.registry import chapters
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.model.answers import AllAnswers, AnswersModel
from wizard.model.validation import _dotted, _shown, gravest, problem


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that the node has now and a chapter's model refuses: the node is nobody's input, and ends no command."""

    what: str  # the field, what it would have to be, and what it is


def suggestion(each: Chapter, facts: Facts) -> AnswersModel | Refused | None:
    """Answers of one chapter from what the node is now; None where the chapter does not apply to it."""
    try:
        return each.suggest(facts)
    except ValidationError as error:
        place, what = problem(error, each.Answers)
        is_now = _shown(gravest(error, each.Answers).get("input"))
        return Refused(
            f"{_dotted(place) or each.NAME}: {what}" + ("" if what.endswith(is_now) else f"; it is {is_now}")
        )


def beginning(each: Chapter, facts: Facts) -> AnswersModel | Refused | None:
    """Answers of one chapter to begin with: what is suggested; where that is refused, empty ones if the model has such."""
    found = suggestion(each, facts)
    if isinstance(found, Refused):
        with suppress(ValidationError):
            return each.Answers()
    return found


def suggest(facts: Facts) -> AllAnswers:
    """Answers for every chapter that applies to the node, from what the node is now; without those that are refused."""
    suggested = {each.NAME: suggestion(each, facts) for each in chapters()}
    return AllAnswers({name: found for name, found in suggested.items() if isinstance(found, AnswersModel)})


def left_out(facts: Facts, answers: AllAnswers) -> dict[str, Refused]:
    """By name, the chapters without answers for which none could be suggested, though they apply."""
    suggested = {each.NAME: suggestion(each, facts) for each in chapters() if answers.get(each.NAME) is None}
    return {name: found for name, found in suggested.items() if isinstance(found, Refused)}

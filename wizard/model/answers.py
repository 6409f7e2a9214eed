"""What the admin wants: the answers of all chapters in one frozen container, without knowing the chapters."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict


class AnswersModel(BaseModel):
    """Answers are strict: an unknown key or another type is a mistake that must not pass in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


M = TypeVar("M", bound=AnswersModel)
FORMAT = "compute-wizard.answers/1"


class AllAnswers:
    """Answers by chapter name. A chapter that is absent is left alone."""

    __slots__ = ("_chapters",)

    def __init__(self, chapters: Mapping[str, AnswersModel] | None = None) -> None:
        self._chapters = MappingProxyType(dict(chapters or {}))

    def of(self, model: type[M]) -> M | None:
        """The answers that are of this model: how a chapter finds its own, and those it shares with another."""
        return next((answers for answers in self._chapters.values() if isinstance(answers, model)), None)

    def get(self, chapter: str) -> AnswersModel | None:
        return self._chapters.get(chapter)

    def replace(self, chapter: str, answers: AnswersModel | None) -> AllAnswers:
        """The same answers but for one chapter; None leaves that chapter alone."""
        chapters = {name: each for name, each in self._chapters.items() if name != chapter}
        return AllAnswers(chapters if answers is None else {**chapters, chapter: answers})

    def names(self) -> tuple[str, ...]:
        return tuple(self._chapters)

    def to_data(self) -> dict[str, Any]:
        """As it is kept in a plan and a run."""
        return {name: each.model_dump(mode="json", exclude_none=True) for name, each in self._chapters.items()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AllAnswers) and dict(self._chapters) == dict(other._chapters)

    def __hash__(self) -> int:
        return hash(tuple(sorted(self._chapters)))

    def __repr__(self) -> str:
        return f"AllAnswers({dict(self._chapters)!r})"

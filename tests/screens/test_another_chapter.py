"""A chapter that is added by one registration is asked, planned, shown, numbered and explained in every face."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from driving import page, press, settled, state, text, until, whole
from test_plain_face import walked

from screens.shared.page_order import CHAPTERS, PAGES, TITLES, help_text, page_key
from screens.shared.session import NodeEngine
from screens.terminal.choice import Face, Name
from screens.terminal.probe import Terminal
from screens.tui.app import WizardApp
from wizard.answers import suggestion
from wizard.chapters.base import Chapter
from wizard.chapters.registry import Entry, chapters, registered
from wizard.facts import facts
from wizard.facts.facts import Facts
from wizard.model.answers import AllAnswers, AnswersModel
from wizard.model.changes import Changes, FileEdit
from wizard.model.findings import Check, Finding
from wizard.model.questions import Question, Table
from wizard.planning.planner import make_plan
from wizard.planning.verification import verify
from wizard.report import text as report
from wizard.simulator.built_in import built_in, simulate

PLACE = "/etc/greeting"


class Answers(AnswersModel):
    word: str


def _questions(_facts: Facts, _answers: AllAnswers) -> list[Question | Table]:
    return [Question(("word",), "text", "Word of greeting")]


def _changes(_facts: Facts, answers: AllAnswers) -> Changes:
    mine = answers.of(Answers)
    return Changes(edits=(FileEdit(PLACE, "greets", lambda _: f"{mine.word}\n".encode()),)) if mine else Changes()


def _checks(facts: Facts, answers: AllAnswers) -> list[Check]:
    there = facts.content(PLACE) is not None
    return [Check("greeting", "The greeting is there", "held" if there else "failed", PLACE, "Run plan, then apply.")]


def _findings(_facts: Facts, _answers: AllAnswers) -> list[Finding]:
    return []


GREETING = cast(
    Chapter,
    SimpleNamespace(
        NAME="greeting",
        TITLE="A word of greeting",
        WHY="Who logs in is greeted by a file.",
        NEEDS=(),
        Answers=Answers,
        suggest=lambda _: Answers(word="hello"),
        questions=_questions,
        changes=_changes,
        findings=_findings,
        checks=_checks,
        summary=lambda _: ["nobody is greeted"],
    ),
)


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    with registered(Entry("greeting", "Greeting", lambda: GREETING)):
        yield


def test_it_has_a_place_a_title_a_key_and_help() -> None:
    assert chapters()[-1] is GREETING
    assert CHAPTERS[-1] == "greeting" == PAGES[7]
    assert PAGES[8:] == ("preview", "apply", "verify")
    assert TITLES["greeting"] == "Greeting"
    assert [page_key(name) for name in PAGES[6:]] == ["6", "7", "8", "9", "A"]
    assert help_text("greeting") == GREETING.WHY


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="greeting"), registered(Entry("greeting", "Other", lambda: GREETING)):
        pass


def test_it_is_suggested_planned_and_verified() -> None:
    seen = facts.read(built_in("demo"))
    answers = suggestion.suggest(seen)
    assert answers.get("greeting") == Answers(word="hello")
    plan = make_plan(seen, answers)
    assert [step.chapters for step in plan.steps if getattr(step, "path", "") == PLACE] == [("greeting",)]
    assert PLACE in report.plan(plan)
    assert [check.state for check in verify(seen, answers) if check.chapter == "greeting"] == ["failed"]


@pytest.mark.parametrize("name", ["full", "console"])
async def test_it_is_a_page(name: Name, tmp_path: Path) -> None:
    engine = NodeEngine(simulate(built_in("demo"), tmp_path), str(tmp_path), True)
    app = WizardApp(lambda: engine, True, Face(name, "", Terminal("xterm", "pty")))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: page(pilot) != "")
        await settled(pilot)
        await press(pilot, "7")
        assert page(pilot) == "greeting"
        assert re.search(r"7 +Greeting", text(pilot)) and re.search(r"A +Verify", text(pilot))
        assert GREETING.WHY in whole(pilot) and "Word of greeting" in whole(pilot)
        assert PLACE in whole(pilot)
        await press(pilot, "f1")
        assert GREETING.WHY in whole(pilot)
        await press(pilot, "escape", "A")
        assert page(pilot) == "verify"
        await press(pilot, "8", "escape")  # from the page behind it back to it
        assert page(pilot) == "greeting"
        assert state(pilot).answers.get("greeting") == Answers(word="hello")


def test_it_is_asked_by_number_in_the_plain_face(tmp_path: Path) -> None:
    script = [("Enter begins", "7"), ("7.1 Word of greeting", "welcome"), ("8 Preview", "a"), ("8 Preview", "q")]
    walk, said = walked(tmp_path, script)
    assert "7 A word of greeting" in said
    assert walk.state.answers.get("greeting") == Answers(word="welcome")
    assert PLACE in said

"""One value, asked until it is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from screens.plain import value_text
from screens.plain.terminal_io import Command
from wizard.errors import InputError
from wizard.model.questions import Question

if TYPE_CHECKING:
    from screens.plain.plain_session import PlainSession
from wizard.answers import editing


def choose(session: PlainSession, question: Question, value: Any, label: str) -> Any:
    """One of a few; with arrow keys where they work. Gives the value or BACK."""
    choices = value_text.choices_of(question)
    while True:
        if session.talk.select is not None and len(choices) <= value_text.AT_ONCE:
            said = session.talk.select(f"{label} {question.text}:", choices, value)
            if isinstance(said, Command):
                if not session.obey(said, question.help):
                    return said
                continue
            return said
        line = session.ask(f"{label} {value_text.prompt(question, value)}", value_text.explanation(question))
        if isinstance(line, Command):
            return line
        if not line:
            return value
        try:
            return value_text.meaning(question, line)
        except InputError as error:
            session.talk.say(f"! {error.what}")


def ask_value(session: PlainSession, name: str, question: Question, key: Any, value: Any, label: str) -> bool:
    """Ask one value of the answers until the chapter's model takes it; whether it goes on, or back."""
    while True:
        if question.kind in ("choice", "yesno"):
            wanted = choose(session, question, value, label)
        else:
            line = session.ask(f"{label} {value_text.prompt(question, value)}", value_text.explanation(question))
            if line == "":
                return True
            try:
                wanted = line if isinstance(line, Command) else value_text.meaning(question, line)
            except InputError as error:
                session.talk.say(f"! {error.what}")
                continue
        if isinstance(wanted, Command):
            return False
        if wanted == value:
            return True
        try:
            session.state.answers = editing.change(session.state.answers, name, key, wanted)
        except InputError as error:
            session.talk.say(f"! {error.what}")
            continue
        return True

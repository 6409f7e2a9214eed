"""One question of a chapter as a line, and what a typed line means for it."""

from __future__ import annotations

from typing import Any

from screens.plain.terminal_io import literal
from wizard.answers import editing
from wizard.errors import InputError
from wizard.model.questions import Choice, Question

AT_ONCE = 4  # as many choices are said with the question; of more, `?` gives the list
YES_NO = (Choice(True, "yes"), Choice(False, "no"))


def choices_of(question: Question) -> tuple[Choice, ...]:
    return YES_NO if question.kind == "yesno" else question.choices


def shown(question: Question, value: Any) -> str:
    """A value as it is said."""
    if value is None:
        return "empty"
    found = next((choice.label for choice in choices_of(question) if choice.value == value), None)
    if found is not None:
        return found
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def prompt(question: Question, value: Any) -> str:
    """The question in one line; in brackets what Enter keeps."""
    if question.kind == "yesno":
        return f"{question.text}, yes or no [{shown(question, value)}]:"
    if question.kind == "choice":
        if len(question.choices) > AT_ONCE:
            return f"{question.text}, ? lists them [{shown(question, value)}]:"
        numbered = ", ".join(f"{number} {choice.label}" for number, choice in enumerate(question.choices, 1))
        return f"{question.text}: {numbered} [{_number(question, value)}]:"
    return f"{question.text} [{shown(question, value)}]:"


def _number(question: Question, value: Any) -> str:
    values = [choice.value for choice in question.choices]
    return str(values.index(value) + 1) if value in values else shown(question, value)


def explanation(question: Question) -> str:
    """What `?` says: the help, and what can be typed."""
    lines = [question.help] if question.help else []
    if question.kind == "yesno":
        lines.append("Type y or n.")
    elif question.kind == "choice":
        lines.append("Type a number.")
        lines += [
            f"  {number}  {choice.label}{f' (not now: {choice.disabled})' if choice.disabled else ''}"
            for number, choice in enumerate(question.choices, 1)
        ]
    elif question.kind == "number":
        lines.append("Type a number.")
    else:
        lines.append('Type a text. A text that is a command stands in double quotes: "b"; "" is an empty one.')
    return "\n".join(lines)


def meaning(question: Question, text: str) -> Any:
    """The value behind a line. Raises InputError that says what to type."""
    if question.kind == "yesno":
        words = {"y": True, "yes": True, "n": False, "no": False}
        if text.lower() not in words:
            raise InputError("type y or n")
        return words[text.lower()]
    if question.kind == "choice":
        return _chosen(question, literal(text))
    return editing.parse(question, literal(text))


def _chosen(question: Question, text: str) -> Any:
    """By its number; else by its value or its label."""
    choices = question.choices
    if text.isascii() and text.isdigit() and 1 <= int(text) <= len(choices):
        choice = choices[int(text) - 1]
    else:
        fitting = [each for each in choices if text.lower() in (str(each.value).lower(), each.label.lower())]
        if not fitting:
            raise InputError(f"type a number from 1 to {len(choices)}")
        choice = fitting[0]
    if choice.disabled:
        raise InputError(f"{choice.label} cannot be taken: {choice.disabled}")
    return choice.value

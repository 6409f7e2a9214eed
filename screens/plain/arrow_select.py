"""Choosing with arrow keys, where they work: the one module that knows questionary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import questionary
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from screens.plain.terminal_io import Command
from wizard.model.questions import Choice
from wizard.safe_text import safe_text

PLAIN = questionary.Style([("pointer", "bold"), ("highlighted", "bold"), ("answer", "bold"), ("question", "")])


def select(prompt: str, choices: Sequence[Choice], value: Any) -> Any:
    """A value, or the command that was pressed instead. Raises EOFError and KeyboardInterrupt as a line would."""
    options = [
        questionary.Choice(safe_text(choice.label), value=choice.value, disabled=safe_text(choice.disabled) or None)
        for choice in choices
    ]
    current = next((option for option in options if option.value == value and not option.disabled), None)
    label, _, text = safe_text(prompt).partition(" ")
    question = questionary.select(
        text, options, default=current, qmark=label, pointer=">", instruction=" ", style=PLAIN
    )
    keys = question.application.key_bindings
    assert isinstance(keys, KeyBindings)
    for command in Command:
        _bind(keys, command)
    return question.unsafe_ask()


def _bind(keys: KeyBindings, command: Command) -> None:
    @keys.add(command.value, eager=True)
    def leave(event: KeyPressEvent) -> None:
        event.app.exit(result=command)

"""The stdout of commands: its reader may go away, the disk behind it may be full, or it may not be there at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

from wizard.errors import WizardError


class OutputError(WizardError):
    """Results cannot be written."""


class _Results:
    """A stream that takes no notice of a reader who has seen enough (`head`), and says what else is wrong."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """What is still to come goes nowhere: else Python says at its end, once more, what is said here."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError):
            raise OutputError(f"cannot be written: {error.strerror}", where="standard output") from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def results() -> Iterator[None]:
    """Let commands write to sys.stdout inside this. Raises OutputError where that is not possible."""
    kept = cast("TextIO | None", sys.stdout)  # None where it was closed
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stdout = cast("TextIO", _Results(kept if kept is not None else nowhere))
        try:
            yield
            sys.stdout.flush()
        finally:
            sys.stdout = cast("TextIO", kept)

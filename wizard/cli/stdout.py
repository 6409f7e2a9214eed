"""The stdout of commands: its reader may go away, the disk behind it may be full, or it may not be there at all."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

from wizard.cli.looks import Looks
from wizard.user_files import STANDARD, output_gone


class _Results:
    """A stream that takes no notice of a reader who has seen enough (`head`), and says what else is wrong."""

    def __init__(self, stream: TextIO, looks: Looks | None) -> None:
        self._stream, self._looks = stream, looks

    def write(self, text: str) -> int:
        try:
            return self._stream.write(self._looks.paint(text) if self._looks else text)
        except OSError as error:
            output_gone(self._stream, error)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            output_gone(self._stream, error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


REPORTS = ("check", "plan", "apply", "confirm", "resume", "verify", "undo", "export", "bundle", "record", "validate")
"""Commands whose text is a report that the exit code sums up; what others print is what they are called for."""
CHANGES = ("apply", "resume", "undo")


def may_be_quiet(options: argparse.Namespace) -> bool:
    """Whether --quiet takes the report away: never a document that was asked for, nor what a question is about."""
    if not options.quiet or options.command not in REPORTS:
        return False
    document = getattr(options, "json", False) or getattr(options, "out", None) == STANDARD
    asks = options.command in CHANGES or any(
        getattr(options, proof, None) is not None for proof in ("metadata", "guest")
    )
    return not document and not getattr(options, "format", None) and (not asks or options.yes)


@contextmanager
def results(quiet: bool = False, looks: Looks | None = None) -> Iterator[None]:
    """Let commands write to sys.stdout inside this, in colour by `looks`; where `quiet`, it goes nowhere. Raises OutputError where
    it cannot be written."""
    kept = cast("TextIO | None", sys.stdout)  # None where it was closed
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stdout = cast("TextIO", _Results(kept if kept is not None and not quiet else nowhere, looks))
        try:
            try:
                yield
            except SystemExit:  # the parser's, once it has printed what was asked for
                sys.stdout.flush()
                raise
            sys.stdout.flush()
        finally:
            sys.stdout = cast("TextIO", kept)

"""Regular expressions that are compiled when they are first used: a command uses few of those that its modules hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, AnyStr

METHODS = ("search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn")


class _Regex:
    """Stands for a compiled pattern. Its methods become attributes at the first use, and cost nothing more from then on."""

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self.pattern, self._flags = pattern, flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self.pattern, self._flags)
        for method in METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


if TYPE_CHECKING:

    def regex(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
        """As re.compile, but compiled at the first use; a mistake in it shows only then. Not to be given to functions of `re`."""

else:

    def regex(pattern, flags=0):
        """As re.compile, but compiled at the first use; a mistake in it shows only then. Not to be given to functions of `re`."""
        return _Regex(pattern, flags)

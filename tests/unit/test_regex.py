"""Patterns that are compiled when they are first used do what compiled ones do."""

from __future__ import annotations

import re
from typing import Any

import pytest

from wizard.regex import METHODS, regex

TEXT = "one=1, two=22; ONE=3"
PATTERN = r"(?P<name>[a-z]+)=(?P<value>[0-9]+)"


def plain(found: Any) -> Any:
    if isinstance(found, re.Match):
        return found.span(), found.groupdict()
    return found if isinstance(found, str | list | tuple | None) else [plain(each) for each in found]


@pytest.mark.parametrize("flags", [0, re.IGNORECASE])
@pytest.mark.parametrize("method", METHODS)
def test_each_method(method: str, flags: int) -> None:
    given = ("<\\1>", TEXT) if method.startswith("sub") else (TEXT,)
    ours, theirs = regex(PATTERN, flags), re.compile(PATTERN, flags)
    for _ in range(2):  # the first use compiles, the second finds it done
        assert plain(getattr(ours, method)(*given)) == plain(getattr(theirs, method)(*given))


@pytest.mark.parametrize("name", ["flags", "groups", "groupindex", "pattern"])
def test_what_it_tells_of_itself(name: str) -> None:
    assert getattr(regex(PATTERN, re.IGNORECASE), name) == getattr(re.compile(PATTERN, re.IGNORECASE), name)


def test_bytes() -> None:
    found = regex(rb"a(.)").search(b"xab")
    assert found is not None
    assert found[1] == b"b"


def test_a_wrong_one_is_told_where_it_is_used() -> None:
    wrong = regex("(")
    with pytest.raises(re.error):
        wrong.search("")


def test_no_such_attribute() -> None:
    with pytest.raises(AttributeError):
        _ = regex("a").nothing_of_that_name  # type: ignore[attr-defined]

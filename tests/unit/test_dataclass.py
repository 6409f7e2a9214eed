"""Our dataclasses against those of the standard library: whatever is done to the one comes to the same with the other."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from wizard import dataclass as ours


def family(make: Callable[..., Any]) -> dict[str, type[Any]]:
    """The same classes, made by one or the other."""

    @make(frozen=True, slots=True)
    class Frozen:
        """Frozen, with slots."""

        a: int
        b: str = "b"
        c: tuple[str, ...] = ()
        hidden: int = dataclasses.field(default=0, repr=False, compare=False)
        listed: list[int] = dataclasses.field(default_factory=list, compare=False)

        @property
        def twice(self) -> int:
            return self.a * 2

    @make(slots=True)
    class Loose:
        a: int
        b: list[str] = dataclasses.field(default_factory=list)

    @make(frozen=True)
    class Plain:
        a: int
        b: int = 2

        def __post_init__(self) -> None:
            if self.a < 0:
                raise ValueError("negative")

    @make
    class Bare:
        a: int
        b: int = 2

    @make(frozen=True, slots=True)
    class Empty:
        """Without a field."""

    @make(frozen=True, slots=True)
    class Own:
        a: int

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

        def __repr__(self) -> str:
            return "own"

    @make(frozen=True, slots=True)
    class Inherits(Frozen):
        d: int = 4

    return {each.__name__: each for each in (Frozen, Loose, Plain, Bare, Empty, Own, Inherits)}


OURS, THEIRS = family(ours.dataclass), family(dataclasses.dataclass)


def outcome(cls: type[Any], action: Callable[[type[Any]], object]) -> object:
    try:
        return action(cls)
    except Exception as error:
        return type(error), str(error).replace(ours.__name__, "")


ACTIONS: dict[str, Callable[[type[Any]], object]] = {
    "positions": lambda c: repr(c(1, "x")),
    "defaults": lambda c: repr(c(1)),
    "names": lambda c: repr(c(b=3, a=1)),
    "nothing given": lambda c: repr(c()),
    "twice the same": lambda c: repr(c(1, a=1)),
    "too many": lambda c: repr(c(1, 2, 3, 4, 5, 6, 7)),
    "unknown name": lambda c: repr(c(1, z=1)),
    "refused by itself": lambda c: repr(c(-1)),
    "equal": lambda c: (c(1) == c(1), c(1) != c(1), c(1) == c(2), c(1) == 1),
    "equal but for what is not compared": lambda c: c(1, hidden=5) == c(1),
    "hash": lambda c: (hash(c(1)) == hash(c(1)), len({c(1), c(1), c(2)})),
    "set a field": lambda c: setattr(c(1), "a", 2),
    "set something else": lambda c: setattr(c(1), "other", 2),
    "delete a field": lambda c: delattr(c(1), "a"),
    "replace": lambda c: repr(dataclasses.replace(c(1), a=9)),
    "replace what is not there": lambda c: repr(dataclasses.replace(c(1), z=9)),
    "as a dict": lambda c: dataclasses.asdict(c(1)),
    "fields": lambda c: [(each.name, str(each.type), each.compare, each.repr) for each in dataclasses.fields(c)],
    "copy": lambda c: (copy.copy(c(1)) == c(1), repr(copy.deepcopy(c(1)))),
    "slots": lambda c: getattr(c, "__slots__", None),
    "own lists": lambda c: c(1).b is c(1).b,
    "match": lambda c: c.__match_args__,
    "instance": lambda c: dataclasses.is_dataclass(c(1)),
    "dumped": lambda c: TypeAdapter(c).dump_python(c(1), mode="json"),
    "read": lambda c: repr(TypeAdapter(c).validate_python({"a": 5})),
    "read, wrong": lambda c: TypeAdapter(c).validate_python({"a": "x"}) is None,
}


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("action", ACTIONS)
def test_it_is_a_dataclass(name: str, action: str) -> None:
    found = [outcome(each[name], ACTIONS[action]) for each in (OURS, THEIRS)]
    if action == "read, wrong":  # pydantic's message holds an address of its own documentation
        found = [each[0] if isinstance(each, tuple) else each for each in found]
    if action == "set something else":  # with slots, the library of 3.11 refuses it by a TypeError of its own making
        found = [isinstance(each, tuple) for each in found]
    assert found[0] == found[1]


@ours.dataclass(frozen=True, slots=True)
class Kept:
    """Can be pickled by its name."""

    a: int
    b: str


@given(st.integers(), st.text())
def test_it_is_pickled_and_comes_back(a: int, b: str) -> None:
    kept = Kept(a, b)
    assert pickle.loads(pickle.dumps(kept)) == kept
    assert hash(copy.deepcopy(kept)) == hash(kept)


def test_no_initializer_is_compiled_before_the_first_object() -> None:
    @ours.dataclass(frozen=True, slots=True)
    class Waiting:
        a: int

    before = Waiting.__init__
    assert Waiting(1).a == 1
    assert Waiting.__init__ is not before
    assert Waiting(a=2).a == 2

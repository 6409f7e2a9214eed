"""Three-way merges of lines: what nobody touched stays, what both touched is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.formats.three_way_merge import merged

LINES = st.lists(st.sampled_from([b"a\n", b"b = 1\n", b"[x]\n", b"\n", b" c\n", b"d\\\n", b"\xff\r\n"]), max_size=12)
ENDS = st.sampled_from([b"", b"end without a newline"])
FILES = st.tuples(LINES, ENDS).map(lambda parts: b"".join(parts[0]) + parts[1])


@given(FILES, FILES)
def test_nothing_changed_since_gives_the_file_before_the_run(left: bytes, before: bytes) -> None:
    assert merged(left, left, before) == before


@given(FILES, FILES)
def test_nothing_to_be_taken_back_gives_the_file_as_it_is(left: bytes, now: bytes) -> None:
    assert merged(left, now, left) == now


@given(FILES, FILES)
def test_the_same_change_on_both_sides_is_one_change(base: bytes, both: bytes) -> None:
    assert merged(base, both, both) == both


@given(FILES, FILES, FILES)
def test_neither_side_is_preferred(base: bytes, one: bytes, other: bytes) -> None:
    assert merged(base, one, other) == merged(base, other, one)


@given(st.data())
def test_changes_elsewhere_survive(data: st.DataObject) -> None:
    """Each line of a file is its own; the run and the admin change different ones, with a line between them."""
    count = data.draw(st.integers(3, 14))
    base = [b"line %d\n" % number for number in range(count)]
    sides = data.draw(st.lists(st.sampled_from(["", "run", "admin"]), min_size=count, max_size=count))
    for number in range(1, count):  # neighbours of two sides have no line between them
        if {sides[number - 1], sides[number]} == {"run", "admin"}:
            sides[number] = ""
    left, now, wanted = [], [], []
    for number, (line, side) in enumerate(zip(base, sides, strict=True)):
        how = data.draw(st.sampled_from(["change", "remove", "add"]))
        new = {"change": [b"%s %d\n" % (side.encode(), number)], "remove": [], "add": [line, b"more %d\n" % number]}[
            how
        ]
        left += new if side == "run" else [line]
        now += new if side else [line]
        wanted += new if side == "admin" else [line]
    result = merged(b"".join(left), b"".join(now), b"".join(base))
    added_at_touching_places = result is None
    if not added_at_touching_places:
        assert result == b"".join(wanted)


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "result"),
    [
        (b"a\nRUN\n", b"a\nRUN\n# mine\n", b"a\n", b"a\n# mine\n"),
        (b"a\nRUN\nb\n", b"# mine\na\nRUN\nb\n", b"a\nb\n", b"# mine\na\nb\n"),
        (b"a\nRUN = 1\nb\n", b"a\nRUN = 2\nb\n", b"a\nb\n", None),
        (b"a\nRUN\nb\n", b"a\nRUN\n  goes on\nb\n", b"a\nb\n", None),
        (b"a\nRUN\\\nb\n", b"a\nRUN\\\nmine\nb\n", b"a\nb\n", None),
        (b"a\nb", b"a\nb\nmine\n", b"a\nb", b"a\nb\nmine\n"),
        (b"a\nRUN\n", b"a\nRUN\nmine\n", b"a", None),
        (b"RUN\n", b"", b"before\n", None),
        (b"RUN\n", b"RUN\nmine\n", b"", b"mine\n"),
    ],
)
def test_examples(base: bytes, mine: bytes, theirs: bytes, result: bytes | None) -> None:
    assert merged(base, mine, theirs) == result

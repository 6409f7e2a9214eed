"""num_vfs and probe_vf, in the forms of the kernel's driver and of MLNX_OFED's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.formats import mlx4_options

HERE, THERE = "0000:04:00.0", "0000:05:00.0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8", 8),
        ("0,0,8", 8),
        ("4,4", 8),
        ("1,2,3", 6),
        ("0000:04:00.0-5", 5),
        ("0000:05:00.0-7,0000:04:00.0-5", 5),
        ("0000:05:00.0-7", 0),
        ("", None),
        ("8,", None),
        ("1,2,3,4", None),
        ("²", None),
        ("0x8", None),
        ("0000:04:00.0-5,8", None),
        ("0000:04:00.0-5,0000:04:00.0-6", None),
        ("0000:04:00.0-1-2-3", None),
        ("04:00.0-5,05:00.0-8", 5),
        ("04:00.0-5;6;7,05:00.0-8;9;10", 18),
        ("0000:04:00.0-1;2", 3),
        ("04:00.0-5,0000:04:00.0-5", None),
        ("04:00.0-1;2;3;4", None),
        ("05:00.0-7", 0),
    ],
)
def test_how_many_a_card_is_to_have(text: str, expected: int | None) -> None:
    assert mlx4_options.number(text, HERE) == expected


@pytest.mark.parametrize(
    ("vfs", "probed", "together"),
    [
        ("8", "0", True),
        ("8", "0,0,8", True),
        ("4,4", "1", False),
        ("4,4", "1,1", True),
        ("8", "1,1", False),
        ("8", "²", False),
        (f"{HERE}-5", "0", True),
        (f"{HERE}-5", "1", False),
        (f"{HERE}-5", f"{HERE}-5", True),
        (f"{HERE}-5", f"{THERE}-1", False),
        ("04:00.0-5;6;7", "04:00.0-5;6;7", True),
        ("04:00.0-5;6;7", "04:00.0-7", True),
        ("04:00.0-5;6;7", "04:00.0-6;0;0", False),
    ],
)
def test_what_the_host_keeps_is_of_a_kind_that_is_there(vfs: str, probed: str, together: bool) -> None:
    assert mlx4_options.fit(vfs, probed) is together


@given(st.text(alphabet="0123456789,-:.abcdef\n²", max_size=30))
def test_any_text_has_a_number_or_none(text: str) -> None:
    number = mlx4_options.number(text, HERE)
    assert number is None or number >= 0

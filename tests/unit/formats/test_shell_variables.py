"""Assignments of /etc/default/grub: evaluated where they are plain, unknown with a reason where they are not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.formats.shell_variables import Source, evaluate


def value(text: str, name: str = "X") -> str | None:
    found = evaluate([Source("/f", text.encode())])
    assert found.known(name) == (found.value(name) is not None or not found.is_set(name))
    return found.value(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('X="a b"', "a b"),
        ("X='a \"b\" c' # comment, it's one", 'a "b" c'),
        ("X=plain", "plain"),
        ("X=", ""),
        ('X=""', ""),
        ('export X="a"', "a"),
        ('X="a \\\nb"', "a b"),
        ('X="quote \\" dollar \\$x back \\\\ tick \\`"', 'quote " dollar $x back \\ tick `'),
        ("A=1 X=$A", "1"),
        ('A=1\nX="$A ${A} b"', "1 1 b"),
        ('X="${X:+$X }new"', "new"),
        ('X=old\nX="${X:+$X }new"', "old new"),
        ('X="$NEVER"', ""),
        ('X="${A:-fall back}"', "fall back"),
        ('A=\nX="${A-set}${A:-empty}"', "empty"),
        ('C=1\nX="${C:+x $C}${A:-d e}"', "x 1d e"),
        ('X="${C:+x $C}${A:-d e}"', "d e"),
        ("X='a'\"b\"c", "abc"),
        ("X=a; X=b", "b"),
        ("X=a\nX=b", "b"),
        ("#X=a\nX=b#c", "b#c"),
        ("X=a\\ b", "a b"),
        ('X="a\r"', "a\r"),
        ("X=1 true\nX2=3", None),
        ('X="$tuned \\$tuned_params"', " $tuned_params"),
        ("echo hello\nX=a", "a"),
    ],
)
def test_values(text: str, expected: str | None) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("\nX=`lsb_release -i -s 2> /dev/null || echo Debian`", 2, "command substitution"),
        ('X="a $(b c) d"', 1, "command substitution"),
        ("X=$((1+1))", 1, "arithmetic"),
        ('X=a\nX+=" b"', 2, "+="),
        ('A=$(b)\nX="$A c"', 1, "command substitution"),
        ('X=$(b)\nA=$X\nX="$A c"\nX="$X d"', 1, "command substitution"),
        ("A=$(b)\nA=`c`\nX=$A", 2, "command substitution"),
        ("if true; then\n  X=a\nfi", 2, "condition"),
        ("X=a\n. /etc/other", 2, "."),
        ('X="${A%%b}"', 1, "expansion"),
        ('X="never ends\n', 1, "quote"),
        ("f() {\n X=a\n}", 2, "function"),
    ],
)
def test_what_is_unknown_says_where_and_why(text: str, line: int, reason: str) -> None:
    found = evaluate([Source("/f", text.encode())])
    assert found.value("X") is None
    assert not found.known("X")
    assert f"/f line {line}:" in found.why_unknown("X")
    assert reason in found.why_unknown("X")


def test_after_a_block_assignments_count_again() -> None:
    assert value("if a; then\n X=1\nfi\nX=2") == "2"


def test_later_files_see_earlier_ones() -> None:
    found = evaluate([Source("/a", b'X="quiet"\n'), Source("/b", b'X="$X intel_iommu=on"\n')])
    assert found.value("X") == "quiet intel_iommu=on"
    assert [(layer.path, layer.line) for layer in found.layers("X")] == [("/a", 1), ("/b", 1)]


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=120), st.text("X=\"'`$(){}\\\n ;#ab+if fi", max_size=60).map(str.encode)))
def test_anything_is_read(content: bytes) -> None:
    for assignment in evaluate([Source("/f", content)]).assignments:
        assert (assignment.value is None) == bool(assignment.reason)

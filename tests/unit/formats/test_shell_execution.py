"""What a shell would make of a script: certain, unknown, or its end."""

from __future__ import annotations

import pytest

from wizard.formats.shell_variables import Evaluation, Source, evaluate, program_names


def of(text: str, *, dash: bool = True, programs: tuple[str, ...] = ()) -> Evaluation:
    return evaluate([Source("/f", text.encode())], dash=dash, programs=programs)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('Y=3\nX="quiet splash\nZ="net.ifnames=0 console=tty0"\n', 2),
        ('Y=3\nX="quiet\nZ=""\n', 2),
        ("X='it's'\nY=1\n", 1),
        ("Y=3\nX=quiet splash\n", 2),
        ('X="a=1" b=2 no5lvl\n', 1),
        ('X=a\nX+=" b"\n', 2),
        ("source /etc/other\n", 1),
        ("# c\r\nX=1\r\n\r\nY=2\r\n", 3),
        ("\ufeffX=1\n", 1),
        ("X=a\nif [ -e /x ]; then\nX=b\n", 4),
        ("fi\n", 1),
        ("X=1\nfor a in b; do c; end\n", 3),
        ("case x in a) b ;;\n", 2),
        ("X=(a b)\n", 1),
        ("X=a;;\n", 1),
        ("X=$(a\n", 1),
        ("X=`a\n", 1),
        ("X=${Y\n", 1),
        ("X=a |\n", 2),
        ("X=a && \n", 2),
        ("} \n", 1),
        ("function f { X=1; }\n", 1),
        ("readonly X=1\nX=2 || true\n", 2),
        ("X=${Y/a/b}\n", 1),
        (': "${Y:?}"\n', 1),
        ("exit 0\n", 1),
        ("false\n", 1),
        ('[ -n "$NEVER" ]\n', 1),
        ("let X=1\n", 1),
    ],
)
def test_what_ends_the_shell_is_fatal_with_its_line(text: str, line: int) -> None:
    found = of(text)
    assert found.fatal is not None
    assert found.fatal.line == line
    assert not found.known("X")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("X=a\n[ -e /x ] && X=b\n", 2),
        ("X=a\n[ -e /x ] || X=b\n", 2),
        ("X=a\nif [ -e /x ]; then X=b; else X=c; fi\n", 2),
        ("X=a\nfor i in 1 2; do X=$i; done\n", 2),
        ("X=a\nwhile read X; do :; done < /x\n", 2),
        ("X=a\ncase $Y in b) X=c ;; esac\n", 2),
        ('add() { X="$X $*"; }\nX=""\nadd a\n', 1),
        ("X=a\n. /etc/other\n", 2),
        ('. /etc/other\nX="quiet $SITE"\n', 1),
        ("X=a\neval b\n", 2),
        ("X=a\nread X\n", 2),
        ("X=a\n: ${X:=$(b)}\nX=$(c)\n", 3),
        ('X="${Y:=$(b)}"\n', 1),
        ("[ -e /x ] && return\nX=a\n", 2),
        ("X=a\n$(b) c\n", 2),
        ("X=a\n[ -e /x ] && exit 1\n", 2),
        ("X=a\n[ -e /x ] && nocommand\n", 2),
        ("X=a\nalias b=c\n", 2),
        ("X=a\ncat <<E\n${X:=b}\nE\nX=$(c)\n", 3),
        ("A=$((A = 2))\nX=$A\n", 1),
        ("X=$PATH\n", 1),
        ("X=~/a\n", 1),
        ("f() { return; X=1; }\nf\n", 1),
        ("if [ -f /x ]; then . /x 2>/dev/null; fi\nX=a\n", 1),
        ("site-tool a\nX=a\n", 1),
        ('X="quiet"\ncat > /tmp/n <<EOF\nX="other"\nEOF\nY=1\n', 2),
    ],
)
def test_what_only_a_shell_can_know_is_unknown_with_its_line(text: str, line: int) -> None:
    found = of(text, programs=("site-tool",))
    assert not found.known("X")
    assert found.fatal is None
    assert f"/f line {line}:" in found.why_unknown("X")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("cat <<E >/dev/null\nX=b\nE\nX=a\n", "a"),
        ("site-tool a || true\nX=a\n", "a"),
        ("cat <<-'E'\n\tX=${no}\n\tE\nX=a\n", "a"),
        ("X=a\n(X=b)\n", "a"),
        ("X=a\nX=b | cat\n", "a"),
        ("X=b &\nX=a\n", "a"),
        ("X=b true\nX=a\n", "a"),
        (": ${X:=9}\n", "9"),
        ("X=1\n: ${X:=9}\n", "1"),
        ("X=1\nunset X\n", ""),
        ("X=a\nreturn\nX=b\n", "a"),
        ("{ X=a; }\n", "a"),
        ("true && X=a || X=b\n", "a"),
        ("[ -e /x ] || true && X=a\n", "a"),
        ('Y=1\n[ "$Y" = 1 ] && X=a\n', "a"),
        ("! false\nX=a\n", "a"),
        ("export X=a Y\n", "a"),
        ('GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`\nX="a"\n', "a"),
        ("X=a # it's\n", "a"),
        ("if [ -e /x ]; then Y=1; fi\nX=a\n", "a"),
        ("f() { Y=1; }\nf\nX=a\n", "a"),
    ],
)
def test_what_is_certain_is_known(text: str, value: str) -> None:
    found = of(text, programs=("site-tool",))
    assert found.fatal is None
    assert found.known("X")
    assert found.value("X") == value


@pytest.mark.parametrize(
    "text", ["source /x\n", 'X=a\nX+="b"\n', "X=(a b)\n", "X=$'a'\n", "[[ a = a ]]\n", "X=${Y/a/b}\n"]
)
def test_another_shell_than_dash_may_take_what_dash_refuses(text: str) -> None:
    assert of(text).fatal is not None or of(text).value("X") == "$a"
    assert of(text, dash=False).fatal is None
    assert not of(text, dash=False).known("X")


def test_the_end_in_one_file_is_the_end_of_the_next_ones() -> None:
    found = evaluate([Source("/a", b"readonly X=1\n"), Source("/b", b'X="$X b"\n'), Source("/c", b"X=c\n")])
    assert str(found.fatal) == "/b line 1: X is read only: sh ends there"
    assert not found.known("X")


def test_the_commands_of_a_file() -> None:
    assert program_names(Source("/f", b"X=1\nif a b; then c | d; fi\n$e f\n")) == {"a", "c", "d"}

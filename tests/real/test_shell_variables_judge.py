"""dash itself is the judge: whenever a value is claimed, dash has the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.formats.shell_variables import Source, evaluate

NAMES = ["AA", "BB", "CC"]
PLAIN = st.text("abc =,.:/_-#", max_size=8)
REFERENCE = st.sampled_from(
    ["$AA", "${BB}", "${CC:+x $CC}", "${AA:-d e}", "${BB-f}", "${CC+g}", "\\$h", '\\"', "\\\\", "$", "\\z", "%"]
)
QUOTED = st.lists(st.one_of(PLAIN, REFERENCE), max_size=4).map(
    lambda parts: '"' + "".join(parts).replace("`", "") + '"'
)
SINGLE = st.text('abc $"\\#\n=', max_size=8).map(lambda text: f"'{text}'")
BARE = st.lists(
    st.one_of(st.text("abc=,.:/_-", max_size=5), st.sampled_from(["$AA", "${BB}", "\\ ", "\\$"])), max_size=3
).map("".join)
VALUE = st.lists(st.one_of(QUOTED, SINGLE, BARE), min_size=1, max_size=3).map("".join)
LINE = st.tuples(
    st.sampled_from(["", "export "]), st.sampled_from(NAMES), VALUE, st.sampled_from(["\n", " # c\n", ";", " \\\n\n"])
).map(lambda each: f"{each[0]}{each[1]}={each[2]}{each[3]}")


STEP = st.one_of(
    LINE,
    st.sampled_from(
        [
            "[ -e /nowhere ] && AA=x\n",
            "[ -e / ] || BB=y\n",
            "if [ -e / ]; then AA=z; else CC=w; fi\n",
            'for i in 1 2; do AA="$AA $i"; done\n',
            'f() { BB="$BB $*"; }\n',
            "f() { return; CC=1; }\nf a\n",
            ": ${CC:=9}\n",
            "unset AA\n",
            "readonly CC\n",
            '[ "$AA" = a ] && BB=t\n',
            "(AA=s; exit 1) || true\n",
            "AA=p | cat\n",
            "cat <<E >/dev/null\nAA=h\nE\n",
            "[ -e /nowhere ] && return\n",
            "return\n",
            "! true || AA=n\n",
            "{ BB=g; } >/dev/null\n",
            "AA=$((1 + 2))\n",
            "eval 'CC=e'\n",
            "case a in a) AA=c ;; esac\n",
            "true && AA=q || AA=r\n",
            ": </nowhere || true\n",
            "true </nowhere || AA=r\n",
            "shift 2 || true\n",
            "export 1x=a || true\n",
            "set +e\n",
            "set -e\n",
            "false || true\n",
            "[ -e /nowhere ] && BB=l",
            "AA=$(false)\n",
            "AA=$(echo a) || BB=s\n",
            "cat /nowhere || CC=c\n",
            "f() { [ -e / ] || return 1; AA=f; }\nf\n",
            "f() { if [ -e /nowhere ]; then return 1; fi; BB=f; }\nf || true\n",
            "if [ -e /nowhere ]; then exit 1; fi\n",
            "(exit 1) || AA=x\n",
            "true | false || BB=p\n",
            "unset CC\n",
            "while read AA; do BB=w; done </dev/null\n",
            "case $AA in a) return 1 ;; *) BB=d ;; esac\n",
            "break 0\n",
            ". /nowhere || true\n",
            "AA=$((1 / 0))\n",
            "local AA\n",
        ]
    ),
)
BROKEN = st.sampled_from(
    [
        '"',
        "'",
        "`",
        "$(",
        "${",
        "(",
        ")",
        "}",
        "fi\n",
        ";;",
        "&&",
        "if a\n",
        "AA=b c\n",
        "AA+=b\n",
        "source /x\n",
        "\r\n",
    ]
)


def dash(text: str) -> tuple[int, list[str]]:
    """The status of dash once it has read this with `set -e`, and the values it ends with."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory, "file")
        place.write_text(text, encoding="utf-8", newline="")

        script = f"set -e\n. {place} >/dev/null\n" + "".join(f'printf "%s\\0" "${{{name}-}}"\n' for name in NAMES)
        said = subprocess.run(
            ["dash", "-c", script],
            env={"PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            cwd=directory,
            capture_output=True,
            check=False,
        )
    return said.returncode, said.stdout.decode("utf-8", "replace").split("\0")


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=5), st.none() | BROKEN, st.integers(0, 200))
def test_what_is_known_is_so_in_dash_and_what_ends_it_is_fatal(
    lines: list[str], broken: str | None, where: int
) -> None:
    if shutil.which("dash") is None:
        pytest.skip("dash: the program is not installed")
    text = "".join(lines)
    if broken:
        at = where % (len(text) + 1)
        text = text[:at] + broken + text[at:]
    found = evaluate([Source("/f", text.encode())])
    status, values = dash(text)
    if status:  # nothing is claimed of its values; that it may end is seen, one way or the other
        assert found.fatal is not None or not found.known("NEVER"), text
        return
    assert found.fatal is None, text
    for name, own in zip(NAMES, values, strict=False):
        if found.known(name):
            assert (found.value(name) or "") == own, text


ENDS_OR_NOT = """
: </nope
: </nope || true
true </nope || true
true </nope
X=1 </nope || true
{ :; } </nope || true
{ :; } </nope
shift 5
shift
shift 0
shift || true
set -- a; shift
. /missing || true
command . /missing || true
export 1x=
export 1x= || true
readonly 1x=a||true
readonly R=1; unset R || true
unset 1x || true
unset -f nope
eval ')' || true
eval 'false' || true
eval false
set -u; A=$NOPE
set -u
set -Z || true
set -o nosuch||true
trap x NOSIG || true
break
break x || true
break 0||true
continue
for i in 1; do break x; done || true
return 1
return
[ -e /nope ] || return
[ -e /nope ] && return
[ -e /nope ] && X=b
[ -e /nope ] && X=b\\n
[ -e /nope ] && X=b\\nY=1
if [ -e / ]; then [ -e /nope ] && X=1; fi
if [ -e / ]; then [ -e /nope ] && X=1; fi\\nX=2
local a || true
f() { local a; }; f
read A </dev/null || true
read A </dev/null
read 1x || true
cd /nope
cd /nope || true
umask 999
umask 022
wait 99
type nope
alias nope
printf %d x
printf '%s\\\\n' x
test a b c d e || true
[ a || true
[ a
test 1 -eq x || true
command nope||true
command nope
exec </nope || true
exec nope || true
command exec nope || true
readonly R=1; R=2 true || true
readonly R=1; R=2 : || true
readonly R=1; read R || true
readonly R=1; for R in a; do :; done || true
A=$(false)
A=$(false); X=1
A=$(false) || true
A=1 B=$(false)
A=$(false)1 B=$(true)
export A=$(false)
true $(false)
(exit 1)
(exit 1) || true
(exit 0)
true | false
false | true
! true
! true\\nX=1
! false
X=`false`
f() { false; }; f
f() { false; :; }; f || true
f() { return 1; }; f
f() { if [ -e / ]; then return 1; fi; :; }; f
f() { if [ -e /nope ]; then return 1; fi; :; }; f
f() { A=1; }; f
f() { :; }; f a b
if false; then :; fi
while false; do :; done
for i in 1; do false; done
case a in a) false;; esac
case a in a) X=1;; esac
set +e; false; X=1
set +e; false
set +e; nope; X=1
set +e; :
kill -9 999999
times
hash nope
ulimit -Z
set -n
set -f
A=${1:?x}
A=${1-x}
A=${1+x}
A=${1:=x}
A=$((1/0))
A=$((x+))
A=$((1 + 2))
echo $(( 08 ))
A=`nope`
A=$(nope) || true
exit x || true
return x||true
set -e x
let X=1 || true
false && true
true && false
false & X=1
{ false; }
{ false; } || true
if true; then false; fi
unset -v R
unset -x R || true
export -p
export -z||true
exec 9>/nope/x||true
echo >/nope/x||true
echo >/nope/x
>/nope/x
>/nope/x||true
A=1 >/nope/x
f() { :; }; f >/nope/x || true
f() { :; }; f >/nope/x
echo a >&9
echo a >&9||true
: >&9||true
set --
getopts a A
fg
pwd
unalias nope
command -v nope
command -v nope || true
command true
command
command -x true
~/x
cat /nope
cat /etc/passwd >/dev/null
A=$(cat /nope)
A=$(sed -n s,a,b,p /etc/passwd | head -n 1)
A=$(. /etc/os-release && echo $NAME)
A=`lsb_release -i -s 2> /dev/null || echo Debian`
[ -x /bin/nope ] && false || true
[ -e /nope ] && . /nope\\nX=1
if [ -f /nope ]; then . /nope; fi\\nX=1
if [ -e / ]; then exit 1; fi\\nX=1
[ -e / ] && exit 1\\nX=1
[ -e /nope ] && exit 1\\nX=1
mkdir /nope/a/b
ls /nope
grep -q x /etc/hostname
grep -q x /etc/hostname && X=1\\nY=1
X=$(grep x /nope)
OPTIND=x
if [ -e /nope ]; then X=1; else Y=2; fi
if [ -e / ]; then A=1; elif [ -e /b ]; then A=2; else A=3; fi\\n
: ${RR:=a}
readonly RR; : ${RR:=a} || true
${NOPE}
$NOPE x
"" || true
eval
.
cat <<E >/dev/null\\na\\nE\\n
while read A; do :; done </nope
while read A; do :; done </dev/null
if ! [ -e /nope ]; then A=1; fi
case $NOPE in a) A=1;; *) return;; esac
case $NOPE in a) A=1;; *) return 3;; esac
test -e /nope || { A=1; B=2; }
test -e /nope || { A=1; false; }
export A B=1
export "A=1"
export "1A=1" || true
test -n "$NOPE" && A=1
test -z "$NOPE" && A=1
trap '' INT
for i in; do false; done
""".strip().splitlines()


@pytest.mark.parametrize("text", ENDS_OR_NOT)
def test_whether_a_shell_comes_to_the_next_file(text: str) -> None:
    """Under `set -e`, as grub-mkconfig reads it: where dash ends that is certain or may be, where it does not nothing is fatal."""
    if shutil.which("dash") is None:
        pytest.skip("dash: the program is not installed")
    text = text.encode().decode("unicode_escape")
    status, _ = dash(text)
    found = evaluate([Source("/f", text.encode()), Source("/g", b"NEXT=1\n")])
    if status:
        assert found.fatal is not None or not found.known("NEXT")
    else:
        assert found.fatal is None


EXACT = {
    "certain": [
        "shift 5",
        "export 1x= || true",
        "readonly R=1; unset R || true",
        "break x || true",
        "return 1",
        "A=$(false)",
        "(exit 1)",
        "true | false",
        "! true",
        "f() { return 1; }; f",
        "[ a",
        "true && false",
        "local a || true",
    ],
    "not to be told": [
        ": </nope || true",
        "[ -e /nope ] && X=b",
        ". /nope || true",
        "eval ')' || true",
        "set -u",
        "cd /nope",
        "grep -q x /etc/hostname",
        "A=$(cat /nope)",
        "if [ -e /nope ]; then exit 1; fi",
        "A=${1:?}",
        "A=$((A / 2))",
    ],
    "goes on": [
        "shift 0",
        "set +e; false",
        "[ -e /nope ] && X=b\\nY=1",
        "true </nope || true",
        "export A=$(false)",
        "A=$(. /etc/os-release && echo $NAME)",
        "A=`lsb_release -i -s 2> /dev/null || echo Debian`",
        "A=$(sed 's, release .*$,,g' /etc/system-release)",
        "A=${1-x}",
        "f() { A=1; }; f a",
    ],
}


@pytest.mark.parametrize(("expected", "text"), [(key, text) for key, texts in EXACT.items() for text in texts])
def test_how_certain_an_end_is(expected: str, text: str) -> None:
    text = text.replace("\\n", "\n")
    found = evaluate([Source("/f", text.encode()), Source("/g", b"NEXT=1\n")])
    said = "certain" if found.fatal else "goes on" if found.known("NEXT") else "not to be told"
    assert said == expected


@settings(max_examples=300, deadline=None)
@given(st.lists(LINE, max_size=5))
def test_dash_has_the_same_values(lines: list[str]) -> None:
    if shutil.which("dash") is None:
        pytest.skip("dash: the program is not installed")
    text = "".join(lines)
    found = evaluate([Source("/f", text.encode())])
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory, "file")
        place.write_text(text, encoding="utf-8")
        script = f". {place}\n" + "".join(f'printf "%s\\0" "${{{name}-}}"\n' for name in NAMES)
        said = subprocess.run(["dash", "-c", script], env={"PATH": os.defpath}, capture_output=True, check=False)
    if said.returncode:
        return  # dash refuses the file: nothing is claimed about it
    values = said.stdout.decode().split("\0")
    for name, own in zip(NAMES, values, strict=False):
        if found.known(name):
            assert (found.value(name) or "") == own, text

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
        script = f"set -e\n. {place}\n" + "".join(f'printf "%s\\0" "${{{name}-}}"\n' for name in NAMES)
        said = subprocess.run(["dash", "-c", script], env={"PATH": os.defpath}, capture_output=True, check=False)
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
    if status:  # nothing is claimed of its values; that it may end has to be seen, one way or the other
        return
    assert found.fatal is None, text
    for name, own in zip(NAMES, values, strict=False):
        if found.known(name):
            assert (found.value(name) or "") == own, text


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

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

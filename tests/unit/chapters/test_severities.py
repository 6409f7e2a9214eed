"""Each page says the severities that its code is made with."""

from __future__ import annotations

import re
from pathlib import Path

from places import REPOSITORY
from severities import SEVERITIES, Program


def said() -> dict[str, set[str]]:
    """What the pages say, by code."""
    pages = [page for page in (REPOSITORY / "docs/findings").glob("*.md") if page.stem != "README"]
    lines = {page.stem: re.findall(r"^Severity: (.*)$", page.read_text(encoding="utf-8"), re.M) for page in pages}
    return {code: set(re.findall(r"\w+", line)) & SEVERITIES for code, (line,) in lines.items()}


def test_the_pages_say_the_severities_of_the_program() -> None:
    assert said() == Program(REPOSITORY / "wizard").made()


def test_what_is_read_from_the_text_of_the_program(tmp_path: Path) -> None:
    text = """
from wizard.model.findings import Finding
def made(code, severity):
    return Finding(code=code, severity=severity)
def asked(level):
    return made("A-B", level)
def chosen(there):
    word = "tells"
    if there:
        word, why = "warns", "of tells nothing"
    return Finding(code="E-F", severity=word)
found = [asked("warns"), asked("tells"), made("C-D", "blocks" if asked == "warns" else "tells")]
"""
    (tmp_path / "text.py").write_text(text, encoding="utf-8")
    made = Program(tmp_path).made()
    expected = {"A-B": {"warns", "tells"}, "C-D": {"blocks", "tells"}, "E-F": {"warns", "tells"}}
    assert {code: made[code] for code in expected} == expected

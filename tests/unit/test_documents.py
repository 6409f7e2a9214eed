"""The documents: what they link to and name is there, and each finding has its line in the index."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from places import REPOSITORY

TOP = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
DOCUMENTS = [REPOSITORY / name for name in TOP] + sorted((REPOSITORY / "docs").rglob("*.md"))
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]\[]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
NAMED = re.compile(r"`((?:wizard|screens|assets|tests|packaging|docs|benchmarks)/[^`\s]*)`")
BESIDE = re.compile(
    r"`((?:wizard|screens|assets|tests|packaging)/(?:[^`\s]+/)?)[^`\s/]+`((?:, `[a-z_0-9]+\.(?:py|sh|md)`)+)"
)
PLACEHOLDER = re.compile(
    r"[A-Z]{4,}(?=/|\.|$)"
)  # tests/unit/chapters/NAME/, docs/findings/CODE.md: to be put in by the reader


def anchors(text: str) -> set[str]:
    """The anchors that a forge gives the headings of a document."""
    found: set[str] = set()
    for title in HEADING.findall(FENCE.sub("", text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(
            slug if slug not in found else next(f"{slug}-{n}" for n in range(1, 99) if f"{slug}-{n}" not in found)
        )
    return found


def broken_links(document: Path) -> list[str]:
    broken = []
    for target in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        place = document.parent / name if name else document
        if not place.exists() or (anchor and anchor not in anchors(place.read_text(encoding="utf-8"))):
            broken.append(target)
    return broken


def missing_paths(text: str) -> list[str]:
    """Paths of this project that a text names, and that are not there. Of `a/b.py`, `c.py` the second is beside the first."""
    named = set(NAMED.findall(text))
    for directory, others in BESIDE.findall(text):
        named |= {directory + name for name in re.findall(r"`([^`]+)`", others)}
    return sorted(
        each for each in named if not PLACEHOLDER.search(each) and not list(REPOSITORY.glob(each.rstrip("/")))
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: str(each.relative_to(REPOSITORY)))
def test_links_and_paths_lead_somewhere(document: Path) -> None:
    assert broken_links(document) == []
    assert missing_paths(document.read_text(encoding="utf-8")) == []


def test_what_leads_nowhere_is_seen(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A `b`: c\n\n# Twice\n# Twice\n", encoding="utf-8")
    document = tmp_path / "one.md"
    good = "[a](other.md) [b](other.md#a-b-c) [c](other.md#twice-1) [d](#one) [e](https://example.org/x#y)\n# One\n"
    document.write_text(good + "[x](gone.md) [y](other.md#gone) [z](#gone)\n```\n[n](gone.md)\n```\n", encoding="utf-8")
    assert broken_links(document) == ["gone.md", "other.md#gone", "#gone"]
    assert missing_paths("`wizard/errors.py`, `gone.py`; `wizard/gone/`; `docs/findings/CODE.md`; `tests/unit/`") == [
        "wizard/gone.py",
        "wizard/gone/",
    ]


def test_every_room_stands_in_the_architecture() -> None:
    """Each package of the engine and of the screens has its floor, and each module of the ground is named."""
    text = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = [path for top in ("wizard", "screens") for path in sorted((REPOSITORY / top).iterdir())]
    names = [
        f"{path.name}/" if path.is_dir() else path.name
        for path in rooms
        if (path / "__init__.py").exists() or (path.suffix == ".py" and path.name != "__init__.py")
    ]
    assert [name for name in names if name not in text] == []


def test_every_module_has_a_floor() -> None:
    """A room or a loose module that the contract of floors does not name may import what it likes."""
    contract = (REPOSITORY / ".importlinter").read_text(encoding="utf-8").split("[importlinter:contract:engine]")[0]
    floors = set(re.findall(r"\b(?:wizard|screens)\.\w+", contract))
    there = {
        f"{top}.{path.stem}"
        for top in ("wizard", "screens")
        for path in (REPOSITORY / top).iterdir()
        if (path / "__init__.py").exists() or (path.suffix == ".py" and path.name != "__init__.py")
    }
    assert floors == there


def codes_given() -> set[str]:
    """The codes that the program gives a `Finding`, as far as they stand there as a word."""
    return {
        word.value
        for path in (REPOSITORY / "wizard").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", getattr(call.func, "attr", "")) == "Finding"
        for word in [*call.args[:1], *(each.value for each in call.keywords if each.arg == "code")]
        if isinstance(word, ast.Constant) and isinstance(word.value, str)
    }


def test_every_finding_has_its_page_and_its_line_in_the_index() -> None:
    pages = {path.stem: path for path in (REPOSITORY / "docs/findings").glob("*.md") if path.stem != "README"}
    lines = re.findall(
        r"^\| \[([A-Z0-9-]+)\]\(([^)]+)\) \| .+ \|$", (REPOSITORY / "docs/findings/README.md").read_text(), re.M
    )
    given = codes_given()
    assert len(given) > 20  # else nothing was looked for
    assert given - set(pages) == set()
    assert lines == [(code, f"{code}.md") for code in sorted(pages)]
    assert [code for code, path in pages.items() if not path.read_text(encoding="utf-8").startswith(f"# {code}")] == []

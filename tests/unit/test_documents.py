"""The documents: what they link to and name is there, and each finding has its line in the index."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from places import REPOSITORY

from wizard.cli import parser
from wizard.errors import UsageError

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


SHOWN = re.compile(r"^```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = re.compile(r"^<!-- run -->\n```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SYNOPSIS = re.compile(r"[\[(|]|\.\.\.|\bNAME\b")


def commands(text: str) -> list[str]:
    """The calls of this tool in the blocks of a document, without what a shell does with them; synopses are left out."""
    blocks = [block for block in SHOWN.findall(text) if "[--" not in block.split("\n")[0]]
    lines = [line for block in blocks for line in block.splitlines()]
    found = []
    for line in lines:
        code = re.split(r"\s{2,}|\s#|\s>|\s\|\||\s&&", line)[0].strip()
        for part in code.split(" | "):
            words = part.split()
            if "compute-wizard" in words[:1] and not SYNOPSIS.search(part):
                found.append(part)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: str(each.relative_to(REPOSITORY)))
def test_commands_on_the_pages_are_understood(document: Path) -> None:
    for line in commands(document.read_text(encoding="utf-8")):
        words = shlex.split(line.replace("<(", "").replace(")", ""))
        try:
            parser.parser().parse_args(words[1:])
        except UsageError as error:
            pytest.fail(f"{line}: {error}")
        except SystemExit as ended:  # --help, --version
            assert ended.code == 0


def test_commands_of_pages_are_found() -> None:
    """Else the test above looked at nothing."""
    assert sum(len(commands(document.read_text(encoding="utf-8"))) for document in DOCUMENTS) > 40
    assert commands("```\ncompute-wizard x --out y   # why\ncompute-wizard a [B]\n```\n") == [
        "compute-wizard x --out y"
    ]


def marked() -> list[tuple[str, str]]:
    return [
        (str(document.relative_to(REPOSITORY)), block)
        for document in DOCUMENTS
        for block in RUN.findall(document.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("page, block", marked(), ids=lambda each: each.split("\n")[0])
def test_blocks_that_only_look_are_run(page: str, block: str, tmp_path: Path) -> None:
    """As they stand, one after the other, on this machine; a block is marked where it only looks."""
    done = subprocess.run(
        ["bash", "-e", "-u", "-c", block],
        cwd=tmp_path,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{page}: {done.stderr}"
    assert "Traceback" not in done.stderr and "compute-wizard: " not in done.stderr


def test_the_pages_that_have_to_be_run_are_marked() -> None:
    assert {page for page, _ in marked()} >= {"docs/first-ten-minutes.md", "docs/tasks/monitor.md"}


def test_every_page_is_in_the_site_and_every_symptom_leads_to_a_page() -> None:
    nav = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    named = set(re.findall(r"([\w./-]+\.md)$", nav, re.M))
    folders = tuple(re.findall(r": (\w+/)$", nav, re.M))
    pages = {str(path.relative_to(REPOSITORY / "docs")) for path in (REPOSITORY / "docs").rglob("*.md")}
    assert {page for page in pages - named if not page.startswith(folders)} == set()
    assert {page for page in named - pages if not page.startswith("project/")} == set()
    parts = (REPOSITORY / "docs/troubleshooting.md").read_text(encoding="utf-8").split("\n## ")[1:]
    assert [part.split("\n")[0] for part in parts if "](" not in part] == []

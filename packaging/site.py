"""Hooks of mkdocs: what lies outside of docs/ and is linked from there has a page, too; long folders fill their part of `nav`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
OUTSIDE = ("ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")


def on_config(config: Any) -> Any:
    """`Findings: findings/` stands for each page of that folder, its README first."""
    config["nav"] = [_filled(item) for item in config["nav"]]
    return config


def _filled(item: Any) -> Any:
    if isinstance(item, dict):
        return {key: _filled(value) for key, value in item.items()}
    if isinstance(item, list):
        return [_filled(each) for each in item]
    if item.endswith("/"):
        names = sorted(path.name for path in (ROOT / "docs" / item).glob("*.md") if path.name != "README.md")
        return [f"{item}README.md", *(f"{item}{name}" for name in names)]
    return item


def on_files(files: Files, config: Any) -> Files:
    """Pages of documents beside docs/, with links that lead to where they are on the site."""
    for name in OUTSIDE:
        text = LINK.sub(_inward, (ROOT / name).read_text(encoding="utf-8"))
        files.append(File.generated(config, f"project/{name}", content=text))
    return files


def _inward(match: re.Match[str]) -> str:
    """A link of a document at the top, from project/ on."""
    target = match[2]
    if target in OUTSIDE:
        return match[0]
    if target.startswith("docs/"):
        return f"{match[1]}../{target.removeprefix('docs/')}{match[3]}"
    return f"{match[1]}../index.md)"


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links out of docs/ lead to the pages that were made above."""
    here = Path(page.file.src_uri).parent
    depth = len(here.parts)

    def outward(match: re.Match[str]) -> str:
        name = match[2].removeprefix("../" * (depth + 1))
        if match[2] == "../" * (depth + 1) + name and name in OUTSIDE:
            return f"{match[1]}{'../' * depth}project/{name}{match[3]}"
        return match[0]

    return markdown if here.parts[:1] == ("project",) else LINK.sub(outward, markdown)

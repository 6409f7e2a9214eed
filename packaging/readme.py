"""The README as an index of packages shows it: nothing in it is relative, since nothing lies beside it there.

While there is no public address its links are only their words, and nothing claims a place that does not exist.
"""

from __future__ import annotations

import re
from pathlib import Path

_PICTURES = re.compile(r"^\|.*!\[[^\]]*\]\(.*\n(?:\|.*\n)*|^\|.*\n\|[-|]+\n(?=\|.*!\[)", re.MULTILINE)
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|mailto:)([^)#]*)(#[^)]*)?\)")

_MORE = "\n## More\n\nThe documents are in `docs/` of the source archive.\n"


def shown(text: str, address: str, tag: str) -> str:
    """The README with absolute links below `address` (`.../blob/TAG/path`), or without links and pictures where it is empty."""
    if not address:
        text = _PICTURES.sub("", text).partition("\n## More\n")[0] + _MORE

    def link(found: re.Match[str]) -> str:
        picture, words, path, part = found[1], found[2], found[3], found[4] or ""
        if not address:
            return "" if picture else words
        if not path:
            return found[0] if not picture else ""
        return f"{picture}[{words}]({address}/{'raw' if picture else 'blob'}/{tag}/{path}{part})"

    return _LINK.sub(link, text)


def into_metadata(path: Path, text: str, address: str) -> None:
    """Replace the description of a PKG-INFO, which is everything behind its first empty line, and add the address."""
    head = path.read_text(encoding="utf-8").partition("\n\n")[0]
    if address:
        head += f"\nProject-URL: Source, {address}"
    path.write_text(f"{head}\n\n{text}", encoding="utf-8")


def into_project(source: Path, text: str, address: str) -> None:
    """The wheel's metadata is made from these two files; the sdist was made before, with the README of the checkout."""
    (source / "README.md").write_text(text, encoding="utf-8")
    if address:
        with (source / "pyproject.toml").open("a", encoding="utf-8") as project:
            project.write(f'\n[project.urls]\nSource = "{address}"\n')

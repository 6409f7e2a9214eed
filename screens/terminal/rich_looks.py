"""Results of the command line in colour, and as a picture: by rich, which is imported when one of the two is asked for."""

from __future__ import annotations

import io
import re

from rich.color import ColorSystem
from rich.console import Console
from rich.text import Text

WIDTH = 110  # columns of a picture; a longer line makes it wider
LINES = (
    (re.compile(r"^\s*(?:\| )?\+(?!\+\+)"), "green"),
    (re.compile(r"^\s*(?:\| )?-(?!--)(?! )"), "red"),
    (re.compile(r"^\s*(?:\| )?@@"), "cyan"),
    (re.compile(r"^\s+# "), "dim"),
    (re.compile(r"^\s+(?:undo|mode|why|do|seen):? "), "dim"),
    (re.compile(r"^[A-Z][A-Za-z ,()]*:?$"), "bold"),
)
WORDS = (
    (re.compile(r"\b(?:blocks|failed|BLOCKS|FAILED)\b"), "bold red"),
    (re.compile(r"\b(?:warns|pending|unknown|WARNS)\b"), "yellow"),
    (re.compile(r"^\s*(?:held)\b"), "green"),
    (re.compile(r"\[(?:[a-z-]+(?:, )?)+\]"), "bold yellow"),
    (re.compile(r"\bone-way|drops-network\b"), "bold red"),
    (re.compile(r"[├└│─`|]─? |^\s*[│|]"), "dim"),
)


def _styled(text: str) -> Text:
    whole = Text()
    for line in text.splitlines(keepends=True):
        body = line.rstrip("\n")
        style = next((style for pattern, style in LINES if pattern.search(body)), "")
        piece = Text(line, style=style)
        if not style or style == "bold":
            for pattern, word in WORDS:
                piece.highlight_regex(pattern, word)
        whole.append_text(piece)
    return whole


class RichLooks:
    """See :class:`wizard.cli.looks.Looks`."""

    def paint(self, text: str) -> str:
        console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", legacy_windows=False)
        painted = []
        for segment in _styled(text).render(console):  # not print, which would put blanks in place of tabs
            style = segment.style
            painted.append(style.render(segment.text, color_system=ColorSystem.STANDARD) if style else segment.text)
        return "".join(painted)

    def picture(self, text: str, title: str) -> str:
        width = max([WIDTH, *map(len, text.splitlines())])
        console = Console(file=io.StringIO(), record=True, width=width, force_terminal=True, legacy_windows=False)
        console.print(_styled(text.rstrip("\n")), highlight=False)
        return console.export_svg(title=title)

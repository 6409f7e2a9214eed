"""Texts with a meaning that colour supports: every colour stands beside a word or a mark, and the theme says which it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from screens.shared.key_line import Key
from screens.tui.widgets.hot import hot
from wizard.safe_text import safe_text

GOOD, WARN, BAD, ACCENT, DIM = "$success", "$warning", "$error", "$accent", "$text-muted"
COLOUR = {"good": GOOD, "warn": WARN, "bad": BAD, "accent": ACCENT, "dim": DIM}
if TYPE_CHECKING:
    from wizard.model.findings import Finding

SEVERITY = {"blocks": ("BLOCKS", BAD), "warns": ("WARNS", WARN), "tells": ("Note", ACCENT)}


def plain(text: str, style: str = "") -> Content:
    """A text of the node or of this program: never markup, never an escape sequence."""
    return Content.styled(safe_text(text), style) if style else Content(safe_text(text))


def badge(word: str, colour: str) -> Content:
    """A word on a ground of its colour; without colours it is reversed, which is seen too."""
    return Content.styled(f" {safe_text(word)} ", f"bold reverse {colour}")


def lines(texts: list[Content]) -> Content:
    """One text a line."""
    return Content("\n").join(texts)


SIGNS = {"+ ": GOOD, "- ": BAD, "~ ": WARN, "$ ": ACCENT, "= ": ACCENT}


def change_line(text: str) -> Content:
    """A line of what will change, in the colour of its sign."""
    if text[:2] in SIGNS:
        return Content.assemble((text[:2], f"bold {SIGNS[text[:2]]}"), safe_text(text[2:]))
    if text.startswith(("Will change: nothing", " ")):
        return plain(text, DIM)
    return plain(text, "bold")


def findings(found: Iterable[Finding]) -> Content:
    """Findings, the gravest first: what was seen, why it matters, what to do."""
    order = list(SEVERITY)
    texts = []
    for finding in sorted(found, key=lambda each: order.index(each.severity)):
        word, colour = SEVERITY[finding.severity]
        texts.append(
            Content.assemble(
                (word, f"bold reverse {colour}"), (f" {finding.code}: ", f"bold {colour}"), safe_text(finding.seen)
            )
        )
        texts += [plain(f"  {finding.why}", DIM), plain(f"  > {finding.do}", "bold")]
    return lines(texts)


NAMED = {"Enter": "enter", "Esc": "escape", "Tab": "tab", "Space": "space", "/": "slash", "Ctrl-P": "ctrl+p"}


def key_line(keys: Sequence[Key], ways: Sequence[Key], width: int) -> Content:
    """Keys from the left, the ways back and on at the right end. A click on one is the same as the key."""
    left, right = _keys(keys), _keys(ways)
    return Content.assemble(left, " " * max(2, width - left.cell_length - right.cell_length), right)


def _keys(keys: Sequence[Key]) -> Content:
    return Content("  ").join([_key(key, what) for key, what in keys])


def _key(key: str, what: str) -> Content:
    text = Content.assemble((key, "bold $accent"), f" {safe_text(what)}")
    pressed = NAMED.get(key, key.lower() if len(key) == 1 or key[1:].isdigit() else key.partition("/")[0])
    known = key in NAMED or len(pressed) == 1 or (pressed[0] == "f" and pressed[1:].isdigit())
    return hot(text, f"app.simulate_key('{pressed}')") if known else text

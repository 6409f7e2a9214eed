"""What stands out in the text of a step: its heads, and - by the kind of the file - keys, sections, strings and comments.

The lexers are Pygments', which come with Textual's own library; they are imported with the first text that needs one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

Words = Callable[[int, str], Sequence[tuple[int, int, str]]]
HEADS = ("why:", "undo:", "note:", "mode:", "now:", "after the reboot:")
PARTS = (
    ("Comment", "comment"),
    ("Literal.String", "string"),
    ("Name.Attribute", "key"),
    ("Name.Variable", "key"),
    ("Name.Builtin", "key"),
    ("Keyword.Namespace", "section"),
    ("Keyword", "section"),
)


def kind_of(path: str) -> str:
    """The name of the lexer that reads a file; "" where none is known to."""
    name = path.rpartition("/")[2]
    if name.endswith((".service", ".timer", ".mount", ".path", ".target")):
        return "systemd"
    if path.startswith(("/etc/default/", "/etc/profile.d/", "/usr/local/sbin/")) or name.endswith(".sh"):
        return "bash"
    if name.endswith(".conf") and ("/nova" in path or "/systemd/" in path or "neutron" in path):
        return "ini"
    return "properties" if name.endswith((".conf", ".cfg", ".rules")) else ""


def highlighter(path: str, lines: Sequence[str]) -> Words:
    """For the lines of one step: which pieces of which line stand out."""
    kind = kind_of(path)
    diff = next((number for number, line in enumerate(lines) if line.startswith("@@")), len(lines))

    def words(number: int, text: str) -> Sequence[tuple[int, int, str]]:
        if number == 0:
            return [(0, len(text), "title")]
        if number < diff:
            head = next((head for head in HEADS if text.startswith(head)), "")
            return [(0, len(head), "key")] if head else ()
        if not kind or text[:1] not in ("+", "-", " "):
            return ()
        return [(first + 1, behind + 1, part) for first, behind, part in _in_code(kind, text[1:].rstrip())]

    return words


@lru_cache(maxsize=2048)
def _in_code(kind: str, line: str) -> Sequence[tuple[int, int, str]]:
    """The pieces of one line of a file that stand out."""
    found, at = [], 0
    for token, text in _lexer(kind).get_tokens(line):
        part = next((part for name, part in PARTS if str(token).startswith(f"Token.{name}")), "")
        if part and text.strip():
            found.append((at, min(at + len(text), len(line)), part))
        at += len(text)
    return found


@lru_cache
def _lexer(kind: str) -> Any:
    from pygments.lexers import get_lexer_by_name

    return get_lexer_by_name(kind, stripnl=False)

"""nova.conf and its like, edited line by line: what is not to change keeps every byte.

The dialect is that of oslo_config/iniparser.py, see :mod:`wizard.formats.oslo_reading`. Where there is nothing to do,
nothing is done. Every outcome is read again: it is used only if it differs in just the option that was meant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from wizard.errors import FormatError
from wizard.formats.oslo_interpolation import names
from wizard.formats.oslo_masking import masked
from wizard.formats.oslo_reading import Document, Line, Setting, normalized, read, separator, unquoted

__all__ = [
    "Setting",
    "append_value",
    "effective_difference",
    "last",
    "masked",
    "parse",
    "remove_value",
    "set_value",
    "unset",
    "values",
]

Effect = tuple[str, str, str]


def parse(content: bytes) -> list[Setting]:
    """Every option of the file, in its order. Raises FormatError (where: "line N") for what oslo.config refuses."""
    return read(content).settings


def values(settings: Iterable[Setting], section: str, option: str) -> list[str]:
    """All values of a multi-valued option, in the order of the file."""
    name = normalized(section)
    return [s.value for s in settings if s.option == option and s.section == name]


def last(settings: Iterable[Setting], section: str, option: str) -> str | None:
    """The value of a single-valued option: of several the last one counts. None when it is not set."""
    found = values(settings, section, option)
    return found[-1] if found else None


def effective_difference(before: bytes | None, after: bytes) -> tuple[list[Effect], list[Effect]]:
    """What came and what went: (added, removed), each as (section, option, value), as often as it came or went.

    `before` is None for a file that does not exist yet. Raises FormatError for a file that oslo.config would refuse.
    """
    return _difference([] if before is None else parse(before), parse(after))


def _effect(setting: Setting) -> Effect:
    return setting.section, setting.option, setting.value


def _difference(before: Iterable[Setting], after: Iterable[Setting]) -> tuple[list[Effect], list[Effect]]:
    old, new = Counter(map(_effect, before)), Counter(map(_effect, after))
    return list((new - old).elements()), list((old - new).elements())


def append_value(content: bytes, section: str, option: str, value: str) -> bytes:
    """One more value for a multi-valued option: below its last one, else below the section's header, else at the end.

    At the end a header for it is made too. Nothing is done if that very value is there. Raises FormatError for a file
    that oslo.config refuses, and for a value that it would not read back as given.
    """
    document = read(content)
    if value in values(document.settings, section, option):
        return content
    _check(section, option, value)
    return _proved(document, _added(document, section, option, value), added=[(normalized(section), option, value)])


def remove_value(content: bytes, section: str, option: str, value: str) -> bytes:
    """Take out every occurrence of that value (as :func:`parse` delivers it), with its continuation lines.

    The inverse of append_value: a section that it had to make goes with its only line. Raises FormatError for a file
    that oslo.config refuses.
    """
    document = read(content)
    wanted = (normalized(section), option, value)
    return _removed(document, content, [s for s in document.settings if _effect(s) == wanted])


def set_value(content: bytes, section: str, option: str, value: str) -> bytes:
    """Make `value` the one that counts for a single-valued option: its last occurrence is changed in place.

    Where there is none, a line is added as by append_value. Nothing is done if it is the value already. Raises
    FormatError as :func:`append_value` does.
    """
    document = read(content)
    name = normalized(section)
    present = [s for s in document.settings if (s.section, s.option) == (name, option)]
    if present and present[-1].value == value:
        return content
    _check(section, option, value)
    if not present:
        return _proved(document, _added(document, section, option, value), added=[(name, option, value)])
    after = _replaced(document.lines, present[-1], value)
    return _proved(document, after, added=[(name, option, value)], removed=[_effect(present[-1])])


def unset(content: bytes, section: str, option: str) -> bytes:
    """Take out every occurrence of an option. Raises FormatError for a file that oslo.config refuses."""
    document = read(content)
    name = normalized(section)
    return _removed(document, content, [s for s in document.settings if (s.section, s.option) == (name, option)])


def _check(section: str, option: str, value: str) -> None:
    """Raise FormatError for what could not be written so that oslo.config reads the same again."""
    where = f"[{section}] {option}".splitlines()[0]
    if not section or re.search(r"[\r\n]", section):
        raise FormatError("a section's name is empty or holds a line end", where=where, do="use a name as in [pci]")
    if not option or option != option.strip() or re.search(r"[\r\n=:]|^[\[#;]", option):
        raise FormatError(
            "this is not an option's name",
            where=where,
            do="use a name without = and :, line ends and blanks around it, that does not start with [, # or ;",
        )
    if re.search(r"[\r\n]", value):
        raise FormatError("the value holds a line end", where=where, do="write it in one line")
    if value != value.strip():
        raise FormatError(
            "the value starts or ends with a blank, which oslo.config drops", where=where, do="leave the blanks away"
        )
    if value != unquoted(value):
        raise FormatError(
            "the value stands in quotes, which oslo.config drops", where=where, do="give the value without them"
        )
    if names(value):
        raise FormatError(
            "oslo.config would replace a $name in the value by another option's value",
            where=where,
            do="write $$ for a dollar sign",
        )
    try:
        (section + option + value).encode()
    except UnicodeEncodeError as error:
        raise FormatError("a character has no UTF-8 form", where=where, do="use valid Unicode text") from error


def _assignment(option: str, value: str) -> str:
    return f"{option} = {value}".rstrip()


def _added(document: Document, section: str, option: str, value: str) -> bytes:
    lines, name, text = document.lines, normalized(section), _assignment(option, value)
    blocks = [s for s in document.settings if (s.section, s.option) == (name, option)]
    if blocks:
        return _joined(_inserted(lines, blocks[-1].last_line, [text]))
    header = next((index for index, found in document.headers if found == name), None)
    if header is None:
        return _joined(_inserted(lines, len(lines), [""] * bool(lines) + [f"[{name}]", text]))
    # An empty section at the very end would then look just like one that was made here, and taking the line out again
    # would take the header as well: a blank line tells the two apart.
    looks_made = header == len(lines) - 1 and (header == 0 or not lines[header - 1].text)
    # Below that blank line stands every later option too, so that they can be taken out again in any order.
    spaced = any(s.line == header + 3 for s in document.settings) and not lines[header + 1].text
    return _joined(_inserted(lines, header + 1 + spaced, [""] * looks_made + [text]))


def _removed(document: Document, content: bytes, blocks: list[Setting]) -> bytes:
    if not blocks:
        return content
    lines = document.lines
    gone = {index for s in blocks for index in range(s.line - 1, s.last_line)}
    after = _joined(_without(lines, gone))
    first = blocks[0]
    if len(blocks) == 1 and first.line == first.last_line == len(lines):
        candidate = _joined(_without(lines, gone | _added_with_last(document)))
        if _added(read(candidate), *_effect(first)) == content:
            after = candidate
    return _proved(document, after, removed=[_effect(s) for s in blocks])


def _added_with_last(document: Document) -> set[int]:
    """What append_value may have added above the last line: a new section's blank line and header, or a blank line."""
    option = len(document.lines) - 1
    header = document.headers[-1][0]
    if header == option - 1:
        return {header} if header == 0 else {header - 1, header}
    return {option - 1} if header == option - 2 else set()


def _replaced(lines: list[Line], block: Setting, value: str) -> bytes:
    at = block.line - 1
    text, eol = lines[at]
    sign = separator(text) + 1
    rest = text[sign:]
    blank = rest[: len(rest) - len(rest.lstrip())]
    trail = rest[len(rest.rstrip()) :]
    if not rest.strip():
        blank, trail = (" " if text[: sign - 1].endswith((" ", "\t")) else ""), ""
    changed = list(lines)
    changed[at] = Line((text[:sign] + blank + value + trail) if value else text[:sign], eol)
    return _joined(_without(changed, set(range(block.line, block.last_line))))


def _inserted(lines: list[Line], at: int, texts: list[str]) -> list[Line]:
    """The lines with others put in before index `at`, ended as the line above; a missing last line end stays so."""
    above = lines[:at]
    eol = next((line.eol for line in reversed(above[-2:]) if line.eol), "\n")
    new = [Line(text, eol) for text in texts]
    if above and not above[-1].eol:
        above[-1] = Line(above[-1].text, eol)
        new[-1] = Line(new[-1].text, "")
    return [*above, *new, *lines[at:]]


def _without(lines: list[Line], gone: set[int]) -> list[Line]:
    """The lines but those at the indices in `gone`; a missing last line end stays missing, but for blank lines."""
    left = [line for index, line in enumerate(lines) if index not in gone]
    if left and left[-1].text and not lines[-1].eol:
        left[-1] = Line(left[-1].text, "")
    return left


def _joined(lines: Iterable[Line]) -> bytes:
    return "".join(line.text + line.eol for line in lines).encode()


def _proved(before: Document, after: bytes, *, added: Iterable[Effect] = (), removed: Iterable[Effect] = ()) -> bytes:
    """`after`, once it is read again and differs from `before` in exactly what was wanted; else FormatError."""
    came, went = _difference(before.settings, parse(after))
    if Counter(came) != Counter(added) or Counter(went) != Counter(removed):
        raise FormatError(
            "the edited file would not differ from the old one in just the wanted option, so it is not used",
            do="edit the file by hand",
        )
    return after

"""Where the secret stands behind a telling name: what parts them, how it is quoted, where it ends.

As in :mod:`wizard.redaction_names`, assets/node/recorder.sh does the same in awk.
"""

from __future__ import annotations

import re

from wizard.dataclass import dataclass
from wizard.redaction_names import Telling, telling
from wizard.redaction_values import looks_random
from wizard.regex import regex

_INDEX = regex(r"\[[A-Za-z0-9_]{0,64}\]")
_CLOSERS = regex(r"[\\\"'`\]})]{0,16}")
_EQUALS = regex(r"([ \t]{0,64})(:=|=>|\+=|\?=|==|!=|=)([ \t]*)")
_ENCODED = regex(r"(%(25)?3[DA]|\\u003d)", re.ASCII | re.IGNORECASE)
_COLON = regex(r"([ \t]{0,64}):(?!:)([ \t]*)")
_COMMA = regex(r"[ \t]{0,64},[ \t]{0,64}(?=[\"'\\])")
_COMMA_OPTION = regex(r"[ \t]{0,64},[ \t]{0,64}[\"']--?[A-Za-z]{1,32}[\"'][ \t]{0,64},[ \t]{0,64}(?=[uUbB]?[\"'])")
_TAG_ENDS = regex(r"[^<>]{0,200}>")
_NAMED_VALUE = regex(
    r"([ \t]*,?[ \t]*|</[A-Za-z:]{1,40}>[ \t]*<)[\"'\\]{0,4}(value|val|content)[\"'\\]{0,4}[ \t]*[:=>]{1,2}[ \t]*",
    re.ASCII | re.IGNORECASE,
)
_IS_A_NAME = regex(
    r"(^|[^A-Za-z0-9])(name|key|id|property)([\"'\\]{0,4}[ \t]{0,9}[:=][ \t]{0,9}[\"'\\]{0,4}|>)$",
    re.ASCII | re.IGNORECASE,
)
_BLANKS = regex(r"[ \t]+")
_NO_VALUE = regex(
    r"(null|none|nil|true|false|yes|no|on|off|undefined|~|\"\"|''|\\\"\\\"|\[\]|\{\})(?=[ \t]*([,;})\]\"'<]|$))",
    re.ASCII | re.IGNORECASE,
)
_PATH = regex(
    r"[\"'\\]{0,4}(file:)?(/(etc|var|usr|opt|root|home|srv|run|mnt|boot|dev|tmp|lib|sys|proc)/|\.{0,2}/[A-Za-z0-9_.-]|~/|https?://)"
)
_QUOTE = regex(r"\\{0,8}[\"'`]")
_STRING_PREFIX = regex(r"[uUbBrR][\"']")  # Python's
_QUOTED_NAME = regex(r"[\"']?([A-Za-z0-9_.-]{1,64})[\"']")
_WORD = regex(r"(\\[ \t]|[^ \t])+")
_PAIRED = regex(r"\"[^\"]*\"|'[^']*'|(\\[ \t]|[^ \t])+")
_QUOTED_END = regex(r"[\"'][,;)}\]]{0,8}$")
_OPTION = regex(r"(--[a-z][a-z-]*|-[a-z])(?=[ \t=]|$)")
_VALUE_OPTION = regex(r"[ \t]{1,64}--?[A-Za-z]{1,32}[ \t=]{1,64}")
_IS_VALUE_OPTION = regex(r"[ \t]*--?v(alue)?[ \t=]")
_LINE_START = regex(r"[ \t+#;*>-]*((export|set|setenv|env|option|local|readonly|enable|snmp-server)[ \t]+)?")
_AFTER_A_USER = regex(r"((^|[ \t])(login|user|username|account)[ \t]{1,9}[^ \t]{1,99}|snmp-server|setenv)[ \t]{1,9}$")
_SENTENCE = regex(
    r"(^|[ \t])(is|are|was|were|of|the|a|an|and|or|for|to|in|with|must|may|not|be|has|have|from|by|on|at|as"
    r"|that|this|these|which|needs?|it|you|before|after|when|if)([ \t.,;:]|$)"
)
_PLAIN = regex(r"[a-z]+")
_FILLER = regex(r"(is|was)[ \t]+")
_WORD_BEFORE = regex(r"[A-Za-z,][ \t]{1,9}$")
_ENDS_WORD = regex(r"[ \t,;)}\]]|$")
LOOKED_AT = 200  # characters that tell whether a text is a sentence, and what stands before a name


@dataclass(frozen=True, slots=True)
class Name:
    """A telling name within a line: s[start:end]."""

    line: str
    start: int
    end: int
    telling: Telling

    @property
    def text(self) -> str:
        return self.line[self.start : self.end]

    @property
    def before(self) -> str:
        return self.line[max(0, self.start - LOOKED_AT) : self.start]

    @property
    def quote(self) -> str:
        """The quote that the name begins with: `"password=..."`."""
        last = self.line[self.start - 1 : self.start] if self.start else ""
        return last if last in ("'", '"', "`") else ""

    @property
    def first(self) -> bool:
        """Nothing but blanks, marks of comments or diffs and the like stands before it."""
        return self.start <= LOOKED_AT and _LINE_START.fullmatch(self.line, 0, self.start) is not None


def span(name: Name, string: int | None) -> tuple[int, int] | None:
    """Where the secret of this name is; None where it has none here, an empty span at the line's end where it is on the next.

    `string` is where a string in double quotes around the name began, None outside of one.
    """
    line, at = name.line, name.end
    encoded = _ENCODED.match(line, at)
    if encoded:
        ends = re.compile(r"&|%26|[\"' \t]|$").search(line, encoded.end())
        return (encoded.end(), ends.start()) if ends and ends.start() > encoded.end() else None
    index = _INDEX.match(line, at)
    at = index.end() if index else at
    closers = _CLOSERS.match(line, at)
    at = closers.end() if closers else at
    closed = bool(closers and re.search(r"[\"'`]", closers[0]))
    named = _NAMED_VALUE.match(line, at)
    if named and _IS_A_NAME.search(name.before):
        return _value(name, named.end(), tight=True, closed=True, string=None)
    parted = _EQUALS.match(line, at)
    if parted:
        return _value(name, parted.end(), tight=not (parted[1] or parted[3]), closed=closed, string=string)
    colon = _COLON.match(line, at)
    if colon and not line.startswith("//", colon.end()) and not _is_a_path(name):
        if colon[2] and not closed and _is_prose(name, colon.end()):
            return _random_word(line, colon.end())
        return _value(name, colon.end(), tight=not colon[2], closed=closed, string=string)
    comma = _COMMA.match(line, at) if closed else None
    if comma and not name.text.startswith("-"):
        comma = _COMMA_OPTION.match(line, at) or comma
    if comma:
        return _value(name, comma.end(), tight=True, closed=True, string=None)
    if re.search(r"<[A-Za-z0-9]{0,20}:?$", name.before):
        tag = _TAG_ENDS.match(line, at)
        return _until_tag(line, tag.end()) if tag and not tag[0].endswith("/>") else None
    if closed and line.startswith(">", at) and "<" in name.before:
        return _until_tag(line, at + 1)
    blanks = _BLANKS.match(line, at)
    if blanks is None or blanks.end() == len(line) or _is_a_path(name) or (closed and line[blanks.end()] not in "\"'"):
        return None
    return _behind_blanks(name, blanks.end())


def _is_a_path(name: Name) -> bool:
    return name.before.endswith("/")


def _is_prose(name: Name, at: int) -> bool:
    """`without its secrets: the node ...` is a sentence, `  password: the value` is not."""
    return (
        _PLAIN.fullmatch(name.text) is not None
        and not name.first
        and _WORD_BEFORE.search(name.before) is not None
        and _SENTENCE.search(name.line[at : at + LOOKED_AT]) is not None
    )


def _is_a_pair(name: Name, at: int) -> bool:
    """The line is this name and one word: `  wireless-key VALUE`, and not `flavor-key FLAVOR set ...`."""
    return name.first and _PAIRED.fullmatch(name.line, at) is not None


def _random_word(line: str, at: int) -> tuple[int, int] | None:
    word = _WORD.match(line, at, at + LOOKED_AT)
    return (at, at + len(word[0].rstrip(".,;"))) if word and looks_random(word[0]) else None


def _until_tag(line: str, at: int) -> tuple[int, int] | None:
    end = line.find("<", at)
    if line.startswith("<![CDATA[", at):
        end = line.find("]]>", at)
        at += len("<![CDATA[")
    end = len(line) if end < 0 else end
    return (at, end) if line[at:end].strip() or at == len(line) else None


def _value(name: Name, at: int, *, tight: bool, closed: bool, string: int | None) -> tuple[int, int] | None:
    line = name.line
    if at >= len(line) or line[at:] == "\\":
        return (len(line), len(line))
    if _NO_VALUE.match(line, at) or (name.telling is Telling.KEY and (_PATH.match(line, at) or _is_key_of(name, at))):
        return None
    if _STRING_PREFIX.match(line, at):
        at += 1
    if name.quote and not closed:
        return _to(line, at, name.quote)
    quote = _QUOTE.match(line, at)
    if quote:
        return _quoted(line, at, quote[0], tight or closed)
    if line[at] in "[{" and not line.startswith("{{", at):
        return at, _bracket_ends(line, at)
    if closed:
        ends = re.compile(r"[,})\] \t]|$").search(line, at)
        return (at, ends.start()) if ends and ends.start() > at else None
    end = len(line) if not tight or name.first else _word_ends(line, at)
    if string is not None and (closing := _string_ends(line, at)) is not None:
        end = min(end, closing)
    if tight and name.before[-1:] in ("?", "&") and "&" in line[at:end]:
        end = line.index("&", at)
    return (at, end) if end > at else None


def _is_key_of(name: Name, at: int) -> bool:
    """`key="password"`: the key is a name, its value stands elsewhere."""
    named = _QUOTED_NAME.match(name.line, at)
    return named is not None and name.text.lower() == "key" and telling(named[1]) is not Telling.NOTHING


def _to(line: str, at: int, quote: str) -> tuple[int, int] | None:
    end = _find(line, quote, at)
    end = len(line) if end < 0 else end
    return (at, end) if end > at else None


def _quoted(line: str, at: int, quote: str, tight: bool) -> tuple[int, int]:
    begin = at + len(quote)
    end = _find(line, quote, begin)
    if end < 0:
        return begin, len(line)
    after = end + len(quote)
    following = line[after : after + 1]
    if not following or following in ",;)}]>&|/":
        return begin, end
    if following in " \t":
        rest = line[after:].lstrip() if not tight else ""
        return (begin, end) if tight or not rest or rest[0] in "#,;)}]>" else (at, len(line))
    return at, _word_ends(line, after)


def _find(line: str, quote: str, at: int) -> int:
    """The next such quote that is not escaped more than it; -1 where there is none."""
    while (found := line.find(quote, at)) >= 0:
        slashes = found
        while slashes > 0 and line[slashes - 1] == "\\":
            slashes -= 1
        if (found - slashes) % 2 == 0:
            return found
        at = found + len(quote)
    return -1


def _bracket_ends(line: str, at: int) -> int:
    depth = 0
    for mark in re.compile(r"[\[\]{}]").finditer(line, at):
        depth += 1 if mark[0] in "[{" else -1
        if depth == 0:
            return mark.end()
    return len(line)


def _word_ends(line: str, at: int) -> int:
    word = _WORD.match(line, at)
    if word is None:
        return at
    quoted = _QUOTED_END.search(word[0])
    if quoted and word[0].count(quoted[0][0]) % 2:
        return word.end() - len(quoted[0])
    return word.end()


def _string_ends(line: str, at: int) -> int | None:
    while (end := _find(line, '"', at)) >= 0:
        if _ENDS_WORD.match(line, end + 1):
            return end
        at = end + 1
    return None


def _behind_blanks(name: Name, at: int) -> tuple[int, int] | None:
    line = name.line
    option = name.text.startswith("-")
    by_option = None if option else _VALUE_OPTION.match(line, name.end)
    if name.telling is Telling.KEY:
        if by_option and not _IS_VALUE_OPTION.match(by_option[0]):
            by_option = None
        if _PATH.match(line, at) or not (option or by_option or _is_a_pair(name, at)):
            return None
    if option or by_option:
        at = by_option.end() if by_option else at
        if _OPTION.match(line, at) and not by_option:
            return None
        quote = _QUOTE.match(line, at)
        return _quoted(line, at, quote[0], True) if quote else (at, _word_ends(line, at))
    if _AFTER_A_USER.search(name.before):
        return at, _word_ends(line, at)
    if (
        name.first
        and line[at] not in "([{<=-&|"
        and not _SENTENCE.search(line[at : at + LOOKED_AT])
        and line[-1] not in ".:{"
    ):
        return at, len(line)
    filler = _FILLER.match(line, at)
    return _random_word(line, filler.end() if filler else at)

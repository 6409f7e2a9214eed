"""Commands of a script by their words: what they say, what they wrap, and whether a text has to do with VFs at all."""

from __future__ import annotations

import re

from wizard.chapters.vfs.owners.cards import NUMBER_FILES
from wizard.chapters.vfs.owners.model import UNKNOWN, YES, Verdict
from wizard.chapters.vfs.owners.shell_expansion import Value, base
from wizard.chapters.vfs.owners.shell_words import Command, Simple
from wizard.dataclass import dataclass
from wizard.regex import regex

_WRAPPERS = frozenset("sudo exec nohup env time timeout nice ionice setsid command builtin chronic".split())
READERS = frozenset("cat ls head tail stat readlink grep egrep awk sed wc read find logger chmod chown".split())
ASK = frozenset(
    "grep egrep fgrep lspci ip ethtool pgrep pidof which type hash diff cmp read ping mountpoint systemd-detect-virt expr let lsmod "
    "dmidecode hostname".split()
)
SHELLS = ("sh", "bash", "dash", "ksh")
_RUNS_A_FILE = regex(r"(?:^|[;&|\s(=@])\.?\s*/(?!dev/|proc/|sys/)[\w./-]+", re.MULTILINE)
MENTION = regex("|".join(NUMBER_FILES))

Status = tuple[Verdict, Verdict]  # whether what follows && runs, and what follows ||
DONE: Status = (YES, UNKNOWN)
"""A command that asks nothing is taken to succeed, and what is there for its failure may run as well."""


@dataclass(frozen=True, slots=True)
class Write:
    """A number that is written. `path` is the script, where it is another one than that which was asked about."""

    path: str
    line: int
    target: Value
    count: int | None
    certain: Verdict
    by: str = ""  # a program with a way of its own


def settled(found: list[Write]) -> list[Write]:
    """A 0 that is written on the way to another number is none of its own."""
    kept = []
    for index, each in enumerate(found):
        after = [later for later in found[index + 1 :] if later.target.text == each.target.text]
        if each.count == 0 and after:
            continue
        if each not in kept:
            kept.append(each)
    return kept


def mentions(text: str) -> bool:
    """Whether it names the file by which VFs are made."""
    return bool(MENTION.search(text))


def worth(text: str) -> bool:
    """Whether a script may have to do with VFs: it says so, or it runs another file."""
    return bool(MENTION.search(text)) or "os-net-config-sriov" in text or bool(_RUNS_A_FILE.search(text))


def is_tee(each: Command) -> bool:
    return isinstance(each, Simple) and "tee" in [base(word) for word in each.words[:2]]


def echoed(words: list[Value]) -> Value | None:
    words = unwrapped(words)
    if not words or base(words[0].text) not in ("echo", "printf"):
        return None
    rest = [each for each in words[1:] if not re.fullmatch(r"-[neE]+", each.text)]
    if base(words[0].text) == "printf" and len(rest) == 2 and re.fullmatch(r"%[sdi](\\n)?", rest[0].text):
        rest = rest[1:]
    text = " ".join(each.text for each in rest)
    return Value(
        re.sub(r"(\\n|n)$", "", text) if re.fullmatch(r"\d+(\\n|n)", text) else text, all(each.known for each in rest)
    )


def unwrapped(words: list[Value]) -> list[Value]:
    """Without sudo, timeout and their like, and the options of these."""
    while words and base(words[0].text) in _WRAPPERS:
        name, words = base(words[0].text), words[1:]
        while words and (words[0].text.startswith("-") or (name == "env" and "=" in words[0].text)):
            words = words[1:]
        if name == "timeout" and words:
            words = words[1:]
        while words and name in ("nice", "ionice") and words[0].text.lstrip("-").isdecimal():
            words = words[1:]
    return words


def path_in(text: str) -> str:
    found = re.search(r"/sys/[^\s\"';)]*", text)
    return found[0] if found else text

"""What is answered as off, and kept on by others: this tool takes back what it put there itself, so the rest stays, and is shown.

Each function says where, in words: file and line, or the table of the kernel. What it is given is the node as it will be once our own
part is gone. There are three answers: others keep it on (a place), nobody does, or that cannot be determined (a doubt, with its place).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from wizard.facts.nova.nova import NovaSetting
from wizard.model.findings import Check, Finding

MOST = 4  # places that are named


def findings(chapter: str, answered: str, places: Sequence[str], doubts: Sequence[str] = ()) -> list[Finding]:
    """One for all the places where it is kept on; where there is none, one for what could not be determined. `answered` is what the
    answers say."""
    if not places and doubts:
        return [
            Finding(
                code="NODE-SET-ELSEWHERE",
                severity="warns",
                chapter=chapter,
                seen=_doubtful(doubts),
                why=f"{answered}: whether others keep it on cannot be determined.",
                do="Look there. If it is off there, too, nothing is wrong.",
            )
        ]
    if not places:
        return []
    return [
        Finding(
            code="NODE-SET-ELSEWHERE",
            severity="tells",
            chapter=chapter,
            seen=_seen(places),
            why=f"{answered}: this tool takes back only what it put there itself. What others set stays, and stays in force.",
            do="Take it away where it is set, if it is to be off. If it is meant so: nothing, or answer what it says.",
        )
    ]


def checks(chapter: str, what: str, places: Sequence[str], doubts: Sequence[str] = ()) -> list[Check]:
    """The same for verify: nothing of it is ours to be done, so it has not failed; but nobody is to think that it is off."""
    if places:
        return [Check(chapter, what, "held", _seen(places))]
    advice = "Look there: whether others keep it on cannot be determined."
    return [Check(chapter, what, "unknown", _doubtful(doubts), advice)] if doubts else []


def _doubtful(doubts: Sequence[str]) -> str:
    more = f"; and {len(doubts) - MOST} more" if len(doubts) > MOST else ""
    return f"cannot be determined: {'; '.join(doubts[:MOST])}{more}"


def _seen(places: Sequence[str]) -> str:
    more = f"; and {len(places) - MOST} more" if len(places) > MOST else ""
    return f"set elsewhere: {'; '.join(places[:MOST])}{more}"


def nova(settings: Iterable[NovaSetting], ours: Callable[[NovaSetting], bool]) -> list[str]:
    """Values of nova.conf that others wrote."""
    return [
        f"{setting.place}: {setting.option} = {setting.value}"
        for setting in settings
        if setting.value.strip() and not ours(setting)
    ]

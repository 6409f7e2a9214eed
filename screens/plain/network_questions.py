"""Many networks at once, line by line: by a pattern over VLANs, from lines that are typed or pasted, or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from screens.plain.terminal_io import Command
from wizard.answers import editing
from wizard.chapters.gateways import network_import
from wizard.chapters.gateways.network_import import Row
from wizard.errors import InputError
from wizard.model.questions import Key

if TYPE_CHECKING:
    from screens.plain.plain_session import PlainSession

WAYS = "m many, t lines, f file"
HELP = "m asks for a range of VLANs and a pattern for each value; t takes lines, typed or pasted; f reads a file."
BRACES = "In braces: vlan, n (1, 2, 3 and so on), whole numbers, + - * / % and parentheses."
PATTERNS = (
    ("label", "Label", "net{vlan}"),
    ("router", "Router", "10.{vlan/256}.{vlan%256}.1"),
    ("cidr", "Network, - for none", "10.{vlan/256}.{vlan%256}.0/24"),
)
MOST = 5  # wrong rows that are said one by one


class ManyNetworks:
    """Asks for many networks, shows what they come to, and takes them when that is wanted. `place` is where the list is."""

    def __init__(self, session: PlainSession, chapter: str, place: Key, label: str) -> None:
        self.session, self.chapter, self.place, self.label = session, chapter, place, label

    def ask(self, letter: str) -> None:
        """One of the ways: m, t or f."""
        try:
            rows = {"m": self._by_pattern, "t": self._typed, "f": self._from_file}[letter]()
        except InputError as error:
            self.session.talk.say(f"! {error.where + ': ' if error.where else ''}{error.what}")
            return
        if rows is not None:
            self._take(rows)

    def _line(self, prompt: str, help_text: str) -> str | None:
        line = self.session.ask(f"{self.label} {prompt}:", help_text)
        return None if isinstance(line, Command) else line

    def _by_pattern(self) -> list[Row] | None:
        vlans = self._line("VLANs, such as 1441-1460, 1500", "One network is added for each VLAN. b goes back.")
        if not vlans:
            return None
        typed = {}
        for name, text, example in PATTERNS:
            line = self._line(f"{text} [{example}]", BRACES)
            if line is None:
                return None
            typed[name] = "" if line == "-" else line or example
        return network_import.from_pattern(vlans, typed)

    def _typed(self) -> list[Row] | None:
        lines: list[str] = []
        while True:
            line = self._line(f"line {len(lines) + 1}, Enter ends", network_import.FORMS)
            if line is None:
                return None
            if not line:
                return network_import.from_text("\n".join(lines)) if lines else None
            lines.append(line)

    def _from_file(self) -> list[Row] | None:
        path = self._line("File, such as /root/networks.csv", f"A file on this machine. {network_import.FORMS}")
        return network_import.from_file(Path(path).expanduser()) if path else None

    def _take(self, rows: list[Row]) -> None:
        """Say what they come to; add those that are right, if that is wanted."""
        there = editing.value_at(self.session.state.answers, self.chapter, self.place) or []
        judged = network_import.without_doubles(rows, there)
        good = [row for row in judged if not row.problem]
        wrong = [row for row in judged if row.problem]
        say = self.session.talk.say
        for row in wrong[:MOST]:
            say(f"! line {row.number}: {row.problem}")
        if len(wrong) > MOST:
            say(f"! and {len(wrong) - MOST} more lines that are not right")
        if not good:
            say("There is nothing to be added.")
            return
        ends = good if len(good) <= 2 else [good[0], good[-1]]
        say("\n".join(f"  {_said(row)}" for row in ends))
        left = ", without what is not right" if wrong else ""
        count = f"{len(good)} network{'s' * (len(good) != 1)}"
        line = self._line(f"Add {count}{left}, yes or no [yes]", "What is said above is the first and the last.")
        if line is not None and line.lower() in ("", "y", "yes"):
            rows_then = [*there, *(row.data() for row in good)]
            self.session.state.answers = editing.change(self.session.state.answers, self.chapter, self.place, rows_then)
            say(f"Added: {len(good)}.")
        else:
            say("Not added.")


def _said(row: Row) -> str:
    names = {"label": "Label", "router": "Router", "vlan": "VLAN", "cidr": "Network", "bridge": "Bridge"}
    return ", ".join(f"{names[name]} {text}" for name in network_import.FIELDS if (text := row.values.get(name)))

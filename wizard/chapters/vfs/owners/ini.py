"""Files of sections with `key = value` lines, as systemd, NetworkManager and tuned have them."""

from __future__ import annotations

from dataclasses import field

from wizard.dataclass import dataclass


@dataclass(slots=True)
class Section:
    name: str
    line: int
    entries: list[tuple[str, str, int]] = field(default_factory=list)  # key, value, line

    def values(self, key: str) -> list[str]:
        return [value for name, value, _ in self.entries if name == key]

    def last(self, key: str) -> str | None:
        found = self.values(key)
        return found[-1] if found else None


def sections(text: str) -> list[Section]:
    """In their order; lines before the first head are in a section without a name. A line that ends in a backslash goes on."""
    found = [Section("", 1)]
    kept, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith(("#", ";")):
            continue
        start = start or number
        if line.endswith("\\"):
            kept += line[:-1] + " "
            continue
        line, first, kept, start = kept + line, start, "", 0
        if line.startswith("[") and line.endswith("]"):
            found.append(Section(line[1:-1].strip(), first))
        elif "=" in line:
            key, _, value = line.partition("=")
            found[-1].entries.append((key.strip(), value.strip(), first))
    return found

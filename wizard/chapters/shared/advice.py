"""What to do about a thing that verify could not see: root rights help only where they were what was lacking."""

from __future__ import annotations

from wizard.facts.facts import Facts

AS_ROOT = "Run verify as root."
LOOK = "`compute-wizard inspect` says what could not be seen, and why."


def of_node(facts: Facts) -> str:
    """About a file or a table of the node."""
    return LOOK if facts.privileged else AS_ROOT


def of_next_line(facts: Facts) -> str:
    """About the next boot's kernel line: a source may be hidden, or say what only a shell could compute."""
    hidden = facts.boot.loader.in_entries or any(facts.hidden(path) for path in facts.boot.sources)
    if hidden:
        return of_node(facts)
    return "What that line gives cannot be computed: compare /proc/cmdline after the reboot."

"""The table of docs/which.md is made from the catalog that the program uses: UPDATE_GOLDEN=1 writes it anew."""

from __future__ import annotations

import os

from places import REPOSITORY

from wizard.facts.neutron.catalog import AGENTS, Known

PAGE = REPOSITORY / "docs/which.md"
BEGIN, END = "<!-- begin of the catalog -->\n", "<!-- end of the catalog -->"


def row(known: Known) -> str:
    files = ", ".join(f"`{path}`" for path in known.files) or "Open vSwitch's database"
    services = "; ".join(f"{who}: `{name}`" for who, name in known.services)
    between = f"{known.since or 'kilo'} to {known.until or 'now'}"
    return f"| `{known.program}` | {known.does} | {files} | {services} | `/etc/kolla/{known.kolla}` | {between} |"


def table() -> str:
    head = "| program | what it does | its file, newest first | its service | kolla's directory | releases |\n|---|---|---|---|---|---|\n"
    return head + "".join(f"{row(known)}\n" for known in AGENTS)


def test_the_document_says_what_the_program_uses() -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    there, _, after = rest.partition(END)
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(before + BEGIN + table() + END + after, encoding="utf-8")
        there = table()
    assert there == table()

"""Commands of a run whose runner was killed: they go on without it, and nothing else is to be done beside them."""

from __future__ import annotations

from wizard.errors import NodeError, Refused
from wizard.node.node import Node
from wizard.runs import records as run_records


def refuse_beside_leftovers(node: Node, boot: str) -> None:
    """Raises Refused naming a command that a run left behind and that has not ended. `boot` is the id of this boot."""
    for run in run_records.run_ids(node):
        record = run_records.read_record(node, run)
        if record is None or record.process is None or not boot or record.last_boot != boot:
            continue
        alive = in_session(node, record.process)
        if alive:
            words = (node.text(f"/proc/{alive[0]}/cmdline") or "").replace("\0", " ").strip()
            raise Refused(
                f"a command of run {run} goes on after its runner was killed: process {alive[0]} ({words or 'ended'})",
                do="Wait for its end, or end it if it hangs; then go on.",
                code="COMMAND-LEFT-RUNNING",
            )


def in_session(node: Node, leader: int) -> list[int]:
    """The processes of the session that a process began when it was started; a daemon that it left has one of its own."""
    found = []
    for name in node.names("/proc"):
        if not name.isdecimal():
            continue
        state, session = _state(node, name)
        if session == leader and state != "Z":
            found.append(int(name))
    return found


def _state(node: Node, pid: str) -> tuple[str, int]:
    """State and session of a process (proc(5): the name in brackets may hold anything); ("", 0) where there is none."""
    try:
        words = node.read(f"/proc/{pid}/stat").decode("utf-8", "replace").rpartition(")")[2].split()
        return words[0], int(words[3])
    except (NodeError, IndexError, ValueError):
        return "", 0

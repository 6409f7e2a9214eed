"""The plain face: numbered questions, a line each. For dumb terminals, pipes, slow lines, speech and braille."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from screens.plain.terminal_io import Ended, Select, Talk
from screens.terminal.choice import Face

if TYPE_CHECKING:
    from wizard.node.live import Open


def run(open_node: Open, simulated: bool, face: Face) -> int:
    """Ask until it is left; gives the exit code."""
    for stream in (sys.stdin, sys.stdout):  # a byte that the locale does not know ends nothing
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    select: Select | None = None
    if face.arrows:
        from screens.plain.arrow_select import select
    talk = Talk(sys.stdin, sys.stdout, face.terminal.columns, select)
    try:
        talk.say("Looking at this node ...")
    except Ended:
        return 0
    from screens.plain.walk import Walk
    from screens.shared.session import NodeEngine

    node, root = open_node()
    return Walk(NodeEngine(node, root, simulated), talk).run()

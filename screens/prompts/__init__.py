"""The plain face: numbered questions, a line each. For dumb terminals, pipes, slow lines, speech and braille."""

from __future__ import annotations

import io
import sys

from screens.engine import NodeEngine
from screens.faces import Face
from screens.prompts.talk import Select, Talk
from screens.prompts.walk import Walk
from wizard.node.node import Node


def run(node: Node, root: str, simulated: bool, face: Face) -> int:
    """Ask until it is left; gives the exit code."""
    for stream in (sys.stdin, sys.stdout):  # a byte that the locale does not know ends nothing
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    select: Select | None = None
    if face.arrows:
        from screens.prompts.arrows import select
    talk = Talk(sys.stdin, sys.stdout, face.terminal.columns, select)
    return Walk(NodeEngine(node, root, simulated), talk).run()

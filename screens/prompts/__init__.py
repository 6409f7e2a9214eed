"""The plain face: numbered questions, a line each. For dumb terminals, pipes, slow lines, speech and braille."""

from __future__ import annotations

import sys

from screens.engine import NodeEngine
from screens.faces import Face
from screens.prompts.talk import Select, Talk
from screens.prompts.walk import Walk
from wizard.node.node import Node


def run(node: Node, root: str, simulated: bool, face: Face) -> int:
    """Ask until it is left; gives the exit code."""
    select: Select | None = None
    if face.arrows:
        from screens.prompts.arrows import select
    talk = Talk(sys.stdin, sys.stdout, face.terminal.columns, select)
    return Walk(NodeEngine(node, root, simulated), talk).run()

"""The command line on a simulated node: `simulated_tool.py DIRECTORY --root / COMMAND …`, where / means that directory.

A directory of its own that obeys, as in the demo, so that commands of a plan are carried out and a second plan is empty.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wizard.cli import apply as command_apply
from wizard.cli import commands
from wizard.cli import confirm as command_confirm
from wizard.cli import main as cli
from wizard.cli import verify as command_verify
from wizard.simulator.simulated_node import SimulatedNode


def main(directory: str, words: list[str]) -> int:
    for module in (commands, command_apply, command_confirm, command_verify):
        module.open_node = lambda root: SimulatedNode(Path(root))  # type: ignore[attr-defined]
    return cli.main([directory if word == "/" else word for word in words])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

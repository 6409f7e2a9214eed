"""Commands that a proof runs on the node for itself: short, in the tool's own environment, and an error where they fail."""

from __future__ import annotations

import subprocess

from wizard.errors import NodeError
from wizard.node.live import ENVIRONMENT


def run(argv: list[str], limit: float) -> None:
    """Run one command for at most `limit` seconds. Raises NodeError."""
    words = " ".join(argv)
    try:
        done = subprocess.run(
            argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=limit, env=ENVIRONMENT, check=False
        )
    except subprocess.TimeoutExpired:
        raise NodeError(f"`{words}` gave no answer within {limit:g} seconds") from None
    except OSError as error:
        raise NodeError(f"`{argv[0]}` cannot be run: {error.strerror}") from None
    if done.returncode:
        raise NodeError(f"`{words}`: {done.stderr.decode('utf-8', 'replace').strip()}")

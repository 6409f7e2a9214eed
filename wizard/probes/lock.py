"""One proof at a time. The lock is a name in the kernel (an abstract socket), so it goes with its holder and leaves no file."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from wizard.errors import NodeError

_NAME = "\0compute-wizard/proof"


@contextmanager
def only_one() -> Iterator[None]:
    """Raises NodeError where another proof is under way on this node."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as held:
        try:
            held.bind(_NAME)
        except OSError:
            raise NodeError("another proof is under way on this node: try again when it has ended") from None
        yield

"""What a test needs of the machine it runs on, asked in one way, so that every skip says truly what is missing."""

from __future__ import annotations

import errno
import os

import pytest


def root(for_what: str) -> None:
    """Skip where an ordinary user runs the tests; `for_what` is what he may not do."""
    if os.geteuid() != 0:
        pytest.skip(f"root: {for_what}")


def allowed(error: OSError) -> None:
    """Skip after a call that failed: an ordinary user may not, or this kernel or file system cannot."""
    denied = error.errno in (errno.EPERM, errno.EACCES) and os.geteuid() != 0
    pytest.skip(f"{'root' if denied else 'kernel'}: {error.strerror}")

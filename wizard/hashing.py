"""What tells that bytes or attributes are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

_NOBODY_S_WORK = ("trusted.", "security.ima", "security.evm")


def attributes_digest(attributes: Mapping[str, bytes]) -> str:
    """One sha256 for all extended attributes. Those in trusted.* are left out, since only root sees that there are any, and
    those that the kernel itself sets whenever a file was written (IMA, EVM)."""
    seen = sorted((name, value) for name, value in attributes.items() if not name.startswith(_NOBODY_S_WORK))
    return digest(b"".join(f"{name}\0{len(value)}\0".encode() + value for name, value in seen))


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

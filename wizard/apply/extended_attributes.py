"""Extended attributes of an open file; ACLs are such."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Mapping
from contextlib import suppress

ACL = "system.posix_acl_access"
_GROUP, _MASK = 0x04, 0x10  # include/uapi/linux/posix_acl.h
_BLIND = (errno.ENOTSUP, errno.ENODATA, errno.EPERM, errno.EACCES)


def read(descriptor: int) -> dict[str, bytes]:
    """Those of an open file that this process may see."""
    try:
        names = os.listxattr(descriptor)
    except OSError:
        return {}
    found: dict[str, bytes] = {}
    for name in names:
        with suppress(OSError):  # those of the kernel's own that this process may not see
            found[name] = os.getxattr(descriptor, name)
    return found


def make(descriptor: int, path: str, wanted: Mapping[str, bytes]) -> list[str]:
    """Make the extended attributes these. Security labels that the directory gave stay where nothing else is wanted."""
    notes = []
    there = read(descriptor)
    for name in there.keys() - wanted.keys():
        if not name.startswith("security."):
            with suppress(OSError):
                os.removexattr(descriptor, name)
    for name, value in wanted.items():
        if there.get(name) == value:
            continue
        try:
            os.setxattr(descriptor, name, value)
        except OSError as error:
            if error.errno not in _BLIND:
                raise
            notes.append(f"{path} does not get its attribute {name}: {os.strerror(error.errno)}")
    return notes


def mode_beside(descriptor: int, mode: int, wanted: Mapping[str, bytes]) -> int:
    """The mode that a file may get. With an ACL the bits of the group are the ACL's mask; where the ACL could not be set, the
    group gets what it had: its own entry within the mask."""
    if ACL not in wanted or ACL in read(descriptor):
        return mode
    entries = acl_entries(wanted[ACL])
    group = 0o7
    for tag, permissions, _ in entries:
        if tag in (_GROUP, _MASK):
            group &= permissions
    return mode & ~0o070 | group << 3


def acl_entries(value: bytes) -> list[tuple[int, int, int]]:
    """Tag, permissions and id of each entry of an ACL as the kernel keeps it: version 2, then these, little endian."""
    return list(struct.iter_unpack("<HHI", value[4 : 4 + (len(value) - 4) // 8 * 8]))

"""Places of a node that several readers need."""

from __future__ import annotations

BOOT_ID = "/proc/sys/kernel/random/boot_id"

"""QEMU, unpacked from Debian 13's packages: no chroot, no installation; and copies of it whose SR-IOV card looks like another one."""

from __future__ import annotations

import os
import re
import shutil
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import host

SUITE = "trixie"
PACKAGES = ("qemu-system-x86", "qemu-utils", "seabios", "ipxe-qemu", "ovmf")

LOOKS = {"connectx-3-pro": (0x1007, 0x1004), "connectx-5": (0x1017, 0x1018)}
"""Names of cards -> device ids of the function and of its VFs, under Mellanox's vendor id."""
MELLANOX = 0x15B3


@dataclass(frozen=True)
class Emulator:
    """An unpacked QEMU. Its programs run with their own C library, which is newer than many hosts'."""

    directory: Path

    def command(self, program: str, arguments: Sequence[str | Path]) -> list[str]:
        """The words that start a program of it."""
        libraries = [self.directory / place for place in ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")]
        return [
            str(self.directory / "lib64" / "ld-linux-x86-64.so.2"),
            *("--library-path", ":".join(map(str, libraries)), str(self.directory / "usr" / "bin" / program)),
            *map(str, arguments),
        ]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "QEMU_MODULE_DIR": str(self.directory / "usr/lib/x86_64-linux-gnu/qemu")}

    def firmware(self) -> list[str]:
        """Options that name where its firmware lies."""
        shares = [self.directory / "usr" / "share" / name for name in ("qemu", "seabios")]
        return [word for share in shares for word in ("-L", str(share))]

    def system(self, look: str | None) -> str:
        """The program that emulates a machine whose igb cards look like `look`."""
        return f"qemu-system-{look}" if look else "qemu-system-x86_64"

    def image(self, *arguments: str | Path) -> str:
        """qemu-img."""
        return host.run(self.command("qemu-img", arguments), env=self.environment())


def get() -> Emulator:
    """The emulator, unpacked if it is not there yet."""
    directory = host.cache() / f"qemu-{host.key(SUITE, ' '.join(PACKAGES), Path(__file__))}"
    if not directory.exists():
        with host.scratch("qemu") as place:
            root = place / "root"
            host.bootstrap(SUITE, root, PACKAGES, "extract")
            for name in ("bin", "sbin", "lib", "lib64"):  # base-files would make these links, when it is configured
                if not (root / name).exists():
                    (root / "usr" / name).mkdir(parents=True, exist_ok=True)
                    (root / name).symlink_to(f"usr/{name}")
            plain = root / "usr" / "bin" / "qemu-system-x86_64"
            for look, (function, virtual) in LOOKS.items():
                disguised = disguise(plain.read_bytes(), function, virtual)
                copy = plain.with_name(f"qemu-system-{look}")
                copy.write_bytes(disguised)
                shutil.copymode(plain, copy)
            root.rename(directory)
    return Emulator(directory)


def disguise(program: bytes, function: int, virtual: int, vendor: int = MELLANOX) -> bytes:
    """QEMU with other PCI ids for its igb: three constants in its code. Raises ValueError unless each is found exactly once.

    igb's class sets vendor and device with one 32-bit constant (movl $0x10c98086, disp32(%reg)), igbvf's likewise with 10ca; and
    igb hands the VFs' id (mov $0x10ca, %reg) to pcie_sriov_pf_init together with the capability's offset, 0x160.
    """
    changed = bytearray(program)
    function_ids = _only(
        re.finditer(rb"\xc7[\x80-\x87].\0\0\0\x86\x80\xc9\x10", program, re.DOTALL), "ids of the function"
    )
    virtual_ids = _only(re.finditer(rb"\xc7[\x80-\x87].\0\0\0\x86\x80\xca\x10", program, re.DOTALL), "ids of the VFs")
    offered = _only(
        (
            match
            for match in re.finditer(rb"[\xb8-\xbf]\xca\x10\0\0", program, re.DOTALL)
            if b"\x60\x01\0\0" in program[match.start() - 64 : match.start() + 64]
        ),
        "the VFs' id in the SR-IOV capability",
    )
    changed[function_ids - 4 : function_ids] = struct.pack("<HH", vendor, function)
    changed[virtual_ids - 4 : virtual_ids] = struct.pack("<HH", vendor, virtual)
    changed[offered - 4 : offered - 2] = struct.pack("<H", virtual)
    return bytes(changed)


def _only(matches: object, what: str) -> int:
    found = [match.end() for match in matches]  # type: ignore[attr-defined]
    if len(found) != 1:
        raise ValueError(f"{what}: found {len(found)} times in this QEMU, and it has to be once")
    return int(found[0])

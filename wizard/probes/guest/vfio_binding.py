"""Lend a PCI function to vfio-pci, and give it back to exactly what had it before.

What it was is written down before anything is changed, below /run: where a crash leaves it, the next proof gives the function
back; after a reboot it is as the boot made it, and the note is gone too.
"""

from __future__ import annotations

import errno
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.probes.guest.idle_vfs import VFIO

NOTE = Path("/run/compute-wizard/lent.json")
BUS = Path("/sys/bus/pci")
GROUPS = Path("/dev/vfio")
SETTLES = 20.0  # seconds in which a driver that was given a function back has it
_NO_OVERRIDE = ("", "(null)")  # as the kernel shows that there is none


@dataclass(frozen=True, slots=True)
class Before:
    """A function as it was: "" for no driver and for no override. `loaded`: vfio-pci was loaded for it."""

    address: str
    driver: str
    override: str
    loaded: bool


class Lending:
    """The bus, and the note of what is lent. Everything raises NodeError."""

    def __init__(self, bus: Path = BUS, note: Path = NOTE, groups: Path = GROUPS) -> None:
        self.bus, self.note, self.groups = bus, note, groups

    def _device(self, address: str) -> Path:
        return self.bus / "devices" / address

    def driver(self, address: str) -> str:
        """The driver that has the function now, or ""."""
        try:
            return (self._device(address) / "driver").readlink().name
        except OSError:
            return ""

    def override(self, address: str) -> str:
        """The driver that the function is kept for, or ""."""
        try:
            text = (self._device(address) / "driver_override").read_text(encoding="ascii").strip()
        except OSError as error:
            raise NodeError(
                f"{address} has no driver_override ({error.strerror}): kernels before 3.16 cannot lend it"
            ) from None
        return "" if text in _NO_OVERRIDE else text

    def refuse_held(self, address: str) -> None:
        """A guest has its VF's group open, and there is but one who can (drivers/vfio/group.c)."""
        try:
            group = self.groups / (self._device(address) / "iommu_group").readlink().name
            os.close(os.open(group, os.O_RDWR | os.O_CLOEXEC))
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise NodeError(f"{address} is held by a guest") from None

    def noted(self) -> Before | None:
        """What an earlier proof did not give back."""
        try:
            return Before(**json.loads(self.note.read_text(encoding="ascii")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise NodeError(
                f"{self.note} cannot be read ({error}): see it, give the function back by hand, remove it"
            ) from None

    def lend(self, address: str, *, loaded: bool) -> Before:
        """Give the function to vfio-pci. `loaded`: that module was loaded for this, and goes again."""
        self.refuse_held(address)
        up = self._interfaces_up(address)
        if up:
            raise NodeError(f"{address} is not idle any more: {', '.join(up)} is up")
        before = Before(address, self.driver(address), self.override(address), loaded)
        self._write_note(before)
        if before.driver != VFIO:
            self._bind(address, VFIO)
        if self.driver(address) != VFIO:
            has = self.driver(address) or "no driver"
            raise NodeError(f"vfio-pci does not take {address}: it has {has}. The kernel's log (dmesg) says why.")
        return before

    def _interfaces_up(self, address: str) -> list[str]:
        """Interfaces of the function that are up (IFF_UP) at this moment."""
        found = []
        for flags in sorted(self._device(address).glob("net/*/flags")):
            with suppress(OSError, ValueError):
                if int(flags.read_text(encoding="ascii"), 0) & 1:
                    found.append(flags.parent.name)
        return found

    def _write_note(self, before: Before) -> None:
        try:
            self.note.parent.mkdir(mode=0o700, exist_ok=True)
            self.note.write_text(json.dumps(asdict(before)), encoding="ascii")
        except OSError as error:
            raise NodeError(f"{self.note} cannot be written ({error.strerror}): nothing was lent") from None

    def _bind(self, address: str, driver: str) -> None:
        """Take the function from whoever has it, and give it to this driver, whatever its ids."""
        self._unbind(address)
        self._write(self._device(address) / "driver_override", driver)
        self._write(self.bus / "drivers_probe", address)

    def _unbind(self, address: str) -> None:
        if self.driver(address):
            self._write(self._device(address) / "driver" / "unbind", address)

    def give_back(self, before: Before) -> None:
        """The driver and the override that it had; then the note goes. May be done again after it was cut short."""
        address = before.address
        if self._device(address).exists():  # else the VF is gone, and nothing of it is left to be given back
            if self.driver(address) != before.driver:
                self._unbind(address)
            if self.override(address) != before.override:
                self._write(self._device(address) / "driver_override", before.override)
            if before.driver and self.driver(address) != before.driver:
                self._write(self.bus / "drivers" / before.driver / "bind", address)
            self._settle(before)
        self.note.unlink(missing_ok=True)
        with suppress(OSError):
            self.note.parent.rmdir()

    def _settle(self, before: Before) -> None:
        end = time.monotonic() + SETTLES
        while (self.driver(before.address), self.override(before.address)) != (before.driver, before.override):
            if time.monotonic() > end:
                raise NodeError(
                    f"{before.address} was with {before.driver or 'no driver'}, and is with "
                    f"{self.driver(before.address) or 'no driver'} now; {self.note} says how it was"
                )
            time.sleep(0.1)

    def _write(self, path: Path, value: str) -> None:
        """One write with a line end: an empty override is how it is taken away."""
        try:
            with path.open("wb", buffering=0) as file:
                file.write(f"{value}\n".encode("ascii"))
        except OSError as error:
            raise NodeError(f"writing {value or 'nothing'} to {path}: {error.strerror}") from None

"""A function goes to vfio-pci and comes back to what had it, whatever happens between; judged on a bus that obeys."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.errors import NodeError
from wizard.probes.guest.vfio_binding import Before, Lending

VF = "0000:3b:00.4"


def no_group(path: Path, flags: int) -> int:
    raise OSError(errno.EBUSY, "Device or resource busy")


class Power(Exception):
    """The proof is cut off here, as by kill -9."""


class Bus(Lending):
    """Obeys as the kernel's bus does (drivers/pci/pci-driver.c, drivers/base/bus.c); `cut` is the write before which it all ends."""

    def __init__(self, place: Path, driver: str = "", override: str = "", cut: int = 99, takes: bool = True) -> None:
        super().__init__(place / "pci", place / "run" / "lent.json")
        self.cut, self.takes, self.writes = cut, takes, 0
        (place / "run").mkdir()
        for name in ("vfio-pci", "mlx5_core", "other"):
            (self.bus / "drivers" / name).mkdir(parents=True)
        device = self.bus / "devices" / VF
        (device / "net/eth9").mkdir(parents=True)
        (device / "net/eth9/flags").write_text("0x1002\n", encoding="ascii")
        self._show(override)
        if driver:
            self._attach(driver)

    def _show(self, override: str) -> None:
        (self.bus / "devices" / VF / "driver_override").write_text(f"{override or '(null)'}\n", encoding="ascii")

    def _attach(self, driver: str) -> None:
        (self.bus / "devices" / VF / "driver").symlink_to(self.bus / "drivers" / driver)

    def _write(self, path: Path, value: str) -> None:
        self.writes += 1
        if self.writes > self.cut:
            raise Power
        override = self.override(VF)
        match path.name:
            case "unbind":
                assert value == VF
                (self.bus / "devices" / VF / "driver").unlink()
            case "driver_override":
                self._show(value)
            case "drivers_probe":
                if not self.driver(VF) and self.takes:
                    self._attach(override or "mlx5_core")
            case "bind":
                assert not self.driver(VF)
                assert override in ("", path.parent.name)
                self._attach(path.parent.name)
            case other:
                raise AssertionError(other)

    @property
    def state(self) -> tuple[str, str]:
        return self.driver(VF), self.override(VF)


STATES = [("", ""), ("mlx5_core", ""), ("vfio-pci", "vfio-pci"), ("", "vfio-pci"), ("other", "other"), ("vfio-pci", "")]


@pytest.mark.parametrize(("driver", "override"), STATES)
def test_there_and_back(driver: str, override: str, tmp_path: Path) -> None:
    bus = Bus(tmp_path, driver, override)
    before = bus.lend(VF, loaded=True)
    assert bus.driver(VF) == "vfio-pci"
    assert bus.noted() == before == Before(VF, driver, override, loaded=True)
    bus.give_back(before)
    assert bus.state == (driver, override)
    assert not bus.note.parent.exists()
    assert bus.noted() is None


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(STATES), st.integers(0, 6), st.integers(0, 6))
def test_whatever_is_cut_short_the_next_one_heals(
    tmp_path_factory: pytest.TempPathFactory, state: tuple[str, str], first: int, second: int
) -> None:
    bus = Bus(tmp_path_factory.mktemp("bus"), *state, cut=first)
    try:
        bus.give_back(bus.lend(VF, loaded=False))
    except Power:
        bus.cut, bus.writes = second, 0
        noted = bus.noted()
        assert noted is not None
        try:
            bus.give_back(noted)
        except Power:
            bus.cut = 99
            bus.give_back(noted)
    assert bus.state == state
    assert bus.noted() is None


def test_one_that_came_up_meanwhile_is_left_alone(tmp_path: Path) -> None:
    bus = Bus(tmp_path, "mlx5_core")
    (bus.bus / "devices" / VF / "net/eth9/flags").write_text("0x1003\n", encoding="ascii")
    with pytest.raises(NodeError, match="eth9 is up"):
        bus.lend(VF, loaded=False)
    assert (bus.writes, bus.noted()) == (0, None)


def test_one_that_a_guest_has_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = Bus(tmp_path, "vfio-pci")
    (bus.bus / "devices" / VF / "iommu_group").symlink_to("../../../../kernel/iommu_groups/70")
    bus.refuse_held(VF)  # no such group is open
    monkeypatch.setattr("wizard.probes.guest.vfio_binding.os.open", no_group)
    with pytest.raises(NodeError, match="held by a guest"):
        bus.lend(VF, loaded=False)
    assert (bus.writes, bus.noted()) == (0, None)


def test_vfio_may_not_take_it(tmp_path: Path) -> None:
    bus = Bus(tmp_path, "mlx5_core", takes=False)
    with pytest.raises(NodeError, match="vfio-pci does not take"):
        bus.lend(VF, loaded=False)
    noted = bus.noted()
    assert noted is not None
    bus.give_back(noted)
    assert bus.state == ("mlx5_core", "")


def test_an_old_kernel_cannot_lend(tmp_path: Path) -> None:
    bus = Bus(tmp_path)
    (bus.bus / "devices" / VF / "driver_override").unlink()
    with pytest.raises(NodeError, match=r"before 3\.16"):
        bus.lend(VF, loaded=False)
    assert bus.noted() is None


def test_a_vf_that_is_gone_needs_nothing(tmp_path: Path) -> None:
    bus = Bus(tmp_path)
    before = Before("0000:3b:00.7", "mlx5_core", "", loaded=False)
    bus.note.write_text(json.dumps({"address": before.address, "driver": "", "override": "", "loaded": False}), "ascii")
    bus.give_back(before)
    assert (bus.writes, bus.noted()) == (0, None)


@pytest.mark.parametrize("text", ["", "[]", '{"address": 1}', "\xff"])
def test_a_note_that_cannot_be_read_is_said(text: str, tmp_path: Path) -> None:
    bus = Bus(tmp_path)
    bus.note.write_bytes(text.encode("latin-1"))
    with pytest.raises(NodeError, match="cannot be read"):
        bus.noted()

"""How long things take beside the least that they could take, in one run: machines differ, ratios stay. Printed, never judged."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from wizard.facts import facts
from wizard.node.recorded import DirectoryNode
from wizard.simulator import described
from wizard.simulator.built_in import built_in

RUNS = 9
FUNCTIONS = 1000  # VFs, beside three PFs
ATTRIBUTES = ("vendor", "device", "class", "subsystem_vendor", "subsystem_device", "numa_node", "sriov_numvfs", "irq")
LINKS = ("driver", "iommu_group", "physfn")
BARE = f"""
import os
from pathlib import Path
devices = os.path.join(os.sys.argv[1], "sys/bus/pci/devices")
for address in os.listdir(devices):
    place = os.path.join(devices, address)
    for name in {ATTRIBUTES!r}:
        try:
            with open(os.path.join(place, name), "rb") as file:
                file.read()
        except OSError:
            pass
    for name in {LINKS!r}:
        try:
            os.readlink(os.path.join(place, name))
        except OSError:
            pass
"""
PYTHON = (sys.executable, "-I")
TOOL = (str(Path(sys.executable).with_name("compute-wizard")),)


def of_process(*argv: str) -> float:
    """Milliseconds of the processor that a command takes, its start included."""
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, _, used = os.wait4(pid, 0)
    return (used.ru_utime + used.ru_stime) * 1000


def of_call(action: Callable[[], object]) -> float:
    """Milliseconds of the processor that a call takes."""
    start = time.process_time()
    action()
    return (time.process_time() - start) * 1000


def row(what: str, ours: Callable[[], float], least: Callable[[], float], runs: int = RUNS) -> None:
    """The least of several runs of each, taken in turn: what else the machine does only adds to them."""
    pairs = [(ours(), least()) for _ in range(runs)]
    mine, theirs = min(each for each, _ in pairs), min(each for _, each in pairs)
    print(f"{what:60} {mine:8.1f} ms  {theirs:8.1f} ms  {mine / theirs:5.2f} times")


def crowd(directory: Path) -> None:
    """A node with three cards and a thousand VFs."""
    described.materialise(built_in("today"), directory)
    devices = directory / "sys/bus/pci/devices"
    for old in list(devices.iterdir()):
        old.unlink()
    cards = [f"0000:{bus}:00.0" for bus in ("20", "40", "60")]
    vfs = [f"0000:{'246'[n % 3]}{1 + n // 3 // 256}:{n // 3 // 8 % 32:02x}.{n // 3 % 8}" for n in range(FUNCTIONS)]
    for number, address in enumerate([*cards, *vfs]):
        card = cards["246".index(address[5])]
        place = directory / f"sys/devices/pci0000:{card[5:7]}/0000:{card[5:7]}:01.0/{address}"
        place.mkdir(parents=True)
        ids = {"vendor": "0x15b3", "device": "0x1018", "class": "0x020000"}
        for name in (*ATTRIBUTES, "config"):
            (place / name).write_text(ids.get(name, "0x0000") + "\n")
        (place / "driver").symlink_to("../../../../bus/pci/drivers/mlx5_core")
        (place / "iommu_group").symlink_to(f"../../../../kernel/iommu_groups/{number}")
        if address != card:
            (place / "physfn").symlink_to(f"../{card}")
        (devices / address).symlink_to(os.path.relpath(place, devices))


def main() -> None:
    """What it is, ours, the least, and how many times."""
    with tempfile.TemporaryDirectory() as kept:
        recorded, many = Path(kept, "recorded"), Path(kept, "many")
        described.materialise(built_in("demo"), recorded)
        crowd(many)
        unset = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        subprocess.run(
            [*TOOL, "--root", recorded, "plan"], capture_output=True, check=False, env=unset
        )  # compiles it once
        row(
            "plan of a recorded node, to the import of pydantic",
            lambda: of_process(*TOOL, "--root", str(recorded), "plan"),
            lambda: of_process(*PYTHON, "-c", "import pydantic; pydantic.BaseModel"),
        )
        node = DirectoryNode(many)
        bare = compile(BARE.replace("os.sys.argv[1]", repr(str(many))), "bare", "exec")
        row(
            "facts of 1,003 PCI functions, to eleven files of each",
            lambda: of_call(lambda: facts.read(node)),
            lambda: of_call(lambda: exec(bare, {})),
            3,
        )
        row(
            "inspect of them, to the same as processes",
            lambda: of_process(*TOOL, "--root", str(many), "inspect"),
            lambda: of_process(*PYTHON, "-c", BARE, str(many)),
            3,
        )


if __name__ == "__main__":
    main()

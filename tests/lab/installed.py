"""A guest's disk with the tool in it, installed once for all scenarios, as a user would: wheels are brought, and no index is asked."""

from __future__ import annotations

import shutil
import time
import zipfile
from functools import cache
from pathlib import Path

from lab import guest_image, host, wheelhouse
from lab.machine import Hardware, Machine

TOOL = "/opt/compute-wizard/bin/compute-wizard"
PROMPT_WITH_CODE = r"root@\h:\w [$?]# "  # the exit code of the command before, so that a console's story tells it
UNUSED = 86400  # seconds after which the disk of another state of the tool is thrown away


@cache
def get(image: str) -> Path:
    """The disk, made if the image or any wheel is another one than when it was made."""
    suite = guest_image.IMAGES[image].suite
    wheels = wheelhouse.get(suite)
    base = guest_image.get(image).path
    kind = f"installed-{image}-"
    directory = host.cache() / f"{kind}{host.key(base.parent.name, *_contents(wheels), Path(__file__))}"
    with host.alone(directory.name):
        if not directory.exists():
            print(f"lab: the tool is being installed in {image}", flush=True)
            _make(directory, image, wheels)
    directory.touch()
    for other in host.cache().glob(f"{kind}*"):
        if time.time() - other.stat().st_mtime > UNUSED:
            shutil.rmtree(other)
    return directory / "disk.qcow2"


def _make(directory: Path, image: str, wheels: Path) -> None:
    with (
        host.scratch(directory.name) as place,
        Machine(Hardware(image=image), host.RESULTS / f"installed-{image}") as machine,
    ):
        machine.boot()
        machine.must("cat >> /root/.bashrc", stdin=f"PS1='{PROMPT_WITH_CODE}'\n")
        _install(machine, wheels)
        shutil.copy(machine.shut_down(), place / "disk.qcow2")
        place.rename(directory)


def _install(machine: Machine, wheels: Path) -> None:
    machine.bring(wheels, "/root/wheelhouse")
    machine.must(
        "python3 -m venv /opt/compute-wizard && "
        f"/opt/compute-wizard/bin/pip install -q --no-index --find-links /root/wheelhouse/{wheels.name} compute-wizard && "
        f"ln -sf {TOOL} /usr/local/bin/compute-wizard && rm -r /root/wheelhouse && compute-wizard --version && sync",
        1800,
    )


def _contents(wheels: Path) -> list[str]:
    """Names and checksums of what is in the wheels; their time stamps are other ones at each making."""
    found: list[str] = []
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            found += [f"{wheel.name} {each.filename} {each.CRC}" for each in archive.infolist()]
    return found

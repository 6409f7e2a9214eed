"""modprobe itself is the judge: the options that it hands to the kernel are those that are read here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wizard.formats import modprobe

PIECES = st.sampled_from(
    [
        b"options mlx4_core num_vfs=4",
        b"options mlx4_core ",
        b"options",
        b"mlx4-core",
        b" ",
        b"\t",
        b"\n",
        b"\\",
        b"\\\n",
        b"\r\n",
        b"#",
        b"num_vfs=8",
        b"probe_vf=0",
        b'"',
        b"\xc2\xa0",
        b"\x0b",
        b"install mlx4_core /bin/x",
        b"\n\n",
    ]
)
WANTED = {"num_vfs": "16", "probe_vf": "0"}


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, min_size=1, max_size=9).map(b"".join))
def test_modprobe_hands_over_the_same_options(tmp_path: Path, content: bytes) -> None:
    if shutil.which("modprobe") is None:
        pytest.skip("modprobe: the program is not installed")
    assert read_by_kmod(tmp_path, content) == modprobe.effective([("x", content)]).get("mlx4_core", {})
    after = modprobe.set_parameters(content, "mlx4_core", WANTED)
    there = read_by_kmod(tmp_path, after)
    assert {name: there.get(name) for name in WANTED} == WANTED


def read_by_kmod(directory: Path, content: bytes) -> dict[str, str]:
    """What modprobe would hand to the kernel, cut as the kernel does it; kmod writes a tab as a blank."""
    (directory / "a.conf").write_bytes(content)
    said = subprocess.run(["modprobe", "-C", directory, "-c"], capture_output=True, check=True).stdout
    prefix = b"options mlx4_core "
    found: dict[str, str] = {}
    for line in said.split(b"\n"):
        if line.startswith(prefix):
            found |= modprobe.arguments(line.removeprefix(prefix).decode("utf-8", "surrogateescape"))
    return found

"""What is said of a script is what a shell makes of it; and no text whatever ends the reading of it with an error."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodes import today
from test_owner_kinds import NETPLAN, SCRIPTS, UDEV

from wizard.chapters.vfs.owners import shell, udev_rules
from wizard.chapters.vfs.owners.model import NO, UNKNOWN, YES, Verdict
from wizard.chapters.vfs.owners.simple_yaml import NotPlain, parse
from wizard.chapters.vfs.owners.view import View
from wizard.facts import facts

PORTS = ("enp59s0f0np0", "enp59s0f1np1")
CERTAIN = [
    row
    for row in SCRIPTS
    if UNKNOWN not in row[1:3]
    and "os-net-config" not in row[0]
    and "/etc/motd" not in row[0]
    and "/etc/default" not in row[0]
]


@pytest.mark.parametrize(("script", "first", "second", "count"), CERTAIN)
def test_a_certain_yes_and_a_certain_no_are_what_the_shell_does(
    script: str, first: Verdict, second: Verdict, count: int | None, tmp_path: Path
) -> None:
    if shutil.which("dash") is None:
        pytest.skip("dash: the program is not installed")
    for place in (
        *(f"sys/class/net/{port}/device" for port in PORTS),
        "sys/bus/pci/devices/0000:3b:00.0",
        "sys/class/infiniband/mlx5_0/device",
    ):
        (tmp_path / place).mkdir(parents=True)
    function = tmp_path / "sys/class/net" / PORTS[0] / "device"
    for name in ("sriov_numvfs", "mlx5_num_vfs"):
        (function / name).write_text("0\n", encoding="ascii")
        for other in ("sys/bus/pci/devices/0000:3b:00.0", "sys/class/infiniband/mlx5_0/device"):
            (tmp_path / other / name).symlink_to(function / name)
    (tmp_path / "sys/class/net" / PORTS[1] / "device/sriov_numvfs").write_text("0\n", encoding="ascii")
    for name in ("modprobe", "sleep"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 0\n", encoding="ascii")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "sudo").write_text('#!/bin/sh\nexec "$@"\n', encoding="ascii")
    (tmp_path / "sudo").chmod(0o755)
    text = script.replace("/sys/", f"{tmp_path}/sys/")
    path = f"{tmp_path}:/usr/bin:/bin"
    subprocess.run(
        ["dash", "-c", f"{text}\nwait", "rc.local", "start"],
        check=False,
        env={"PATH": path},
        capture_output=True,
        timeout=20,
    )
    names = ("mlx5_num_vfs" if "mlx5_num_vfs" in script else "sriov_numvfs", "sriov_numvfs")
    found = [
        (tmp_path / "sys/class/net" / port / "device" / name).read_text(encoding="ascii").strip()
        for port, name in zip(PORTS, names, strict=True)
    ]
    assert found == [str(count) if verdict is YES else "0" for verdict in (first, second)]
    assert NO in (first, second) or first is second


@cache
def view() -> View:
    return View(facts.read(today()))


texts = [
    *(row[0] for row in SCRIPTS),
    *(row[0] for row in UDEV),
    *(text for row in NETPLAN for text in row[0].values()),
]
pieces = st.sampled_from(
    ["$(", "${", "}", ")", '"', "'", "`", "\\", "\n", ";;", "|", "&&", "<<E\n", "fi", "esac", "{", ":", "- ", "\t", "é"]
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(texts), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), pieces), min_size=1, max_size=4)
)
def test_no_text_ends_the_reading_with_an_error(text: str, changes: list[tuple[int, int, str]]) -> None:
    for place, gone, piece in changes:
        at = place % (len(text) + 1)
        text = text[:at] + piece + text[at + gone :]
    shell.writes(view(), text, "/etc/rc.local")
    udev_rules.rules(text)
    with suppress(NotPlain):
        parse(text)

"""The recorder: what it takes of this machine gives the same facts, and no secret of nova.conf by default."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from wizard.node import facts
from wizard.node.live import LiveNode
from wizard.node.recorded import read_tar

RECORDER = Path(str(resources.files("assets"))) / "node" / "recorder.sh"


@pytest.mark.parametrize("shell", [["dash"], ["busybox", "sh"]], ids=["dash", "busybox"])
def test_a_recording_gives_the_same_facts(shell: list[str], tmp_path: Path) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]}: the program is not installed")
    out = tmp_path / "node.tar"
    done = subprocess.run([*shell, RECORDER, out], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert out.stat().st_mode & 0o077 == 0
    recorded, live = facts.read(read_tar(out)), facts.read(LiveNode())
    assert recorded.system.hostname == live.system.hostname
    assert recorded.system.kernel == live.system.kernel
    assert recorded.system.os_name == live.system.os_name
    assert [function.address for function in recorded.pci.functions] == [
        function.address for function in live.pci.functions
    ]
    assert recorded.iommu.command_line == live.iommu.command_line
    assert recorded.network.default_route_links == live.network.default_route_links


def test_secrets_stay_at_home_unless_they_are_asked_for(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("kernel: needs root for a mount namespace")
    conf = tmp_path / "nova"
    conf.mkdir()
    text = "[DEFAULT]\nmy_ip = 10.0.0.1\nrabbit_password = s3cr3t\n#admin_password = s3cr3t\n[database]\nconnection = mysql://nova:s3cr3t@db/nova\n"
    (conf / "nova.conf").write_text(text, encoding="utf-8")
    plain, whole = tmp_path / "plain.tar", tmp_path / "whole.tar"
    script = (
        "mount --make-rprivate / && mount -t tmpfs t /etc/nova 2>/dev/null || { mkdir -p /etc/nova && mount -t tmpfs t /etc/nova; } && "
        f"cp {conf}/nova.conf /etc/nova/ && sh {RECORDER} {plain} && sh {RECORDER} --with-secrets {whole}"
    )
    existed = Path("/etc/nova").exists()
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    if not existed and Path("/etc/nova").exists():
        Path("/etc/nova").rmdir()
    assert done.returncode == 0, done.stderr
    assert b"s3cr3t" not in plain.read_bytes()
    assert b"s3cr3t" in whole.read_bytes()
    seen = facts.read(read_tar(plain))
    assert b"my_ip = 10.0.0.1" in seen.files._node.read("/etc/nova/nova.conf")  # type: ignore[union-attr]
    assert "--with-secrets" in seen.hidden("/etc/nova/nova.conf")

"""The recorder: what it takes of this machine gives the same facts, and no secret of nova.conf by default."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
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


def run(*words: str | Path, where: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", RECORDER, *words], capture_output=True, text=True, check=False, timeout=120, cwd=where)


def test_help_is_help(tmp_path: Path) -> None:
    for word in ("--help", "-h"):
        done = run(word, where=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert "usage: sh recorder.sh [--with-secrets] node.tar" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [["--with-secret", "n.tar"], ["--without-secrets"], ["-x"], [], [""], ["a", "b"], ["a", "--secrets"], ["-"]],
)
def test_what_it_does_not_know_is_refused(words: list[str], tmp_path: Path) -> None:
    done = run(*words, where=tmp_path)
    assert (done.returncode, done.stdout) == (64, "")
    assert "usage:" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("mine", "link", "/dev/null", "."):
        done = run(name, where=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert "is there already" in done.stderr
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "mine"]


def test_a_name_with_a_colon_is_a_name(tmp_path: Path) -> None:
    """To GNU tar host:file is a file of another machine, which it would log in to."""
    done = run("node:1.tar", where=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["node:1.tar"]


CHANGES = "chdir,openat,open,creat,mkdir,mkdirat,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,chmod,fchmodat,truncate,init_module,finit_module"


def test_nothing_is_changed_beside_what_is_its_own(tmp_path: Path) -> None:
    """Every system call that could: each names something below its own directory, the tar, or /dev/null. Of nova, whose command
    is Python, not even compiled modules are left."""
    if shutil.which("strace") is None:
        pytest.skip("strace: the program is not installed")
    own, commands, modules = tmp_path / "own", tmp_path / "commands", tmp_path / "modules"
    for place in (own, commands, modules):
        place.mkdir()
    (modules / "nova_stand_in.py").write_text("", encoding="utf-8")
    nova = commands / "nova-compute"
    nova.write_text(
        f"#!{sys.executable}\nimport sys; sys.path.insert(0, {str(modules)!r}); import nova_stand_in; print('2015.1.4')\n",
        encoding="utf-8",
    )
    nova.chmod(0o755)
    trace, out = tmp_path / "trace", tmp_path / "node.tar"
    environment = {"PATH": f"{commands}:{os.defpath}", "TMPDIR": str(own)}
    done = subprocess.run(
        ["strace", "-f", "-qq", "-y", "-s", "4096", "-o", trace, "-e", f"trace={CHANGES}", "sh", RECORDER, out],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=environment,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in modules.iterdir()] == ["nova_stand_in.py"]
    assert list(own.iterdir()) == []
    others, at = [], {}
    for line in trace.read_text(encoding="utf-8", errors="replace").splitlines():
        process, _, call = (part.strip() for part in line.partition(" "))
        if "(" not in call or " = -1 " in call or call.startswith(("+++", "---")):
            continue
        named = re.findall(r'"([^"]*)"', call)
        if call.startswith("chdir"):  # mkdir -p goes along the path
            at[process] = named[0] if named[0].startswith("/") else f"{at.get(process, '')}/{named[0]}"
            continue
        if call.startswith("open") and not any(flag in call for flag in ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC")):
            continue
        where = call if not named or named[-1].startswith("/") else f"{at.get(process, '')} {call}"
        if not any(each in where for each in (str(own), str(out), '"/dev/null"')):
            others.append(call)
    assert others == []
    assert b"2015.1.4" in out.read_bytes()

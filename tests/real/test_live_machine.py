"""This very machine, for real: its files and commands, in a mount and network namespace over a throw-away copy of its root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import needs
import pytest

PROGRAM = Path(sys.executable).with_name("compute-wizard")

# An overlay over the real root, and a network of its own: what is written and what rules are made vanishes with the namespaces.
ENTER = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs {place}
mkdir {place}/up {place}/work {place}/root
mount -t overlay overlay -o lowerdir=/,upperdir={place}/up,workdir={place}/work {place}/root
for part in proc sys dev; do mount --rbind /$part {place}/root/$part; done
exec chroot {place}/root sh -c '{script}'
"""

ANSWERS = """
format = "compute-wizard.answers/1"
[gateways]
[[gateways.network]]
label = "demo-net"
router = "10.44.1.1"
vlan = 1441
[metadata]
redirect = true
uplinks = ["vlan+"]
"""


def inside(tmp_path: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script as root of a copy of this machine."""
    needs.root("a mount namespace")
    for program in ("unshare", "ebtables", "dnsmasq"):
        if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            pytest.skip(f"{program}: the program is not installed")
    (tmp_path / "answers.toml").write_text(ANSWERS, encoding="utf-8")
    place = tmp_path / "place"
    place.mkdir()
    text = ENTER.format(
        place=place, script=script.replace("CW", str(PROGRAM)).replace("ANSWERS", str(tmp_path / "answers.toml"))
    )
    done = subprocess.run(
        ["unshare", "-m", "-n", "sh", "-c", text], capture_output=True, text=True, check=False, timeout=240
    )
    if "mount" in done.stderr and done.returncode in (1, 32):
        pytest.skip(f"kernel: no overlay can be mounted here: {done.stderr.strip()[:80]}")
    return done


def test_apply_verify_and_undo_on_this_machine(tmp_path: Path) -> None:
    done = inside(
        tmp_path,
        """
        say() { echo "=== $1 $?"; }
        CW plan --answers ANSWERS --out /tmp/cw-test.plan >/dev/null; say plan
        CW apply /tmp/cw-test.plan --yes; say apply
        cat /etc/dnsmasq-nova.conf; ebtables -t nat -L cw-metadata; ls /etc/systemd/system/multi-user.target.wants
        CW plan --answers ANSWERS; say again
        CW history; CW undo --yes >/dev/null; say undo
        ls /etc/dnsmasq-nova.conf /etc/compute-wizard /usr/local/sbin/compute-wizard-metadata /etc/systemd/system/compute-wizard-metadata.service
        ebtables -t nat -L
        """,
    )
    out = done.stdout
    assert "=== plan 2" in out, done.stderr
    assert "=== apply 0" in out
    assert "dhcp-option=tag:demo-net,option:router,10.44.1.1" in out
    assert "--redirect-target CONTINUE" in out
    assert "compute-wizard-metadata.service" in out
    assert "Nothing is to be changed on this node." in out.partition("=== apply 0")[2]
    assert "=== again 0" in out
    assert "=== undo 0" in out
    after = out.partition("=== undo 0")[2]
    assert "cw-metadata" not in after
    assert "/etc/dnsmasq-nova.conf" not in after
    assert not Path("/etc/dnsmasq-nova.conf").exists() or "demo-net" not in Path("/etc/dnsmasq-nova.conf").read_text(
        encoding="utf-8"
    )


def test_looking_at_this_machine_never_fails(tmp_path: Path) -> None:
    for words, codes in (
        (["inspect"], {0}),
        (["check"], {0, 2}),
        (["suggest"], {0}),
        (["plan"], {0, 2, 3}),
        (["verify"], {0, 2, 7}),
        (["history"], {0} if os.geteuid() == 0 else {0, 7}),  # a run before may have left what only root may read
    ):
        done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode in codes, (words, done.stderr)
        assert done.stderr == ""
        assert done.stdout


def test_without_root_rights_too(tmp_path: Path) -> None:
    needs.root("to become nobody")
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv: the program is not installed")
    if subprocess.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", PROGRAM, "--version"], capture_output=True, check=False
    ).returncode:
        pytest.skip("kernel: nobody may not read this checkout")
    for command in ("inspect", "check", "suggest", "plan", "verify"):
        words = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", str(PROGRAM), command]
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={"HOME": "/nonexistent", "PATH": os.defpath},
        )
        assert done.returncode in (0, 2, 3, 7), done.stderr
        assert done.stderr == ""

"""The boot script sets GUIDs of InfiniBand VFs: in a sysfs of its own, by real shells; what a guest or the host uses is left alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ADDRESS = "0000:3b:00.0"
SHELLS = ("dash", "bash", "busybox sh")

IP = """\
#!/bin/sh
case $2 in
set)
	echo "$*" >>{place}/said
	mkdir -p {place}/vf$6 && echo "$8" >{place}/vf$6/$7
	;;
show)
	for vf in 0 1; do
		[ -e {place}/vf$vf/state ] || continue
		echo "    vf $vf     link/infiniband 00:00 brd 00:ff, spoof checking off, NODE_GUID $(cat {place}/vf$vf/node_guid)," \\
			"PORT_GUID $(cat {place}/vf$vf/port_guid), link-state $(cat {place}/vf$vf/state), trust off, query_rss off"
	done
	;;
esac
"""


def machine(tmp_path: Path, files: bool, held: str = "") -> tuple[Path, Path]:
    """A card with two VFs in a sysfs of its own, and the script that looks there; `held` is the driver of its second VF."""
    pf = tmp_path / "sys/bus/pci/devices" / ADDRESS
    (pf / "net/ib0").mkdir(parents=True)
    for name, value in {"vendor": "0x15b3", "device": "0x1017", "sriov_numvfs": "2", "sriov_totalvfs": "8"}.items():
        (pf / name).write_text(f"{value}\n")
    for driver in ("mlx5_core", "vfio-pci"):
        (tmp_path / "sys/bus/pci/drivers" / driver).mkdir(parents=True)
    (pf / "driver").symlink_to("../../drivers/mlx5_core")
    for number in range(2):
        vf = pf.parent / f"0000:3b:00.{number + 2}"
        vf.mkdir()
        (pf / f"virtfn{number}").symlink_to(f"../{vf.name}")
        if files:
            (pf / f"sriov/{number}").mkdir(parents=True)
            for name in ("node", "port", "policy"):
                (pf / f"sriov/{number}/{name}").write_text(
                    "Down\n" if name == "policy" else "00:00:00:00:00:00:00:00\n"
                )
    if held:
        (pf.parent / "0000:3b:00.3/driver").symlink_to(f"../../drivers/{held}")
    source = Path(__file__).parents[4] / "assets/node/compute-wizard-vfs"
    text = (
        source.read_text()
        .replace("SYSFS=/sys PROC=/proc", f"SYSFS={tmp_path}/sys PROC=/proc")
        .replace("PATIENCE=60", "PATIENCE=1")
    )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ip").write_text(IP.format(place=tmp_path))
    (tmp_path / "bin/ip").chmod(0o755)
    script = tmp_path / "script"
    script.write_text(text.replace("PATH=/usr/sbin:", f"PATH={tmp_path}/bin:/usr/sbin:"))
    return script, pf


GUIDS = "guids=02:50:56:ff:fe:00:00:01,02:50:56:ff:fe:00:00:02"


def run_script(shell: str, script: Path, count: int, policy: str) -> tuple[str, str]:
    words = [ADDRESS, "15b3", "1017", "none", str(count), GUIDS, f"policy={policy}"]
    done = subprocess.run([*shell.split(), str(script), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("held", ["", "vfio-pci"])
def test_the_script_by_the_drivers_files(tmp_path: Path, shell: str, held: str) -> None:
    script, pf = machine(tmp_path, files=True, held=held)
    out, err = run_script(shell, script, 2, "up")
    said = [
        [(pf / f"sriov/{number}/{name}").read_text().strip() for name in ("node", "port", "policy")]
        for number in range(2)
    ]
    assert said[0] == ["02:50:56:ff:fe:00:00:01", "02:50:56:ff:fe:00:00:01", "Up"]
    assert said[1][0] == ("00:00:00:00:00:00:00:00" if held else "02:50:56:ff:fe:00:00:02")
    assert ("a guest may have it" in err) is bool(held)
    assert ("1 of 2" if held else "2 of 2") in out


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("use", ["", "right", "up", "moved"])
def test_a_vf_of_the_hosts_driver_is_bound_anew_only_where_that_takes_nothing_away(
    tmp_path: Path, shell: str, use: str
) -> None:
    script, pf = machine(tmp_path, files=True, held="mlx5_core")
    vf = (pf / "virtfn1").resolve()
    (vf / "infiniband/mlx5_3").mkdir(parents=True)
    (vf / "infiniband/mlx5_3/node_guid").write_text(
        "0250:56ff:fe00:0002\n" if use == "right" else "0000:0000:0000:0000\n"
    )
    if use != "moved":
        (vf / "net/ib3").mkdir(parents=True)
        (vf / "net/ib3/flags").write_text("0x1003\n" if use == "up" else "0x1002\n")
    _, err = run_script(shell, script, 2, "follow")
    bound = (tmp_path / "sys/bus/pci/drivers/mlx5_core/bind").exists()
    assert bound is (use == "")
    assert ("in use here" in err) is (use in ("up", "moved"))


@pytest.mark.parametrize("shell", SHELLS)
def test_vfs_that_were_just_made_are_no_guests_yet(tmp_path: Path, shell: str) -> None:
    """driver_override or driverctl binds them to vfio-pci at once; the GUID has to be there before the guest."""
    script, pf = machine(tmp_path, files=True, held="vfio-pci")
    (pf / "sriov_numvfs").write_text("0\n")
    out, err = run_script(shell, script, 2, "follow")
    assert (pf / "sriov/1/node").read_text().strip() == "02:50:56:ff:fe:00:00:02"
    assert ("2 of 2" in out, err) == (True, "")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("files", [True, False])
def test_what_is_right_is_not_written_again(tmp_path: Path, shell: str, files: bool) -> None:
    script, pf = machine(tmp_path, files=files)
    run_script(shell, script, 2, "down")
    if files:
        for path in (pf / "sriov").rglob("node"):
            path.chmod(0o444)
            path.write_text(path.read_text().upper())  # as some drivers print it
        before = [path.stat().st_mtime_ns for path in sorted((pf / "sriov").rglob("*")) if path.is_file()]
    else:
        (tmp_path / "said").unlink()
    out, err = run_script(shell, script, 2, "down")
    assert ("2 of 2" in out, err) == (True, "")
    if files:
        assert [path.stat().st_mtime_ns for path in sorted((pf / "sriov").rglob("*")) if path.is_file()] == before
    else:
        assert not (tmp_path / "said").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_by_ip(tmp_path: Path, shell: str) -> None:
    script, _ = machine(tmp_path, files=False)
    run_script(shell, script, 2, "follow")
    assert (tmp_path / "said").read_text().splitlines() == [
        f"link set dev ib0 vf {number} {what}"
        for number, guid in ((0, "02:50:56:ff:fe:00:00:01"), (1, "02:50:56:ff:fe:00:00:02"))
        for what in (f"node_guid {guid}", f"port_guid {guid}", "state auto")
    ]

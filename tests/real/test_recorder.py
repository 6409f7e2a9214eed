"""The recorder: what it takes of this machine gives the same facts, and no secret of nova.conf by default."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import needs
import pytest

from wizard.answers import suggestion
from wizard.chapters.vfs import vf_owners
from wizard.facts import facts
from wizard.facts.network import bridge_firewall
from wizard.node.live import LiveNode
from wizard.node.recorded import read_tar
from wizard.planning.planner import make_plan
from wizard.simulator.built_in import built_in

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


PROGRAM = """#!/bin/sh
printf '%s %s\\n' "${0##*/}" "$*" >>LOG
case ${0##*/}$* in
nftlist*) printf '%b' "TABLES" ;;
ebtables-V) echo "ebtables VERSION (nf_tables)" ;;
ebtables*) printf 'Bridge table: nat\\n\\nBridge chain: PREROUTING, entries: 0, policy: ACCEPT\\n' ;;
esac
"""
TOOLS = "sh mktemp cp mv find rm mkdir readlink ln cat chmod stat chown touch sed uname awk tar timeout tr grep sort"
BUILT_IN = "kernel/fs/ext4/ext4.ko\n"
OTHERS, OURS = "table ip nat\\n", "table ip nat\\ntable bridge nat\\n"


@pytest.mark.parametrize(
    ("kind", "modules", "tables", "version", "listed", "chains"),
    [
        ("legacy", "bridge", None, "2.0.10", False, 0),
        ("legacy", "ebtable_nat", None, "2.0.10", True, 1),
        ("legacy", "", None, "2.0.10", False, 0),
        ("nft", "bridge", OURS, "1.8.7", False, 0),
        ("nft", "nf_tables", OTHERS, "1.8.7", False, 0),
        ("nft", "nf_tables", OURS, "1.8.7", True, 1),
        ("nft", "nf_tables", None, "1.8.7", False, None),
        ("nft", "nf_tables", None, "v1.8.9", True, 1),
        ("nft", "nf_tables", None, "1.10.0", True, 1),
    ],
)
def test_the_bridge_firewall_is_listed_only_where_that_makes_nothing(
    kind: str, modules: str, tables: str | None, version: str, listed: bool, chains: int | None, tmp_path: Path
) -> None:
    """A listing loads ebtable_nat, or makes nft's table. The script's own places are played: this kernel is as it is."""
    programs, out, log = tmp_path / "bin", tmp_path / "node.tar", tmp_path / "log"
    programs.mkdir()
    log.touch()
    for name in TOOLS.split():  # and no others: this machine's nft is not the node's
        (programs / name).symlink_to(shutil.which(name) or name)
    text = PROGRAM.replace("LOG", str(log)).replace("VERSION", version).replace("TABLES", tables or "")
    real = programs / ("xtables-nft-multi" if kind == "nft" else "ebtables-legacy")
    for path in (real, *([programs / "nft"] if tables is not None else [])):
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    (programs / "ebtables").symlink_to(real.name)
    (tmp_path / "modules").write_text(f"{modules} 16384 0 - Live 0x0\n" if modules else "", encoding="utf-8")
    (tmp_path / "builtin").write_text(BUILT_IN, encoding="utf-8")
    script = RECORDER.read_text(encoding="utf-8")
    places = {
        "BUILT_IN=/lib/modules/$(uname -r)/modules.builtin": f"BUILT_IN={tmp_path}/builtin",
        "MODULES=/proc/modules": f"MODULES={tmp_path}/modules",
        "SYSTEM_MODULES=/sys/module": f"SYSTEM_MODULES={tmp_path}/none",
        'PATH="$PATH:/usr/sbin:/sbin"': f'PATH="{programs}"',
    }
    for old, played in places.items():
        assert script.count(old) == 1, old
        script = script.replace(old, played)
    (tmp_path / "recorder.sh").write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["dash", tmp_path / "recorder.sh", out], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    asked = log.read_text(encoding="utf-8").splitlines()
    assert ("ebtables -t nat -L --Lc" in asked) is listed
    node = read_tar(out)
    node.write("/proc/modules", (tmp_path / "modules").read_text(encoding="utf-8"))
    release = node.text("/proc/sys/kernel/osrelease")
    node.write(f"/lib/modules/{release}/modules.builtin", BUILT_IN)
    found, unseen = bridge_firewall.read(node, kind)
    assert (None if found is None else len(found)) == chains
    assert bool(unseen) is (chains is None)


def test_the_ebtables_of_a_recording_is_the_one_that_the_node_means(tmp_path: Path) -> None:
    out = tmp_path / "node.tar"
    subprocess.run(["sh", RECORDER, out], capture_output=True, check=True, timeout=120)
    assert bridge_firewall.variants(read_tar(out)) == bridge_firewall.variants(LiveNode())


def test_secrets_stay_at_home_unless_they_are_asked_for(tmp_path: Path) -> None:
    needs.root("a mount namespace")
    if shutil.which("unshare") is None:
        pytest.skip("unshare: the program is not installed")
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


def test_what_else_may_set_vfs_is_recorded_without_its_secrets(tmp_path: Path) -> None:
    needs.root("a mount namespace")
    if shutil.which("unshare") is None:
        pytest.skip("unshare: the program is not installed")
    files = {
        "NetworkManager/system-connections/pf.nmconnection": "[connection]\ninterface-name=eth9\n[802-1x]\npassword=s3cr3t\n[sriov]\ntotal-vfs=8\n",
        "NetworkManager/system-connections/wifi.nmconnection": "[wifi-security]\npsk=s3cr3t\n",
        "network/interfaces": "iface eth9 inet manual\n  pre-up echo 8 > /sys/class/net/eth9/device/sriov_numvfs\n",
        "systemd/system/vfs.service": "[Service]\nExecStart=/bin/sh -c '/etc/network/vfs.sh start'\n",
        "network/vfs.sh": "#!/bin/sh\necho 8 > /sys/class/net/eth9/device/sriov_numvfs\n",
        "network/other.sh": "#!/bin/sh\n",
        "netplan/9.yaml": "network:\n  tunnels:\n    wg0:\n      keys:\n        private: s3cr3t\n      key: s3cr3t\n      mtu: 1400\n",
        "systemd/network/9.netdev": "[WireGuard]\nPrivateKey = s3cr3t\nListenPort=51820\n",
    }
    for name, text in files.items():
        (tmp_path / "etc" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "etc" / name).write_text(text, encoding="utf-8")
    if Path("/etc/alternatives").is_dir():
        shutil.copytree("/etc/alternatives", tmp_path / "etc/alternatives", symlinks=True)  # awk is one of these
    out = tmp_path / "node.tar"
    script = f"mount --make-rprivate / && mount --bind {tmp_path}/etc /etc && sh {RECORDER} {out}"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert b"s3cr3t" not in out.read_bytes()
    node = read_tar(out)
    found = {(owner.path.rpartition("/")[2], owner.count) for owner in vf_owners.find(facts.read(node))}
    assert found == {("pf.nmconnection", 8), ("interfaces", 8), ("vfs.sh", 8)}
    assert not node.exists("/etc/network/other.sh")
    assert "mtu: 1400" in (node.text("/etc/netplan/9.yaml") or "")
    assert "ListenPort=51820" in (node.text("/etc/systemd/network/9.netdev") or "")
    assert not node.exists("/etc/NetworkManager/system-connections/wifi.nmconnection")


PLANTED = {
    "default/grub": 'GRUB_PASSWORD=s3cr3tA\nGRUB_CMDLINE_LINUX="quiet rd.iscsi.password=s3cr3tB intel_iommu=on"\n',
    "init/nova-compute.conf": "env OS_PASSWORD=s3cr3tC\nexec nova-compute --os-password s3cr3tD --config-file=/etc/nova/nova.conf\n",
    "modprobe.d/cifs.conf": "options cifs password=s3cr3tE\noptions mlx4_core num_vfs=8\n",
    "dnsmasq-nova.conf": "# admin password=s3cr3tF\ndhcp-option=tag:x,option:router,10.0.0.1\n",
    "udev/rules.d/90-x.rules": 'ACTION=="add", RUN+="/bin/x --token=s3cr3tG"\nSUBSYSTEM=="net", NAME="eth9"\n',
    "nova/nova.conf": "[DEFAULT]\nmy_ip = 10.0.0.1\nmetadata_host = http://u:s3cr3tH@h\n[section s3cr3tI\npassword = s3cr3tJ\n",
    "kernel/cmdline": "root=/dev/sda1 netroot=iscsi:me:s3cr3tK@10.0.0.9\n",
    "rdma/mlx4.conf": '# {"password":"s3cr3tL"}\n0000:04:00.0 eth\n',
    "sysfs.conf": "# Authorization: Basic s3cr3tM\nclass/net/eth9/device/sriov_numvfs = 4\n",
    "crontab": "* * * * * root curl -u u:s3cr3tN http://h/sriov\n",
    "rc.local": "#!/bin/sh\n# PASSWORD%3Ds3cr3tO\necho 8 > /sys/class/net/eth9/device/sriov_numvfs\n",
    "machine-id": "0123456789abcdef0123456789abcdef\n",
    "passwd": "root:x:0:0:root:/root:/bin/sh\nold:s3cr3tPabcdefg:1:1::/:/bin/sh\nnova:x:64060:64060::/var/lib/nova:/bin/false\n",
    "group": "root:x:0:\nnova:x:64060:\n",
}


def test_no_file_and_no_argument_of_a_process_gives_one_away(tmp_path: Path) -> None:
    needs.root("a mount namespace")
    if shutil.which("unshare") is None:
        pytest.skip("unshare: the program is not installed")
    for name, text in PLANTED.items():
        (tmp_path / "etc" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "etc" / name).write_text(text, encoding="utf-8")
    if Path("/etc/alternatives").is_dir():
        shutil.copytree("/etc/alternatives", tmp_path / "etc/alternatives", symlinks=True)
    argv = [
        "nova-compute",
        "--os-password",
        "s3cr3tQ",
        "--auth-url=http://u:s3cr3tR@h/",
        "--config-file=/etc/nova/nova.conf",
    ]
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", *argv])
    out = tmp_path / "node.tar"
    script = f"mount --make-rprivate / && mount --bind {tmp_path}/etc /etc && sh {RECORDER} {out}"
    try:
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=120
        )
    finally:
        process.kill()
        process.wait()
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(rb"s3cr3t[A-Z]", out.read_bytes()) == []
    node = read_tar(out)
    assert (node.text("/.compute-wizard/README") or "").startswith("No program knows every secret: look the files over")
    assert node.read(f"/proc/{process.pid}/cmdline").split(b"\0")[3:] == [
        *(
            b"nova-compute",
            b"--os-password",
            b"***",
            b"--auth-url=http://***@h/",
            b"--config-file=/etc/nova/nova.conf",
            b"",
        )
    ]
    for name in ("default/grub", "modprobe.d/cifs.conf", "udev/rules.d/90-x.rules", "dnsmasq-nova.conf"):
        masked, whole = (node.text(f"/etc/{name}") or "").splitlines(), PLANTED[name].splitlines()
        assert len(masked) == len(whole)
        assert masked[-1] == whole[-1] or "intel_iommu=on" in masked[-1]
    assert node.status("/etc/default/grub").owner == "root:root"  # type: ignore[union-attr]
    seen = facts.read(node)
    assert seen.files.get("/etc/default/grub").masked  # type: ignore[union-attr]
    assert "intel_iommu=on" in seen.files.get("/etc/default/grub").content.decode()  # type: ignore[union-attr]
    assert {"/etc/default/grub", "/etc/passwd"} <= set((node.text("/.compute-wizard/masked-values") or "").splitlines())


def test_a_file_with_hidden_values_is_read_and_never_edited() -> None:
    """The plan says why, and what to do; *** is never written to a node."""
    node = built_in("demo")
    path = "/etc/dnsmasq-nova.conf"
    node.write(path, "# password=***\n" + (node.text(path) or ""))
    node.write("/.compute-wizard/masked-values", f"{path}\n")
    seen = facts.read(node)
    plan = make_plan(seen, suggestion.suggest(seen))
    hidden = [finding for finding in plan.findings if finding.code == "FILE-HIDDEN"]
    assert [("--with-secrets" in finding.seen, finding.severity) for finding in hidden if path in finding.seen] == [
        (True, "blocks")
    ]
    assert path not in [getattr(step, "path", "") for step in plan.steps]


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
    others: list[str] = []
    at: dict[str, str] = {}
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


OVS_SAYS = """#!/bin/sh
case "$*" in
*Open_vSwitch) echo '{"headings":["external_ids","other_config","ovs_version"],"data":[[["map",[["ovn-bridge-mappings","physnet1:br-ex"]]],["map",[]],"3.3"]]}' ;;
*) echo '{"headings":["_uuid"],"data":[]}' ;;
esac
"""


def test_neutron_is_recorded_without_its_secrets(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("kernel: needs root for a mount namespace")
    files = {
        "etc/nova/nova.conf": "[DEFAULT]\nforce_config_drive = True\nmkisofs_cmd = xorrisofs\ntransport_url = rabbit://u:s3cr3t@h\n",
        "etc/neutron/neutron.conf": "[DEFAULT]\ntransport_url = rabbit://u:s3cr3t@h\ncore_plugin = ml2\n[keystone_authtoken]\npassword = s3cr3t\n",
        "etc/neutron/plugins/ml2/sriov_agent.ini": "[sriov_nic]\nphysical_device_mappings = p:e0\nexclude_devices = e0:0000:07:00.2\n",
        "etc/neutron/metadata_agent.ini": "[DEFAULT]\nmetadata_proxy_shared_secret = s3cr3t\nnova_metadata_host = controller\n",
        "etc/kolla/neutron-openvswitch-agent/openvswitch_agent.ini": "[ovs]\nbridge_mappings = q:br-q\n",
        "bin/ovs-vsctl": OVS_SAYS,
        "bin/ovs-ofctl": "#!/bin/sh\necho 'NXST_FLOW reply (xid=0x4):'\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    if Path("/etc/alternatives").is_dir():
        shutil.copytree("/etc/alternatives", tmp_path / "etc/alternatives", symlinks=True)
    out = tmp_path / "node.tar"
    script = (
        f"mount --make-rprivate / && mount --bind {tmp_path}/etc /etc && mount -t tmpfs none /run && mkdir -p /run/openvswitch /run/netns && "
        f": >/run/openvswitch/db.sock && : >/run/openvswitch/ovs-vswitchd.pid && : >/run/netns/ovnmeta-a && "
        f"PATH={tmp_path}/bin:$PATH sh {RECORDER} {out}"
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert b"s3cr3t" not in out.read_bytes()
    node = read_tar(out)
    seen = facts.read(node)
    assert seen.neutron.switch.setting("ovn-bridge-mappings") == ("ovn-bridge-mappings", "physnet1:br-ex")
    assert "Open vSwitch's database" not in {unseen.what for unseen in seen.neutron.unseen}
    assert [each.name for each in seen.neutron.namespaces] == ["ovnmeta-a"] or not seen.neutron.agents
    assert node.exists("/run/netns/ovnmeta-a")
    kolla = seen.neutron.agent("ovs")
    assert kolla is not None and kolla.own_file == "/etc/kolla/neutron-openvswitch-agent/openvswitch_agent.ini"
    assert [each.network for each in seen.neutron.mappings_of("ovs")] == ["q"]
    for path, words in (
        ("/etc/neutron/plugins/ml2/sriov_agent.ini", "exclude_devices = e0:0000:07:00.2"),
        ("/etc/neutron/metadata_agent.ini", "nova_metadata_host = controller"),
        ("/etc/nova/nova.conf", "force_config_drive = True"),
    ):
        assert words in (node.text(path) or "")
    assert seen.nova.config_drive_program == "xorrisofs"
    assert seen.nova.config_drive_ready is (shutil.which("xorrisofs") is not None)

"""VFs that somebody else sets at boot: the card is left to them, or their number stands in the way; never two owners."""

from __future__ import annotations

import pytest
from nodes import codes, found, origin, planned, today

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.chapters.vfs import vf_owners
from wizard.facts import facts
from wizard.facts.pci.functions import PciFunction
from wizard.model.plan import Plan
from wizard.model.steps import WriteFile
from wizard.node.recorded import MemoryNode
from wizard.planning.planner import make_plan
from wizard.planning.verification import verify

FIRST, SECOND = "0000:3b:00.0", "0000:3b:00.1"
CARD = {"match": {"address": FIRST}, "count": 8}
NETPLAN = """\
network:
  ethernets:
    enp59s0f1np1: {}
    enp59s0f0np0:
      match: {macaddress: "0c:42:a1:08:42:18"}
      # how many guests
      virtual-function-count: 8
    enp24s0f0np0:
      dhcp4: true
"""


def functions(node: MemoryNode) -> dict[str, PciFunction]:
    return {each.address: each for each in facts.read(node).pci.functions}


def enable(node: MemoryNode, name: str, unit: str) -> None:
    node.symlink(f"/etc/systemd/system/multi-user.target.wants/{name}", unit)


def put_there(node: MemoryNode, path: str, text: str) -> None:
    """A file as the program that reads it wants it, and that program: without them it would own nothing."""
    private, script = "system-connections" in path, text.startswith("#!")
    node.write(path, text, mode=0o600 if private else 0o755 if script else 0o644)
    if path.startswith("/etc/sysfs"):
        node.write("/etc/init.d/sysfsutils", "#!/bin/sh\n", mode=0o755)
    if path.startswith("/etc/systemd/system/"):
        unit = path.split("/")[4].removesuffix(".d")
        enable(node, unit, f"/etc/systemd/system/{unit}")


def paths(plan: Plan) -> list[str]:
    return [getattr(step, "path", "") for step in plan.steps]


WAYS = [
    ("/etc/netplan/60-sriov.yaml", NETPLAN, 7, "virtual-function-count: 4"),
    (
        "/etc/udev/rules.d/70-vfs.rules",
        'ACTION=="add", KERNELS=="0000:3b:00.0", ATTR{device/sriov_numvfs}=="0", ATTR{device/sriov_numvfs}="8"\n',
        1,
        'ATTR{device/sriov_numvfs}="4"',
    ),
    (
        "/etc/udev/rules.d/70-vfs.rules",
        'KERNEL=="enp59s0f0np0", RUN+="/bin/sh -c \'echo 8 > /sys/class/net/%k/device/sriov_numvfs\'"\n',
        1,
        "echo 4",
    ),
    (
        "/etc/udev/rules.d/70-os-net-config-sriov.rules",
        'KERNEL=="enp59s0f0np0", RUN+="/bin/os-net-config-sriov -n %k:8"\n',
        1,
        "numvfs: 4",
    ),
    (
        "/etc/systemd/network/10-a.link",
        "[Match]\nPath=pci-0000:3b:00.0\n[Link]\nSR-IOVVirtualFunctions=8\n",
        4,
        "SR-IOVVirtualFunctions=4",
    ),
    (
        "/etc/NetworkManager/system-connections/a.nmconnection",
        "[connection]\ninterface-name=enp59s0f0np0\n[sriov]\ntotal-vfs=8\n",
        4,
        "sriov.total-vfs 4",
    ),
    ("/etc/os-net-config/sriov_config.yaml", "- device_type: pf\n  name: enp59s0f0np0\n  numvfs: 8\n", 3, "numvfs: 4"),
    ("/etc/sysfs.conf", "bus/pci/devices/0000:3b:00.0/sriov_numvfs = 8\n", 1, "sriov_numvfs = 4"),
    ("/etc/rc.local", "#!/bin/sh\necho 8 > /sys/class/net/enp59s0f0np0/device/sriov_numvfs\n", 2, "echo 4"),
    ("/etc/sysfs.d/vfs.conf", "bus/pci/devices/0000:3b:00.0/sriov_numvfs = 8\n", 1, "sriov_numvfs = 4"),
    (
        "/etc/network/interfaces",
        "auto enp59s0f0np0\niface enp59s0f0np0 inet manual\n  mtu 9000\n"
        "  pre-up echo 8 > /sys/class/net/$IFACE/device/sriov_numvfs\n  post-down echo 0 > /sys/class/net/$IFACE/device/sriov_numvfs\n"
        "iface enp59s0f1np1 inet manual\n  up true\n",
        4,
        "echo 4",
    ),
    (
        "/etc/network/interfaces.d/vfs",
        "iface enp59s0f1np1 inet manual\n  up echo '8' > /sys/class/net/enp59s0f0np0/device/sriov_numvfs\nauto enp59s0f1np1\n",
        2,
        "echo 4",
    ),
    (
        "/etc/network/if-up.d/vfs",
        "#!/bin/sh\n[ $(cat /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs) = 8 ] && exit\n"
        "echo 0 > /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs\necho 8 | tee /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs\n",
        4,
        "echo 4",
    ),
    (
        "/etc/systemd/system/mlx-vfs.service",
        "[Service]\nType=oneshot\n# echo 1\nExecStart=/bin/sh -c 'echo 8 > /sys/class/net/enp59s0f0np0/device/sriov_numvfs'\n"
        "ExecStop=/bin/sh -c 'echo 0 > /sys/class/net/enp59s0f0np0/device/sriov_numvfs'\n",
        4,
        "echo 4",
    ),
    (
        "/etc/systemd/system/nova-compute.service.d/vfs.conf",
        '[Service]\nExecStartPre=/bin/sh -c "echo 0 > /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs; \\\n'
        ' echo 8 > /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs"\n',
        2,
        "echo 4",
    ),
    (
        "/etc/sysconfig/network-scripts/ifcfg-enp59s0f0np0",
        'TYPE=Ethernet\nSRIOV_TOTAL_VFS="8"\n',
        2,
        "SRIOV_TOTAL_VFS=4",
    ),
    (
        "/etc/NetworkManager/system-connections/old style",
        "[connection]\ninterface-name=enp59s0f0np0\n[sriov]\ntotal-vfs=8\n",
        4,
        "sriov.total-vfs 4",
    ),
    (
        "/etc/NetworkManager/conf.d/sriov.conf",
        "[device-a]\nmatch-device=interface-name:enp59s0f0np0\nsriov-num-vfs=8\n"
        "[device-b]\nmatch-device=interface-name:enp59s0f1np1\nmanaged=1\n",
        3,
        "sriov-num-vfs=4",
    ),
    ("/etc/sriov-netplan-shim/interfaces.yaml", "interfaces:\n  enp59s0f0np0:\n    num_vfs: 8\n", 3, "num_vfs: 4"),
    (
        "/etc/tmpfiles.d/vfs.conf",
        "w /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs - - - - 8\n",
        1,
        "4 as the argument",
    ),
    ("/etc/cron.d/vfs", "@reboot root echo 8 > /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs\n", 1, "echo 4"),
]


@pytest.mark.parametrize(("path", "text", "line", "put"), WAYS)
def test_each_way_is_found_and_means_one_card(path: str, text: str, line: int, put: str) -> None:
    node = today()
    put_there(node, path, text)
    seen, there = facts.read(node), functions(node)
    (owner,) = vf_owners.of(seen, there[FIRST])
    assert (owner.path, owner.line, owner.count) == (path, line, 8)
    assert owner.to_put(4) == put
    assert vf_owners.of(seen, there[SECOND]) == []


@pytest.mark.parametrize(("path", "text", "line", "put"), WAYS)
def test_a_card_with_the_wanted_number_is_left_to_its_owner(path: str, text: str, line: int, put: str) -> None:
    node = today()
    put_there(node, path, text)
    plan = planned(node, vfs={"card": [CARD, {"match": {"address": SECOND}, "count": 8}]}, passthrough=None)
    finding = found(plan, "VFS-OTHER-OWNER")
    assert (finding.severity, finding.seen.startswith(f"{path} line {line}: ")) == ("tells", True)
    units = [each for each in paths(plan) if "compute-wizard-vfs-" in each]
    assert units == ["/etc/systemd/system/compute-wizard-vfs-0000-3b-00-1.service"]
    assert path in {getattr(each, "path", "") for each in plan.expects}  # a change of it makes the plan stale
    seen = facts.read(node)
    states = {check.what: (check.state, check.seen) for check in verify(seen, answer_files.from_data(plan.answers))}
    assert states[f"{FIRST} gets 8 VFs at each boot"][0] == "held"
    assert path in states[f"{FIRST} gets 8 VFs at each boot"][1]
    assert states[f"{SECOND} gets 8 VFs at each boot"][0] == "failed"


@pytest.mark.parametrize(("path", "text", "line", "put"), WAYS)
def test_another_number_stands_in_the_way_and_what_to_put_there_is_said(
    path: str, text: str, line: int, put: str
) -> None:
    node = today()
    put_there(node, path, text)
    plan = planned(node, vfs={"card": [{**CARD, "count": 4}]}, passthrough=None)
    finding = found(plan, "VFS-OTHER-OWNER")
    assert finding.severity == "blocks"
    assert f"Put {put} there" in finding.do
    assert "answer count = 8" in finding.do
    assert "vfs" in plan.blocked
    assert not [each for each in paths(plan) if "compute-wizard-vfs" in each]


@pytest.mark.parametrize(
    "text",
    [
        'ATTR{device/sriov_numvfs}=="0", NAME="x"\n',
        '# ATTR{device/sriov_numvfs}="8"\n',
        'KERNEL=="enp24s0f0np0", ATTR{device/sriov_numvfs}="8"\n',
    ],
)
def test_what_sets_nothing_or_another_card_is_no_owner(text: str) -> None:
    node = today()
    node.write("/etc/udev/rules.d/70-vfs.rules", text)
    plan = planned(node, vfs={"card": [CARD]})
    assert "VFS-OTHER-OWNER" not in codes(plan)
    assert "/etc/systemd/system/compute-wizard-vfs-0000-3b-00-0.service" in paths(plan)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('KERNEL=="enp59s*", ATTR{device/sriov_numvfs}="8"\n', "sets 8 VFs on 0000:3b:00.0"),
        ('KERNELS=="0000:3b:00.0", ATTR{device/sriov_numvfs}="$env{COUNT}"\n', "sets a number that cannot be read"),
    ],
)
def test_a_line_that_may_mean_the_card_or_any_number_stands_in_the_way(text: str, says: str) -> None:
    node = today()
    node.write("/etc/udev/rules.d/70-vfs.rules", text)
    plan = planned(node, vfs={"card": [{**CARD, "count": 4}]})
    assert found(plan, "VFS-OTHER-OWNER").severity == "blocks"
    assert says in found(plan, "VFS-OTHER-OWNER").why


def test_what_an_owner_sets_is_suggested_and_does_not_block() -> None:
    node = today()
    node.write("/etc/netplan/60-sriov.yaml", NETPLAN.replace("8\n", "5\n"))
    seen = facts.read(node)
    answers = suggestion.suggest(seen)
    plan = make_plan(seen, answers)
    assert [finding.severity for finding in plan.findings if finding.code == "VFS-OTHER-OWNER"] == ["tells"]
    assert plan.blocked == ()


def test_a_unit_of_ours_goes_when_somebody_else_takes_over() -> None:
    node = today()
    for step in planned(node, vfs={"card": [CARD]}).steps:
        if isinstance(step, WriteFile) and "compute-wizard-vfs" in step.path:
            node.write(step.path, step.after.data().decode(), mode=int(step.after.mode, 8))
    node.write("/etc/netplan/60-sriov.yaml", NETPLAN)
    steps = planned(node, vfs={"card": [CARD]}).steps
    gone = [step.path for step in steps if step.kind == "remove_file"]
    assert "/etc/systemd/system/compute-wizard-vfs-0000-3b-00-0.service" in gone


def test_connectx3_is_nobody_s_by_sysfs() -> None:
    node = origin()
    node.write("/etc/sysfs.conf", "bus/pci/devices/0000:04:00.0/sriov_numvfs = 8\n")
    assert "VFS-OTHER-OWNER" not in codes(planned(node))


UNIT = "/etc/systemd/system/mlx-vfs.service"
RUNS = "[Service]\nExecStart=/usr/local/sbin/mlx-vfs.sh start\n[Install]\nWantedBy=multi-user.target\n"
SCRIPT = "#!/bin/sh\necho 8 > /sys/class/net/enp59s0f0np0/device/sriov_numvfs\n"


def test_a_script_that_a_unit_of_others_runs_is_an_owner_where_the_unit_is_enabled() -> None:
    node = today()
    node.write(UNIT, RUNS)
    node.write("/usr/local/sbin/mlx-vfs.sh", SCRIPT, mode=0o755)
    assert vf_owners.of(facts.read(node), functions(node)[FIRST]) == []
    enable(node, "mlx-vfs.service", UNIT)
    (owner,) = vf_owners.of(facts.read(node), functions(node)[FIRST])
    assert (owner.program, owner.path, owner.line, owner.count) == (
        "mlx-vfs.service",
        "/usr/local/sbin/mlx-vfs.sh",
        2,
        8,
    )


def test_a_template_means_the_interface_of_its_instance() -> None:
    node = today()
    path = "/etc/systemd/system/vfs@.service"
    text = "[Service]\nExecStart=/bin/sh -c 'echo 8 > /sys/class/net/%i/device/sriov_numvfs'\n[Install]\nWantedBy=multi-user.target\n"
    node.write(path, text)
    enable(node, "vfs@enp59s0f0np0.service", path)
    there = functions(node)
    assert [owner.count for owner in vf_owners.of(facts.read(node), there[FIRST])] == [8]
    assert vf_owners.of(facts.read(node), there[SECOND]) == []


@pytest.mark.parametrize(
    ("script", "severity"),
    [
        ("f=/sys/class/net/enp59s0f0np0/device/sriov_numvfs\necho 8 > $f\n", "tells"),
        ("f=$(find /sys -name sriov_numvfs)\necho 8 > $f\n", "warns"),
        ("grep -q sriov /proc/cmdline && echo 8 > /sys/class/net/enp59s0f0np0/device/sriov_numvfs\n", "warns"),
        ("n=$(cat /sys/class/net/enp59s0f0np0/device/sriov_numvfs)\n", ""),
    ],
)
def test_a_script_is_an_owner_where_it_certainly_writes_and_warned_of_where_it_may_only_look(
    script: str, severity: str
) -> None:
    node = today()
    node.write(UNIT, RUNS)
    enable(node, "mlx-vfs.service", UNIT)
    node.write("/usr/local/sbin/mlx-vfs.sh", f"#!/bin/sh\n{script}", mode=0o755)
    plan = planned(node, vfs={"card": [CARD]}, passthrough=None)
    assert [each.severity for each in plan.findings if each.code == "VFS-OTHER-OWNER"] == [severity] * bool(severity)
    ours = "/etc/systemd/system/compute-wizard-vfs-0000-3b-00-0.service" in paths(plan)
    assert ours is (severity != "tells")


def test_what_is_larger_than_a_script_is_not_looked_into() -> None:
    node = today()
    node.write(UNIT, RUNS)
    enable(node, "mlx-vfs.service", UNIT)
    node.write("/usr/local/sbin/mlx-vfs.sh", SCRIPT + "#" * vf_owners.LONGEST, mode=0o755)
    assert vf_owners.find(facts.read(node)) == []


def test_our_own_units_are_nobody_else() -> None:
    node = today()
    for step in planned(node, vfs={"card": [CARD]}).steps:
        if isinstance(step, WriteFile):
            node.write(step.path, step.after.data().decode(), mode=int(step.after.mode, 8))
    enable(
        node, "compute-wizard-vfs-0000-3b-00-0.service", "/etc/systemd/system/compute-wizard-vfs-0000-3b-00-0.service"
    )
    assert vf_owners.find(facts.read(node)) == []


def test_a_directory_that_is_a_link_is_read_once() -> None:
    node = today()
    node.write("/etc/rc.d/rc.local", "echo 8 > /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs\n")
    node.symlink("/etc/rc.local", "rc.d/rc.local")
    assert len(vf_owners.find(facts.read(node))) == 1

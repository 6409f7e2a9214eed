"""Whose VFs a line of somebody else's sets: of each card a certain yes, a certain no, or that it cannot be determined."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from nodes import planned, today

from wizard.answers import files as answer_files
from wizard.chapters.vfs import vf_owners
from wizard.chapters.vfs.owners.model import NO, UNKNOWN, YES, Verdict
from wizard.facts import facts
from wizard.node.recorded import MemoryNode
from wizard.planning.verification import verify

FIRST, SECOND, ICE = "0000:3b:00.0", "0000:3b:00.1", "0000:18:00.0"
MAC = "0c:42:a1:08:42:18"
NET = "/sys/class/net/enp59s0f0np0/device/sriov_numvfs"
PCI = f"/sys/bus/pci/devices/{FIRST}/sriov_numvfs"
RULES = "/etc/udev/rules.d/70-vfs.rules"
ASSIGN = 'ATTR{device/sriov_numvfs}="4"'


def means(
    files: Mapping[str, str | tuple[str, int]], links: Mapping[str, str] | None = None
) -> tuple[Verdict, Verdict, int | None]:
    """Whether the first and the second port get their VFs from what lies there, and the number."""
    return seen_on(today(), files, links)


def seen_on(
    node: MemoryNode, files: Mapping[str, str | tuple[str, int]], links: Mapping[str, str] | None = None
) -> tuple[Verdict, Verdict, int | None]:
    for path, given in files.items():
        text, mode = given if isinstance(given, tuple) else (given, 0o755 if given.startswith("#!") else 0o644)
        node.write(path, text, mode=mode)
    for path, target in (links or {}).items():
        node.symlink(path, target)
    seen = facts.read(node)
    functions = {function.address: function for function in seen.pci.functions}

    def verdict(address: str) -> Verdict:
        function = functions[address]
        certain, doubtful = vf_owners.of(seen, function), vf_owners.doubtful(seen, function)
        return YES if certain else UNKNOWN if doubtful else NO

    counts = [
        owner.count for owner in vf_owners.find(seen) if owner.means(FIRST) is not NO or owner.means(SECOND) is not NO
    ]
    return verdict(FIRST), verdict(SECOND), counts[0] if counts else None


UDEV = [
    (f'SUBSYSTEM=="net", ACTION=="add", KERNELS=="{FIRST}", {ASSIGN}', YES, NO),
    (f'SUBSYSTEM=="net" ACTION=="add" KERNELS=="{FIRST}" {ASSIGN}', YES, NO),
    (f'SUBSYSTEM=="net", ACTION=="add", \\\n  KERNELS=="{FIRST}", \\\n  {ASSIGN}', YES, NO),
    (f'SUBSYSTEM=="net", \\\n# a comment in between\n  KERNELS=="{FIRST}", {ASSIGN}', YES, NO),
    (f'SUBSYSTEM=="net", KERNELS!="{FIRST}", KERNEL=="enp59*", {ASSIGN}', YES, YES),  # a parent of it has another name
    (
        f'SUBSYSTEM=="net", KERNEL!="enp59s0f0np0", KERNEL=="enp59*", {ASSIGN}',
        UNKNOWN,
        YES,
    ),  # eth0 is what the kernel may call it
    (f'ACTION=="remove", KERNELS=="{FIRST}", {ASSIGN}', NO, NO),
    (f'ACTION!="remove", KERNELS=="{FIRST}", {ASSIGN}', YES, NO),
    (f'ACTION=="add|change", KERNELS=="{FIRST}", {ASSIGN}', YES, NO),
    (f'ACTION=="change", KERNELS=="{FIRST}", {ASSIGN}', NO, NO),
    (f'SUBSYSTEM=="net", DRIVERS=="mlx5_core", {ASSIGN}', YES, YES),
    (f'SUBSYSTEM=="net", DRIVERS=="ixgbe", {ASSIGN}', NO, NO),
    (f'SUBSYSTEM=="net", DRIVERS=="mlx*", {ASSIGN}', YES, YES),
    (f'SUBSYSTEM=="net", DRIVERS=="mlx4_core|ixgbe", {ASSIGN}', NO, NO),
    (f'SUBSYSTEM=="net", DRIVERS=="ice|mlx5_core", {ASSIGN}', YES, YES),
    (f'SUBSYSTEM=="net", ENV{{ID_NET_DRIVER}}=="mlx5_core", {ASSIGN}', YES, YES),
    (f'SUBSYSTEM=="net", ENV{{ID_NET_DRIVER}}!="mlx5_core", {ASSIGN}', NO, NO),
    (f'SUBSYSTEM=="net", ENV{{ID_PATH}}=="pci-{FIRST}", {ASSIGN}', YES, NO),
    (f'SUBSYSTEM=="net", ENV{{MY_OWN}}=="1", {ASSIGN}', UNKNOWN, UNKNOWN),
    (f'KERNELS=="{FIRST}", ENV{{MY_OWN}}="1"\nSUBSYSTEM=="net", ENV{{MY_OWN}}=="1", {ASSIGN}', YES, UNKNOWN),
    (f'SUBSYSTEM=="net", ATTR{{address}}=="{MAC}", {ASSIGN}', YES, NO),
    (f'SUBSYSTEM=="net", ATTR{{address}}=="{MAC.upper()}", {ASSIGN}', NO, NO),
    (f'SUBSYSTEM=="net", ATTR{{address}}==i"{MAC.upper()}", {ASSIGN}', YES, NO),
    (f'SUBSYSTEM=="net", ATTRS{{vendor}}=="0x15b3", {ASSIGN}', YES, YES),
    (f'SUBSYSTEM=="net", ATTRS{{vendor}}=="0x8086", ATTRS{{class}}=="0x020000", {ASSIGN}', NO, NO),
    (f'SUBSYSTEM=="net", ATTR{{device/vendor}}=="0x15b3", ATTR{{device/sriov_numvfs}}=="0", {ASSIGN}', YES, YES),
    (f'SUBSYSTEM=="net", ATTR{{device/sriov_totalvfs}}=="?*", KERNELS=="{FIRST}", {ASSIGN}', YES, NO),
    (f'SUBSYSTEM=="pci", KERNEL=="{FIRST}", ATTR{{sriov_numvfs}}="4"', YES, NO),
    (f'SUBSYSTEM=="pci", KERNEL=="{FIRST}", {ASSIGN}', NO, NO),  # a function has no device/sriov_numvfs
    ('SUBSYSTEM=="pci", ATTR{vendor}=="0x15b3", ATTR{sriov_numvfs}="4"', YES, YES),
    ('SUBSYSTEM=="infiniband", KERNEL=="mlx5_0", ATTR{device/sriov_numvfs}="4"', YES, NO),
    (f'SUBSYSTEM=="net", KERNEL=="ens9", {ASSIGN}', UNKNOWN, UNKNOWN),
    (f'SUBSYSTEM=="net", KERNEL=="eth0", {ASSIGN}', UNKNOWN, UNKNOWN),
    (f'SUBSYSTEM=="net", KERNEL=="enp24s0f0np0", {ASSIGN}', NO, NO),
    (f'SUBSYSTEM=="net", KERNEL=="br-ex", {ASSIGN}', NO, NO),
    (f'SUBSYSTEM=="net", KERNELS=="{FIRST}", PROGRAM=="/bin/x", {ASSIGN}', UNKNOWN, NO),
    (f'KERNELS=="{SECOND}", GOTO="end"\nSUBSYSTEM=="net", DRIVERS=="mlx5_core", {ASSIGN}\nLABEL="end"', YES, NO),
    (f'SUBSYSTEM!="net", GOTO="end"\nKERNELS=="{FIRST}", {ASSIGN}\nLABEL="end"', YES, NO),
    (
        f'SUBSYSTEM=="net", KERNELS=="{FIRST}", RUN+="/bin/sh -c \'echo 4 > /sys/class/net/%k/device/sriov_numvfs\'"',
        YES,
        NO,
    ),
    (f'SUBSYSTEM=="net", KERNELS=="{FIRST}", RUN+="/bin/sh -c \'echo 4 > /sys$devpath/device/sriov_numvfs\'"', YES, NO),
    (f'SUBSYSTEM=="net", KERNELS=="{SECOND}", RUN+="/bin/sh -c \'echo 4 > {PCI}\'"', YES, NO),
    (f'SUBSYSTEM=="net", KERNELS=="{FIRST}", RUN+="/usr/local/sbin/absent.sh %k"', NO, NO),
    (f"# {ASSIGN}", NO, NO),
    (f'SUBSYSTEM=="net", KERNELS=="{FIRST}", ATTR{{device/sriov_numvfs}}=="4"', NO, NO),
]


@pytest.mark.parametrize(("rule", "first", "second"), UDEV)
def test_udev_rules_are_matched_as_udev_does(rule: str, first: Verdict, second: Verdict) -> None:
    assert means({RULES: rule + "\n"})[:2] == (first, second)


def test_the_script_behind_run_is_followed_with_the_names_that_udev_gives_it() -> None:
    rule = 'SUBSYSTEM=="net", DRIVERS=="mlx5_core", RUN+="/usr/local/sbin/vfs.sh %k"\n'
    script = '#!/bin/sh\n[ "$1" = enp59s0f1np1 ] || exit 0\necho 4 > /sys/class/net/$1/device/sriov_numvfs\n'
    assert means({RULES: rule, "/usr/local/sbin/vfs.sh": script}) == (NO, YES, 4)


def test_a_file_of_rules_is_hidden_by_one_of_its_name_and_masked_by_dev_null() -> None:
    below = "/usr/lib/udev/rules.d/70-vfs.rules"
    rule = f'SUBSYSTEM=="net", KERNELS=="{FIRST}", {ASSIGN}\n'
    assert means({below: rule})[0] is YES
    assert means({below: rule, RULES: "# nothing\n"})[0] is NO
    assert means({below: rule}, {RULES: "/dev/null"})[0] is NO


LINKS = [
    (f"[Match]\nPermanentMACAddress={MAC}\n[Link]\nSR-IOVVirtualFunctions=4\n", YES, NO, 4),
    (f"[Match]\nMACAddress=aa:bb:cc:dd:ee:ff {MAC.upper()}\n[Link]\nSR-IOVVirtualFunctions=4\n", YES, NO, 4),
    (f"[Match]\nPath=pci-{FIRST}\n[SR-IOV]\nVirtualFunction=0\n[SR-IOV]\nVirtualFunction=5\n", YES, NO, 6),
    ("[Match]\nPath=pci-0000:3b:*\n[Link]\nSR-IOVVirtualFunctions=4\n", YES, YES, 4),
    ("[Match]\nDriver=ixgbe\n[Link]\nSR-IOVVirtualFunctions=4\n", NO, NO, None),
    ("[Match]\nDriver=!ixgbe\n[Link]\nSR-IOVVirtualFunctions=4\n", YES, YES, 4),
    ("[Match]\nDriver=mlx5_core ice\n[Link]\nSR-IOVVirtualFunctions=4\n", YES, YES, 4),
    ("[Match]\nOriginalName=*\n[Link]\nSR-IOVVirtualFunctions=4\n", YES, YES, 4),
    ("[Match]\nOriginalName=eth0\n[Link]\nSR-IOVVirtualFunctions=4\n", UNKNOWN, UNKNOWN, 4),
    ("[Match]\nKernelVersion=>4.0\n[Link]\nSR-IOVVirtualFunctions=4\n", UNKNOWN, UNKNOWN, 4),
    ("[Match]\nType=wlan\n[Link]\nSR-IOVVirtualFunctions=4\n", NO, NO, None),
    ("[Link]\nSR-IOVVirtualFunctions=4\n", NO, NO, None),
    ("[Match]\nDriver=mlx5_core\n[Link]\nNamePolicy=path\n", NO, NO, None),
]


@pytest.mark.parametrize(("text", "first", "second", "count"), LINKS)
def test_link_files_match_by_their_own_section(text: str, first: Verdict, second: Verdict, count: int | None) -> None:
    assert means({"/etc/systemd/network/10-x.link": text}) == (first, second, count)


def test_only_the_first_link_file_that_matches_counts() -> None:
    later = "[Match]\nDriver=mlx5_core\n[Link]\nSR-IOVVirtualFunctions=4\n"
    earlier = f"[Match]\nPath=pci-{FIRST}\n[Link]\nName=data0\n"
    assert means({"/etc/systemd/network/10-a.link": earlier, "/etc/systemd/network/20-b.link": later}) == (NO, YES, 4)


def test_a_systemd_that_makes_no_vfs_owns_none() -> None:
    node = today()
    node.write("/etc/os-release", 'ID=ubuntu\nVERSION_ID="22.04"\n')
    assert seen_on(node, {"/etc/systemd/network/10-x.link": LINKS[0][0]})[0] is NO


NETPLAN = [
    ({"50": "network: {version: 2, ethernets: {enp59s0f0np0: {virtual-function-count: 4}}}\n"}, YES, NO, 4),
    (
        {"50": "network:\n  ethernets:\n    pf:\n      match: {driver: mlx5_core}\n      virtual-function-count: 4\n"},
        YES,
        YES,
        4,
    ),
    (
        {
            "50": f"network:\n  ethernets:\n    pf:\n      match:\n        macaddress: {MAC}\n      virtual-function-count: 4\n"
        },
        YES,
        NO,
        4,
    ),
    (
        {
            "50": 'network:\n  ethernets:\n    enp59s0f0np0:\n      match: {name: "enp24*"}\n      virtual-function-count: 4\n'
        },
        NO,
        NO,
        None,
    ),
    ({"50": "network:\n  ethernets:\n    ens9:\n      virtual-function-count: 4\n"}, UNKNOWN, UNKNOWN, 4),
    (
        {
            "50": "network:\n  ethernets:\n    enp59s0f0np0:\n      virtual-function-count: 4\n",
            "60": "network:\n  ethernets:\n    enp59s0f0np0:\n      virtual-function-count: 6\n",
        },
        YES,
        NO,
        6,
    ),
    (
        {
            "50": "network:\n  ethernets:\n    vf0: {link: enp59s0f0np0}\n",
            "60": "network:\n  ethernets:\n    enp59s0f0np0: {}\n    vf1: {link: enp59s0f0np0}\n",
        },
        YES,
        NO,
        2,
    ),
    ({"50": "network:\n  ethernets:\n    enp59s0f0np0: &a\n      virtual-function-count: 4\n"}, UNKNOWN, UNKNOWN, 4),
    (
        {"50": "network:\n  ethernets:\n    enp59s0f0np0: {}\n  vlans:\n    v1: {id: 1, link: enp59s0f0np0}\n"},
        NO,
        NO,
        None,
    ),
]


@pytest.mark.parametrize(("texts", "first", "second", "count"), NETPLAN)
def test_netplan_is_merged_by_id_over_its_files(
    texts: dict[str, str], first: Verdict, second: Verdict, count: int | None
) -> None:
    assert means({f"/etc/netplan/{name}-x.yaml": text for name, text in texts.items()}) == (first, second, count)


SCRIPTS = [
    (f"echo 4 > {NET}\n", YES, NO, 4),
    ("echo 4 > /sys/class/net/enp59s0f0np0/device/mlx5_num_vfs\n", YES, NO, 4),
    ("echo 4 > /sys/class/infiniband/mlx5_0/device/sriov_numvfs\n", YES, NO, 4),
    (f"echo 4 >{PCI}\n", YES, NO, 4),
    (f"echo 0 > {NET}; echo 4 > {NET}\n", YES, NO, 4),
    (f"printf '%s\\n' 4 | sudo tee {NET} >/dev/null 2>&1\n", YES, NO, 4),
    (f"N=4\nF={NET}\necho $N > $F\n", YES, NO, 4),
    (f'N=4 ; echo "${{N:-8}}" > "{NET}"\n', YES, NO, 4),
    ("cd /sys/class/net/enp59s0f0np0/device && echo 4 > sriov_numvfs\n", YES, NO, 4),
    ("for i in 0 1; do echo 4 > /sys/class/net/enp59s0f${i}np$i/device/sriov_numvfs; done\n", YES, YES, 4),
    ("for f in /sys/class/net/enp59*/device/sriov_numvfs; do echo 4 > $f; done\n", YES, YES, 4),
    ("set_vfs() { echo $2 > /sys/class/net/$1/device/sriov_numvfs; }\nset_vfs enp59s0f1np1 4\n", NO, YES, 4),
    (f"set_vfs() {{ echo 4 > {NET}; }}\n", NO, NO, None),
    (f"exit 0\necho 4 > {NET}\n", NO, NO, None),
    (f"if false; then echo 4 > {NET}; fi\n", NO, NO, None),
    (f"if [ -e {NET} ]; then echo 4 > {NET}; fi\n", YES, NO, 4),
    (f"if [ $(hostname) = other ]; then echo 4 > {NET}; fi\n", UNKNOWN, NO, 4),
    (f'[ "$(cat {NET})" = 4 ] || echo 4 > {NET}\n', YES, NO, 4),
    (f"modprobe mlx5_core || exit 1\necho 4 > {NET}\n", YES, NO, 4),
    (f"modprobe mlx5_core && sleep 1 && echo 4 > {NET}\n", YES, NO, 4),
    (f"modprobe mlx5_core || echo 4 > {NET}\n", UNKNOWN, NO, 4),
    (f"case $1 in start) echo 4 > {NET} ;; stop) echo 0 > {NET} ;; esac\n", YES, NO, 4),
    (f"while read n; do echo $n > {NET}; done < /etc/vfs.list\n", UNKNOWN, NO, None),
    ("echo 4 > /sys/class/net/$NIC/device/sriov_numvfs\n", UNKNOWN, UNKNOWN, 4),
    (". /etc/default/vfs\necho $COUNT > /sys/class/net/$NIC/device/sriov_numvfs\n", YES, NO, 4),
    (f"cat {NET}; grep . {NET}\n", NO, NO, None),
    (f"# echo 4 > {NET}\n", NO, NO, None),
    (f"echo 4 > {NET} 'unclosed\n", UNKNOWN, NO, None),
    (f"python3 -c \"open('{NET}', 'w').write('4')\"\n", UNKNOWN, NO, None),
    ("echo 4 > /sys/class/net/enp24s0f0np0/device/sriov_numvfs\n", NO, NO, None),
    ("cat <<EOF > /etc/motd\necho 4 > /sys/class/net/enp59s0f0np0/device/sriov_numvfs\nEOF\n", NO, NO, None),
    (f"sh -c 'echo 4 > {NET}'\n", YES, NO, 4),
    (f"(sleep 30; echo 4 > {NET}) &\n", YES, NO, 4),
    ("/bin/os-net-config-sriov -n enp59s0f1np1:4\n", NO, YES, 4),
]


@pytest.mark.parametrize(("script", "first", "second", "count"), SCRIPTS)
def test_what_a_script_writes_is_followed_and_no_more_is_promised(
    script: str, first: Verdict, second: Verdict, count: int | None
) -> None:
    files = {"/etc/rc.local": f"#!/bin/sh\n{script}", "/etc/default/vfs": "NIC=enp59s0f0np0\nCOUNT=4\n"}
    assert means(files) == (first, second, count)


def unit(command: str, install: str = "[Install]\nWantedBy=multi-user.target\n", more: str = "") -> str:
    return f"[Unit]\n{more}[Service]\nType=oneshot\nExecStart={command}\n{install}"


WRITE = f"/bin/sh -c 'echo 4 > {NET}'"
ETC, LIB = "/etc/systemd/system/vfs.service", "/usr/lib/systemd/system/vfs.service"
WANTS = "/etc/systemd/system/multi-user.target.wants/vfs.service"
UNITS = [
    ({ETC: unit(WRITE)}, {WANTS: ETC}, YES),
    ({LIB: unit(WRITE)}, {WANTS: LIB}, YES),
    ({LIB: unit(WRITE)}, {"/usr/lib/systemd/system/sysinit.target.wants/vfs.service": "../vfs.service"}, YES),
    ({ETC: unit(WRITE)}, {}, NO),
    ({ETC: unit(WRITE, install="")}, {}, UNKNOWN),
    ({LIB: unit(WRITE)}, {WANTS: LIB, ETC: "/dev/null"}, NO),
    ({LIB: unit(WRITE), ETC: unit("/bin/true")}, {WANTS: ETC}, NO),
    ({LIB: unit(WRITE), f"{ETC}.d/x.conf": "[Service]\nExecStart=\nExecStart=/bin/true\n"}, {WANTS: LIB}, NO),
    ({LIB: unit("/bin/true"), f"{ETC}.d/x.conf": f"[Service]\nExecStartPre={WRITE}\n"}, {WANTS: LIB}, YES),
    ({ETC: unit(WRITE, more="ConditionPathExists=!/run/x\n")}, {WANTS: ETC}, UNKNOWN),
    ({ETC: unit(WRITE, more=f"ConditionPathExists={NET}\n")}, {WANTS: ETC}, YES),
    ({ETC: unit("/bin/true").replace("ExecStart", "ExecStop") + f"[Service]\nExecStop={WRITE}\n"}, {WANTS: ETC}, NO),
    (
        {ETC: unit(WRITE, install=""), "/etc/systemd/system/vfs.timer": "[Timer]\nOnBootSec=1\n"},
        {"/etc/systemd/system/timers.target.wants/vfs.timer": "/etc/systemd/system/vfs.timer"},
        YES,
    ),
    (
        {ETC: unit(WRITE, install=""), "/etc/systemd/system/a.service": unit("/bin/true", more="Wants=vfs.service\n")},
        {"/etc/systemd/system/multi-user.target.wants/a.service": "/etc/systemd/system/a.service"},
        YES,
    ),
]


@pytest.mark.parametrize(("files", "links", "first"), UNITS)
def test_a_unit_owns_what_it_sets_where_something_starts_it(
    files: dict[str, str], links: dict[str, str], first: Verdict
) -> None:
    assert means(files, links)[0] is first


KEY = "/etc/NetworkManager/system-connections/pf.nmconnection"
IFCFG = "/etc/sysconfig/network-scripts/ifcfg-enp59s0f0np0"
CONF = "/etc/NetworkManager/conf.d/v.conf"
TUNED = {
    "/etc/tuned/active_profile": "mine\n",
    "/usr/lib/systemd/system/tuned.service": "[Install]\nWantedBy=multi-user.target\n",
}
TUNED_ON = {"/etc/systemd/system/multi-user.target.wants/tuned.service": "/usr/lib/systemd/system/tuned.service"}
PROFILE = f"[main]\nsummary=x\n[sysfs]\n{NET}=4\n"
SYSFS = {"/etc/sysfs.conf": f"{PCI.removeprefix('/sys/')} = 4\n"}
SYSFS_INIT = ("#!/bin/sh\n", 0o755)
DISPATCHED = '#!/bin/sh\n[ "$IFACE" = enp59s0f0np0 ] || exit 0\necho 4 > /sys/class/net/$IFACE/device/sriov_numvfs\n'
NM_DISPATCHED = (
    '#!/bin/sh\n[ "$1" = enp59s0f0np0 ] && [ "$2" = up ] && echo 4 > /sys/class/net/$1/device/sriov_numvfs\n'
)
STANZA = "iface enp59s0f0np0 inet manual\n  pre-up echo 4 > /sys/class/net/$IFACE/device/sriov_numvfs\n"
OTHERS = [
    ({KEY: ("[connection]\ninterface-name=enp59s0f0np0\n[sriov]\ntotal-vfs=4\n", 0o600)}, {}, YES, NO),
    ({KEY: ("[connection]\ninterface-name=enp59s0f0np0\n[sriov]\ntotal-vfs=4\n", 0o644)}, {}, NO, NO),
    ({KEY: (f"[ethernet]\nmac-address={MAC.upper()}\n[sriov]\ntotal-vfs=4\n", 0o600)}, {}, YES, NO),
    ({KEY: ("[connection]\ninterface-name=enp59s0f0np0\nautoconnect=false\n[sriov]\ntotal-vfs=4\n", 0o600)}, {}, UNKNOWN, NO),
    ({KEY: ("[connection]\ntype=ethernet\n[sriov]\ntotal-vfs=4\n", 0o600)}, {}, UNKNOWN, UNKNOWN),
    ({KEY: ("[match]\ndriver=mlx5_core;\n[sriov]\ntotal-vfs=4\n", 0o600)}, {}, YES, YES),
    ({KEY: ("[match]\ndriver=ixgbe;\n[sriov]\ntotal-vfs=4\n", 0o600)}, {}, NO, NO),
    ({IFCFG: "DEVICE=enp59s0f0np0\nSRIOV_TOTAL_VFS=4\nONBOOT=yes\n"}, {}, YES, NO),
    ({IFCFG: "DEVICE=enp59s0f0np0\nSRIOV_TOTAL_VFS=4\nONBOOT=no\n"}, {}, UNKNOWN, NO),
    ({IFCFG: "DEVICE=enp59s0f0np0\nSRIOV_TOTAL_VFS=4\nNM_CONTROLLED=no\n"}, {}, NO, NO),
    ({f"{IFCFG}.bak": "DEVICE=enp59s0f0np0\nSRIOV_TOTAL_VFS=4\n"}, {}, NO, NO),
    ({CONF: "[device-a]\nmatch-device=driver:mlx5_core\nsriov-num-vfs=4\n"}, {}, YES, YES),
    ({CONF: "[device-a]\nmatch-device=driver:ixgbe\nsriov-num-vfs=4\n"}, {}, NO, NO),
    ({CONF: "[device-a]\nmatch-device=interface-name:enp59*,except:interface-name:enp59s0f1np1\nsriov-num-vfs=4\n"}, {}, YES, NO),
    ({"/etc/NetworkManager/dispatcher.d/10-vfs": (NM_DISPATCHED, 0o755)}, {}, YES, NO),
    ({"/etc/NetworkManager/dispatcher.d/10-vfs": (NM_DISPATCHED, 0o644)}, {}, NO, NO),
    ({"/etc/NetworkManager/dispatcher.d/10-vfs": (NM_DISPATCHED.replace("up ]", "down ]"), 0o755)}, {}, NO, NO),
    ({"/etc/networkd-dispatcher/routable.d/10-vfs": (DISPATCHED, 0o755)}, {}, YES, NO),
    ({"/etc/networkd-dispatcher/routable.d/10-vfs": (DISPATCHED, 0o644)}, {}, NO, NO),
    ({"/etc/networkd-dispatcher/off.d/10-vfs": (DISPATCHED, 0o755)}, {}, UNKNOWN, NO),
    ({"/etc/networkd-dispatcher/vfs": (DISPATCHED, 0o755)}, {}, NO, NO),
    ({**TUNED, "/etc/tuned/mine/tuned.conf": PROFILE}, TUNED_ON, YES, NO),
    ({**TUNED, "/etc/tuned/mine/tuned.conf": PROFILE}, {}, NO, NO),
    ({**TUNED, "/etc/tuned/other/tuned.conf": PROFILE}, TUNED_ON, NO, NO),
    ({**TUNED, "/etc/tuned/mine/tuned.conf": "[main]\ninclude=base\n", "/usr/lib/tuned/base/tuned.conf": PROFILE}, TUNED_ON, YES, NO),
    ({**TUNED, "/etc/tuned/mine/tuned.conf": "[script]\nscript=${i:PROFILE_DIR}/s.sh\n", "/etc/tuned/mine/s.sh": f"#!/bin/sh\necho 4 > {NET}\n"}, TUNED_ON, YES, NO),
    (SYSFS, {}, NO, NO),
    ({**SYSFS, "/etc/init.d/sysfsutils": SYSFS_INIT}, {"/etc/rcS.d/S01sysfsutils": "../init.d/sysfsutils"}, YES, NO),
    ({**SYSFS, "/etc/init.d/sysfsutils": SYSFS_INIT}, {"/etc/rc2.d/S01cron": "../init.d/cron"}, NO, NO),
    ({**SYSFS, "/usr/lib/systemd/system/sysfsutils.service": "[Install]\nWantedBy=a\n"}, {}, NO, NO),
    ({"/etc/sysfs.conf": f"# {PCI.removeprefix('/sys/')} = 4\n", "/etc/init.d/sysfsutils": SYSFS_INIT}, {}, NO, NO),
    ({"/etc/tmpfiles.d/v.conf": f"w! {PCI} - - - - 4\n"}, {}, YES, NO),
    ({"/usr/lib/tmpfiles.d/v.conf": f"w {PCI} - - - - 4\n"}, {}, YES, NO),
    ({"/etc/tmpfiles.d/v.conf": f"#w {PCI} - - - - 4\n"}, {}, NO, NO),
    ({"/etc/network/interfaces": f"auto enp59s0f0np0\n{STANZA}"}, {}, YES, NO),
    ({"/etc/network/interfaces": f"allow-hotplug enp59s0f0np0\n{STANZA}"}, {}, YES, NO),
    ({"/etc/network/interfaces": STANZA}, {}, UNKNOWN, NO),
    ({"/etc/network/interfaces": "source /etc/network/more.d/*\n", "/etc/network/more.d/a": f"auto enp59s0f0np0\n{STANZA}"}, {}, YES, NO),
    ({"/etc/network/interfaces": "auto lo\n", "/etc/network/interfaces.d/a": f"auto enp59s0f0np0\n{STANZA}"}, {}, NO, NO),
    ({"/etc/network/interfaces": f"auto enp59s0f0np0\n{STANZA.replace('pre-up', 'post-down')}"}, {}, NO, NO),
    ({"/etc/network/if-up.d/vfs": (DISPATCHED, 0o755)}, {}, YES, NO),
    ({"/etc/network/if-up.d/vfs.sh": (DISPATCHED, 0o755)}, {}, NO, NO),
    ({"/etc/cron.d/vfs": f"@reboot root echo 4 > {NET}\n"}, {}, YES, NO),
    ({"/etc/cron.d/vfs": f"0 3 * * * root echo 4 > {NET}\n"}, {}, UNKNOWN, NO),
    ({"/etc/cron.d/vfs.conf": f"@reboot root echo 4 > {NET}\n"}, {}, NO, NO),
    ({"/etc/cron.d/vfs": (f"@reboot root echo 4 > {NET}\n", 0o666)}, {}, NO, NO),
    ({"/var/spool/cron/crontabs/root": (f"@reboot echo 4 > {NET}\n", 0o600)}, {}, YES, NO),
    ({"/etc/init.d/vfs": (f"#!/bin/sh\ncase $1 in start) echo 4 > {NET};; esac\n", 0o755)}, {"/etc/rc2.d/S20vfs": "../init.d/vfs"}, YES, NO),
    ({"/etc/init.d/vfs": (f"#!/bin/sh\necho 4 > {NET}\n", 0o755)}, {"/etc/rc2.d/K20vfs": "../init.d/vfs"}, NO, NO),
    ({"/etc/init.d/vfs": (f"#!/bin/sh\necho 4 > {NET}\n", 0o644)}, {"/etc/rc2.d/S20vfs": "../init.d/vfs"}, NO, NO),
    ({"/etc/init/vfs.conf": f"start on startup\nexec sh -c 'echo 4 > {NET}'\n"}, {}, NO, NO),  # no upstart runs here
    ({"/etc/rc.local": (f"#!/bin/sh\necho 4 > {NET}\n", 0o644)}, {}, NO, NO),
    ({"/etc/rc.local": (f"#!/bin/sh\necho 4 > {NET}\n", 0o755)}, {"/etc/systemd/system/rc-local.service": "/dev/null"}, NO, NO),
    ({"/etc/modprobe.d/m.conf": f"install mlx5_core /sbin/modprobe -i mlx5_core && echo 4 > {PCI}\n"}, {}, YES, NO),
    ({"/etc/modprobe.d/m.conf": f"install mlx5_core /sbin/modprobe -i mlx5_core; \\\n  echo 4 > {PCI}\n"}, {}, YES, NO),
    ({"/etc/modprobe.d/m.conf": f"install ixgbe /sbin/modprobe -i ixgbe && echo 4 > {PCI}\n"}, {}, UNKNOWN, NO),
    ({"/etc/modprobe.d/m.conf.off": f"install mlx5_core /sbin/modprobe -i mlx5_core && echo 4 > {PCI}\n"}, {}, NO, NO),
    ({"/etc/modprobe.d/m.conf": "options mlx5_core num_vfs=4\noptions igb max_vfs=7\n"}, {}, NO, NO),
    ({"/etc/nmstate/1.yml": "interfaces:\n- name: enp59s0f0np0\n  ethernet:\n    sr-iov:\n      total-vfs: 4\n"}, {}, YES, NO),
    ({"/etc/systemd/network/10-x.network": "[Match]\nName=enp59s0f0np0\n[SR-IOV]\nVirtualFunction=3\n"}, {}, NO, NO),
]  # fmt: skip


@pytest.mark.parametrize(("files", "links", "first", "second"), OTHERS)
def test_each_mechanism_is_read_by_its_own_rules_and_only_where_it_would_run(
    files: dict[str, str | tuple[str, int]], links: dict[str, str], first: Verdict, second: Verdict
) -> None:
    assert means(files, links)[:2] == (first, second)


def test_drivers_that_make_vfs_by_an_option_own_them() -> None:
    node = today()
    for path, entry in list(node.entries.items()):
        if entry.kind == "link" and path.startswith("/sys/devices/") and path.endswith("/0000:18:00.0/driver"):
            node.symlink(path, "../../../../bus/pci/drivers/ixgbe")
    node.write("/etc/modprobe.d/ixgbe.conf", "options ixgbe max_vfs=7\n")
    seen = facts.read(node)
    function = next(each for each in seen.pci.functions if each.address == ICE)
    assert [(owner.count, owner.program) for owner in vf_owners.of(seen, function)] == [(7, "the driver ixgbe")]
    node.write("/etc/modprobe.d/ixgbe.conf", "options ixgbe max_vfs=3,5\n")
    assert [owner.count for owner in vf_owners.of(facts.read(node), function)] == [3]


@pytest.mark.parametrize("build", [today])
def test_a_stock_node_leaves_nothing_undetermined(build: type) -> None:
    seen = facts.read(build())
    assert vf_owners.find(seen) == []


def held_at_boot(node: MemoryNode, count: int = 4) -> str:
    """What verify says of the first port at the next boot."""
    plan = planned(node, vfs={"card": [{"match": {"address": FIRST}, "count": count}]}, passthrough=None)
    found = verify(facts.read(node), answer_files.from_data(plan.answers))
    return next(check.state for check in found if check.what.endswith("at each boot"))


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (f"echo 4 > {NET}\n", "held"),
        (f"echo 4 > {NET}\necho 0 > {NET}\n", "failed"),
        (f"echo 0 > {NET}\necho 4 > {NET}\n", "held"),  # the way on which a driver takes another number
        (f"echo 4 > {NET}\n[ -e /etc/surely-not-here-$RANDOM ] && echo 0 > {NET}\n", "unknown"),
    ],
)
def test_of_several_lines_none_lets_the_next_boot_hold_alone(script: str, status: str) -> None:
    node = today()
    node.write("/etc/rc.local", f"#!/bin/sh\n{script}", mode=0o755)
    assert held_at_boot(node) == status


@pytest.mark.parametrize(("live", "unit", "verdict"), [(False, False, YES), (True, False, UNKNOWN), (True, True, YES)])
def test_a_reader_that_a_live_node_does_not_have_is_not_certain(live: bool, unit: bool, verdict: Verdict) -> None:
    node = today()
    node.live = live
    node.write("/etc/cron.d/vfs", f"@reboot root echo 4 > {NET}\n")
    if unit:
        node.write("/usr/lib/systemd/system/cron.service", "[Service]\nExecStart=/usr/sbin/cron -f\n")
    seen = facts.read(node)
    function = next(each for each in seen.pci.functions if each.address == FIRST)
    found = YES if vf_owners.of(seen, function) else UNKNOWN if vf_owners.doubtful(seen, function) else NO
    assert found is verdict

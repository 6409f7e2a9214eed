"""The scripts and units that are installed onto nodes, run by the shells of old and new nodes."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import needs
import pytest

from wizard.facts.pci import config_space
from wizard.formats.ebtables import metadata_state, parse_listing

ASSETS = Path(str(resources.files("assets"))) / "node"
SHELLS = [["dash"], ["busybox", "sh"]]
PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


def need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program, path=PATH) is None:
            pytest.skip(f"{program}: the program is not installed")


def elsewhere(place: Path, name: str, **constants: str) -> Path:
    """A copy of a script in which constants have another value: the script itself obeys no variable of its caller's."""
    text = (ASSETS / name).read_text(encoding="utf-8")
    for constant, value in constants.items():
        text, count = re.subn(
            rf"^((?:.* )?){constant}=\S+", rf"\g<1>{constant}={value}", text, count=1, flags=re.MULTILINE
        )
        assert count == 1, constant
    script = place / f"{name}.sh"
    script.write_text(text, encoding="utf-8")
    return script


@pytest.mark.parametrize("name", [path.name for path in sorted(ASSETS.iterdir()) if path.name.startswith("compute")])
def test_no_variable_of_the_caller_changes_what_an_installed_script_does(name: str) -> None:
    """Each name in capitals has a value of the script's own, and no such value rests on what was there before."""
    text = re.sub(r"(?m)(^|\s)#.*$", "", (ASSETS / name).read_text(encoding="utf-8"))
    used = set(re.findall(r"\$\{?([A-Z][A-Z_0-9]*)", text))
    assert used <= set(re.findall(r"\b([A-Z][A-Z_0-9]*)=", text))
    assert re.findall(r"\$\{[A-Z][A-Z_0-9]*:?[-+=?]", text) == []
    assert "COMPUTE_WIZARD" not in text


@pytest.mark.parametrize("shell", SHELLS, ids=["dash", "busybox"])
@pytest.mark.parametrize("name", ["compute-wizard-metadata", "compute-wizard-vfs", "recorder.sh", "guest-init"])
def test_the_shells_can_parse_it(shell: list[str], name: str) -> None:
    need(shell[0])
    assert subprocess.run([*shell, "-n", ASSETS / name], check=False).returncode == 0


@pytest.mark.parametrize("shell", SHELLS, ids=["dash", "busybox"])
def test_the_redirect_in_a_network_of_its_own(shell: list[str], tmp_path: Path) -> None:
    needs.root("a network namespace")
    need(shell[0], "ebtables", "unshare")
    config = tmp_path / "metadata.conf"
    config.write_text('# c\nBRIDGES="br1441 br1442"\nUPLINKS="vlan+"\nTARGET="CONTINUE"\n', encoding="utf-8")
    words = " ".join([*shell, str(elsewhere(tmp_path, "compute-wizard-metadata", CONFIG=str(config)))])
    match = "-p ipv4 --ip-dst 169.254.169.254 --ip-protocol 6 --ip-dport 80"
    script = f"""
    mark() {{ echo "=== $1 $?"; }}
    {words} status; mark absent
    {words} apply; mark apply
    ebtables -t nat -L --Lc; mark listing
    {words} apply; mark again
    {words} status; mark status
    ebtables -t nat -I PREROUTING {match} -j cw-metadata; ebtables -t nat -A cw-metadata -j ACCEPT
    {words} status; mark differs
    {words} apply; mark repaired
    ebtables -t nat -L; mark listing
    {words} remove; mark removed
    {words} remove; mark twice
    ebtables -t nat -L; mark listing
    """
    environment = {"PATH": PATH}
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    out = done.stdout
    for line in ("absent 3", "apply 0", "again 0", "status 0", "differs 1", "repaired 0", "removed 0", "twice 0"):
        assert f"=== {line}" in out, out + done.stderr
    assert "in place already" in out
    listings = [part.rpartition("Bridge table")[2] for part in out.split("=== listing 0")[:-1]]
    for text in listings[:2]:
        chains = parse_listing("Bridge table" + text)
        state = metadata_state(
            chains, chain="cw-metadata", bridges=["br1441", "br1442"], uplinks=["vlan+"], target="CONTINUE"
        )
        assert state.right, state.differences
    assert not any(chain.rules for chain in parse_listing("Bridge table" + listings[2]).values())


@pytest.mark.parametrize(
    "text",
    [
        'BRIDGES=""\nUPLINKS="vlan+"\nTARGET="CONTINUE"\n',
        'BRIDGES="br1"\nTARGET="CONTINUE"\n',
        'BRIDGES="br1;x"\nUPLINKS="a"\nTARGET="CONTINUE"\n',
        'BRIDGES="br1"\nUPLINKS="a"\nTARGET="DROP"\n',
    ],
)
def test_a_wrong_configuration_is_refused(text: str, tmp_path: Path) -> None:
    need("dash")
    (tmp_path / "c").write_text(text, encoding="utf-8")
    script = elsewhere(tmp_path, "compute-wizard-metadata", CONFIG=str(tmp_path / "c"), LOCK=str(tmp_path / "lock"))
    done = subprocess.run(
        ["dash", script, "apply"],
        capture_output=True,
        text=True,
        env={"PATH": PATH},
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("compute-wizard-metadata: ")


def card(tmp_path: Path, numvfs: str = "0") -> Path:
    """A PF in a sysfs of files: writing to sriov_numvfs makes no VFs, so their links are there already."""
    place = tmp_path / "bus/pci/devices/0000:3b:00.0"
    (place / "net/eth0").mkdir(parents=True)
    (place / "net/eth0/address").write_text("0c:42:a1:08:42:18\n", encoding="ascii")
    (place / "driver").symlink_to("../../drivers/mlx5_core")
    (tmp_path / "bus/pci/drivers/mlx5_core").mkdir(parents=True)
    for name, value in {"vendor": "0x15b3", "device": "0x1017", "sriov_numvfs": numvfs, "sriov_totalvfs": "8"}.items():
        (place / name).write_text(f"{value}\n", encoding="ascii")
    for number in range(8):
        (place / f"virtfn{number}").mkdir()
    return place


def vfs(tmp_path: Path, *words: str, shell: str = "dash") -> subprocess.CompletedProcess[str]:
    need(shell)
    kernel, searched = str(tmp_path), f"{tmp_path}:{PATH}"
    script = elsewhere(tmp_path, "compute-wizard-vfs", PATH=searched, SYSFS=kernel, PROC=kernel, PATIENCE="0")
    start = ["busybox", "sh"] if shell == "busybox" else [shell]
    return subprocess.run([*start, script, *words], capture_output=True, text=True, env={"PATH": PATH}, check=False)


@pytest.mark.parametrize("shell", ["dash", "busybox"])
@pytest.mark.parametrize("before", ["0", "4"])
def test_the_number_of_vfs_is_set(shell: str, before: str, tmp_path: Path) -> None:
    place = card(tmp_path, before)
    done = vfs(tmp_path, "0000:3b:00.0", "15b3", "1017", "mac=0C:42:a1:08:42:18", "8", shell=shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert (place / "sriov_numvfs").read_text(encoding="ascii") == "8\n"
    again = vfs(tmp_path, "0000:3b:00.0", "15b3", "1017", "mac=0c:42:a1:08:42:18", "8", shell=shell)
    assert again.stdout == "0000:3b:00.0 has 8 VFs already\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["0000:3b:00.0", "15b3", "1019", "none", "8"], "the card moved"),
        (["0000:3b:00.0", "15b3", "1017", "mac=00:00:00:00:00:01", "8"], "not the card"),
        (["0000:3b:00.0", "15b3", "1017", "none", "9"], "allows 8"),
        (["0000:af:00.0", "15b3", "1017", "none", "8"], "no PCI function"),
        (["0000:3b:00.0", "15b3", "1017", "none", "8;x"], "no number"),
        (["0000:3b:00.0"], "usage"),
    ],
)
def test_another_card_and_a_wrong_number_are_refused(words: list[str], message: str, tmp_path: Path) -> None:
    place = card(tmp_path)
    done = vfs(tmp_path, *words)
    assert done.returncode != 0
    assert message in done.stderr
    assert (place / "sriov_numvfs").read_text(encoding="ascii") == "0\n"


BONDED = """\
Ethernet Channel Bonding Driver: v3.7.1 (April 27, 2011)

Slave Interface: eth9
Permanent HW addr: 0c:42:a1:08:42:1a

Slave Interface: eth0
MII Status: up
Permanent HW addr: 0C:42:a1:08:42:19
Slave queue ID: 0
"""


@pytest.mark.parametrize("shell", ["dash", "busybox"])
@pytest.mark.parametrize("say", ["sysfs", "proc", "ip", "nothing yet"])
def test_a_port_of_a_bond_is_known_by_the_address_that_it_came_with(shell: str, say: str, tmp_path: Path) -> None:
    """Before the bond is up and after: the bond's address, which another port came with, is not this one's."""
    place = card(tmp_path)
    net = place / "net/eth0"
    if say == "nothing yet":
        (net / "address").write_text("0c:42:a1:08:42:19\n", encoding="ascii")
        (net / "addr_assign_type").write_text("0\n", encoding="ascii")
    else:
        (net / "addr_assign_type").write_text("3\n", encoding="ascii")
    if say == "sysfs":
        (net / "bonding_slave").mkdir()
        (net / "bonding_slave/perm_hwaddr").write_text("0c:42:a1:08:42:19\n", encoding="ascii")
    elif say == "proc":
        (tmp_path / "net/bonding").mkdir(parents=True)
        (tmp_path / "net/bonding/bond0").write_text(BONDED, encoding="ascii")
    elif say == "ip":
        (tmp_path / "ip").write_text(
            "#!/bin/sh\n[ \"$*\" = '-o link show dev eth0' ] && "
            "echo '2: eth0: <UP> mtu 1500 state UP \\    link/ether 0c:42:a1:08:42:18 brd ff:ff:ff:ff:ff:ff permaddr 0c:42:a1:08:42:19'\n",
            encoding="ascii",
        )
        (tmp_path / "ip").chmod(0o755)
    words = ["0000:3b:00.0", "15b3", "1017"]
    wrong = vfs(tmp_path, *words, "mac=0c:42:a1:08:42:18", "8", shell=shell)
    assert "is not the card with mac=0c:42:a1:08:42:18" in wrong.stderr
    right = vfs(tmp_path, *words, "mac=0c:42:a1:08:42:19", "8", shell=shell)
    assert (right.returncode, right.stderr) == (0, "")
    assert (place / "sriov_numvfs").read_text(encoding="ascii") == "8\n"


def vpd(*fields: tuple[str, bytes], name: bytes = b"ConnectX-5", tag: int = 0x90) -> bytes:
    """Vital product data: a name, fields to be read, and the end."""
    data = b"".join(key.encode() + bytes([len(value)]) + value for key, value in fields)
    pieces = [bytes([kind]) + len(each).to_bytes(2, "little") + each for kind, each in ((0x82, name), (tag, data))]
    return b"".join(pieces) + b"\x78"


SERIAL = "MT1234X56789"
CARDS: dict[str, tuple[bytes | None, bool]] = {
    "its own": (vpd(("PN", b"MCX512A"), ("SN", SERIAL.encode()), ("RV", b"\0")), True),
    "its own, filled up with blanks": (vpd(("SN", SERIAL.encode() + b"   \0\0")), True),
    "first": (vpd(("SN", SERIAL.encode()), ("PN", b"x" * 200)), True),
    "a long name before it": (vpd(("SN", SERIAL.encode()), name=b"n" * 700), True),
    "no VPD": (None, False),
    "empty": (b"", False),
    "noise": (b"\xff" * 64, False),
    "longer": (vpd(("SN", f"{SERIAL}0".encode())), False),
    "shorter": (vpd(("SN", SERIAL[:-1].encode())), False),
    "another card's": (vpd(("SN", b"MT9999X00000")), False),
    "in the part number": (vpd(("PN", SERIAL.encode()), ("SN", b"MT9999X00000")), False),
    "in the name": (vpd(("SN", b"MT9999X00000"), name=SERIAL.encode()), False),
    "in a field of another kind": (vpd(("VS", b"SN" + bytes([len(SERIAL)]) + SERIAL.encode())), False),
    "in what may be written": (vpd(("SN", SERIAL.encode()), tag=0x91), False),
    "cut off": (vpd(("SN", SERIAL.encode()))[:-4], False),
    "a format in it": (vpd(("SN", b"%s%n\\101")), False),
}


@pytest.mark.parametrize("shell", ["dash", "busybox"])
@pytest.mark.parametrize("name", CARDS)
def test_a_card_is_known_by_its_serial_number_and_by_nothing_else(name: str, shell: str, tmp_path: Path) -> None:
    need("od")
    place = card(tmp_path)
    content, known = CARDS[name]
    if content is not None:
        (place / "vpd").write_bytes(content)
        assert (config_space.serial_number(content) == SERIAL) is known
    done = vfs(tmp_path, "0000:3b:00.0", "15b3", "1017", f"serial={SERIAL}", "8", shell=shell)
    assert (done.returncode == 0) is known, done.stderr
    assert (place / "sriov_numvfs").read_text(encoding="ascii") == ("8\n" if known else "0\n")
    if not known:
        assert f"is not the card with serial={SERIAL}" in done.stderr


def test_vfs_that_a_guest_may_have_are_left_alone(tmp_path: Path) -> None:
    place = card(tmp_path, "4")
    (place / "virtfn2/driver").symlink_to("../../../drivers/vfio-pci")
    done = vfs(tmp_path, "0000:3b:00.0", "15b3", "1017", "none", "8")
    assert done.returncode == 1
    assert "virtfn2 is held by vfio-pci" in done.stderr
    assert (place / "sriov_numvfs").read_text(encoding="ascii") == "4\n"


@pytest.mark.parametrize("name", ["compute-wizard-metadata.service", "compute-wizard-vfs.service"])
def test_systemd_has_nothing_to_say_against_the_units(name: str, tmp_path: Path) -> None:
    need("systemd-analyze")
    text = (ASSETS / name).read_text(encoding="utf-8")
    for word, value in {
        "ADDRESS": "0000:3b:00.0",
        "VENDOR": "15b3",
        "DEVICE": "1017",
        "IDENTITY": "none",
        "COUNT": "8",
        "NAME": "ConnectX-5",
    }.items():
        text = text.replace(f"@{word}@", value)
    assert "@" not in text
    unit = tmp_path / name
    unit.write_text(text.replace("/usr/local/sbin/compute-wizard", "/bin/true #"), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    own = [line for line in done.stderr.splitlines() if name in line]
    assert own == []


@pytest.mark.parametrize("name", ["compute-wizard-metadata.upstart", "compute-wizard-vfs.upstart"])
def test_upstart_has_nothing_to_say_against_the_jobs(name: str) -> None:
    need("init-checkconf")
    assert subprocess.run(["init-checkconf", ASSETS / name], check=False).returncode == 0


@pytest.mark.parametrize("shell", ["dash", "busybox"])
@pytest.mark.parametrize(
    ("words", "asked"), [(["up=1"], True), (["autoprobe=0", "up=1"], True), (["autoprobe=0"], False)]
)
def test_an_interface_is_set_up_before_the_vfs_where_the_driver_needs_it(
    shell: str, words: list[str], asked: bool, tmp_path: Path
) -> None:
    place = card(tmp_path)
    said = tmp_path / "said"
    (tmp_path / "ip").write_text(f'#!/bin/sh\necho "$* $(cat {place}/sriov_numvfs)" >>{said}\n', encoding="ascii")
    (tmp_path / "ip").chmod(0o755)
    done = vfs(tmp_path, "0000:3b:00.0", "15b3", "1017", "none", "8", *words, shell=shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert (place / "sriov_numvfs").read_text(encoding="ascii") == "8\n"
    assert (said.read_text(encoding="ascii") if said.exists() else "") == ("link set dev eth0 up 0\n" if asked else "")

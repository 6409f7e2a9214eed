"""Which router guests are told, and which labels can be written: dnsmasq with nova's arguments and a DHCP client are the judge."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nova_network import NovaNetwork, needs, until

from wizard.formats.dnsmasq import label_problem, set_routers
from wizard.formats.dnsmasq_tags import told

MAC = "fa:16:3e:44:01:14"
OWN, GUEST = "10.44.1.2", "10.44.1.20"

CLIENT = r"""
import socket, struct, sys
mac = bytes.fromhex(sys.argv[1].replace(":", ""))
packet = struct.pack("!BBBBIHH4s4s4s4s16s64s128s", 1, 1, 6, 0, 77, 0, 0x8000, *[bytes(4)] * 4, mac, b"", b"")
packet = (packet + b"\x63\x82\x53\x63" + bytes([53, 1, 1, 55, 2, 1, 3, 255])).ljust(300, b"\0")
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
udp.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0\0")
udp.bind(("", 68))
for limit in (0.4, 0.8, 1.6, 3.2):
    udp.settimeout(limit)
    udp.sendto(packet, ("255.255.255.255", 67))
    try:
        answer = udp.recv(4096)
        break
    except TimeoutError:
        continue
else:
    sys.exit("no offer")
options, at, routers = answer[240:], 0, []
while at < len(options) and options[at] != 255:
    if options[at] == 0:
        at += 1
        continue
    if options[at] == 3:
        routers = [socket.inet_ntoa(options[at + 2 + k : at + 6 + k]) for k in range(0, options[at + 1], 4)]
    at += 2 + options[at + 1]
print(",".join(routers))
"""


class World(NovaNetwork):
    """The node, with one guest on its bridge that has a dhcp-host line, as all of nova's have."""

    def add_guest(self) -> None:
        self.sh(
            f"ip netns add guest; ip link add vnet0 type veth peer name eth0 netns guest address {MAC}; "
            f"ip link set vnet0 master {self.bridge} up; ip -n guest link set eth0 up; "
            "ip -n guest address add 0.0.0.0/0 dev eth0 2>/dev/null; ip -n guest route add default dev eth0"
        )

    def router(self, content: bytes, label: str) -> str | None:
        """What the guest is told; None where dnsmasq does not start."""
        state = f"{self.place}/nova-{self.bridge}"
        conf = self.place / "dnsmasq-nova.conf"
        conf.write_bytes(content)
        for name, text in {"opts": f"3,{OWN}\n", "conf": f"{MAC},host-20.novalocal,{GUEST}\n", "hosts": ""}.items():
            Path(f"{state}.{name}").write_text(text, encoding="ascii")
        server = self.start(
            *(
                "dnsmasq",
                "--keep-in-foreground",
                "--user=root",
                "--strict-order",
                "--bind-interfaces",
                f"--conf-file={conf}",
            ),
            *(
                f"--pid-file={state}.pid",
                f"--dhcp-optsfile={state}.opts",
                f"--listen-address={OWN}",
                "--except-interface=lo",
            ),
            *(f"--dhcp-range=set:{label},10.44.1.3,static,255.255.255.0,86400s", "--dhcp-lease-max=256"),
            *(f"--dhcp-hostsfile={state}.conf", "--no-hosts", "--leasefile-ro", "--domain=novalocal", "--port=0"),
            *("--no-resolv", "--no-ping", "--log-facility=/dev/null"),
        )
        try:
            until(lambda: server.poll() is not None or ":0043 " in self.sh("cat /proc/net/udp"))
            if server.poll() is not None:
                return None
            done = self.run("ip", "netns", "exec", "guest", sys.executable, "-I", "-c", CLIENT, MAC)
            assert done.returncode == 0, done.stderr
            return done.stdout.strip()
        finally:
            server.kill()
            server.wait()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    needs()
    place = tmp_path_factory.mktemp("tags")
    place.chmod(0o755)
    made = World(place)
    try:
        made.set_up()
        made.add_guest()
        yield made
    finally:
        made.end()


def line(tags: str, last: int) -> str:
    return f"dhcp-option={tags},option:router,10.44.1.{last}\n"


OURS = line("tag:demo-net", 1)
FILES = [
    OURS,
    "",
    OURS + line("tag:BR", 77),
    line("tag:BR", 77) + OURS,
    line("tag:known", 78) + OURS,
    OURS + line("tag:known", 78) + line("tag:BR", 77),
    line("tag:BR", 77) + line("tag:known", 78),
    line("tag:!other", 79) + OURS,
    line("tag:#other", 79) + OURS,
    line("tag:#demo-net", 79) + OURS,
    line("tag:!known", 79) + OURS,
    line("tag:br9", 79) + OURS,
    OURS + line("tag:demo-net", 9),
    OURS + line("tag:demo-net,tag:known", 9),
    line("tag:demo-net,tag:BR", 9) + OURS,
    OURS + line("tag:demo-net,tag:other", 9),
    OURS + line("tag:known,tag:BR", 9),
    OURS + line("tag:BR,tag:!other", 9),
    line("net:BR", 9) + OURS,
    line("BR", 9) + OURS,
    line("set:known", 9) + OURS,
    "dhcp-option=10.44.1.5\n".replace("10.44.1.5", "option:router,10.44.1.5") + OURS,
    "dhcp-option-force=tag:BR,3,10.44.1.77\n" + OURS,
    "dhcp-option=tag:BR,option:router\n" + OURS,
    line("tag:bootp", 9) + OURS,
    line("tag:!bootp", 9) + OURS,
    line("tag:known-othernet", 9) + OURS,
    line("tag:cpewan-id", 9) + OURS,
]


@pytest.mark.parametrize("text", FILES)
def test_dnsmasq_tells_what_is_computed(text: str, world: World) -> None:
    content = text.replace("BR", world.bridge).encode()
    said = told(content, "demo-net", world.bridge)
    assert world.router(content, "demo-net") == (OWN if said.router is None else said.router)
    assert bool(said.doubt) is any(word in text for word in ("tag:bootp", "tag:known-othernet", "tag:cpewan-id"))


def test_any_lines_are_read_as_dnsmasq_reads_them(world: World) -> None:
    """Lines by chance, with tags that others give to some guests among them: a certain answer is dnsmasq's own."""
    chance = random.Random(15)
    certain = 0
    for _ in range(40):
        names = ["demo-net", world.bridge, "known", "other", "vip", "br1"]
        text = "dhcp-mac=set:vip,fa:16:3e:44:*:*:*\n" if chance.random() < 0.3 else ""
        for last in range(1, chance.randint(2, 5)):
            tags = [
                f"tag:{chance.choice(['', '', '', '!', '#'])}{chance.choice(names)}"
                for _ in range(chance.choice([1, 1, 2]))
            ]
            text += line(",".join(tags), last)
        said = told(text.encode(), "demo-net", world.bridge)
        if not said.doubt:
            certain += 1
            assert world.router(text.encode(), "demo-net") == (said.router or OWN), text
    assert certain >= 20


LABELS = [
    *(
        "plain-net",
        "demo net",
        "Ünïcode-netz",
        "UPPER",
        "a.b.c",
        "x" * 64,
        '"q"',
        "o'brien",
        "a/b",
        "tag:foo",
        "set:bar",
    ),
    *(
        "a#b",
        "a #b",
        "a  b",
        "back\\slash",
        "known-net",
        "10_1_2_0_24_vlan1711",
        "192.168.0.0",
        "3",
        "option:router",
        "-dash",
    ),
    *("+plus", "名前", 'say "hi"', "a:b", "vendor:x", "a=b", "a;b", "$x", 'a\\"b', "Demo Net", "büro"),
]


@pytest.mark.parametrize("label", LABELS)
def test_a_label_that_is_taken_is_told_its_router(label: str, world: World) -> None:
    assert label_problem(label) is None
    content = set_routers(b"", {label: "10.44.1.1"})
    said = told(content, label, world.bridge)
    assert (said.router, said.doubt) == ("10.44.1.1", "")
    assert world.router(content, label) == "10.44.1.1"


@pytest.mark.parametrize(
    "label",
    ["", "a,b", "!neg", "#hash", " lead", "trailing ", "a\tb", "a\nb", "known", "known-othernet", "bootp", "cpewan-id"],
)
def test_a_label_that_can_not_be_told_alone_is_refused(label: str) -> None:
    assert label_problem(label) is not None


@pytest.mark.parametrize("label", ["!neg", "#hash", "known"])
def test_refused_labels_reach_other_networks(label: str, world: World) -> None:
    """A line with such a tag wins over the line of another network: that is why it is not written."""
    content = f"dhcp-option=tag:{label},option:router,10.44.1.66\n{OURS}".encode()
    assert world.router(content, "demo-net") == "10.44.1.66"

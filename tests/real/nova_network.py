"""A node of nova-network in namespaces: bridge, uplink, router outside, nova's dnsmasq and metadata service. Gone with one process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import resources
from pathlib import Path

import pytest
from needs import root

PROGRAM = Path(sys.executable).with_name("compute-wizard")
SCRIPT = Path(str(resources.files("assets"))) / "node" / "compute-wizard-metadata"
PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
LABEL, OWN, ROUTER, SERVICE = "demo-net", "10.44.1.2", "10.44.1.1", "192.168.200.11"
PATIENCE = 60.0  # seconds; a machine that does much else is slow

ENTER = "mount -t sysfs sysfs /sys && mount -t tmpfs tmpfs /run && echo ready && exec sleep 3600"

# As nova/network/linux_net.py sets a network up in kilo: ensure_vlan_bridge, initialize_gateway_device, metadata_forward.
NODE = f"""
set -e
ip link set lo up
ip netns add outside
ip link add vlan101 address 02:00:00:00:aa:01 type veth peer name eth0 netns outside
ip link add BR type bridge forward_delay 0 stp_state 0
ip link set vlan101 master BR
ip link set vlan101 up; ip link set BR up
ip address add {OWN}/24 brd 10.44.1.255 dev BR
ip link add eth0 type dummy 2>/dev/null || ip link add eth0 type veth peer name unused
ip link set eth0 up
ip address add {SERVICE}/24 dev eth0
ip address add 169.254.169.254/32 scope link dev lo
iptables -w -t nat -A PREROUTING -d 169.254.169.254/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination {SERVICE}:8775
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables
ip -n outside link set lo up
ip -n outside link set eth0 address 00:00:5e:00:01:65 up
ip -n outside address add {ROUTER}/24 dev eth0
ip netns exec outside sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
"""

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"1.0\\nlatest\\n"
        self.send_response(int(sys.argv[1])); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words): pass
http.server.HTTPServer(("0.0.0.0", 8775), Handler).serve_forever()
"""


class NovaNetwork:
    """The node. `bridge` has a name of its own, since processes of other tests are seen too."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.bridge = f"br{os.getpid() % 100000}"
        self._processes: list[subprocess.Popen[str]] = []

    def set_up(self) -> None:
        """Namespaces, bridge and router; services are started by those who want them."""
        self._enter = self._spawn(["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", ENTER])
        assert self._enter.stdout is not None
        if self._enter.stdout.readline() != "ready\n":
            pytest.skip("kernel: no network and mount namespace can be made here")
        self.sh(NODE.replace("BR", self.bridge))

    def _spawn(self, argv: Sequence[str | Path]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": PATH},
        )
        self._processes.append(process)
        return process

    def inside(self, *argv: str | Path) -> list[str]:
        return ["nsenter", "-t", str(self._enter.pid), "-n", "-m", "--", *map(str, argv)]

    def run(self, *argv: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.inside(*argv),
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
            env={"PATH": PATH, **(env or {})},
        )

    def start(self, *argv: str | Path) -> subprocess.Popen[str]:
        return self._spawn(self.inside(*argv))

    def sh(self, script: str) -> str:
        done = self.run("sh", "-c", script)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def serve_metadata(self, status: int = 200) -> subprocess.Popen[str]:
        server = self.start(sys.executable, "-I", "-c", SERVER, str(status))
        until(lambda: ":2247 " in self.sh("cat /proc/net/tcp"))  # 8775
        return server

    def serve_dhcp(self, router: str = ROUTER) -> subprocess.Popen[str]:
        """dnsmasq with the command line of nova's restart_dhcp."""
        files = {"conf": "", "opts": f"3,{OWN}\n", "hosts": ""}
        for name, content in files.items():
            (self.place / f"nova-{self.bridge}.{name}").write_text(content, encoding="ascii")
        conf = self.place / "dnsmasq-nova.conf"
        conf.write_text(f"dhcp-option=tag:{LABEL},option:router,{router}\n" if router else "", encoding="ascii")
        self.place.chmod(0o755)
        state = f"{self.place}/nova-{self.bridge}"
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
            *(f"--dhcp-range=set:{LABEL},10.44.1.3,static,255.255.255.0,86400s", "--dhcp-lease-max=256"),
            *(f"--dhcp-hostsfile={state}.conf", "--no-hosts", "--leasefile-ro", "--domain=novalocal"),
            *(f"--addn-hosts={state}.hosts", "--no-resolv", "--no-ping", "--log-facility=/dev/null"),
        )
        until(lambda: ":0043 " in self.sh("cat /proc/net/udp"))
        return server

    def more_networks(self, count: int) -> list[str]:
        """Further networks of nova's, each with a bridge and a dnsmasq; the names of the bridges."""
        names = []
        for number in range(1, count + 1):
            name, own = f"{self.bridge}n{number}", f"10.44.{100 + number}.2"
            names.append(name)
            self.sh(
                f"ip link add {name} type bridge forward_delay 0 stp_state 0; ip link set {name} up; "
                f"ip address add {own}/24 dev {name}; "
                f"ip link add vlan{number} address 02:00:00:00:ab:0{number} type veth peer name up{number}; "
                f"ip link set vlan{number} master {name} up; ip link set up{number} up"
            )
            state = f"{self.place}/nova-{name}"
            for part, text in {"opts": f"3,{own}\n", "conf": "", "hosts": ""}.items():
                Path(f"{state}.{part}").write_text(text, encoding="ascii")
            self.start(
                *(
                    "dnsmasq",
                    "--keep-in-foreground",
                    "--user=root",
                    "--strict-order",
                    "--bind-interfaces",
                    "--conf-file=",
                ),
                *(f"--pid-file={state}.pid", f"--dhcp-optsfile={state}.opts", f"--listen-address={own}"),
                *(
                    "--except-interface=lo",
                    f"--dhcp-range=set:net{number},10.44.{100 + number}.3,static,255.255.255.0,86400s",
                ),
                *("--dhcp-lease-max=256", f"--dhcp-hostsfile={state}.conf", "--no-hosts", "--leasefile-ro"),
                *(f"--addn-hosts={state}.hosts", "--no-resolv", "--no-ping", "--log-facility=/dev/null", "--port=0"),
            )
            until(partial(self._serves_dhcp, number))
        return names

    def _serves_dhcp(self, networks: int) -> bool:
        return self.sh("cat /proc/net/udp").count(":0043 ") >= networks

    def redirect(self) -> None:
        """Our own script puts the rule there, as at boot."""
        conf = self.place / "metadata.conf"
        conf.write_text(f'BRIDGES="{self.bridge}"\nUPLINKS="vlan+"\nTARGET="CONTINUE"\n', encoding="ascii")
        script = self.place / "compute-wizard-metadata"
        script.write_text(
            SCRIPT.read_text(encoding="utf-8").replace("CONFIG=/etc/compute-wizard/metadata.conf", f"CONFIG={conf}"),
            encoding="utf-8",
        )
        done = self.run("sh", script, "apply")
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def answers(self) -> Path:
        path = self.place / "answers.toml"
        path.write_text(
            'format = "compute-wizard.answers/1"\n[gateways]\n[[gateways.network]]\n'
            f'label = "{LABEL}"\nrouter = "{ROUTER}"\nbridge = "{self.bridge}"\n'
            f'[metadata]\nredirect = true\nbridges = ["{self.bridge}"]\nuplinks = ["vlan+"]\n',
            encoding="ascii",
        )
        return path

    def picture(self) -> str:
        """All that a proof could leave behind here."""
        return self.sh(
            f"ip -o link; ip -4 -o address; ip neigh show to 10.44.1.128/25 dev {self.bridge}; ip route; ls /run"
        )

    def end(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def until(true: Callable[[], bool]) -> None:
    """Wait until it is true."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.05)


def needs() -> None:
    """What the namespaces need of this machine."""
    root("a network namespace")
    for program in ("unshare", "nsenter", "ip", "iptables", "ebtables", "dnsmasq"):
        if shutil.which(program, path=PATH) is None:
            pytest.skip(f"{program}: the program is not installed")

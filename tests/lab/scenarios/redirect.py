"""Gateways outside for each VLAN, and the metadata redirect behind them: with both kinds of ebtables."""

from __future__ import annotations

from lab import guest_image, host
from lab.machine import Hardware, Machine
from lab.scenarios.scenario import Scenario
from lab.stage import Stage, differences, manifest

ANSWERS = """\
format = "compute-wizard.answers/1"
[gateways]
config_file = "/etc/dnsmasq-nova.conf"
[[gateways.network]]
label = "demo-net"
router = "10.44.1.1"
vlan = 1441
[metadata]
redirect = true
"""
NOVA_CONF = """\
[DEFAULT]
network_manager = nova.network.manager.VlanManager
multi_host = True
vlan_interface = up0
my_ip = 10.0.0.31
rabbit_password = lab-secret-1
"""
OLD_NOVA = """\
set -e
cd /root/nova
sed -i 's/^Version: .*/Version: 2:12.0.6-1lab/' DEBIAN/control
chmod 755 DEBIAN/postinst usr/bin/nova-compute
dpkg-deb --root-owner-group --build . /root/nova.deb
dpkg --force-confold -i /root/nova.deb
cd /root/nova-network
install -m 755 nova-network /usr/bin/
install -m 755 guest guest-dhcp /usr/local/sbin/
install -m 644 nova-network.service /etc/systemd/system/
printf '#!/bin/sh\\nexit 0\\n' > /usr/bin/nova-dhcpbridge
chmod 755 /usr/bin/nova-dhcpbridge
rm -r /root/nova /root/nova-network /root/nova.deb
systemctl enable -q nova-network
"""
READY = """\
for i in $(seq 900); do
	[ "$(systemctl is-active nova-network)" = active ] && ss -Hltn sport = :8775 | grep -q . && exit
	sleep 0.3
done
systemctl status nova-network
exit 1
"""


FLUSHES = (
    *("nft flush ruleset", "nft -f /etc/nftables.conf", "ebtables -t nat -F"),
    *("systemctl restart nftables", "systemctl stop nftables", "systemctl start nftables", "systemctl stop nftables"),
    "systemctl start firewalld && timeout 120 sh -c 'until firewall-cmd -q --state; do sleep 1; done'",
    *("firewall-cmd -q --reload", "firewall-cmd -q --complete-reload"),
    *("systemctl restart firewalld", "systemctl try-restart firewalld", "systemctl stop firewalld"),
)
BACK = "for i in $(seq 30); do compute-wizard-metadata status >/dev/null 2>&1 && exit; sleep 0.5; done; exit 1"


class Redirect(Scenario):
    NAME = "redirect"
    TITLE = "nova-network, VLANs, a router outside: gateway and metadata, with ebtables-nft and ebtables-legacy"
    HARDWARE = (Hardware(),)

    @classmethod
    def play(cls, stage: Stage) -> None:
        with stage.machine(cls.HARDWARE[0]) as machine:
            stage.ready(machine)
            for part in (guest_image.FILES / "nova", host.HERE / "nova-network"):
                machine.bring(part, "/root")
            machine.must(OLD_NOVA)
            machine.must("cat > /etc/nova/nova.conf", stdin=NOVA_CONF)
            for kind in ("nft", "legacy"):
                stage.say(f"with ebtables-{kind}")
                machine.must(f"update-alternatives --set ebtables /usr/sbin/ebtables-{kind} && sync")
                stage.reboot(machine)
                _there_and_back(stage, machine)


def _there_and_back(stage: Stage, machine: Machine) -> None:
    before, rules = manifest(machine, "/etc"), _rules(machine)
    stage.hold("before: DHCP tells the node itself as router", "router 10.44.1.3" in _dhcp(stage, machine))
    stage.hold("before: with it the guest gets its metadata", "metadata for 10.44.1.20" in _metadata(stage, machine))
    machine.must("ip -n vm route replace default via 10.44.1.1")
    stage.hold(
        "before: metadata cannot be reached past a router outside", "metadata for" not in _metadata(stage, machine)
    )
    stage.answers(machine, ANSWERS)
    stage.tool(machine, "apply --answers /root/answers.toml --yes")
    _works(stage, machine)
    stage.hold(
        "applied twice, nothing is to be changed",
        "Nothing" in stage.tool(machine, "apply --answers /root/answers.toml --yes"),
    )
    stage.reboot(machine)
    _works(stage, machine)
    _stays(stage, machine)
    stage.tool(machine, "undo --yes")
    stage.hold("undone: the bridge rules are as they were", (now := _rules(machine)) == rules, now)
    stage.hold(
        "undone: metadata cannot be reached past a router outside", "metadata for" not in _metadata(stage, machine)
    )
    stage.hold("undone: DHCP tells the node itself again", "router 10.44.1.3" in _dhcp(stage, machine))
    stage.hold("undone: with it the guest gets its metadata", "metadata for 10.44.1.20" in _metadata(stage, machine))
    after = manifest(machine, "/etc")
    stage.hold("/etc is as it was, to the byte", before == after, differences(before, after))


def _stays(stage: Stage, machine: Machine) -> None:
    """Whoever flushes, the redirect is back within seconds; and our unit hinders nobody's restart.

    libvirt's chains, made by hand here, do not come back by themselves: the last boot makes them.
    """
    for words in FLUSHES:
        status, said = machine.run(words)
        stage.hold(f"`{words}` is not hindered by our unit", status == 0, said)
        back = machine.run(BACK)[0] == 0
        stage.hold(
            f"after `{words}` the redirect is back within 15 seconds", back, machine.run("ebtables -t nat -L")[1]
        )
    machine.must("systemctl enable -q firewalld")
    stage.reboot(machine)
    stage.hold("after a boot with firewalld the redirect is there", machine.run(BACK)[0] == 0)
    machine.must("firewall-cmd -q --state && systemctl disable -q --now firewalld")
    stage.hold("when firewalld has stopped it is back, too", machine.run(BACK)[0] == 0)
    stage.reboot(machine)
    _works(stage, machine)


def _works(stage: Stage, machine: Machine) -> None:
    stage.hold("DHCP tells the router outside", "router 10.44.1.1" in _dhcp(stage, machine))
    stage.hold("the guest gets its metadata", "metadata for 10.44.1.20" in _metadata(stage, machine))
    machine.must("ip -n vm addr replace 10.44.1.66/24 dev eth0")
    stage.hold(
        "a spoofed address gets none: libvirt's filter still judges",
        "metadata for" not in _metadata(stage, machine, "10.44.1.66"),
    )
    machine.must("ip -n vm addr del 10.44.1.66/24 dev eth0")
    listing = _rules(machine)
    stage.hold("the jump is there once", listing.count("-j cw-metadata") == 1, listing)
    states = stage.checks(machine, 0, proof="--metadata")
    stage.hold(
        "every check of verify and of its proof on the bridge is held",
        set(states.values()) == {"held"},
        states,
    )


def _rules(machine: Machine) -> str:
    machine.must(READY)
    return machine.must("ebtables -t nat -L")


def _dhcp(stage: Stage, machine: Machine) -> str:
    """What a guest is told by DHCP."""
    machine.must(READY)
    said = machine.run("guest dhcp")[1]
    stage.note(said)
    return said


def _metadata(stage: Stage, machine: Machine, source: str = "10.44.1.20") -> str:
    """What a guest gets from 169.254.169.254; the service behind it runs, so only the way there decides."""
    machine.must(READY)
    said = machine.run(f"guest metadata {source}")[1]
    stage.note(said)
    return said

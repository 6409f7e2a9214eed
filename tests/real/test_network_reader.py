"""Reading a real network: links, addresses and the bridge firewall of a throw-away namespace, which it leaves as it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

TOOLS = ("unshare", "ip", "nft", "ebtables-nft", "mount")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="root: a network namespace"),
    pytest.mark.skipif(bool(MISSING), reason=f"{''.join(MISSING[:1])}: the program is not installed"),
]

READ = """
import json
from wizard.facts.network import network
from wizard.node.live import LiveNode
facts = network.read(LiveNode())
print(json.dumps({
    "links": {link.name: [link.kind, link.master, list(link.lower)] for link in facts.links},
    "addresses": facts.addresses,
    "default": facts.default_route_links,
    "chains": None if facts.nat_chains is None else [chain.name for chain in facts.nat_chains],
    "others": [chain.name for chain in facts.other_nat_chains],
    "unseen": [str(unseen) for unseen in facts.unseen],
}))
"""


def in_namespace(*commands: str) -> tuple[str, dict[str, Any], str]:
    """nft's ruleset before, what is read, and the ruleset after, in a namespace in which the commands have been run."""
    script = "\n".join(
        [
            "set -e",
            "mount -t sysfs sysfs /sys",
            *commands,
            "nft list ruleset; echo ---",
            '"$0" -I -c "$1"; echo ---',
            "nft list ruleset",
        ]
    )
    argv = ["unshare", "-n", "-m", "sh", "-c", script, sys.executable, READ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    if "Operation not permitted" in done.stderr:
        pytest.skip("kernel: namespaces cannot be made here")
    assert done.returncode == 0, done.stderr
    before, read, after = done.stdout.split("---\n")
    return before, json.loads(read), after


def test_links_and_addresses() -> None:
    _, read, _ = in_namespace(
        "ip link add br1441 type bridge",
        "ip link add v0 type veth peer name v1",
        "ip link set v0 master br1441",
        "ip tuntap add dev vnet0 mode tap",
        "ip addr add 10.44.1.2/24 dev br1441",
        "ip addr add 169.254.169.254/32 dev lo",
        "ip link set br1441 up",
        "ip route add default via 10.44.1.1",
    )
    links = read["links"]
    assert links["br1441"] == ["bridge", "", ["v0"]]
    assert links["v0"][:2] == ["other", "br1441"]
    assert links["vnet0"] == ["tap", "", []]
    assert ["br1441", "10.44.1.2/24"] in read["addresses"] and ["lo", "169.254.169.254/32"] in read["addresses"]
    assert read["default"] == ["br1441"]


def test_reading_makes_no_table() -> None:
    before, read, after = in_namespace()
    assert read["chains"] in ([], None)
    assert before == after == ""


def test_chains_are_read_and_left() -> None:
    before, read, after = in_namespace("ebtables-nft -t nat -N nova-md-redirect -P RETURN")
    if read["chains"] is None:
        pytest.skip(f"kernel: ebtables cannot be listed: {read['unseen']}")
    assert "nova-md-redirect" in read["chains"] + read["others"]
    assert before == after and "nova-md-redirect" in before

"""Findings about the metadata redirect: each is seen where it is so, and only there."""

from __future__ import annotations

import pytest
from nodes import codes, found, origin, planned, remove

from wizard.node.node import Output


def test_nobody_listens_on_the_metadata_port() -> None:
    node = origin()
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        if path in node.entries:
            node.entries[path].content = node.entries[path].content.replace(b":2247 ", b":2248 ")
    assert ":8775" in found(planned(node), "METADATA-NO-LISTENER").seen
    assert "METADATA-NO-LISTENER" not in codes(planned(origin()))


@pytest.mark.parametrize(("value", "words"), [(None, "not loaded"), ("0\n", "iptables is 0"), ("1\n", "iptables is 1")])
def test_what_the_bridge_firewall_means_is_told(value: str | None, words: str) -> None:
    node = origin()
    if value is not None:
        node.write("/proc/sys/net/bridge/bridge-nf-call-iptables", value)
    finding = found(planned(node), "METADATA-BRIDGE-NF")
    assert finding.severity == "tells"
    assert words in finding.seen


def test_unknown_uplinks_block() -> None:
    node = origin()
    node.entries["/etc/nova/nova.conf"].content = node.entries["/etc/nova/nova.conf"].content.replace(
        b"VlanManager", b"FlatDHCPManager"
    )
    for path in [path for path in node.entries if path.startswith("/sys/class/net/")]:
        remove(node, path)
    assert found(planned(node), "METADATA-UPLINKS-UNKNOWN").severity == "blocks"


def test_the_published_rule_is_found_and_the_accept_target_warned_of() -> None:
    node = origin()
    argv = ("ebtables", "-t", "nat", "-L", "--Lc")
    listing = (
        "Bridge table: nat\n\nBridge chain: PREROUTING, entries: 1, policy: ACCEPT\n"
        "-p IPv4 --ip-dst 169.254.169.254 --ip-proto tcp --ip-dport 80 -j redirect , pcnt = 3 -- bcnt = 180\n"
    )
    node.commands[argv] = Output(argv, 0, listing, "")
    plan = planned(node, metadata={"redirect": True, "target": "accept"})
    assert "169.254.169.254" in found(plan, "METADATA-FOREIGN-RULE").seen
    assert found(plan, "METADATA-ACCEPT").severity == "warns"


def test_without_ebtables_or_bridges_there_is_no_redirect() -> None:
    node = origin()
    for path in [path for path in node.entries if "ebtables" in path.rpartition("/")[2]]:
        remove(node, path)
    assert found(planned(node), "METADATA-NO-EBTABLES").severity == "blocks"
    lone = origin()
    for path in [path for path in lone.entries if "nova-br" in path or path.startswith("/proc/3")]:
        remove(lone, path)
    assert found(planned(lone, gateways=None, metadata={"redirect": True}), "METADATA-NO-BRIDGE").severity == "blocks"


def test_two_ebtables_are_told() -> None:
    node = origin()
    node.write("/usr/sbin/ebtables-nft", "x", mode=0o755)
    node.write("/usr/sbin/ebtables-legacy", "x", mode=0o755)
    assert "nft" in found(planned(node), "METADATA-TWO-EBTABLES").seen

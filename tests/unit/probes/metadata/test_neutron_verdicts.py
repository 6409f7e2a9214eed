"""What the proof of metadata says on Neutron nodes: what it would ask, and what each answer means."""

from __future__ import annotations

import pytest
from neutron_nodes import NET, linuxbridge, ovn, ovs_agent

from wizard.facts import facts
from wizard.facts.neutron.served import Namespace
from wizard.model.answers import AllAnswers
from wizard.node.recorded import MemoryNode
from wizard.probes.metadata import neutron, probe

SPACE = Namespace(f"ovnmeta-{NET}", "ovnmeta", NET, True)


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        ({"outcome": "answered", "status": 404}, "held", "haproxy and the metadata agent answer"),
        ({"outcome": "answered", "status": 500}, "failed", "the agent behind it"),
        ({"outcome": "answered", "status": 503}, "failed", "the agent behind it"),
        ({"outcome": "refused", "status": None}, "failed", "no haproxy"),
        ({"outcome": "silent", "status": None}, "failed", "hangs"),
        ({"outcome": "unreachable", "status": None}, "failed", "no such address"),
        ({"outcome": "broken", "status": None}, "failed", "not HTTP"),
        ({}, "failed", "not HTTP"),
    ],
)
def test_each_answer_has_its_place(answer: dict[str, object], state: str, words: str) -> None:
    check = neutron.verdict(SPACE, answer)
    assert (check.state, words in check.seen) == (state, True)


def test_what_would_be_asked_is_announced() -> None:
    (line,) = neutron.announce(facts.read(ovn()))
    assert f"ovnmeta-{NET}" in line and "does not leave it" in line
    assert neutron.announce(facts.read(ovn()), "ovnmeta-other") == []


@pytest.mark.parametrize(
    ("node", "words"),
    [(ovn(namespace=False), "OVN"), (ovs_agent(), "DHCP agents"), (linuxbridge(), "DHCP agents")],
)
def test_where_there_is_nothing_to_ask_it_says_why(node: MemoryNode, words: str) -> None:
    (check,) = probe.prove(node, facts.read(node), AllAnswers())
    assert (check.state, words in check.seen) == ("unknown", True)


def test_a_recorded_node_is_not_asked() -> None:
    node = ovn()
    (check,) = probe.prove(node, facts.read(node), AllAnswers())
    assert (check.state, "live" in check.seen) == ("unknown", True)
    assert probe.announce(node, facts.read(node), AllAnswers()) == []


def test_the_dhcp_agents_namespace_is_asked_where_it_serves() -> None:
    for said, asked in (("force_metadata = True", 1), ("force_metadata = False", 0)):
        node = ovs_agent(dhcp=f"[DEFAULT]\n{said}\n")
        node.write(f"/run/netns/qdhcp-{NET}", "")
        assert len(neutron.namespaces(facts.read(node))) == asked

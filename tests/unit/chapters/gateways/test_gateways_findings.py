"""Findings about the routers that guests are to be told: each is seen where it is so, and only there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from managed import juju, kolla, puppet
from nodes import codes, found, origin, planned, remove, replace, today

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.chapters.gateways import chapter as gateways
from wizard.facts import facts
from wizard.model.findings import Check
from wizard.node.recorded import MemoryNode
from wizard.planning.verification import verify


def test_neutron_has_its_own_way_for_gateways_and_metadata() -> None:
    plan = planned(today())
    assert found(plan, "GATEWAYS-NEUTRON").severity == "tells"
    assert found(plan, "METADATA-NEUTRON").severity == "tells"
    asked = planned(today(), gateways={"network": [{"label": "a", "router": "10.0.0.1"}]}, metadata={"redirect": True})
    assert {"gateways", "metadata"} <= set(asked.blocked)


def test_single_default_gateway_defeats_the_override() -> None:
    node = origin()
    replace(node, "/etc/nova/nova.conf", "[DEFAULT]\n", "[DEFAULT]\nuse_single_default_gateway = True\n")
    assert found(planned(node), "GATEWAYS-SINGLE-DEFAULT").severity == "blocks"


def test_a_label_that_no_dnsmasq_serves_is_warned_of() -> None:
    plan = planned(origin(), gateways={"network": [{"label": "Demo-Net", "router": "10.44.1.1"}]})
    assert "demo-net" in found(plan, "GATEWAYS-UNKNOWN-LABEL").seen


def test_a_line_that_dnsmasq_refuses_blocks() -> None:
    node = origin()
    node.write("/etc/dnsmasq-nova.conf", "nonsense here\n")
    plan = planned(node)
    assert found(plan, "GATEWAYS-FILE").severity == "blocks"
    assert "line 1" in found(plan, "GATEWAYS-FILE").seen
    named = {"config_file": "/etc/nova/nova.conf", "network": [{"label": "demo-net", "router": "10.44.1.1"}]}
    assert "gateways" in planned(origin(), gateways=named).blocked


@pytest.mark.parametrize("manage", [kolla, juju, puppet])
def test_the_gateways_write_no_nova_conf_of_somebody_else(manage: Callable[[MemoryNode], None]) -> None:
    node = origin()
    manage(node)
    plan = planned(node, passthrough=None, gateways={"network": [{"label": "demo-net", "router": "10.44.1.1"}]})
    assert "dnsmasq_config_file = /etc/dnsmasq-nova.conf" in found(plan, "GATEWAYS-MANAGED").do
    assert "gateways" in plan.blocked
    mine = planned(node, passthrough={"manager": "none"})
    assert "GATEWAYS-MANAGED" not in codes(mine)


def test_an_owner_that_has_the_option_already_is_no_reason_to_stop() -> None:
    node = origin()
    replace(node, "/etc/nova/nova.conf", "[DEFAULT]\n", "[DEFAULT]\ndnsmasq_config_file = /etc/dnsmasq-nova.conf\n")
    puppet(node)
    plan = planned(node, passthrough=None)
    assert "GATEWAYS-MANAGED" not in codes(plan)
    assert "/etc/dnsmasq-nova.conf" in [getattr(step, "path", "") for step in plan.steps]


@pytest.mark.parametrize(
    ("router", "severity"),
    [("10.99.1.1", "blocks"), ("10.44.1.0", "blocks"), ("10.44.1.255", "blocks"), ("10.44.1.2", "warns")],
)
def test_a_router_is_held_against_the_network_that_is_served(router: str, severity: str) -> None:
    plan = planned(origin(), gateways={"network": [{"label": "demo-net", "router": router}]})
    assert found(plan, "GATEWAYS-ROUTER").severity == severity
    assert router in found(plan, "GATEWAYS-ROUTER").seen


@pytest.mark.parametrize("more", [{"vlan": 5}, {"cidr": "10.44.0.0/16"}, {"bridge": "br5"}])
def test_an_answer_that_is_about_another_network_is_told(more: dict[str, object]) -> None:
    plan = planned(origin(), gateways={"network": [{"label": "demo-net", "router": "10.44.1.1", **more}]})
    assert str(next(iter(more.values()))) in found(plan, "GATEWAYS-DIFFERS").seen


def test_a_line_that_dnsmasq_takes_for_something_else_is_told() -> None:
    node = origin()
    node.write("/etc/dnsmasq-nova.conf", "dhcp-option=tag:third,option:router,10.44.3.1/24\n")
    assert "line 1" in found(planned(node), "GATEWAYS-FILE").seen


FILE, CONF = "/etc/dnsmasq-nova.conf", "/etc/nova/nova.conf"


def arguments(node: MemoryNode, old: str, new: str) -> MemoryNode:
    """The node with something else in the arguments of the dnsmasq of br1441."""
    place = next(path for path, entry in node.entries.items() if b"nova-br1441.pid" in entry.content)
    replace(node, place, old, new)
    return node


def suggested(node: MemoryNode) -> list[str]:
    answers = suggestion.suggest(facts.read(node)).of(gateways.Answers)
    return [network.label for network in answers.network] if answers is not None else []


@pytest.mark.parametrize("label", ["prod/web", "a:b", "a#b", "netz-ä", "!x"])
def test_a_network_whose_label_is_no_tag_is_told(label: str) -> None:
    node = arguments(origin(), "set:demo-net,", f"set:{label},")
    assert suggested(node) == ["demo2-net"]
    finding = found(planned(node), "GATEWAYS-NOT-SUGGESTED")
    assert finding.severity == "warns"
    assert f"{label!r} on br1441: The label holds" in finding.seen
    node.write(FILE, f"dhcp-option=tag:{label},option:router,10.44.1.1\n")
    assert (
        f"a line in {FILE} with its tag names the router, and is kept"
        in found(planned(node), "GATEWAYS-NOT-SUGGESTED").do
    )


def test_with_no_network_to_suggest_each_is_told_all_the_same() -> None:
    node = arguments(origin(), "set:demo-net,", "set:prod/web,")
    second = next(path for path, entry in node.entries.items() if b"nova-br1442.pid" in entry.content)
    replace(node, second, "set:demo2-net,", "set:prod/db,")
    assert suggested(node) == []
    seen = [finding.seen for finding in planned(node).findings if finding.code == "GATEWAYS-NOT-SUGGESTED"]
    assert ["prod/web" in each for each in seen] == [True, False]


def test_a_label_in_the_file_that_is_no_tag_is_told_with_its_line() -> None:
    node = origin()
    node.write(FILE, "# ours\ndhcp-option=tag:prod/web,option:router,10.46.1.1\n")
    assert found(planned(node), "GATEWAYS-NOT-SUGGESTED").seen.startswith(f"{FILE} line 2: The label holds a '/'")


@pytest.mark.parametrize(
    ("router", "code", "words"),
    [
        ("10.44.1.1/24", "GATEWAYS-ROUTER", "'10.44.1.1/24' is no IPv4 address"),
        ("10.44.1", "GATEWAYS-ROUTER", "'10.44.1' is no IPv4 address"),
        ("10.44.1.1,10.44.1.9", "GATEWAYS-NOT-SUGGESTED", "several routers, 10.44.1.1,10.44.1.9"),
        ("", "GATEWAYS-NOT-SUGGESTED", "no router at all"),
    ],
)
def test_a_router_in_the_file_that_is_no_answer_is_told(router: str, code: str, words: str) -> None:
    node = origin()
    node.write(FILE, f"dhcp-option=tag:demo-net,option:router,{router}\n".replace("router,\n", "router\n"))
    assert suggested(node) == ["demo2-net"]
    finding = found(planned(node, gateways=None), code)
    assert f"{FILE} line 1: " in finding.seen
    assert words in finding.seen
    answer = {"network": [{"label": "demo-net", "router": "10.44.1.1"}]}
    assert code not in codes(planned(node, gateways=answer))


def test_a_network_whose_addresses_are_not_known_is_told() -> None:
    node = arguments(origin(), "static,255.255.255.0", "static,mask")
    assert suggested(node) == ["demo2-net"]
    assert "'demo-net' on br1441: its addresses are not known" in found(planned(node), "GATEWAYS-NOT-SUGGESTED").seen


def test_a_network_whose_first_address_can_be_no_router_is_told() -> None:
    node = arguments(origin(), "10.44.1.3,static,255.255.255.0", "240.0.0.3,static,255.255.255.0")
    assert suggested(node) == ["demo2-net"]
    assert "240.0.0.1 is no address that a router can have" in found(planned(node), "GATEWAYS-NOT-SUGGESTED").seen


def test_a_network_without_a_running_dnsmasq_is_told_by_its_bridge() -> None:
    node = origin()
    node.write("/var/lib/nova/networks/nova-br1500.conf", "")
    finding = found(planned(node), "GATEWAYS-NOT-SUGGESTED")
    assert finding.severity == "tells"
    assert finding.seen.startswith("br1500: no dnsmasq of nova-network runs there")
    named = {"network": [{"label": "later", "router": "10.50.0.1", "vlan": 1500}]}
    assert "GATEWAYS-NOT-SUGGESTED" not in codes(planned(node, gateways=named))


def test_one_label_of_two_networks_is_told_and_held_against_both() -> None:
    node = arguments(origin(), "set:demo-net,", "set:demo2-net,")
    assert suggested(node) == []
    assert "10.44.1.0/24 on br1441, 10.44.2.0/24 on br1442" in found(planned(node), "GATEWAYS-NOT-SUGGESTED").seen
    for router in ("10.44.1.1", "10.44.2.1"):
        plan = planned(node, gateways={"network": [{"label": "demo2-net", "router": router}]})
        assert found(plan, "GATEWAYS-ROUTER").severity == "blocks"


def router_check(node: MemoryNode) -> Check:
    answers = answer_files.from_data({"gateways": {"network": [{"label": "demo-net", "router": "10.44.1.1"}]}})
    (one,) = [
        each for each in verify(facts.read(node), answers) if each.what == "Guests of demo-net are told 10.44.1.1"
    ]
    return one


def with_line(option: str = f"dnsmasq_config_file = {FILE}", given: str = FILE) -> MemoryNode:
    """The origin node with the line in the file, the option in nova.conf, and the file given to the dnsmasq of br1441."""
    node = arguments(origin(), "--conf-file=\0", f"--conf-file={given}\0")
    node.write(FILE, "dhcp-option=tag:demo-net,option:router,10.44.1.1\n")
    node.entries[FILE].modified = 0.0
    replace(node, CONF, "[DEFAULT]\n", f"[DEFAULT]\n{option}\n")
    return node


def test_what_guests_are_told_is_held_where_their_dnsmasq_has_the_file() -> None:
    assert router_check(with_line()).state == "held"
    assert router_check(with_line(given="")).state == "failed"
    assert router_check(with_line(option="", given="")).state == "failed"
    single = with_line(option=f"dnsmasq_config_file = {FILE}\nuse_single_default_gateway = True")
    assert router_check(single).state == "failed"
    assert "nova's own tag wins" in router_check(single).seen


def test_a_dnsmasq_of_an_unknown_age_may_not_have_read_the_file() -> None:
    node = with_line()
    place = next(path for path, entry in node.entries.items() if b"nova-br1441.pid" in entry.content)
    remove(node, place.replace("cmdline", "stat"))
    assert router_check(node).state == "unknown"


def test_a_network_that_is_not_served_now_is_held_with_that_said() -> None:
    node = with_line()
    for path in [path for path in node.entries if path.startswith("/proc/3")]:
        remove(node, path)
    assert router_check(node).state == "held"
    assert "no dnsmasq serves that network here now" in router_check(node).seen

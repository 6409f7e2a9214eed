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
from wizard.formats import dnsmasq_tags
from wizard.model.findings import Check
from wizard.model.steps import StopByPidfile, WriteFile
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


OURS = "dhcp-option=tag:demo-net,option:router,10.44.1.1\n"


@pytest.mark.parametrize("tag", ["br1441", "known", "!other", "#other"])
@pytest.mark.parametrize("first", [True, False])
def test_a_line_that_wins_in_any_order_is_no_held_router(tag: str, first: bool) -> None:
    """dnsmasq sets the tags `known` and the interface's name itself: verify does not hold, and nothing is written against it."""
    node = with_line()
    other = f"dhcp-option=tag:{tag},option:router,10.44.1.77\n"
    node.write(FILE, other + OURS if first else OURS + other)
    node.entries[FILE].modified = 0.0
    assert router_check(node).state == "failed"
    assert "10.44.1.77" in router_check(node).seen
    asked = planned(node, gateways={"network": [{"label": "demo-net", "router": "10.44.1.1"}]})
    assert found(asked, "GATEWAYS-OVERRIDDEN").severity == "blocks"
    alone = planned(node)  # what is suggested blocks nothing, and leaves the line alone
    assert "gateways" not in alone.blocked
    told = " ".join(each.seen for each in alone.findings if each.chapter == "gateways")
    assert f"tag:{tag}" in told and "10.44.1.77" in told


def test_a_line_for_some_guests_alone_leaves_it_open() -> None:
    node = with_line()
    node.write(FILE, "dhcp-mac=set:vip,fa:16:3e:*:*:*:*\ndhcp-option=tag:vip,option:router,10.44.1.77\n" + OURS)
    node.entries[FILE].modified = 0.0
    assert router_check(node).state == "unknown"
    plan = planned(node, gateways={"network": [{"label": "demo-net", "router": "10.44.1.1"}]})
    assert found(plan, "GATEWAYS-OVERRIDDEN").severity == "warns"


def test_an_answered_label_that_is_another_networks_bridge_blocks() -> None:
    for label in ("br1442", "br1500"):
        plan = planned(origin(), gateways={"network": [{"label": label, "router": "10.44.1.1", "vlan": 1441}]})
        assert found(plan, "GATEWAYS-LABEL-TAKEN").severity == "blocks"
    own = arguments(origin(), "set:demo-net,", "set:br1441,")
    assert "br1441" in suggested(own)
    assert "gateways" not in planned(own).blocked


def test_lines_that_are_not_ours_stay() -> None:
    """Two lines for a network that is not served here: neither is ours, and nobody asked for anything."""
    node = origin()
    theirs = "dhcp-option=tag:other-net,option:router,10.46.1.1\ndhcp-option=tag:other-net,option:router,10.46.1.2\n"
    node.write(FILE, theirs)
    (written,) = [step for step in planned(node).steps if isinstance(step, WriteFile) and step.path == FILE]
    assert written.after.data().decode().startswith(theirs)
    assert found(planned(node), "GATEWAYS-UNKNOWN-LABEL").severity == "warns"


@pytest.mark.parametrize(
    ("header", "severity", "word"),
    [
        ("# This file autogenerated by Chef\n# Do not edit, changes will be overwritten\n", "blocks", "chef"),
        ("# Ansible managed\n", "blocks", "ansible"),
        ("# MANAGED BY PUPPET\n# nova\n", "blocks", "puppet"),
        ("# puppet\n# do not edit\n", "blocks", "puppet"),
        ("; This file is managed by Salt\n".replace(";", "#"), "blocks", "salt"),
        ("# generated by our-deploy, do not edit\n", "warns", "our-deploy"),
        ("# the routers of this node\n", None, ""),
        ("cache-size=100\n# Ansible managed\n", None, ""),
    ],
)
def test_dnsmasqs_file_has_an_owner_by_its_own_header(header: str, severity: str | None, word: str) -> None:
    node = origin()
    replace(node, CONF, "[DEFAULT]\n", f"[DEFAULT]\ndnsmasq_config_file = {FILE}\n")
    node.write(FILE, header)
    plan = planned(node)
    if severity is None:
        assert "GATEWAYS-MANAGED" not in codes(plan)
        return
    assert found(plan, "GATEWAYS-MANAGED").severity == severity
    assert FILE in found(plan, "GATEWAYS-MANAGED").seen and word in found(plan, "GATEWAYS-MANAGED").seen
    assert ("gateways" in plan.blocked) is (severity == "blocks")
    assert "GATEWAYS-MANAGED" not in codes(planned(node, passthrough={"manager": "none"}))
    node.write(FILE, header + OURS + OURS.replace("demo", "demo2").replace("44.1", "44.2"))
    assert "GATEWAYS-MANAGED" not in codes(planned(node))  # nothing of the file is to be changed


@pytest.mark.parametrize("run_by", ["", "pacemaker.service", "session-3.scope", "nova-network.service"])
def test_nothing_is_stopped_that_nobody_is_known_to_start_again(run_by: str) -> None:
    node = origin()
    if run_by:
        node.write("/proc/2245/cgroup", f"1:name=systemd:/system.slice/{run_by}\n")
    else:
        for path in ("/etc/init/nova-network.conf", "/etc/init.d/nova-network"):
            remove(node, path)
    plan = planned(node)
    stops = [step for step in plan.steps if isinstance(step, StopByPidfile)]
    known = run_by == "nova-network.service"
    assert len(stops) == (2 if known else 0)
    assert any("nova-network" in " ".join(getattr(step, "argv", ())) for step in plan.steps) is known
    assert ("GATEWAYS-NO-STARTER" in codes(plan)) is not known
    if not known:
        finding = found(plan, "GATEWAYS-NO-STARTER")
        assert "nova-br1441.pid" in finding.do and finding.severity == "warns"
        how = f"nova-network is run by {run_by};" if run_by else "no service of this node is known to run nova-network;"
        assert finding.seen.startswith(how)


def test_a_dhcp_server_outside_its_network_is_told() -> None:
    node = arguments(origin(), "--listen-address=10.44.1.", "--listen-address=10.99.1.")
    for plan in (planned(node), planned(node, gateways=None)):
        assert "10.99.1." in found(plan, "GATEWAYS-LISTENS-OUTSIDE").seen
        assert "10.44.1.0/24" in found(plan, "GATEWAYS-LISTENS-OUTSIDE").seen
    assert "GATEWAYS-LISTENS-OUTSIDE" not in codes(planned(origin()))


def test_the_nodes_own_address_is_no_router_that_is_suggested() -> None:
    node = arguments(origin(), "--listen-address=10.44.1.2", "--listen-address=10.44.1.1")
    assert suggested(node) == ["demo2-net"]
    finding = found(planned(node), "GATEWAYS-NOT-SUGGESTED")
    assert (finding.severity, "10.44.1.1, is this node's own" in finding.seen) == ("tells", True)


def test_nova_networks_own_files_count() -> None:
    """nova-network was given another --config-file than nova-compute: the option is read there, and written there."""
    own = "/etc/nova/nova-network.conf"
    node = origin()
    node.write(own, "[DEFAULT]\nmulti_host = True\n")
    replace(node, "/proc/2245/cmdline", "--config-file=/etc/nova/nova.conf", f"--config-file={own}")
    plan = planned(node, passthrough=None)
    written = [step.path for step in plan.steps if isinstance(step, WriteFile)]
    assert own in written
    assert CONF not in written
    node.write(own, f"[DEFAULT]\nmulti_host = True\ndnsmasq_config_file = {FILE}\n")
    assert own not in [step.path for step in planned(node).steps if isinstance(step, WriteFile)]
    node.write(own, "[DEFAULT]\nuse_single_default_gateway = True\n")
    assert own in found(planned(node), "GATEWAYS-SINGLE-DEFAULT").seen


def test_the_file_of_a_node_that_serves_no_network_is_read_by_nobody() -> None:
    node = origin()
    for path in [
        path for path in node.entries if "nova-network" in path or "nova-br" in path or path.startswith("/proc/3")
    ]:
        remove(node, path)
    remove(node, "/proc/2245")
    plan = planned(node, gateways={"network": [{"label": "demo-net", "router": "10.44.1.1"}]})
    assert found(plan, "GATEWAYS-NO-NOVA-NETWORK").severity == "warns"
    assert "GATEWAYS-NO-NOVA-NETWORK" not in codes(planned(origin()))


def test_on_neutron_verify_says_so_in_one_line() -> None:
    answers = answer_files.from_data(
        {
            "gateways": {"network": [{"label": "prov-101", "router": "10.44.1.1", "vlan": 101}]},
            "metadata": {"redirect": True},
        }
    )
    for chapter in ("gateways", "metadata"):
        (line,) = [each for each in verify(facts.read(today()), answers) if each.chapter == chapter]
        assert line.state == "failed"
        assert "does not apply: this node's networking is Neutron" in line.seen
        assert "Run plan" not in line.do


FILE, CONF = "/etc/dnsmasq-nova.conf", "/etc/nova/nova.conf"


def arguments(node: MemoryNode, old: str, new: str) -> MemoryNode:
    """The node with something else in the arguments of the dnsmasq of br1441."""
    place = next(path for path, entry in node.entries.items() if b"nova-br1441.pid" in entry.content)
    replace(node, place, old, new)
    return node


def suggested(node: MemoryNode) -> list[str]:
    answers = suggestion.suggest(facts.read(node)).of(gateways.Answers)
    return [network.label for network in answers.network] if answers is not None else []


@pytest.mark.parametrize("label", ["Demo Net", "büro", "prod/web", "a:b", "a#b", 'a"b', "netz-ä"])
def test_a_label_that_dnsmasq_takes_is_suggested(label: str) -> None:
    node = arguments(origin(), "set:demo-net,", f"set:{label},")
    assert suggested(node) == [label, "demo2-net"]
    plan = planned(node)
    assert "gateways" not in plan.blocked
    (written,) = [step for step in plan.steps if isinstance(step, WriteFile) and step.path == FILE]
    assert dnsmasq_tags.told(written.after.data(), label, "br1441").router == "10.44.1.1"


@pytest.mark.parametrize("label", ["!x", "#x", "known", "bootp", "br1442", "br1500"])
def test_a_network_whose_label_is_no_tag_is_told(label: str) -> None:
    node = arguments(origin(), "set:demo-net,", f"set:{label},")
    assert suggested(node) == ["demo2-net"]
    finding = found(planned(node), "GATEWAYS-NOT-SUGGESTED")
    assert finding.severity == "warns"
    assert f"{label!r} on br1441: The label " in finding.seen
    assert "in nova, too" not in finding.seen + finding.do
    node.write(FILE, f"dhcp-option=tag:{label},option:router,10.44.1.1\n")
    assert (
        f"A line in {FILE} that somebody else wrote for it is kept" in found(planned(node), "GATEWAYS-NOT-SUGGESTED").do
    )


def test_with_no_network_to_suggest_each_is_told_all_the_same() -> None:
    node = arguments(origin(), "set:demo-net,", "set:known,")
    second = next(path for path, entry in node.entries.items() if b"nova-br1442.pid" in entry.content)
    replace(node, second, "set:demo2-net,", "set:!db,")
    assert suggested(node) == []
    seen = [finding.seen for finding in planned(node).findings if finding.code == "GATEWAYS-NOT-SUGGESTED"]
    assert ["'known'" in each for each in seen] == [True, False]


def test_a_label_in_the_file_that_is_no_tag_is_told_with_its_line() -> None:
    node = origin()
    node.write(FILE, "# ours\ndhcp-option=tag:bootp,option:router,10.46.1.1\n")
    assert found(planned(node), "GATEWAYS-NOT-SUGGESTED").seen.startswith(
        f"{FILE} line 2: The label is 'bootp', a tag that"
    )


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

"""Findings about the routers that guests are to be told: each is seen where it is so, and only there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from managed import juju, kolla, puppet
from nodes import codes, found, origin, planned, replace, today

from wizard.node.recorded import MemoryNode


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

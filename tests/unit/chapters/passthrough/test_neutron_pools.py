"""Cards whose VFs are Neutron's already: pools of ports are suggested for them, never an alias, and nothing is written twice."""

from __future__ import annotations

import pytest
from neutron_nodes import CX5, PF, bare, sriov
from nodes import planned, today

from wizard.answers import suggestion
from wizard.facts import facts
from wizard.model.steps import WriteFile
from wizard.node.recorded import MemoryNode


def lines(node: MemoryNode, *values: str) -> MemoryNode:
    content = node.entries["/etc/nova/nova.conf"].content.decode()
    node.write(
        "/etc/nova/nova.conf", content + "[pci]\n" + "".join(f"device_spec = {value}\n" for value in values), 0o640
    )
    return node


def pools(node: MemoryNode) -> list[tuple[str, str | None]]:
    data = suggestion.suggest(facts.read(node)).to_data().get("passthrough", {})
    return [(pool["name"], pool.get("physical_network")) for pool in data.get("pool", [])]


def test_a_card_that_is_nobodys_gets_an_alias() -> None:
    assert pools(today()) == [("mlx", None)]


def test_what_the_agent_maps_is_never_an_alias() -> None:
    node = sriov(bare(), f"[sriov_nic]\nphysical_device_mappings = physnet1:{CX5[0]},physnet2:{CX5[1]}\n")
    assert pools(node) == [("physnet1", "physnet1"), ("physnet2", "physnet2")]


def test_two_cards_on_one_network() -> None:
    node = sriov(bare(), f"[sriov_nic]\nphysical_device_mappings = fast:{CX5[0]},fast:{CX5[1]}\n")
    assert pools(node) == [(f"fast-{CX5[0]}", "fast"), (f"fast-{CX5[1]}", "fast")]


def test_one_port_of_two_keeps_the_other_from_an_alias_of_the_same_ids() -> None:
    node = sriov(bare(), f"[sriov_nic]\nphysical_device_mappings = fast:{CX5[0]}\n")
    assert pools(node) == [("fast", "fast")]


@pytest.mark.parametrize(
    "value",
    [
        f'{{"devname": "{CX5[0]}", "physical_network": "fast"}}',
        f'{{"address": "{PF[0]}", "physical_network": "fast"}}',
        f'{{"vendor_id": "15b3", "product_id": "1018", "address": "{PF[0]}", "physical_network": "fast"}}',
    ],
)
def test_lines_of_nova_with_a_network_become_pools_and_nothing_is_written_twice(value: str) -> None:
    node = lines(today(), value)
    assert {network for _, network in pools(node)} == {"fast"}
    plan = planned(node)
    assert not any(isinstance(step, WriteFile) and step.path == "/etc/nova/nova.conf" for step in plan.steps)
    assert not any(finding.severity == "blocks" for finding in plan.findings)
    assert "NODE-SET-ELSEWHERE" not in {finding.code for finding in plan.findings if finding.chapter == "passthrough"}


def test_where_a_line_may_be_of_ports_no_alias_is_suggested() -> None:
    assert pools(lines(today(), '{"address": "*:3b:00.*", "physical_network": "fast"}')) == []


def test_another_network_in_the_answers_is_not_taken_for_done() -> None:
    node = lines(today(), f'{{"address": "{PF[0]}", "physical_network": "fast"}}')
    pool = {"name": "slow", "cards": {"address": PF[0]}, "physical_network": "slow"}
    assert any(
        finding.code == "PASSTHROUGH-SHADOWED" for finding in planned(node, passthrough={"pool": [pool]}).findings
    )


def test_trust_that_is_asked_and_not_there_is_written() -> None:
    node = lines(today(), f'{{"address": "{PF[0]}", "physical_network": "fast"}}')
    pool = {"name": "fast", "cards": {"address": PF[0]}, "physical_network": "fast", "trusted": True}
    plan = planned(node, passthrough={"pool": [pool]})
    wrote = [step for step in plan.steps if isinstance(step, WriteFile) and step.path == "/etc/nova/nova.conf"]
    assert wrote or plan.blocked
    trusted = lines(today(), f'{{"address": "{PF[0]}", "physical_network": "fast", "trusted": "true"}}')
    assert ("fast", "fast") in pools(trusted)


def test_tunnelled_ports_are_no_pool_and_no_alias() -> None:
    assert pools(lines(today(), f'{{"address": "{PF[0]}", "physical_network": null}}')) == []


def test_switchdev_is_left_alone() -> None:
    node = sriov(bare(), f"[sriov_nic]\nphysical_device_mappings = fast:{CX5[0]}\n")
    for name, address in zip(CX5, PF, strict=True):
        node.write(f"/sys/devices/pci0000:30/0000:30:02.0/{address}/net/{name}/phys_switch_id", "e41d2dffff000001\n")
    assert pools(node) == []


def test_no_pool_is_suggested_over_a_card_that_gets_no_vfs() -> None:
    node = sriov(bare(), f"[sriov_nic]\nphysical_device_mappings = slow:enp24s0f1np1,fast:{CX5[0]}\n")
    assert pools(node) == [("fast", "fast")]
    assert "passthrough" not in planned(node).blocked

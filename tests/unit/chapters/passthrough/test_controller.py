"""What is printed for the controller: in an order that works with the release."""

from __future__ import annotations

import pytest
from nodes import origin, planned, today

from wizard.model.plan import ControllerStep


def runs(steps: tuple[ControllerStep, ...]) -> list[str]:
    return [step.value for step in steps if step.op == "run"]


@pytest.mark.parametrize("release", ["train", "zed", "2026.2"])
def test_from_train_on_the_service_is_enabled_before_the_test(release: str) -> None:
    steps = planned(
        today(), passthrough={"release": release, "pool": [{"name": "mlx", "flavor": {"name": "f"}}]}
    ).controller
    *_, enable, test = runs(steps)
    assert enable == "openstack compute service set --enable compute-12 nova-compute"
    assert test == (
        "openstack --os-compute-api-version 2.74 server create --flavor f --image IMAGE --host compute-12 "
        "--network NETWORK pci-test"
    )
    assert "filters judge" in steps[-1].why
    assert "PciPassthroughFilter returned" in steps[-1].why


@pytest.mark.parametrize("release", ["newton", "queens", "stein"])
def test_before_train_a_named_host_skips_the_filters_so_a_second_vm_asks_them(release: str) -> None:
    steps = planned(
        today(), passthrough={"release": release, "pool": [{"name": "mlx", "flavor": {"name": "f"}}]}
    ).controller
    *_, test, enable, second = runs(steps)
    assert "--availability-zone nova:compute-12" in test
    assert "past all filters" in steps[-3].why
    assert "--enable" in enable
    assert second == "openstack server create --flavor f --image IMAGE --network NETWORK pci-test-2"
    assert "PciPassthroughFilter returned" in steps[-1].why


def test_kilo_in_its_own_words() -> None:
    *_, test, enable, second = runs(planned(origin()).controller)
    assert test.startswith("nova boot") and "--availability-zone nova:compute-07" in test
    assert enable == "nova service-enable compute-07 nova-compute"
    assert second == "nova boot --flavor m1.ib --image IMAGE --nic net-id=NETWORK pci-test-2"


def test_without_a_flavor_there_is_nothing_to_test() -> None:
    steps = planned(today(), passthrough={"pool": [{"name": "mlx", "physical_network": "p1"}]}).controller
    assert steps[-1].value == "openstack compute service set --enable compute-12 nova-compute"
    assert "test VM" not in steps[-1].why

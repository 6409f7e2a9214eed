"""The scenarios, the longest last: those are begun first. A new one: a file here, and its class in this list."""

from __future__ import annotations

from lab.scenarios.any_device import AnyDevice
from lab.scenarios.boot_loaders import SystemdBoot, Uefi
from lab.scenarios.console import Console
from lab.scenarios.guest import Guest
from lab.scenarios.iommus import Amd, NoIommu
from lab.scenarios.origin import Origin
from lab.scenarios.power import Power, PowerInitramfs
from lab.scenarios.redirect import Redirect
from lab.scenarios.scenario import Scenario
from lab.scenarios.today import Today

SCENARIOS: tuple[type[Scenario], ...] = (
    AnyDevice,
    Origin,
    Console,
    Today,
    Amd,
    NoIommu,
    Uefi,
    SystemdBoot,
    Redirect,
    Guest,
    PowerInitramfs,
    Power,
)

__all__ = ["SCENARIOS", "Scenario"]

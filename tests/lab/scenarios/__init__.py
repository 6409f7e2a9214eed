"""The scenarios, in the order in which they are played. A new one: a file here, and its class in this list."""

from __future__ import annotations

from lab.scenarios.any_device import AnyDevice
from lab.scenarios.scenario import Scenario

SCENARIOS: tuple[type[Scenario], ...] = (AnyDevice,)

__all__ = ["SCENARIOS", "Scenario"]

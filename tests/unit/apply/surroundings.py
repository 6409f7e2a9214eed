"""A plan for a simulated node, and a run of it, for the tests of what can stand in its way."""

from __future__ import annotations

from wizard.answers import suggestion
from wizard.apply import launch
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.model.steps import RemoveFile, WriteFile
from wizard.planning.planner import make_plan
from wizard.runs.journal import follow
from wizard.simulator.simulated_node import SimulatedNode


def planned(node: SimulatedNode) -> Plan:
    seen = facts.read(node)
    return make_plan(seen, suggestion.suggest(seen))


def written(plan: Plan) -> list[str]:
    return [step.path for step in plan.steps if isinstance(step, WriteFile | RemoveFile)]


def done(node: SimulatedNode, plan: Plan) -> tuple[launch.Started, list[dict[str, object]]]:
    started = launch.start(node.directory, plan, simulated=True)
    return started, list(follow(started.journal))

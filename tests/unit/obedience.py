"""Doing what a plan says on a node that obeys, without the runner."""

from __future__ import annotations

from wizard.model.plan import Plan
from wizard.model.steps import RemoveFile, RunCommand, StopByPidfile, WriteFile, WriteSysfs
from wizard.simulator.simulated_node import SimulatedNode


def carry_out(node: SimulatedNode, plan: Plan) -> None:
    """Do what a plan says, the plain way: what the runner adds is tested with the runner."""
    for step in plan.steps:
        if isinstance(step, WriteFile):
            place = node.place(step.path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(step.after.data())
            place.chmod(int(step.after.mode, 8))
        elif isinstance(step, RemoveFile):
            node.place(step.path).unlink()
        elif isinstance(step, WriteSysfs):
            node.set_attribute(step.path, step.after)
        elif isinstance(step, StopByPidfile):
            node.kill(int(node.text(step.pidfile) or "0"))
        else:
            assert isinstance(step, RunCommand)
            said = node.obey(step.argv)
            assert said.status == 0, (step.argv, said.stderr)

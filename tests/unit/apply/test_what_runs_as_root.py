"""The process that changes a node loads what carries a plan out, and neither chapters nor advice, a simulator nor a face."""

from __future__ import annotations

import subprocess
import sys

import pytest

ROOMS = {
    "apply": "it carries the steps out",
    "boot": "what the next boot was to hold is looked at before it is kept",
    "facts": "who holds a VF is looked for right before it is taken",
    "formats": "boot menus and images are read, to see that they hold what they were to hold",
    "model": "the plan",
    "node": "how a node is read",
    "runs": "the journal, the lock, and what other runs did",
}
GROUND = {
    "errors": "what is raised",
    "version": "a plan of a newer version is refused by its name",
    "dataclass": "classes that are made when they are used",
    "regex": "patterns that are compiled when they are used",
    "integers": "numbers are read in one way",
    "hashing": "a file is what was planned",
    "asset_text": "the rescue script that is written beside the backups",
    "program": "what can hang in the kernel is a process of its own",
    "redaction": "no secret comes into the journal",
    "redaction_names": "a part of it",
    "redaction_spans": "a part of it",
    "redaction_values": "a part of it",
    "safe_text": "nothing that a terminal obeys comes into the journal",
    "user_files": "files of ours are written for their owner alone",
}
OF_MODEL = {  # none of questions, answers and changes
    "base": "what plans are checked with",
    "findings": "a plan holds them",
    "guest_effects": "what a step may do to guests",
    "plan": "the plan",
    "steps": "its steps",
    "expectations": "what it expects to find",
    "step_text": "a step's name in the journal",
    "undo_order": "the order of a rollback",
}


def loaded(program: str) -> list[list[str]]:
    """The parts of the names of our modules that a program has loaded in the end."""
    program = f"import sys; {program}; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    return [name.split(".") for name in done.stdout.split() if name.split(".")[0] in ("wizard", "screens", "assets")]


@pytest.mark.parametrize("module", ["runner", "attribute", "flush"])
def test_a_program_that_runs_as_root_loads_only_what_carries_a_plan_out(module: str) -> None:
    ours = loaded(f"import wizard.apply.{module}")
    assert {name[0] for name in ours} <= {"wizard", "assets"}
    rooms = {name[1] for name in ours if name[0] == "wizard" and len(name) > 1}
    model = {name[2] for name in ours if name[:2] == ["wizard", "model"] and len(name) > 2}
    if module == "runner":  # not less either: what nothing needs is not allowed
        assert (rooms, model) == ({*GROUND, *ROOMS}, {*OF_MODEL})
    else:
        assert (rooms, model) == ({"apply"}, set())


@pytest.mark.parametrize(("commands", "simulator"), [("live", False), ("none", False), ("simulated", True)])
def test_only_a_simulated_run_loads_the_simulator(commands: str, simulator: bool) -> None:
    ours = loaded(
        "from pathlib import Path; from wizard.apply import runner; from wizard.node.recorded import DirectoryNode; "
        f"runner._outside(Path('/'), DirectoryNode(Path('/')), {commands!r})"
    )
    assert (["wizard", "simulator"] in ours) is simulator

"""An undo that was cut: it is gone on with, or made again, and there is always one of the two that works."""

from __future__ import annotations

from pathlib import Path

import pytest
from prior_states import carried_out, planned_here, resumed, take_back

from wizard import cli
from wizard.apply import launch
from wizard.apply.undo import undo_plan
from wizard.demo import built_in, simulate
from wizard.errors import Exit, Refused
from wizard.node import facts


def test_an_undo_that_was_cut_and_made_again_is_not_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = simulate(built_in("demo"), tmp_path)
    run = carried_out(node, planned_here(node))
    take_back(node, run, killed_at=12)
    cut = facts.read(node).history.runs[-1]
    assert (cut.undoes, cut.state) == (run, "interrupted")
    take_back(node, run)
    assert {each.id: each.undone_by for each in facts.read(node).history.runs}[run] not in ("", cut.id)
    assert cli.main(["--root", str(node.directory), "resume", "--yes"]) == Exit.ERROR
    assert "no run that is interrupted or stopped or failed" in capsys.readouterr().err


def test_an_undo_that_was_cut_before_it_changed_anything_is_the_one_to_go_on_with(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    first = carried_out(node, planned_here(node))
    take_back(node, first, killed_at=5)
    cut = facts.read(node).history.runs[-1].id
    with pytest.raises(Refused, match=f"by run {cut}, which is interrupted") as refused:
        launch.start(node.directory, undo_plan(facts.read(node), node, first, node.directory), simulated=True)
    assert refused.value.do == f"`compute-wizard resume {cut}` goes on with it."
    resumed(node, cut)
    assert {each.id: each.state for each in facts.read(node).history.runs} == {first: "undone", cut: "done"}

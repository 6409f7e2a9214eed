"""docs/json.md names the fields that are printed: no more, and none less."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from calling import call, written
from nodes import found, origin, planned, remove
from places import REPOSITORY

from wizard.model.plan import Plan
from wizard.runs.history import RunState

TEXT = (REPOSITORY / "docs/json.md").read_text(encoding="utf-8")
ANSWERS = 'format = "compute-wizard.answers/1"\n[iommu]\nenable = true\n'


def tables(heading: str) -> list[list[list[str]]]:
    """The tables below a heading, as cells."""
    (section,) = [each for each in TEXT.split("\n## ") if each.startswith(heading)]
    rows = [line.strip("|").split("|") if line.startswith("|") else [] for line in section.splitlines()]
    result: list[list[list[str]]] = [[]]
    for row in rows:
        if row:
            result[-1].append(row)
        elif result[-1]:
            result.append([])
    return [table[2:] for table in result if table]


def named(text: str) -> list[str]:
    return re.findall(r"`([a-z_0-9]+)`", text)


def fields(table: list[list[str]]) -> list[str]:
    return sorted(name for row in table for name in named(row[0]))


def printed(capsys: pytest.CaptureFixture[str], root: Path, *words: str) -> Any:
    return json.loads(call(capsys, *words, "--json", "--root", str(root))[1])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return written(tmp_path / "origin")


@pytest.mark.parametrize("name", ["origin", "today", "demo"])
def test_facts(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = printed(capsys, written(tmp_path / name, name), "inspect")
    first, parts = tables("`inspect`")
    assert f"`{facts['format']}`" in first[0][1]
    assert fields(first) == sorted(facts)
    assert {named(row[0])[0]: sorted(named(row[1])) for row in parts} == {
        part: sorted(value) for part, value in facts.items() if isinstance(value, dict)
    }


def test_findings(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, root, "check")
    whole, each = tables("`check`")
    assert f"`{said['format']}`" in whole[0][1]
    assert fields(whole) == sorted(said)
    node = origin()
    remove(node, "/sys/firmware/acpi/tables/DMAR")
    assert fields(each) == sorted(found(planned(node), "IOMMU-NO-DMAR").model_dump())


def test_checks(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, root, "verify")
    whole, each = tables("`verify`")
    assert f"`{said['format']}`" in whole[0][1]
    assert fields(whole) == sorted([*said, "limits"])
    assert fields(each) == sorted(said["checks"][0])


def test_a_plan(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, root, "plan")
    (whole,) = tables("`plan`")
    assert f"`{said['format']}`" in whole[0][1]
    assert fields(whole) == sorted(said) == sorted(Plan.model_fields)
    by_name = {named(row[0])[0]: named(row[1]) for row in whole}
    assert by_name["node"] == list(said["node"])
    assert set(by_name["steps"]) <= set.intersection(*(set(step) for step in said["steps"]))


def test_a_run_and_the_list_of_runs(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = root.parent / "answers.toml"
    answers.write_text(ANSWERS, encoding="utf-8")
    words = ["apply", "--answers", str(answers), "--files-only", "--json", "--root", str(root)]
    _, out, _ = call(capsys, *words)
    (line,) = [json.loads(each) for each in out.splitlines()]
    (table,) = tables("`apply` and `undo`")
    assert fields(table) == sorted(line)
    code, out, _ = call(capsys, *words, "--yes")
    journal = (REPOSITORY / "docs/journal.md").read_text(encoding="utf-8")
    events = [json.loads(each) for each in out.splitlines()]
    assert (code, events[0]["event"], events[-1]["event"]) == (0, "begin", "end")
    for event in events:
        (row,) = [each for each in journal.splitlines() if re.match(rf"\| .*`{event['event']}`.* \| .* \| ", each)]
        assert set(event) - {"event", "at"} <= set(named(row.split("|")[2])), event
    (run,) = printed(capsys, root, "history")
    (table,) = tables("`history`")
    assert fields(table) == sorted(run)
    (states,) = [named(row[1]) for row in table if named(row[0]) == ["state"]]
    assert sorted(states) == sorted([*(state.value for state in RunState), "unseen"])

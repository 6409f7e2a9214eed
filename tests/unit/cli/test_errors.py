"""Errors have a code that stays, a page, and with --json a form that a program can read."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import jsonschema
import pytest
from calling import call, written
from places import REPOSITORY

from wizard import errors
from wizard.cli import main as cli
from wizard.report import documents

RAISED = ("Refused", "InputError", "UsageError", "NotSeen", "Blocked", "Interrupted", "WizardError")
SOURCES = sorted([*(REPOSITORY / "wizard").rglob("*.py"), *(REPOSITORY / "screens").rglob("*.py")])


def given_codes() -> set[str]:
    """Codes in calls, and those of classes."""
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISED:
                found |= {
                    word.value.value
                    for word in node.keywords
                    if word.arg == "code" and isinstance(word.value, ast.Constant)
                }
            if isinstance(node, ast.ClassDef) and any(getattr(base, "id", "").endswith("Error") for base in node.bases):
                for line in node.body:
                    if isinstance(line, ast.Assign) and getattr(line.targets[0], "id", "") == "code":
                        assert isinstance(line.value, ast.Constant)
                        found.add(line.value.value)
    return {str(code) for code in found}


def test_every_code_has_its_page_and_its_line_in_the_index() -> None:
    pages = {path.stem: path for path in (REPOSITORY / "docs/errors").glob("*.md") if path.stem != "README"}
    index = (REPOSITORY / "docs/errors/README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| \[([A-Z0-9-]+)\]\(([^)]+)\) \| ([0-9]+) \| (.+) \|$", index, re.M)
    given = given_codes() | {"ERROR"}
    assert len(given) > 40  # else nothing was looked for
    assert given == set(pages)
    assert [(code, name) for code, name, _, _ in lines] == [(code, f"{code}.md") for code in sorted(pages)]
    for code, _, exit_code, title in lines:
        text = pages[code].read_text(encoding="utf-8")
        assert text.startswith(f"# {code}: {title}\n\nExit code: {exit_code}\n"), code
        assert int(exit_code) in set(errors.Exit), code


def test_every_refusal_says_which_it_is() -> None:
    """A script acts upon a refusal by its code, since all of them exit with 4."""
    without = [
        f"{path.relative_to(REPOSITORY)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Raise, ast.Return))
        for call_ in [node.exc if isinstance(node, ast.Raise) else node.value]
        if isinstance(call_, ast.Call)
        and getattr(call_.func, "id", "") == "Refused"
        and "class Refused" not in path.read_text(encoding="utf-8").replace("class Refused(WizardError)", "")
        and not any(word.arg == "code" for word in call_.keywords)
    ]
    assert without == []


@pytest.mark.parametrize(
    "words, code, exit_code",
    [
        (["plan", "--answers", "GONE", "--json"], "FILE-NOT-READ", 1),
        (["plan", "--json", "--root", "GONE"], "ROOT-UNREADABLE", 1),
        (["plan", "--json", "--nonsense"], "USAGE", 64),
        (["frobnicate", "--json"], "USAGE", 64),
        (["apply", "--json"], "USAGE", 64),
        (["undo", "--json"], "NO-RUN", 1),
        (["confirm", "--json"], "NOTHING-WAITS", 1),
        (["history", "17", "--json"], "NO-RUN", 1),
        (["validate", "--json", "GONE"], "FILE-NOT-READ", 1),
        (["verify", "--json", "--out", "x"], "USAGE", 64),
    ],
)
def test_errors_as_json(
    words: list[str], code: str, exit_code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = written(tmp_path / "origin")
    words = [str(tmp_path / "gone") if word == "GONE" else word for word in words]
    got, out, err = call(capsys, *words, *([] if "--root" in words else ["--root", str(root)]))
    (line,) = err.splitlines()
    told = json.loads(line)
    jsonschema.validate(told, documents.schema("error"))
    assert (got, told["code"], told["exit_code"], out) == (exit_code, code, exit_code, "")
    assert told["what"] and set(told) == {"format", "code", "exit_code", "what", "where", "do"}


def test_a_blocked_plan_is_told_as_json_beside_its_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, answers = written(tmp_path / "origin"), tmp_path / "answers.toml"
    answers.write_text(
        'format = "compute-wizard.answers/1"\n[[vfs.card]]\nmatch = { serial = "none such" }\ncount = 4\n', "utf-8"
    )
    got, out, err = call(capsys, "apply", "--json", "--yes", "--answers", str(answers), "--root", str(root))
    assert (got, json.loads(err)["code"]) == (3, "BLOCKED")
    assert json.loads(out)["event"] == "plan"


def test_what_stands_behind_two_dashes_asks_for_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["validate", "--", "--json"]) == 1
    assert capsys.readouterr().err.startswith("compute-wizard: --json: ")


def test_the_code_is_said_where_more_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, _, plain = call(capsys, "validate", str(tmp_path / "gone"))
    _, _, more = call(capsys, "validate", str(tmp_path / "gone"), "-v")
    assert "FILE-NOT-READ" not in plain
    assert more.endswith("  code FILE-NOT-READ, exit code 1\n")


def test_a_file_format_keeps_its_code_when_the_path_is_put_in_front() -> None:
    error = errors.FormatError("what", where="line 3", do="do", code="OWN").at("/etc/x")
    assert (error.where, error.do, error.code) == ("/etc/x line 3", "do", "OWN")

"""The line at login: there while something is due, silent afterwards, and no burden for any shell."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from screens.shared.session import NodeEngine
from wizard import asset_text
from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.apply import launch
from wizard.cli import main as cli
from wizard.errors import Exit
from wizard.facts import facts
from wizard.model import step_text
from wizard.model.plan import Plan
from wizard.planning import login_notice
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.runs import store, verify_due
from wizard.runs.journal import follow
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

DUE = "/var/lib/compute-wizard/verify-due"


@pytest.fixture
def demo(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path / "node")


def planned(node: SimulatedNode, **chapters: object) -> Plan:
    seen = facts.read(node)
    return make_plan(seen, answer_files.from_data(chapters, "here") if chapters else suggestion.suggest(seen))


def applied(node: SimulatedNode, plan: Plan) -> str:
    started = launch.start(node.directory, plan, simulated=True)
    list(follow(started.journal))
    assert launch.result(started) is Exit.DONE
    return started.run


TOOLS = ("/usr/local/sbin", "/usr/sbin", "/opt/compute-wizard/bin")


def login(node: SimulatedNode, shell: str = "dash", options: str = "-i") -> str:
    """What a login shell says that reads the file; its paths are led into the node, and PATH has no tool but one put there."""
    text = node.read(login_notice.PATH).decode() if node.exists(login_notice.PATH) else ""
    for path in (DUE, "/proc/sys/kernel/random/boot_id", *(f"{tool}/compute-wizard" for tool in TOOLS)):
        text = text.replace(path, str(node.place(path)))
    profile = node.directory / "profile"
    profile.write_text(f"set -eu\n{text}\necho end run=${{run-}} due=${{due-}}\n", encoding="utf-8")
    words = [shell, options, "-c", f". {profile}"] if options else [shell, "-c", f". {profile}"]
    words[0] = shutil.which(shell) or shell
    environment = {"PATH": str(node.directory / "in-path"), "HOME": "/"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[-1] == "end run= due="  # nothing is left in the shell, and it went on
    return "\n".join(lines[:-1])


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_it_says_what_is_due_and_nothing_once_verify_has_held(
    demo: SimulatedNode, shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = planned(demo)
    assert f"write {login_notice.PATH}" in [step_text.title(step) for step in plan.steps]
    run = applied(demo, plan)
    assert login(demo, shell) == f"compute-wizard: run {run} needs a reboot; after it: compute-wizard verify"
    assert login(demo, shell, "") == ""  # a script's shell is not disturbed
    assert planned(demo).steps == ()
    assert cli.main(["--root", str(demo.directory), "verify"]) != 0
    assert login(demo, shell)
    demo.reboot()
    assert "has not been verified since the reboot" in login(demo, shell)
    verify_due.forget(store.state_directory(demo.directory))
    assert login(demo, shell) == ""
    capsys.readouterr()


def test_it_names_a_command_that_is_found(demo: SimulatedNode) -> None:
    run = applied(demo, planned(demo))
    said = f"compute-wizard: run {run} needs a reboot; after it: "
    for directory in reversed(TOOLS):  # each comes before those that were there
        tool = demo.place(f"{directory}/compute-wizard")
        tool.parent.mkdir(parents=True, exist_ok=True)
        tool.write_text("", encoding="utf-8")
        assert str(tool) not in login(demo)  # it cannot be run
        tool.chmod(0o755)
        assert login(demo) == f"{said}{tool} verify"
    found = demo.directory / "in-path"
    found.mkdir()
    (found / "compute-wizard").symlink_to(tool)
    for shell in ("dash", "bash"):
        assert login(demo, shell) == f"{said}compute-wizard verify"


@pytest.fixture
def verified(demo: SimulatedNode, monkeypatch: pytest.MonkeyPatch) -> SimulatedNode:
    """A node that was set up and rebooted, as the command line looks at it."""
    applied(demo, planned(demo))
    demo.reboot()
    monkeypatch.setattr("wizard.cli.verify.open_node", lambda _: demo)
    return demo


def test_verify_removes_what_is_due_only_where_all_has_held(
    verified: SimulatedNode, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["verify", "--root", str(verified.directory), "--answers", str(_other(verified))]) == 0
    assert verified.exists(DUE)  # that was about other answers
    capsys.readouterr()
    assert cli.main(["verify", "--root", str(verified.directory)]) == 0
    assert verified.exists(DUE)  # it is only named
    assert "stays until `compute-wizard verify --acknowledge` removes it" in capsys.readouterr().out
    assert cli.main(["verify", "--json", "--root", str(verified.directory)]) == 0
    json.loads(capsys.readouterr().out)
    assert cli.main(["verify", "--acknowledge", "--root", str(verified.directory)]) == 0
    assert "The notice at login is removed." in capsys.readouterr().out
    assert not verified.exists(DUE)
    assert verified.exists(login_notice.PATH)
    assert cli.main(["verify", "--acknowledge", "--root", str(verified.directory)]) == 0
    assert "notice" not in capsys.readouterr().out


def test_what_waits_for_its_reboot_is_not_acknowledged(
    demo: SimulatedNode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    applied(demo, planned(demo))
    monkeypatch.setattr("wizard.cli.verify.open_node", lambda _: demo)
    assert cli.main(["verify", "--acknowledge", "--root", str(demo.directory)]) != 0
    assert demo.exists(DUE)
    assert "The notice at login stays: not all" in capsys.readouterr().out


def test_the_wizards_verify_ends_the_notice(verified: SimulatedNode) -> None:
    engine = NodeEngine(verified, str(verified.directory), True)
    seen = engine.look()
    engine.verify(seen, suggestion.suggest(seen).replace("iommu", None))  # not what the runs were asked for
    assert verified.exists(DUE)
    engine.verify(seen, engine.to_be(seen).answers)
    assert not verified.exists(DUE)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_verify_that_may_not_remove_it_says_what_it_saw(
    verified: SimulatedNode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    def forget(_: Path) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("wizard.cli.verify.verify_due.forget", forget)
    assert cli.main(["verify", "--acknowledge", "--root", str(verified.directory)]) == 0
    assert capsys.readouterr().err == ""
    assert verified.exists(DUE)


def _other(node: SimulatedNode) -> Path:
    path = node.directory.parent / "answers.toml"
    path.write_text('format = "compute-wizard.answers/1"\n[iommu]\nenable = true\n', encoding="utf-8")
    return path


def test_undo_takes_it_away(demo: SimulatedNode) -> None:
    applied(demo, planned(demo))
    applied(demo, undo_plan(facts.read(demo), demo, None, demo.directory))
    assert not demo.exists(login_notice.PATH)
    assert not demo.exists(DUE)


def test_undo_of_another_run_leaves_what_is_due_of_one_that_stands(demo: SimulatedNode) -> None:
    data = planned(demo).answers
    first = applied(demo, planned(demo, **{name: data[name] for name in ("iommu", "vfs")}))
    applied(demo, planned(demo))
    applied(demo, undo_plan(facts.read(demo), demo, None, demo.directory))
    assert demo.read(DUE).decode().split()[0] == first
    applied(demo, undo_plan(facts.read(demo), demo, first, demo.directory))
    assert not demo.exists(DUE)


def test_only_its_owner_can_read_what_is_due(demo: SimulatedNode) -> None:
    applied(demo, planned(demo))
    assert demo.place(DUE).stat().st_mode & 0o777 == 0o600
    assert demo.place(login_notice.PATH).stat().st_mode & 0o777 == 0o644


def test_it_is_not_installed_where_nothing_waits_or_nobody_would_read_it(demo: SimulatedNode) -> None:
    plan = planned(demo, metadata={"redirect": True, "bridges": ["br1441"]})
    assert login_notice.PATH not in [getattr(step, "path", "") for step in plan.steps]
    shutil.rmtree(demo.place("/etc/profile.d"))
    assert login_notice.PATH not in [getattr(step, "path", "") for step in planned(demo).steps]


def test_the_text_has_no_bash_in_it() -> None:
    text = asset_text.asset("compute-wizard-verify.sh")
    assert subprocess.run(["dash", "-n"], input=text, text=True, check=False).returncode == 0

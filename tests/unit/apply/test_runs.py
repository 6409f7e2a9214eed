"""A run on the simulated node: exactly the plan, a journal that tells the truth, and every byte back."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from strategies import any_answers

from wizard.answers import editing, suggestion
from wizard.answers import files as answer_files
from wizard.apply import launch
from wizard.apply import staleness as stale
from wizard.errors import Blocked, Exit, InputError, Refused
from wizard.facts import facts
from wizard.facts.bootloader import KEPT
from wizard.model import step_text
from wizard.model.expectations import ExpectAttribute, ExpectFile, ExpectValue
from wizard.model.plan import Plan
from wizard.model.steps import FileContent, RunCommand, WriteFile, WriteSysfs
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.planning.verification import verify
from wizard.runs import store
from wizard.runs.journal import follow, read
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

OWN = ("var/lib/compute-wizard", "proc", "sys", ".compute-wizard")
MADE_BY_SYSTEMCTL = "etc/systemd"


@pytest.fixture(params=["demo", "today"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SimulatedNode]:
    yield simulate(built_in(request.param), tmp_path)


@pytest.fixture
def demo(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path)


def tree(directory: Path) -> dict[str, tuple[Any, ...]]:
    """Everything below a directory but the tool's own state and the kernel's: mode, owner, content."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if name.startswith(OWN):
            continue
        status = path.lstat()
        if path.is_symlink():
            what = str(path.readlink())
        else:
            what = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "directory"
        found[name] = (status.st_mode, status.st_uid, status.st_gid, what)
    return found


def run(node: SimulatedNode, plan: Plan, **options: Any) -> tuple[launch.Started, list[dict[str, Any]], Exit]:
    started = launch.start(node.directory, plan, simulated=True, **options)
    events = list(follow(started.journal))
    return started, events, launch.result(started)


def planned(node: SimulatedNode) -> Plan:
    seen = facts.read(node)
    return make_plan(seen, suggestion.suggest(seen))


def test_the_whole_way_and_back(node: SimulatedNode) -> None:
    before = tree(node.directory)
    plan = planned(node)
    started, events, code = run(node, plan)
    assert code is Exit.DONE
    assert [event["title"] for event in events if event["event"] == "step"] == [
        step_text.title(step) for step in plan.steps
    ]
    for step in plan.steps:
        if isinstance(step, WriteFile):
            place = node.place(step.path)
            assert place.read_bytes() == step.after.data()
            assert f"{place.stat().st_mode & 0o7777:04o}" == step.after.mode
    assert planned(node).steps == ()
    node.reboot()
    answers = answer_files.from_data(plan.answers)
    assert {check.state for check in verify(facts.read(node), answers)} == {"held"}

    back = undo_plan(facts.read(node), node, None, node.directory)
    assert run(node, back)[2] is Exit.DONE
    after = {name: each for name, each in tree(node.directory).items() if not name.startswith(MADE_BY_SYSTEMCTL)}
    assert after == {name: each for name, each in before.items() if not name.startswith(MADE_BY_SYSTEMCTL)}
    (first, second) = facts.read(node).history.runs
    assert (first.state, first.undone_by, second.undoes) == ("undone", second.id, started.run)
    node.reboot()
    assert [f.num_vfs for f in facts.read(node).pci.functions if f.is_mellanox] == [0] * sum(
        f.is_mellanox for f in facts.read(node).pci.functions
    )


@settings(max_examples=8, deadline=None)
@given(any_answers())
def test_any_answers_are_applied_verified_and_taken_back_to_every_byte(data: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        node = simulate(built_in("demo"), Path(directory))
        before = tree(node.directory)
        answers = answer_files.from_data(data)
        plan = make_plan(facts.read(node), answers)
        if not plan.steps:
            return
        assert run(node, plan)[2] is Exit.DONE
        assert make_plan(facts.read(node), answers).steps == ()
        node.reboot()
        assert {check.state for check in verify(facts.read(node), answers)} == {"held"}
        assert run(node, undo_plan(facts.read(node), node, None, node.directory))[2] is Exit.DONE
        after = {name: each for name, each in tree(node.directory).items() if not name.startswith(MADE_BY_SYSTEMCTL)}
        assert after == {name: each for name, each in before.items() if not name.startswith(MADE_BY_SYSTEMCTL)}


OFF: dict[str, Any] = {
    "iommu": {"enable": False},
    "vfs": {
        "card": [
            {"match": {"vendor": "15b3", "product": "1007"}, "count": 0},
            {"match": {"vendor": "15b3", "product": "1017"}, "count": 0},
        ]
    },
    "passthrough": {"pool": []},
    "gateways": {"network": []},
    "metadata": {"redirect": False},
}


def test_chapters_that_are_switched_off_take_back_what_is_ours_and_nothing_else(node: SimulatedNode) -> None:
    conf = node.place("/etc/modprobe.d/other.conf")
    conf.write_text("options other x=1\n", encoding="utf-8")
    assert node.obey(["update-initramfs", "-u"]).status == 0
    before = tree(node.directory)
    run(node, planned(node))
    neutron = facts.read(node).nova.networking == "neutron"
    card = [each for each in OFF["vfs"]["card"] if (each["match"]["product"] == "1017") == neutron]
    wanted = {**OFF, "vfs": {"card": card}}
    answers = answer_files.from_data(
        {k: v for k, v in wanted.items() if not (neutron and k in ("gateways", "metadata"))}
    )
    assert run(node, make_plan(facts.read(node), answers))[2] is Exit.DONE
    left = {
        name: each
        for name, each in tree(node.directory).items()
        if not name.startswith((MADE_BY_SYSTEMCTL, "etc/compute-wizard", "usr/local"))
        and not name.endswith((KEPT, "compute-wizard-verify.sh"))
    }
    kept = {name: each for name, each in before.items() if not name.startswith((MADE_BY_SYSTEMCTL, "usr/local"))}
    assert left == kept
    assert make_plan(facts.read(node), answers).steps == ()
    node.reboot()
    assert {check.state for check in verify(facts.read(node), answers)} <= {"held"}


def test_what_others_set_stays_when_a_chapter_is_off(demo: SimulatedNode) -> None:
    demo.place("/etc/modprobe.d/mlx4_core.conf").write_text("options mlx4_core num_vfs=4\n", encoding="utf-8")
    answers = answer_files.from_data(
        {"vfs": {"card": [{"match": {"vendor": "15b3", "product": "1007"}, "count": 0}]}, "iommu": {"enable": False}}
    )
    plan = make_plan(facts.read(demo), answers)
    assert [title for title in map(step_text.title, plan.steps) if not title.startswith("$ cp -p")] in (
        [],
        ["write /etc/profile.d/compute-wizard-verify.sh", "$ update-initramfs -u -k all"],
    )


def test_the_journal_and_the_plan_are_for_their_owner_only(demo: SimulatedNode) -> None:
    started = run(demo, planned(demo))[0]
    for path in (
        started.directory,
        started.directory / "plan.json",
        started.journal,
        *(started.directory / "backup").iterdir(),
    ):
        assert path.stat().st_mode & 0o077 == 0, path
    secrets = [
        line.partition("=")[2].strip()
        for line in (demo.text("/etc/nova/nova.conf") or "").splitlines()
        if "password" in line
    ]
    assert secrets
    journal = started.journal.read_text(encoding="utf-8")
    assert not [secret for secret in secrets if secret in journal]


def _failing(plan: Plan, position: int) -> Plan:
    """The plan with a command in it that this node does not have."""
    bad = RunCommand(chapters=("iommu",), phase="live", argv=("no-such-command", "--now"), why=("a test",))
    return plan.model_copy(update={"steps": (*plan.steps[:position], bad, *plan.steps[position:])})


@pytest.mark.parametrize("position", [0, 3, 9, 16])
def test_a_step_that_fails_is_rolled_back_to_the_same_bytes(demo: SimulatedNode, position: int) -> None:
    before = tree(demo.directory)
    _, events, code = run(demo, _failing(planned(demo), position))
    assert code is Exit.ROLLED_BACK
    assert "no-such-command" in next(event["why"] for event in events if event["event"] == "failed")
    after = {name: each for name, each in tree(demo.directory).items() if not name.startswith(MADE_BY_SYSTEMCTL)}
    assert after == {name: each for name, each in before.items() if not name.startswith(MADE_BY_SYSTEMCTL)}
    assert facts.read(demo).history.runs[0].state == "rolled_back"
    assert facts.read(demo).history.own == ()


def test_without_rollback_it_stops_and_undo_and_resume_go_on(demo: SimulatedNode) -> None:
    plan = _failing(planned(demo), 8)
    started, _, code = run(demo, plan, on_failure="stop")
    assert code is Exit.NOT_ROLLED_BACK
    assert facts.read(demo).history.runs[0].steps_done == 8
    again = launch.resume(demo.directory, started.run)
    list(follow(again.journal, again.after))  # to the end of this going on, not of the first one
    assert facts.read(demo).history.runs[0].state == "failed"  # the command is still not there
    assert run(demo, undo_plan(facts.read(demo), demo, None, demo.directory))[2] is Exit.DONE


def test_a_run_that_was_cut_short_goes_on_after_the_last_step_that_held(demo: SimulatedNode) -> None:
    plan = planned(demo)
    started = run(demo, plan)[0]
    lines = started.journal.read_text(encoding="utf-8").splitlines(keepends=True)
    cut = next(number for number, line in enumerate(lines) if json.loads(line).get("n") == 10 and '"step"' in line)
    started.journal.write_text("".join(lines[: cut + 1]) + '{"event": "out', encoding="utf-8")
    assert facts.read(demo).history.runs[0].state == "interrupted"
    launch.resume(demo.directory, started.run)
    list(follow(started.journal))
    assert launch.result(started) is Exit.DONE
    again = [event["n"] for event in read(started.journal)[cut:] if event["event"] == "step"]
    assert again == list(range(10, len(plan.steps) + 1)) or again == [10, *range(10, len(plan.steps) + 1)]
    assert planned(demo).steps == ()


def _mutations(node: SimulatedNode, plan: Plan) -> Iterator[tuple[str, Any]]:
    for expected in plan.expects:
        if isinstance(expected, ExpectFile):
            place = node.place(expected.path)
            if expected.sha256 is None:
                yield (
                    f"{expected.path} appears",
                    lambda place=place: (place.parent.mkdir(parents=True, exist_ok=True), place.write_text("x")),
                )
            else:
                yield f"{expected.path} changes", lambda place=place: place.write_bytes(place.read_bytes() + b"#\n")
                yield f"{expected.path} has another mode", lambda place=place: place.chmod(0o604)
                yield f"{expected.path} goes", lambda place=place: place.unlink()
                if os.geteuid() == 0:
                    yield f"{expected.path} has another owner", lambda place=place: os.chown(place, 12345, 12345)
        elif isinstance(expected, ExpectAttribute):
            yield f"{expected.path} changes", lambda path=expected.path: node.put(path, "7\n")
        elif expected.kind == "boot_id":
            yield "the node was rebooted", lambda: node.put("/proc/sys/kernel/random/boot_id", "other\n")
        elif expected.kind == "machine_id":
            yield "another machine", lambda: node.put("/etc/machine-id", "other\n")


def test_whatever_changed_since_is_named_and_refused(tmp_path: Path) -> None:
    first = simulate(built_in("today"), tmp_path / "first")
    names = [name for name, _ in _mutations(first, planned(first))]
    assert len(names) > 15
    for number, name in enumerate(names):
        node = simulate(built_in("today"), tmp_path / str(number))
        plan = planned(node)
        list(_mutations(node, plan))[number][1]()
        with pytest.raises(Refused):
            launch.start(node.directory, plan, simulated=True)
        assert store.runs(node.directory) == [], name


def test_a_plan_of_another_version_is_refused(demo: SimulatedNode) -> None:
    plan = planned(demo)
    kept = tuple(each for each in plan.expects if each.kind != "tool_version")
    older = plan.model_copy(update={"expects": (*kept, ExpectValue(kind="tool_version", value="0.0.1"))})
    assert any("0.0.1" in sentence for sentence in stale.differences(demo, older))


def test_a_plan_is_used_once_and_a_masked_one_never(demo: SimulatedNode) -> None:
    plan = planned(demo)
    with pytest.raises(InputError, match="not complete"):
        launch.start(demo.directory, plan.masked(), simulated=True)
    empty = plan.model_copy(update={"steps": (plan.steps[-1],), "expects": ()})
    assert run(demo, empty)[2] is Exit.DONE
    with pytest.raises(Refused, match="used already"):
        launch.start(demo.directory, empty, simulated=True)


def test_a_blocked_plan_is_not_applied(demo: SimulatedNode) -> None:
    with pytest.raises(Blocked):
        launch.start(demo.directory, planned(demo).model_copy(update={"blocked": ("vfs",)}), simulated=True)


def test_a_one_way_step_needs_its_own_word(demo: SimulatedNode) -> None:
    step = RunCommand(
        chapters=("vfs",),
        phase="last",
        argv=("mstconfig", "-y", "-d", "0000:04:00.0", "set", "NUM_OF_VFS=32"),
        why=("x",),
        labels=("one-way",),
    )
    plan = planned(demo).model_copy(update={"steps": (step,)})
    with pytest.raises(Refused, match="cannot be taken back"):
        launch.start(demo.directory, plan, simulated=True)
    assert run(demo, plan, accept=["one-way"])[2] is Exit.DONE


def test_below_another_root_commands_are_not_run_and_stay_in_the_plan(demo: SimulatedNode) -> None:
    plan = planned(demo)
    with pytest.raises(Refused, match="files-only"):
        launch.start(demo.directory, plan)
    started = launch.start(demo.directory, plan, files_only=True)
    events = list(follow(started.journal))
    assert launch.result(started) is Exit.DONE
    assert sum(event["event"] == "skipped" for event in events) == sum(
        not isinstance(step, WriteFile) for step in plan.steps
    )
    left = [step_text.title(step) for step in planned(demo).steps]
    was = [step_text.title(step) for step in plan.steps if not isinstance(step, WriteFile)]
    assert left == was
    demo.reboot()  # it starts every service anew
    assert "$ update-grub" in [step_text.title(step) for step in planned(demo).steps]
    restarts = [title for step in planned(demo).steps if "restart" in (title := step_text.title(step))]
    assert restarts == ["$ systemctl restart compute-wizard-metadata.service"]  # nothing enabled it: it was not started


def test_a_file_that_changed_since_is_not_overwritten_by_undo(demo: SimulatedNode) -> None:
    run(demo, planned(demo))
    place = demo.place("/etc/dnsmasq-nova.conf")
    place.write_bytes(place.read_bytes() + b"# mine\n")
    back = undo_plan(facts.read(demo), demo, None, demo.directory)
    assert [finding.code for finding in back.findings] == ["UNDO-CHANGED-SINCE"]
    with pytest.raises(Blocked):
        launch.start(demo.directory, back, simulated=True)


def test_a_vf_in_use_stands_in_the_way_of_undo(tmp_path: Path) -> None:
    node = simulate(built_in("today"), tmp_path)
    run(node, planned(node))
    driver = node.place("/sys/bus/pci/drivers/vfio-pci")
    driver.mkdir(parents=True)
    node.place(node.resolve("/sys/bus/pci/devices/0000:3b:00.2") + "/driver").symlink_to(
        "../../../../bus/pci/drivers/vfio-pci"
    )
    back = undo_plan(facts.read(node), node, None, node.directory)
    assert "UNDO-VF-IN-USE" in [finding.code for finding in back.findings]
    assert "VFS-IN-USE" in {
        finding.code
        for finding in make_plan(
            facts.read(node),
            editing.change(suggestion.suggest(facts.read(node)), "vfs", ("card", 0, "count"), 4),
        ).findings
    }


def test_numvfs_go_back_through_zero(tmp_path: Path) -> None:
    node = simulate(built_in("today"), tmp_path)
    eight = suggestion.suggest(facts.read(node))
    run(node, make_plan(facts.read(node), eight))
    run(node, make_plan(facts.read(node), editing.change(eight, "vfs", ("card", 0, "count"), 4)))
    back = undo_plan(facts.read(node), node, None, node.directory)
    moves = [
        (step.before, step.after) for step in back.steps if isinstance(step, WriteSysfs) and "3b:00.0" in step.path
    ]
    assert moves == [("4", "0"), ("0", "8")]
    assert run(node, back)[2] is Exit.DONE
    assert planned(node).steps == ()


def test_links_and_attributes_are_kept(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    conf = node.place("/etc/nova/nova.conf")
    real = conf.with_name("real.conf")
    conf.rename(real)
    conf.symlink_to("/etc/nova/real.conf")  # absolute: resolved inside the node
    try:
        os.setxattr(real, "user.note", b"kept")
    except OSError:
        pytest.skip("kernel: this file system has no user attributes")
    assert run(node, planned(node))[2] is Exit.DONE
    assert conf.is_symlink()
    assert b"pci_passthrough_whitelist" in real.read_bytes()
    assert os.getxattr(real, "user.note") == b"kept"


def test_a_second_run_is_refused_while_one_is_under_way(demo: SimulatedNode) -> None:
    from wizard.runs.lock import only_run

    plan = planned(demo)
    store.new_run(demo.directory)
    with only_run(store.state_directory(demo.directory), "0009-other"), pytest.raises(Refused, match="0009-other"):
        launch.start(demo.directory, plan, simulated=True)


def test_content_that_was_tampered_with_is_not_written() -> None:
    content = FileContent.of(b"a\n", 0o644, "root:root").model_copy(update={"content": "b\n"})
    with pytest.raises(InputError, match="sha256"):
        content.data()

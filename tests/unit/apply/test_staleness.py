"""Every single thing that a plan expects is changed, one at a time: 100 % are named and refused, and nothing was touched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wizard.answers import suggestion
from wizard.apply import launch
from wizard.apply import staleness as stale
from wizard.chapters.shared.cards import CardAnswers
from wizard.errors import Exit, Refused
from wizard.facts import facts
from wizard.model.expectations import Expect, ExpectAttribute, ExpectCommand, ExpectFile, ExpectLink, ExpectValue
from wizard.model.plan import Plan
from wizard.model.steps import RunCommand, WriteFile
from wizard.planning.planner import make_plan
from wizard.runs import store
from wizard.runs.journal import follow, read
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

Change = Callable[[SimulatedNode], object]
COMMANDS = ("update-grub", "update-initramfs", "systemctl", "service", "dnsmasq", "cp")


def prepared(place: Path, name: str) -> tuple[SimulatedNode, Plan]:
    """A node whose nova.conf lies behind links, and that has its commands as files."""
    node = simulate(built_in(name), place)
    conf = node.place("/etc/nova/nova.conf")
    kept = node.place("/srv/nova/nova.conf")
    kept.parent.mkdir(parents=True)
    conf.rename(kept)
    conf.symlink_to("/srv/nova/nova.conf")
    for command in COMMANDS:
        binary = node.place(f"/usr/sbin/{command}")
        binary.parent.mkdir(parents=True, exist_ok=True)
        binary.write_text("#!/bin/sh\n# version 1\n", encoding="ascii")
    seen = facts.read(node)
    return node, make_plan(seen, suggestion.suggest(seen))


def mutations(plan: Plan) -> Iterator[tuple[str, Change]]:
    """What may happen to each expected thing, by name."""
    for expected in plan.expects:
        yield from mutations_of(expected)


def mutations_of(expected: Expect) -> Iterator[tuple[str, Change]]:
    match expected:
        case ExpectFile(sha256=None, path=path):
            yield f"file {path} appears", lambda node: make(node, path)
            yield f"file {path} is a link now", lambda node: link(node, path, "/somewhere/else")
        case ExpectFile(path=path):
            yield f"file {path} has another content", lambda node: there(node, path).write_bytes(b"#\n")
            yield f"file {path} has another mode", lambda node: there(node, path).chmod(0o604)
            yield f"file {path} is gone", lambda node: there(node, path).unlink()
            yield f"file {path} leads elsewhere", elsewhere(path)
            yield (
                f"file {path} has an attribute",
                lambda node: os.setxattr(there(node, path), "user.x", b"1"),
            )
            if os.geteuid() == 0:
                yield (
                    f"file {path} has another owner",
                    lambda node: os.chown(there(node, path), 12345, -1),
                )
                yield (
                    f"file {path} has another group",
                    lambda node: os.chown(there(node, path), -1, 12345),
                )
        case ExpectLink(path=path):
            yield (
                f"link {path} has another target",
                lambda node: link(node, path, "../../srv/nova/nova.conf"),
            )
        case ExpectAttribute(path=path):
            yield f"attribute {path} has another value", lambda node: node.put(path, "77\n")
            yield f"attribute {path} is gone", lambda node: there(node, path).unlink()
        case ExpectCommand(name=name, path=path):
            yield f"command {name} is gone", lambda node: there(node, path).unlink()
            yield f"command {name} has another version", lambda node: there(node, path).write_text("2")
            yield (
                f"command {name} is found elsewhere",
                lambda node: make(node, f"/usr/local/sbin/{name}"),
            )
        case ExpectValue(kind="boot_id"):
            yield "boot_id: a reboot", lambda node: node.reboot()
        case ExpectValue(kind="machine_id"):
            yield "machine_id: another machine", lambda node: node.put("/etc/machine-id", "f" * 32)
        case ExpectValue(kind="tool_version"):
            pass  # not of the node: tried below


def there(node: SimulatedNode, path: str) -> Path:
    return node.place(node.resolve(path))


def make(node: SimulatedNode, path: str) -> None:
    place = node.place(node.destination(path))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("x", encoding="ascii")


def link(node: SimulatedNode, path: str, target: str) -> None:
    place = node.place(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(target)


def elsewhere(path: str) -> Change:
    """The same bytes, mode and owner, but in another place."""

    def change(node: SimulatedNode) -> None:
        place = there(node, path)
        moved = place.with_name("moved")
        place.rename(moved)
        node.place(path).unlink(missing_ok=True)
        node.place(path).symlink_to(
            moved.name if node.place(path).parent == moved.parent else f"/srv/nova/{moved.name}"
        )

    return change


@pytest.mark.parametrize("name", ["origin", "today", "demo"])
def test_each_thing_that_is_expected_is_refused_when_it_changed(name: str, tmp_path: Path) -> None:
    node, plan = prepared(tmp_path / "first", name)
    tried: Counter[str] = Counter()
    for number, (what, change) in enumerate(mutations(plan)):
        place = tmp_path / str(number)
        subprocess.run(["cp", "-a", str(node.directory), str(place)], check=True)
        copy = SimulatedNode(place)
        change(copy)
        with pytest.raises(Refused) as refused:
            launch.start(place, plan, simulated=True)
        assert refused.value.exit_code is Exit.REFUSED
        named = what.split(" ")[1] if " " in what and not what.startswith(("boot_id", "machine_id")) else ""
        assert named in str(refused.value), what
        assert store.runs(place) == [], what
        tried[what.split(" ")[0].rstrip(":")] += 1
        subprocess.run(["rm", "-rf", str(place)], check=True)
    kinds = {expected.kind for expected in plan.expects} - {"tool_version"}
    assert set(tried) == kinds
    assert kinds >= {"file", "link", "attribute", "command", "boot_id", "machine_id"}
    assert sum(tried.values()) >= 60, tried
    assert stale.differences(node, plan) == []  # nothing of it was done to the node itself
    print(f"{name}: {sum(tried.values())} changes of {len(plan.expects)} things, all refused ({dict(tried)})")


def test_a_plan_of_another_version_is_refused(tmp_path: Path) -> None:
    node, plan = prepared(tmp_path, "demo")
    kept = tuple(each for each in plan.expects if each.kind != "tool_version")
    older = plan.model_copy(update={"expects": (*kept, ExpectValue(kind="tool_version", value="0.0.1"))})
    with pytest.raises(Refused, match=r"0\.0\.1"):
        launch.start(node.directory, older, simulated=True)


def test_what_changes_by_itself_makes_no_plan_stale(tmp_path: Path) -> None:
    node, plan = prepared(tmp_path, "demo")
    os.utime(there(node, "/etc/nova/nova.conf"), (1, 1))
    for path in (
        "/var/lib/nova/networks/nova-br1441.pid",
        "/sys/class/net/vnet9/ifindex",
        "/var/lib/nova/instances/disk",
    ):
        make(node, path)
    assert stale.differences(node, plan) == []


def test_a_command_that_the_live_node_has_not_is_named_before_anything_is_touched(tmp_path: Path) -> None:
    node, plan = prepared(tmp_path, "demo")
    step = RunCommand(chapters=("iommu",), phase="boot", argv=("no-such-command", "--now"), why=("a test",))
    with pytest.raises(Refused, match="there is no command no-such-command"):
        stale.refuse_if_stale(node, plan.model_copy(update={"steps": (*plan.steps, step)}), live=True)
    stale.refuse_if_stale(node, plan, live=True)  # the script that the plan itself installs is no obstacle


# between two who start at once, and between a crash and going on


def runner(place: Path, run: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-I", "-m", "wizard.apply.runner", str(place), run])


def test_of_runs_that_start_at_once_with_one_plan_exactly_one_begins(tmp_path: Path) -> None:
    node, plan = prepared(tmp_path, "demo")
    plan = plan.model_copy(
        update={"expects": (), "steps": plan.steps[-1:]}
    )  # nothing in it would be stale the second time
    saved = [launch.save(node.directory, plan, "rollback", "simulated") for _ in range(4)]
    assert len({started.run.partition("-")[0] for started in saved}) == 4
    for process in [runner(node.directory, started.run) for started in saved]:
        assert process.wait(timeout=300) == 0
    ends = [read(started.journal)[-1] for started in saved]
    assert sorted(str(end["result"]) for end in ends) == ["done", "refused", "refused", "refused"]
    done = next(started.run for started, end in zip(saved, ends, strict=True) if end["result"] == "done")
    assert all(done in str(end["why"]) for end in ends if end["result"] == "refused")


def test_what_changes_between_the_check_and_the_lock_is_refused_by_the_runner(tmp_path: Path) -> None:
    node, plan = prepared(tmp_path, "demo")
    started = launch.save(node.directory, plan, "rollback", "simulated")
    there(node, "/etc/nova/nova.conf").write_bytes(b"[DEFAULT]\n")
    assert runner(node.directory, started.run).wait(timeout=300) == 0
    (end,) = read(started.journal)
    assert (end["event"], end["result"]) == ("end", "refused")
    assert "/etc/nova/nova.conf has another content" in str(end["why"])
    assert launch.result(started) is Exit.REFUSED
    assert facts.read(node).history.runs == ()


def test_a_plan_whose_start_died_before_it_began_is_not_used_up(tmp_path: Path) -> None:
    node, plan = prepared(tmp_path, "demo")
    launch.save(node.directory, plan, "rollback", "simulated")  # and its runner never came up
    started = launch.start(node.directory, plan, simulated=True)
    list(follow(started.journal))
    assert launch.result(started) is Exit.DONE
    assert [run.id for run in facts.read(node).history.runs] == [started.run]


@pytest.fixture
def cut(tmp_path: Path) -> tuple[SimulatedNode, Plan, launch.Started]:
    """A run that was cut short after its files were written and before its first command."""
    node, plan = prepared(tmp_path, "demo")
    files = tuple(step for step in plan.steps if isinstance(step, WriteFile))
    assert plan.steps[: len(files)] == files
    started = launch.start(node.directory, plan.model_copy(update={"steps": files}), simulated=True)
    assert list(follow(started.journal))[-1]["result"] == "done"
    store.write(started.directory / "plan.json", plan.to_json().encode())
    lines = started.journal.read_text(encoding="utf-8").splitlines(keepends=True)
    started.journal.write_text("".join(lines[:-1]), encoding="utf-8")
    return node, plan, started


def resumed(node: SimulatedNode, started: launch.Started) -> Exit:
    again = launch.resume(node.directory, started.run)
    list(follow(again.journal, again.after))
    return launch.result(again)


def test_a_run_goes_on_after_a_reboot(cut: tuple[SimulatedNode, Plan, launch.Started]) -> None:
    node, _, started = cut
    node.reboot()
    assert resumed(node, started) is Exit.DONE


@pytest.mark.parametrize("path", ["/etc/dnsmasq-nova.conf", "/etc/nova/nova.conf", "/etc/default/grub"])
def test_a_run_does_not_go_on_over_what_somebody_changed(
    cut: tuple[SimulatedNode, Plan, launch.Started], path: str
) -> None:
    node, _, started = cut
    before = started.journal.read_bytes()
    place = there(node, path)
    place.write_bytes(place.read_bytes() + b"# mine\n")
    with pytest.raises(Refused, match=path):
        launch.resume(node.directory, started.run)
    assert runner(node.directory, started.run).wait(timeout=300) == 0  # nor where it changed after that was looked at
    assert path in str(read(started.journal)[-1]["why"])
    assert started.journal.read_bytes().startswith(before)
    assert facts.read(node).history.runs[0].state == "interrupted"
    place.write_bytes(place.read_bytes().removesuffix(b"# mine\n"))
    assert resumed(node, started) is Exit.DONE


def test_a_run_does_not_go_on_with_another_version(cut: tuple[SimulatedNode, Plan, launch.Started]) -> None:
    node, plan, started = cut
    kept = tuple(each for each in plan.expects if each.kind != "tool_version")
    older = plan.model_copy(update={"expects": (*kept, ExpectValue(kind="tool_version", value="0.0.1"))})
    store.write(started.directory / "plan.json", older.to_json().encode())
    with pytest.raises(Refused, match=r"0\.0\.1.*\n.*undo"):
        launch.resume(node.directory, started.run)


def test_what_was_set_in_the_running_kernel_is_set_again_after_a_reboot(tmp_path: Path) -> None:
    node, plan = prepared(tmp_path, "today")
    started = launch.start(node.directory, plan, simulated=True)
    list(follow(started.journal))
    lines = started.journal.read_text(encoding="utf-8").splitlines(keepends=True)
    started.journal.write_text("".join(lines[:-1]), encoding="utf-8")  # all steps held; killed before it said so
    node.reboot()
    again: Any = launch.resume(node.directory, started.run)
    events = list(follow(again.journal, again.after))
    live = [number for number, step in enumerate(plan.steps, 1) if step.phase == "live"]
    assert live
    assert [event["n"] for event in events if event["event"] == "step"] == live
    for step in plan.steps:
        if isinstance(step, WriteFile):
            assert node.read(step.path) == step.after.data()


NUMVFS = "/sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs"


def cut_before_live(node: SimulatedNode, plan: Plan) -> launch.Started:
    """The power goes when the units are enabled and nothing was set yet; the node boots."""
    started = launch.start(node.directory, plan, simulated=True)
    list(follow(started.journal))
    first = next(number for number, step in enumerate(plan.steps, 1) if step.phase == "live")
    lines = started.journal.read_text(encoding="utf-8").splitlines(keepends=True)
    end = next(index for index, line in enumerate(lines) if f'"n": {first},' in line)
    started.journal.write_text("".join(lines[:end]), encoding="utf-8")
    node.reboot()
    return started


def with_vfs(node: SimulatedNode, count: int) -> Plan:
    seen = facts.read(node)
    answers = suggestion.suggest(seen)
    cards = answers.of(CardAnswers)
    assert cards is not None
    card = cards.card[0].model_copy(update={"count": count})
    return make_plan(seen, answers.replace("vfs", cards.model_copy(update={"card": [card, *cards.card[1:]]})))


def test_a_run_goes_on_where_its_unit_set_at_the_boot_what_it_had_not_come_to(tmp_path: Path) -> None:
    node, plan = prepared(tmp_path, "today")
    started = cut_before_live(node, plan)
    assert (node.text(NUMVFS), ExpectAttribute(path=NUMVFS, value="0") in plan.expects) == ("8", True)
    assert resumed(node, started) is Exit.DONE


def test_vfs_that_the_boot_made_as_wanted_are_not_taken_through_0_when_a_run_goes_on(tmp_path: Path) -> None:
    node, plan = prepared(tmp_path, "today")
    list(follow(launch.start(node.directory, plan, simulated=True).journal))
    fewer = with_vfs(node, 4)
    live = [getattr(step, "after", None) for step in fewer.steps if step.phase == "live"]
    assert live == ["0", "4", "0", "4"]  # two functions
    started = cut_before_live(node, fewer)
    assert node.text(NUMVFS) == "4"
    mark = node.place(NUMVFS).parent / "virtfn0" / "mark"
    mark.write_text("a guest may have it", encoding="ascii")
    assert resumed(node, started) is Exit.DONE
    assert mark.exists()
    assert node.text(NUMVFS) == "4"


def test_a_value_that_the_run_never_sets_is_refused_when_it_goes_on(tmp_path: Path) -> None:
    node, plan = prepared(tmp_path, "today")
    started = cut_before_live(node, plan)
    node.put(NUMVFS, "3\n")
    with pytest.raises(Refused, match="was 0, and is 3 now"):
        launch.resume(node.directory, started.run)

"""Taking runs back: later work stays unless it is given up, and any run that no later one rests on can be taken back."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from nodes import remove
from prior_states import planned_here

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.apply import launch
from wizard.apply.file_writer import Tree
from wizard.apply.simulated_backend import SimulatedBackend
from wizard.apply.step_executor import StepExecutor
from wizard.cli import main as cli
from wizard.errors import Blocked, Exit, InputError, Refused, UsageError
from wizard.facts import facts
from wizard.model import step_text
from wizard.model.plan import Plan
from wizard.model.steps import RemoveFile, RunCommand, Step, WriteFile, WriteSysfs
from wizard.model.undo_order import Undo
from wizard.node.node import Output
from wizard.planning.later_changes import choices
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.report import text as report
from wizard.runs import store
from wizard.runs.journal import Journal, follow
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

DNSMASQ, CONF, DROP_IN = "/etc/dnsmasq-nova.conf", "/etc/nova/nova.conf", "/etc/default/grub.d/zz-compute-wizard.cfg"
IOMMU = {"iommu": {"enable": True, "passthrough_mode": True}}
ONE = {"gateways": {"network": [{"label": "demo-net", "router": "10.44.1.1", "vlan": 1441}]}}
OTHER = {"gateways": {"network": [{"label": "demo-net", "router": "10.44.1.254", "vlan": 1441}]}}


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path)


def run(node: SimulatedNode, plan: Plan) -> str:
    assert plan.steps
    started = launch.start(node.directory, plan, simulated=True)
    list(follow(started.journal))
    assert launch.result(started) is Exit.DONE
    return started.run


def asked(node: SimulatedNode, data: dict[str, Any]) -> str:
    return run(node, make_plan(facts.read(node), answer_files.from_data(data)))


def back(node: SimulatedNode, name: str | None = None, *changed: str) -> Plan:
    return undo_plan(facts.read(node), node, name, node.directory, choices(list(changed)))


def states(node: SimulatedNode) -> list[str]:
    return [each.state for each in facts.read(node).history.runs]


def files(node: SimulatedNode) -> dict[str, bytes | None]:
    return {path: node.place(path).read_bytes() if node.exists(path) else None for path in (DNSMASQ, CONF, DROP_IN)}


def test_a_run_that_touches_other_things_is_taken_back_out_of_order(node: SimulatedNode) -> None:
    first = files(node)
    one = asked(node, ONE)
    between = files(node)
    two = asked(node, IOMMU)
    run(node, back(node, one))
    assert files(node) == {**first, DROP_IN: files(node)[DROP_IN]}
    assert files(node)[DROP_IN] is not None
    assert between[DROP_IN] is None
    assert states(node) == ["undone", "done", "done"]
    run(node, back(node, two))
    assert files(node) == first
    assert states(node) == ["undone", "undone", "done", "done"]
    with pytest.raises(InputError, match="taken back already"):
        back(node, one)


def test_a_later_run_that_changed_the_same_file_stands_in_the_way_and_is_named(node: SimulatedNode) -> None:
    first = files(node)
    one = asked(node, ONE)
    two = asked(node, OTHER)
    plan = back(node, one)
    finding = next(each for each in plan.findings if each.code == "UNDO-LATER-RUN")
    assert (finding.severity, DNSMASQ in finding.seen, two in finding.seen) == ("blocks", True, True)
    assert f"undo {two}" in finding.do
    with pytest.raises(Blocked):
        launch.start(node.directory, plan, simulated=True)
    run(node, back(node, two))
    assert b"10.44.1.1" in (files(node)[DNSMASQ] or b"")
    run(node, back(node, one))
    assert files(node) == first


def test_an_undo_can_be_taken_back_and_the_run_stands_again(node: SimulatedNode) -> None:
    first = files(node)
    one = asked(node, ONE)
    done = files(node)
    undo = run(node, back(node))
    assert files(node) == first
    again = run(node, back(node, undo))
    assert files(node) == done
    assert states(node) == ["done", "undone", "done"]
    history = facts.read(node).history
    assert [each.undone_by for each in history.runs] == ["", again, ""]
    assert history.last is not None
    assert history.last.id == one
    assert back(node).answers == {}
    run(node, back(node, one))
    assert files(node) == first
    assert states(node) == ["undone", "undone", "done", "done"]


def test_what_was_taken_back_may_be_done_again_by_the_same_plan(node: SimulatedNode) -> None:
    plan = make_plan(facts.read(node), answer_files.from_data(ONE))
    run(node, plan)
    run(node, back(node))
    again = make_plan(facts.read(node), answer_files.from_data(ONE))
    assert again == plan
    run(node, again)
    assert states(node) == ["undone", "done", "done"]


def test_the_answers_afterwards_are_those_of_what_stands(node: SimulatedNode) -> None:
    asked(node, IOMMU)
    two = asked(node, ONE)
    assert set(back(node, two).answers) == {"iommu"}
    undo = run(node, back(node, two))
    assert set(back(node, undo).answers) == {"gateways"}


def _append(node: SimulatedNode, path: str, text: bytes) -> bytes:
    place = node.place(path)
    place.write_bytes(place.read_bytes() + text)
    return place.read_bytes()


def test_later_work_blocks_until_it_is_said_what_becomes_of_it(node: SimulatedNode) -> None:
    asked(node, ONE)
    now = _append(node, DNSMASQ, b"dhcp-option=tag:mine,option:router,10.9.9.9\n")
    plan = back(node)
    assert [(each.code, each.severity) for each in plan.findings] == [("UNDO-CHANGED-SINCE", "blocks")]
    (work,) = plan.later_work
    assert work.path == DNSMASQ
    assert "+dhcp-option=tag:demo-net,option:router,10.44.1.1" in work.run_changed
    assert "+dhcp-option=tag:mine,option:router,10.9.9.9" in work.changed_since
    assert "-dhcp-option=tag:demo-net" in (work.merge or "")
    text = report.plan(plan)
    for word in ("what the run did", "what was done since", "what a merge would do", "--changed keep"):
        assert word in text
    assert files(node)[DNSMASQ] == now


def test_keep_leaves_the_file_and_takes_the_rest_back(node: SimulatedNode) -> None:
    first = files(node)
    asked(node, ONE)
    now = _append(node, DNSMASQ, b"# mine\n")
    run(node, back(node, None, "keep"))
    assert files(node) == {**first, DNSMASQ: now}


def test_restore_gives_the_later_work_up(node: SimulatedNode) -> None:
    first = files(node)
    asked(node, ONE)
    _append(node, CONF, b"# mine\n")
    plan = back(node, None, "restore")
    assert [each.severity for each in plan.findings] == ["warns"]
    run(node, plan)
    assert files(node) == first


def test_merge_takes_out_only_what_the_run_put_in(node: SimulatedNode) -> None:
    first = files(node)
    asked(node, ONE)
    place = node.place(CONF)
    place.write_bytes(b"# mine, above\n" + place.read_bytes())
    place.chmod(0o600)
    _append(node, DNSMASQ, b"# mine\n")
    run(node, back(node, None, "merge"))
    assert files(node)[CONF] == b"# mine, above\n" + (first[CONF] or b"")
    assert place.stat().st_mode & 0o777 == 0o600
    assert (files(node)[DNSMASQ] or b"").endswith(b"# mine\n")
    assert b"demo-net" not in (files(node)[DNSMASQ] or b"")


def test_each_file_may_have_its_own_choice(node: SimulatedNode) -> None:
    first = files(node)
    asked(node, ONE)
    now = _append(node, DNSMASQ, b"# mine\n")
    _append(node, CONF, b"# mine\n")
    run(node, back(node, None, f"{DNSMASQ}=keep", "restore"))
    assert files(node) == {**first, DNSMASQ: now}


def test_what_meets_the_runs_own_lines_is_no_clean_merge(node: SimulatedNode) -> None:
    asked(node, ONE)
    place = node.place(DNSMASQ)
    place.write_bytes(place.read_bytes().replace(b"10.44.1.1", b"10.44.1.7"))
    plan = back(node, None, "merge")
    assert [(each.code, each.severity) for each in plan.findings] == [("UNDO-CHANGED-SINCE", "blocks")]
    assert "a merge is not clean" in report.plan(plan)
    assert plan.stopped


def test_an_option_that_would_move_to_another_section_is_no_clean_merge(tmp_path: Path) -> None:
    """The run made a section at the end; somebody wrote an option of their own below it."""
    node = simulate(built_in("today"), tmp_path)
    place = node.place(CONF)
    place.write_bytes(b"[DEFAULT]\nmy_ip = 10.0.0.9\n[compute]\nx = 1\n")
    plan = make_plan(facts.read(node), suggestion.suggest(facts.read(node)))
    run(node, plan)
    assert b"[pci]" in place.read_bytes()
    place.write_bytes(place.read_bytes().rstrip(b"\n") + b"\nreport_in_placement = true\n")
    undo = back(node, None, "merge")
    assert [each.severity for each in undo.findings if each.code == "UNDO-CHANGED-SINCE"] == ["blocks"]


def test_a_mode_that_was_changed_since_is_later_work(node: SimulatedNode) -> None:
    asked(node, ONE)
    node.place(CONF).chmod(0o604)
    plan = back(node)
    assert "mode" in plan.later_work[0].changed_since
    assert plan.stopped
    run(node, back(node, None, "merge"))
    assert node.place(CONF).stat().st_mode & 0o777 == 0o604


def test_a_file_that_is_gone_since_comes_back_only_if_asked(node: SimulatedNode) -> None:
    first = files(node)
    asked(node, ONE)
    node.place(CONF).unlink()
    assert back(node).stopped
    assert back(node, None, "merge").stopped
    run(node, back(node, None, "restore"))
    assert files(node) == first


def test_a_removed_file_comes_back_with_its_attributes(node: SimulatedNode) -> None:
    asked(node, IOMMU)
    place = node.place(DROP_IN)
    try:
        os.setxattr(place, "user.note", b"kept")
    except OSError:
        pytest.skip("kernel: this file system has no user attributes")
    plan = make_plan(facts.read(node), answer_files.from_data({"iommu": {"enable": False}}))
    assert any(isinstance(step, RemoveFile) and step.path == DROP_IN for step in plan.steps)
    run(node, plan)
    run(node, back(node))
    assert os.getxattr(place, "user.note") == b"kept"


def test_an_attribute_that_was_set_since_is_later_work(tmp_path: Path) -> None:
    node = simulate(built_in("today"), tmp_path)
    plan = make_plan(facts.read(node), suggestion.suggest(facts.read(node)))
    run(node, plan)
    step = next(s for s in plan.steps if isinstance(s, WriteSysfs) and s.path.endswith("sriov_numvfs"))
    node.set_attribute(step.path, "0")
    assert not [s for s in back(node).steps if isinstance(s, WriteSysfs) and s.path == step.path]  # as before already
    node.set_attribute(step.path, "2")
    undo = back(node)
    assert (undo.stopped, undo.later_work[0].path) == (True, step.path)
    kept = back(node, None, "keep")
    assert not [s for s in kept.steps if isinstance(s, WriteSysfs) and s.path == step.path]
    moves = [(s.before, s.after) for s in back(node, None, "restore").steps if isinstance(s, WriteSysfs)]
    assert ("2", step.before) in moves


def test_secrets_in_later_work_are_masked(node: SimulatedNode) -> None:
    asked(node, ONE)
    _append(node, CONF, b"[other]\nadmin_password = hunter2-hunter2\n")
    text = report.plan(back(node)) + back(node).masked().to_json()
    assert "hunter2" not in text
    assert "admin_password" in text


def test_kernel_arguments_that_were_there_before_stay(node: SimulatedNode) -> None:
    place = node.place("/etc/default/grub.d/50-cloudimg-settings.cfg")
    old = place.read_text(encoding="utf-8")
    place.write_text(old.replace('LINUX_DEFAULT="', 'LINUX_DEFAULT="intel_iommu=on '), encoding="utf-8")
    node.obey(["update-grub"])
    asked(node, IOMMU)
    run(node, back(node))
    node.reboot()
    assert "intel_iommu=on" in (node.text("/proc/cmdline") or "")
    assert "iommu=pt" not in (node.text("/proc/cmdline") or "").split()


def _grubby_node(*arguments: str, settings: str = "") -> Plan:
    node = built_in("today")
    for path in [path for path in node.entries if "grub" in path]:
        remove(node, path)
    node.write("/usr/sbin/grubby", "", mode=0o755)
    node.write("/etc/default/grub", f"GRUB_ENABLE_BLSCFG=true\n{settings}")
    lines = [
        f'index={number}\nkernel="/boot/vmlinuz-{number}"\nargs="{words}"\nroot="UUID=1"\ntitle="a"\n'
        for number, words in enumerate(arguments)
    ]
    argv = ("grubby", "--info=ALL")
    node.commands[argv] = Output(argv, 0, "".join(lines), "")
    return make_plan(facts.read(node), answer_files.from_data(IOMMU))


def test_grubby_takes_out_only_what_a_kernel_did_not_have_before() -> None:
    words = "intel_iommu=on iommu=pt"
    same = [step for step in _grubby_node("ro quiet", "ro").steps if isinstance(step, RunCommand)]
    assert [step.argv for step in same] == [("grubby", "--update-kernel=ALL", "--args=iommu=pt intel_iommu=on")]
    mixed = [
        step for step in _grubby_node("ro quiet", f"ro {words}", "ro iommu=pt").steps if isinstance(step, RunCommand)
    ]
    assert [step.undo for step in mixed] == [
        ("grubby", "--update-kernel=/boot/vmlinuz-0", f"--remove-args={words}"),
        ("grubby", "--update-kernel=/boot/vmlinuz-2", "--remove-args=intel_iommu=on"),
    ]
    assert [step for step in _grubby_node(words, words).steps if isinstance(step, RunCommand)] == []


@pytest.mark.parametrize(
    ("settings", "kernel"),
    [
        ('GRUB_CMDLINE_LINUX="rhgb quiet"\n# iommu=pt\n', "ALL"),
        ('GRUB_CMDLINE_LINUX="rhgb iommu=pt"\n', "/boot/vmlinuz-0"),  # an edit that never had an effect
    ],
)
def test_grubby_takes_nothing_out_of_its_settings_that_stood_there_before(settings: str, kernel: str) -> None:
    """With ALL it takes the arguments out of /etc/default/grub, too."""
    (step,) = [step for step in _grubby_node("ro quiet", settings=settings).steps if isinstance(step, RunCommand)]
    assert step.argv[1] == f"--update-kernel={kernel}"
    assert step.undo == ("grubby", f"--update-kernel={kernel}", "--remove-args=intel_iommu=on iommu=pt")


def test_an_argument_of_the_same_key_goes_along_and_comes_back() -> None:
    """grubby replaces it: intel_iommu=sm_on would be lost."""
    (step,) = [step for step in _grubby_node("ro intel_iommu=sm_on").steps if isinstance(step, RunCommand)]
    assert step.argv[2] == "--args=iommu=pt intel_iommu=sm_on,on"
    assert step.undo is not None
    assert step.undo[2:] == ("--remove-args=iommu=pt", "--args=intel_iommu=sm_on")


def test_the_command_line_says_how_to_go_on(node: SimulatedNode, capsys: pytest.CaptureFixture[str]) -> None:
    """Below a root that is no simulation only the files count."""
    root = str(node.directory)
    asked(node, ONE)
    _append(node, DNSMASQ, b"# mine\n")
    assert cli.main(["undo", "--root", root, "--yes"]) == Exit.BLOCKED
    said = capsys.readouterr()
    assert "UNDO-CHANGED-SINCE" in said.out
    assert "+# mine" in said.out
    assert "UNDO-CHANGED-SINCE" in said.err
    assert cli.main(["undo", "--root", root, "--yes", "--changed", "burn"]) == Exit.USAGE


@pytest.mark.parametrize("word", ["", "Keep", "etc/x=keep", "/etc/x=", "/etc/x"])
def test_words_that_are_no_choice_are_refused(word: str) -> None:
    with pytest.raises(UsageError):
        choices([word])


def test_a_write_that_is_kept_is_not_in_the_plan(node: SimulatedNode) -> None:
    asked(node, ONE)
    _append(node, DNSMASQ, b"# mine\n")
    paths = [step.path for step in back(node, None, "keep").steps if isinstance(step, WriteFile | RemoveFile)]
    assert paths == [CONF]


def test_a_rollback_does_not_overwrite_what_somebody_changed_meanwhile(node: SimulatedNode) -> None:
    """Between the step that wrote the file and the failure that has the run taken back."""
    plan = make_plan(facts.read(node), answer_files.from_data(ONE))
    step = next(step for step in plan.steps if isinstance(step, WriteFile) and step.path == DNSMASQ)
    run_directory = store.new_run(node.directory)[1]
    carrier = StepExecutor(
        Tree(node.directory), SimulatedBackend(node.directory), run_directory, Journal(run_directory / "journal.jsonl")
    )
    carrier.carry(1, step)
    now = _append(node, DNSMASQ, b"# mine\n")
    with pytest.raises(Refused, match="changed by somebody else"):
        carrier.undo(Undo("file", (1,), step), [step])
    assert files(node)[DNSMASQ] == now
    node.place(DNSMASQ).write_bytes(step.after.data())
    carrier.undo(Undo("file", (1,), step), [step])
    assert files(node)[DNSMASQ] is None
    carrier.journal.close()


def test_a_run_that_was_cut_before_its_first_step_is_ended_by_undo(node: SimulatedNode) -> None:
    stood = asked(node, ONE)
    cut = launch.save(
        node.directory, make_plan(facts.read(node), answer_files.from_data(OTHER)), "rollback", "simulated"
    )
    with closing(Journal(cut.journal)) as journal:
        journal.write("begin", run=cut.run, steps=9, boot_id="")
    assert states(node) == ["done", "interrupted"]
    assert cli.main(["undo", "--root", str(node.directory), "--yes"]) == Exit.DONE
    assert states(node) == ["done", "undone", "done"]
    last = facts.read(node).history.last
    assert last is not None and last.id == stood


@pytest.mark.parametrize(("name", "command"), [("demo", "compute-wizard-metadata"), ("today", "sriov_numvfs")])
def test_what_a_boot_did_in_place_of_a_run_that_was_cut_is_taken_back_too(
    name: str, command: str, tmp_path: Path
) -> None:
    """The unit was enabled, then the power went: the boot applied the rule, or made the VFs, that the run had not come to."""
    node = simulate(built_in(name), tmp_path)
    cut_before(node, lambda step: step.phase == "live" and command in step_text.title(step))
    before = back(node)
    node.reboot()
    made = {name for name in node.names("/sys/bus/pci/devices/0000:3b:00.0") if name.startswith("virtfn")}
    assert node.state()["rules"] or made
    after = back(node)
    assert len(after.steps) > len(before.steps)
    run(node, after)
    assert node.state()["rules"] == []
    assert not [name for name in node.names("/sys/bus/pci/devices/0000:3b:00.0") if name.startswith("virtfn")]


def test_what_no_boot_can_have_done_is_not_asked_for(node: SimulatedNode) -> None:
    """The script was not written yet when the power went: it is not to be run now."""
    before = files(node)
    cut_before(node, lambda step: isinstance(step, WriteFile) and "sbin" in step.path)
    node.reboot()
    assert "compute-wizard-metadata" not in " ".join(step_text.title(step) for step in back(node).steps)
    run(node, back(node))
    assert files(node) == before


def cut_before(node: SimulatedNode, chosen: Callable[[Step], bool]) -> None:
    """Carry out what would be suggested, and be gone before the step that is chosen."""
    plan = planned_here(node)
    started = launch.save(node.directory, plan, "stop", "simulated")
    with closing(Journal(started.journal)) as journal:
        steps = StepExecutor(Tree(node.directory), SimulatedBackend(node.directory), started.directory, journal)
        journal.write("begin", run=started.run, boot_id=node.text("/proc/sys/kernel/random/boot_id"))
        for number, step in enumerate(plan.steps, 1):
            if chosen(step):
                return
            journal.write("step", n=number, title="")
            steps.carry(number, step)

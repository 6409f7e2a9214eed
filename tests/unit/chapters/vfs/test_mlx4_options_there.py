"""What is set for mlx4_core already: understood, kept where it says what is asked for, and never written over in silence."""

from __future__ import annotations

import pytest
from nodes import CX3, codes, found, origin, planned, second_card

from wizard.answers import suggestion
from wizard.chapters.vfs import chapter as vfs
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.model.steps import WriteFile
from wizard.node.recorded import MemoryNode

OPTIONS, THEIRS = "/etc/modprobe.d/mlx4_core.conf", "/etc/modprobe.d/mlx4.conf"
PARAMETER, VERSION = "/sys/module/mlx4_core/parameters/num_vfs", "/sys/module/mlx4_core/version"
HERE, THERE = "0000:04:00.0", "0000:05:00.0"
ADDRESSES = f"{HERE}-5,{THERE}-7"


def having(options: str, path: str = THEIRS) -> MemoryNode:
    node = origin()
    node.write(path, f"options mlx4_core {options}\n")
    for port in "12":  # with InfiniBand, one number alone is valid
        node.write(f"{CX3}/mlx4_port{port}", "eth\n")
        node.write(f"{CX3}/infiniband/mlx4_0/ports/{port}/link_layer", "Ethernet\n")
    return node


def counts(node: MemoryNode) -> list[object]:
    mine = suggestion.suggest(facts.read(node)).of(vfs.Answers)
    assert mine is not None
    return [card.count for card in mine.card if {HERE, THERE, "MT1644X02937"} & set(str(card.match).split())]


def written(plan: Plan) -> str:
    """What the plan puts into our option file; empty where it leaves it."""
    steps = [step for step in plan.steps if isinstance(step, WriteFile) and step.path == OPTIONS]
    return steps[0].after.data().decode() if steps else ""


@pytest.mark.parametrize(("value", "count"), [("0,0,8", 8), ("4,4", 8), ("4,4,2", 10), (f"{HERE}-5", 5)])
def test_a_value_that_says_what_is_asked_for_is_suggested_and_stays(value: str, count: int) -> None:
    node, missing = having(f"num_vfs={value} probe_vf=0"), having(f"num_vfs={value}")
    for each in (node, missing):
        each.write(VERSION, "4.9-4.1.7\n")
    assert counts(node) == [count]
    plan = planned(node)
    assert written(plan) == ""
    assert [finding for finding in plan.findings if finding.chapter == "vfs" and finding.severity == "blocks"] == []
    assert written(planned(missing)) == f"options mlx4_core num_vfs={value} probe_vf=0\n"


def test_numbers_by_port_are_not_made_one_number_in_silence() -> None:
    card = {"match": {"serial": "MT1644X02937"}, "count": 6}
    plan = planned(having("num_vfs=4,4 probe_vf=0", OPTIONS), vfs={"card": [card]})
    finding = found(plan, "VFS-MLX4-FORM")
    assert (finding.severity, finding.seen) == ("warns", f"{OPTIONS}: num_vfs=4,4")
    assert "4 VFs on port 1, 4 on port 2" in finding.why
    assert written(plan) == "options mlx4_core num_vfs=6 probe_vf=0\n"
    both = planned(having("num_vfs=0,0,8 probe_vf=0", OPTIONS), vfs={"card": [card]})
    assert "VFS-MLX4-FORM" not in codes(both)


def test_what_the_host_keeps_is_never_set_beside_ports_that_have_none() -> None:
    card = {"match": {"serial": "MT1644X02937"}, "count": 8, "host_vfs": 2}
    plan = planned(having("num_vfs=4,4 probe_vf=0", OPTIONS), vfs={"card": [card]})
    assert written(plan) == "options mlx4_core num_vfs=8 probe_vf=2\n"
    assert "VFS-MLX4-FORM" in codes(plan)


def test_a_number_for_each_card_is_kept_for_each_of_them() -> None:
    node = having(f"num_vfs={ADDRESSES} probe_vf=0")
    node.write(VERSION, "4.9-4.1.7\n")
    second_card(node)
    assert counts(node) == [5, 7]
    plan = planned(node)
    assert "VFS-MLX4-DISAGREE" not in codes(plan)
    finding = found(plan, "VFS-MLX4-FORM")
    assert (finding.severity, finding.seen) == ("tells", f"{THEIRS}: num_vfs={ADDRESSES}")
    assert written(plan) == ""
    cards = [{"match": {"address": address}, "count": 6} for address in (HERE, THERE)]
    other = planned(node, vfs={"card": cards})
    assert found(other, "VFS-MLX4-FORM").severity == "warns"
    assert "num_vfs=6 is put in its place" in found(other, "VFS-MLX4-FORM").do


@pytest.mark.parametrize(
    ("running", "version", "kept"),
    [("\n", "4.0-0\n", False), ("\n", "", False), ("\n", "4.9-4.1.7\n", True), (f"{ADDRESSES}\n", "4.0-0\n", True)],
)
def test_the_kernel_s_own_driver_does_not_load_with_addresses(running: str, version: str, kept: bool) -> None:
    node = having(f"num_vfs={ADDRESSES} probe_vf=0")
    second_card(node)
    node.write(PARAMETER, running)
    if version:
        node.write(VERSION, version)
    plan = planned(node)
    assert counts(node) == ([5, 7] if kept else [5, 5])
    assert found(plan, "VFS-MLX4-FORM").severity == ("tells" if kept else "warns")
    assert written(plan) == ("" if kept else "options mlx4_core num_vfs=5 probe_vf=0\n")
    assert plan.blocked == ()


def test_a_kernel_that_knows_one_number_alone() -> None:
    node = having("num_vfs=0,0,8 probe_vf=0", OPTIONS)
    node.write("/proc/sys/kernel/osrelease", "3.13.0-170-generic\n")
    plan = planned(node)
    assert facts.read(node).system.kernel == "3.13.0-170-generic"
    assert "kernel 3.13.0-170-generic knows one number alone" in found(plan, "VFS-MLX4-FORM").why
    assert written(plan) == "options mlx4_core num_vfs=8 probe_vf=0\n"


def test_a_form_that_is_not_known_is_told_and_what_runs_is_suggested() -> None:
    node = having("num_vfs=0000:04:00.0-1-2-3 probe_vf=0")
    node.write(f"{CX3}/sriov_numvfs", "6\n")
    assert counts(node) == [6]
    finding = found(planned(node), "VFS-MLX4-FORM")
    assert (finding.severity, "none of the forms" in finding.why) == ("warns", True)
    assert "num_vfs=6 is put in its place" in finding.do


def test_two_cards_are_suggested_what_both_can_have() -> None:
    node = origin()
    second_card(node, total=8)
    assert counts(node) == [8, 8]
    plan = planned(node)
    assert not {"VFS-MLX4-DISAGREE", "VFS-ABOVE-LIMIT", "VFS-MLX4-ALL-CARDS"} & codes(plan)
    assert plan.blocked == ()


def test_what_is_set_and_only_one_card_can_have_is_suggested_for_that_one() -> None:
    node = having("num_vfs=16 probe_vf=0")
    second_card(node, total=8)
    assert counts(node) == [16]
    plan = planned(node)
    assert plan.blocked == ()
    finding = found(plan, "VFS-MLX4-ALL-CARDS")
    assert finding.severity == "warns"
    assert "gets none" in finding.why


@pytest.mark.parametrize(
    ("numbers", "says", "do"),
    [
        ({"total": 16}, "this one gets 16 VFs as well", "same numbers"),
        (
            {"total": 8},
            "it offers 8: the driver then goes on without SR-IOV on that card, which gets none.",
            "count = 8 ",
        ),
        ({"total": 8, "num": 4}, "gets none, and the 4 that it has now are gone after the reboot.", "count = 8 "),
    ],
)
def test_what_a_card_gets_that_no_answer_names(numbers: dict[str, int], says: str, do: str) -> None:
    node = origin()
    second_card(node, **numbers)
    finding = found(planned(node, vfs={"card": [{"match": {"address": HERE}, "count": 16}]}), "VFS-MLX4-ALL-CARDS")
    assert THERE in finding.seen
    assert says in finding.why
    assert do in finding.do


def test_the_file_that_has_the_last_word_is_named() -> None:
    node = having("num_vfs=4", "/usr/lib/modprobe.d/zz.conf")
    finding = found(planned(node, vfs={"card": [{"match": {"address": HERE}, "count": 16}]}), "VFS-OPTION-OVERRIDDEN")
    assert finding.seen == f"num_vfs would be 4, set after {OPTIONS} by /usr/lib/modprobe.d/zz.conf"

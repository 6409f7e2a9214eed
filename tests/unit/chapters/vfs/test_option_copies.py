"""Whether an initramfs holds the options of mlx4_core: those of every file that modprobe would read there, not of ours alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.chapters.vfs import mlx4
from wizard.facts import facts
from wizard.model.findings import Check
from wizard.model.plan import Plan
from wizard.model.steps import HoldsFile, RunCommand
from wizard.planning.planner import make_plan
from wizard.planning.verification import verify
from wizard.simulator.boot import archive
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

IMAGE = "/boot/initrd.img-4.4.0-210-generic"
OPTIONS, THEIRS, PACKAGED = (
    f"/{place}/modprobe.d/mlx4{end}.conf" for place, end in (("etc", "_core"), ("etc", ""), ("lib", ""))
)
SET = "options mlx4_core num_vfs=16 probe_vf=0\n"
REBUILD = ("update-initramfs", "-u", "-k", "all")


@pytest.fixture
def demo(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path / "node")


def put(node: SimulatedNode, path: str, text: str) -> None:
    place = node.place(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def planned(node: SimulatedNode) -> Plan:
    seen = facts.read(node)
    return make_plan(seen, suggestion.suggest(seen))


def rebuild(plan: Plan) -> list[RunCommand]:
    return [step for step in plan.steps if isinstance(step, RunCommand) and step.argv == REBUILD]


def checks(node: SimulatedNode) -> dict[str, Check]:
    seen = facts.read(node)
    return {check.what: check for check in verify(seen, suggestion.suggest(seen))}


@pytest.mark.parametrize("path", [THEIRS, PACKAGED, "/etc/modprobe.d/zz-local.conf", OPTIONS])
def test_an_option_in_any_file_has_to_be_in_the_image(demo: SimulatedNode, path: str) -> None:
    put(demo, path, SET)
    (step,) = rebuild(planned(demo))
    assert [(proof.path, isinstance(proof, HoldsFile)) for proof in step.proves] == [(path, True)]  # type: ignore[union-attr]
    held = checks(demo)[f"Each initramfs holds {path}"]
    assert (held.state, held.seen) == ("failed", f"{IMAGE} does not hold {path} as it is")
    assert checks(demo)["0000:04:00.0 has 16 VFs"].state == "failed"
    demo.obey(REBUILD)
    assert rebuild(planned(demo)) == []
    assert checks(demo)[f"Each initramfs holds {path}"].state == "held"
    assert checks(demo)["0000:04:00.0 has 16 VFs"].state == "pending"
    assert [what for what in checks(demo) if what.startswith("Each initramfs")] == [f"Each initramfs holds {path}"]


def test_an_image_with_an_older_word_of_another_file(demo: SimulatedNode) -> None:
    put(demo, "/etc/modprobe.d/zz-local.conf", "options mlx4_core num_vfs=4\n")
    demo.obey(REBUILD)
    put(demo, OPTIONS, SET)
    put(demo, "/etc/modprobe.d/zz-local.conf", "# options mlx4_core num_vfs=4\n")
    demo.put(
        IMAGE, archive({OPTIONS[1:]: SET.encode(), "etc/modprobe.d/zz-local.conf": b"options mlx4_core num_vfs=4\n"})
    )
    (step,) = rebuild(planned(demo))
    assert {proof.path for proof in step.proves if isinstance(proof, HoldsFile)} == {
        OPTIONS,
        "/etc/modprobe.d/zz-local.conf",
    }
    demo.place("/etc/modprobe.d/zz-local.conf").unlink()
    assert mlx4.initramfs_lacks(facts.read(demo), {}) == f"{IMAGE} still holds /etc/modprobe.d/zz-local.conf"
    demo.obey(REBUILD)
    assert rebuild(planned(demo)) == []


def test_other_files_of_the_image_are_no_matter_of_ours(demo: SimulatedNode) -> None:
    put(demo, OPTIONS, SET)
    demo.put(IMAGE, archive({OPTIONS[1:]: SET.encode(), "etc/modprobe.d/x.conf": b"blacklist x\n"}))
    put(demo, "/etc/modprobe.d/y.conf", "options other a=1\n")
    assert rebuild(planned(demo)) == []


def test_a_packaged_file_that_one_of_the_same_name_hides(demo: SimulatedNode) -> None:
    put(demo, PACKAGED, "options mlx4_core num_vfs=4\n")
    demo.obey(REBUILD)
    put(demo, THEIRS, SET)
    assert rebuild(planned(demo)) != []
    demo.obey(REBUILD)
    assert rebuild(planned(demo)) == []
    demo.place(THEIRS).unlink()
    assert mlx4.initramfs_lacks(facts.read(demo), {}) == f"{IMAGE} still holds {THEIRS}"


def test_what_is_set_in_run_is_gone_at_the_next_boot(demo: SimulatedNode) -> None:
    put(demo, "/run/modprobe.d/mlx4.conf", SET)
    plan = planned(demo)
    assert OPTIONS in {getattr(step, "path", "") for step in plan.steps}
    (step,) = rebuild(plan)
    assert [proof.path for proof in step.proves if isinstance(proof, HoldsFile)] == [OPTIONS]


def test_the_simulated_driver_knows_numbers_by_port(demo: SimulatedNode) -> None:
    put(demo, THEIRS, "options mlx4_core num_vfs=0,0,8 probe_vf=0\n")
    demo.obey(REBUILD)
    demo.reboot()
    assert checks(demo)["0000:04:00.0 has 8 VFs"].state == "held"


def test_vfs_that_no_option_asks_for_any_more_go_with_the_reboot(demo: SimulatedNode) -> None:
    put(demo, OPTIONS, SET)
    demo.obey(REBUILD)
    demo.reboot()
    none = answer_files.from_data({"vfs": {"card": [{"match": {"address": "0000:04:00.0"}, "count": 0}]}})

    def now() -> tuple[str, str]:
        found = [each for each in verify(facts.read(demo), none) if each.what.startswith("0000:04:00.0")]
        assert len(found) == 1
        return found[0].state, found[0].what

    theirs, ours = "0000:04:00.0 gets no VFs from this tool", "0000:04:00.0 has 0 VFs"
    assert now() == ("held", theirs)  # somebody else's option: shown, and no failure
    demo.place(OPTIONS).unlink()
    assert now() == ("failed", ours)
    demo.obey(REBUILD)
    assert now() == ("pending", ours)
    demo.reboot()
    assert now() == ("held", ours)

"""GUIDs of InfiniBand VFs: given once, set at each boot by the script, read back; and nothing is made up in silence."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodes import answered, found, planned, today

from wizard.answers import alternatives, suggestion
from wizard.answers import files as answer_files
from wizard.apply import launch
from wizard.chapters.shared import guids
from wizard.chapters.vfs import chapter, sriov
from wizard.errors import Exit, InputError
from wizard.facts import facts
from wizard.model.steps import RunCommand, WriteFile
from wizard.node.node import Output
from wizard.node.recorded import MemoryNode
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.planning.verification import verify
from wizard.runs.journal import follow
from wizard.simulator.built_in import simulate

ADDRESS = "0000:3b:00.0"
LIST = "0250:56ff:fe00:0001-0250:56ff:fe00:0008"
SHELLS = ("dash", "bash", "busybox sh")


def infiniband() -> MemoryNode:
    """The ConnectX-5 of `today` as an InfiniBand card; modelled."""
    node = today()
    for path in [path for path in node.entries if path.endswith("/link_layer") and "/0000:3b:00." in path]:
        node.write(path, "InfiniBand\n")
    return node


def asked(count: int = 4, given: str = LIST, **more: Any) -> dict[str, Any]:
    return {"card": [{"match": {"address": ADDRESS}, "count": count, "guids": given, **more}]}


def test_what_is_suggested_is_of_this_node_and_port_and_stands_in_the_answers() -> None:
    seen = facts.read(infiniband())
    mine = suggestion.suggest(seen).of(chapter.Answers)
    assert mine is not None
    (card,) = [card for card in mine.card if card.guids]
    every = guids.parse(card.guids)
    ports = [function for function in seen.pci.functions if function.is_infiniband and not function.is_vf]
    assert len(every) == sum(function.total_vfs or 0 for function in ports) == len(set(every))
    assert all(each >> 57 & 1 and not each >> 56 & 1 for each in every)  # locally administered, and no group's
    assert suggestion.suggest(seen).to_data() == suggestion.suggest(seen).to_data()
    assert "guids" not in str(suggestion.suggest(facts.read(today())).to_data())


def test_of_other_cards_the_answers_say_nothing_of_it() -> None:
    text = answer_files.to_toml(suggestion.suggest(facts.read(today())), {})
    assert "guids" not in text and "policy" not in text


def test_the_unit_and_the_step_now_carry_the_guids_that_are_shown() -> None:
    plan = planned(infiniband(), vfs=asked(3))
    (unit,) = [
        step for step in plan.steps if isinstance(step, WriteFile) and "compute-wizard-vfs-0000-3b-00-0" in step.path
    ]
    words = "guids=02:50:56:ff:fe:00:00:01,02:50:56:ff:fe:00:00:02,02:50:56:ff:fe:00:00:03 policy=follow"
    assert words in unit.after.data().decode()
    (step,) = [step for step in plan.steps if isinstance(step, RunCommand) and step.argv[0] == sriov.SCRIPT]
    assert " ".join(step.argv).endswith(words)
    assert found(plan, "VFS-IB-GUID").severity == "tells"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (asked(9), "8 GUIDs for 9 VFs"),
        (asked(2, "0250:56ff:fe00:0001"), "1 GUIDs for 2 VFs"),
        (
            {"card": [*asked(2)["card"], {"match": {"address": "0000:3b:00.1"}, "count": 2, "guids": LIST}]},
            "is VF 0 of 0000:3b:00.0",
        ),
    ],
)
def test_too_few_or_twice_is_refused(answers: dict[str, Any], said: str) -> None:
    finding = found(planned(infiniband(), vfs=answers), "VFS-IB-GUID")
    blocks = [
        each
        for each in planned(infiniband(), vfs=answers).findings
        if each.code == "VFS-IB-GUID" and each.severity == "blocks"
    ]
    assert finding and said in blocks[0].seen


def test_the_ports_own_guid_is_refused() -> None:
    node = infiniband()
    own = next(
        device.node_guid for each in facts.read(node).pci.functions for device in each.rdma if each.address == ADDRESS
    )
    blocks = [each for each in planned(node, vfs=asked(1, own)).findings if each.severity == "blocks"]
    assert any("the GUID of" in each.seen for each in blocks if each.code == "VFS-IB-GUID")


def test_on_ethernet_they_are_refused() -> None:
    blocks = [each for each in planned(today(), vfs=asked()).findings if each.code == "VFS-IB-GUID"]
    assert [each.severity for each in blocks] == ["blocks"]


@pytest.mark.parametrize(
    "text", ["x", "0:0:0:0", "0000:0000:0000:0000", "ffff:ffff:ffff:ffff", f"{LIST},0250:56ff:fe00:0003", "2-1"]
)
def test_what_is_no_guid_is_one_clear_message(text: str) -> None:
    with pytest.raises(InputError, match="guids"):
        answered(facts.read(infiniband()), vfs=asked(1, text))


@given(st.integers(1, 2**64 - 2), st.integers(1, 40))
def test_every_way_of_writing_is_read(first: int, count: int) -> None:
    last = min(first + count - 1, 2**64 - 2)
    text = f"{guids.written(first)}-{guids.by_bytes(last)}"
    assert guids.parse(text) == tuple(range(first, last + 1))
    assert guids.parse(", ".join(map(guids.written, range(first, last + 1)))) == guids.parse(text)


def test_the_whole_way_and_back(tmp_path: Path) -> None:
    node = simulate(infiniband(), tmp_path)
    answers = answered(facts.read(node), vfs=asked(4), passthrough=None)
    started = launch.start(node.directory, make_plan(facts.read(node), answers), simulated=True)
    list(follow(started.journal))
    assert launch.result(started) is Exit.DONE
    wanted = tuple(f"02505 6fffe00000{each}".replace(" ", "") for each in (1, 2, 3, 4))
    for _ in ("now", "after a reboot"):
        (port,) = [each for each in facts.read(node).pci.functions if each.address == ADDRESS]
        assert port.vf_guids == wanted
        states = {check.what: check.state for check in verify(facts.read(node), answers)}
        assert states[f"VFs of {ADDRESS} have the GUIDs of the answers"] == "held"
        assert [step for step in make_plan(facts.read(node), answers).steps if "vfs" in step.chapters] == []
        node.reboot()
    back = launch.start(node.directory, undo_plan(facts.read(node), node, None, node.directory), simulated=True)
    list(follow(back.journal))
    assert launch.result(back) is Exit.DONE
    (port,) = [each for each in facts.read(node).pci.functions if each.address == ADDRESS]
    assert (port.num_vfs, port.vf_guids) == (0, None)


def test_ip_says_them_where_the_driver_has_no_files() -> None:
    node = infiniband()
    node.write(node.resolve(f"/sys/bus/pci/devices/{ADDRESS}") + "/sriov_numvfs", "2\n")
    name = next(each.netdevs[0].name for each in facts.read(node).pci.functions if each.address == ADDRESS)
    line = "    vf {0}     link/infiniband 00:00 brd 00:ff, NODE_GUID 02:50:56:ff:fe:00:00:0{1}, PORT_GUID 02:50:56:ff:fe:00:00:0{2}, link-state auto"
    argv = ("ip", "link", "show", "dev", name)
    node.commands[argv] = Output(argv, 0, "\n".join(["7: ib0: <UP>", line.format(0, 1, 1), line.format(1, 2, 3)]), "")
    (port,) = [each for each in facts.read(node).pci.functions if each.address == ADDRESS]
    assert port.vf_guids == ("025056fffe000001", "")
    node.commands.clear()
    (port,) = [each for each in facts.read(node).pci.functions if each.address == ADDRESS]
    assert port.vf_guids is None


def machine(tmp_path: Path, files: bool, held: str = "") -> tuple[Path, Path]:
    """A card with two VFs in a sysfs of its own, and the script that looks there; `held` is the driver of its second VF."""
    pf = tmp_path / "sys/bus/pci/devices" / ADDRESS
    (pf / "net/ib0").mkdir(parents=True)
    for name, value in {"vendor": "0x15b3", "device": "0x1017", "sriov_numvfs": "2", "sriov_totalvfs": "8"}.items():
        (pf / name).write_text(f"{value}\n")
    for driver in ("mlx5_core", "vfio-pci"):
        (tmp_path / "sys/bus/pci/drivers" / driver).mkdir(parents=True)
    (pf / "driver").symlink_to("../../drivers/mlx5_core")
    for number in range(2):
        vf = pf.parent / f"0000:3b:00.{number + 2}"
        vf.mkdir()
        (pf / f"virtfn{number}").symlink_to(f"../{vf.name}")
        if files:
            (pf / f"sriov/{number}").mkdir(parents=True)
            for name in ("node", "port", "policy"):
                (pf / f"sriov/{number}/{name}").write_text(
                    "Down\n" if name == "policy" else "00:00:00:00:00:00:00:00\n"
                )
    if held:
        (pf.parent / "0000:3b:00.3/driver").symlink_to(f"../../drivers/{held}")
    source = Path(__file__).parents[4] / "assets/node/compute-wizard-vfs"
    text = (
        source.read_text()
        .replace("SYSFS=/sys PROC=/proc", f"SYSFS={tmp_path}/sys PROC=/proc")
        .replace("PATIENCE=60", "PATIENCE=1")
    )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ip").write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/said\n')
    (tmp_path / "bin/ip").chmod(0o755)
    script = tmp_path / "script"
    script.write_text(text.replace("PATH=/usr/sbin:", f"PATH={tmp_path}/bin:/usr/sbin:"))
    return script, pf


GUIDS = "guids=02:50:56:ff:fe:00:00:01,02:50:56:ff:fe:00:00:02"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("held", ["", "vfio-pci"])
def test_the_script_by_the_drivers_files(tmp_path: Path, shell: str, held: str) -> None:
    script, pf = machine(tmp_path, files=True, held=held)
    done = subprocess.run(
        [*shell.split(), str(script), ADDRESS, "15b3", "1017", "none", "2", GUIDS, "policy=up"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = [
        [(pf / f"sriov/{number}/{name}").read_text().strip() for name in ("node", "port", "policy")]
        for number in range(2)
    ]
    assert said[0] == ["02:50:56:ff:fe:00:00:01", "02:50:56:ff:fe:00:00:01", "Up"]
    assert said[1][0] == ("00:00:00:00:00:00:00:00" if held else "02:50:56:ff:fe:00:00:02")
    assert ("a guest may have it" in done.stderr) is bool(held)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_by_ip(tmp_path: Path, shell: str) -> None:
    script, _ = machine(tmp_path, files=False)
    words = [ADDRESS, "15b3", "1017", "none", "2", GUIDS, "policy=follow"]
    done = subprocess.run([*shell.split(), str(script), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "said").read_text().splitlines() == [
        f"link set dev ib0 vf {number} {what}"
        for number, guid in ((0, "02:50:56:ff:fe:00:00:01"), (1, "02:50:56:ff:fe:00:00:02"))
        for what in (f"node_guid {guid}", f"port_guid {guid}", "state auto")
    ]


def test_answers_for_many_nodes_hold_no_guids_of_one() -> None:
    seen = facts.read(infiniband())
    answers, lost = alternatives.portable(seen, suggestion.suggest(seen))
    assert "guids" not in str(answers.to_data())
    assert any("GUIDs are left out" in each for each in lost["vfs"])

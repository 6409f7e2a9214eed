"""A config drive for each new guest: asked, written, checked, taken back, and left to whoever owns nova.conf."""

from __future__ import annotations

import pytest
from neutron_nodes import ovn, ovs_agent
from nodes import codes, found, planned, remove, today

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.chapters.metadata import chapter, config_drive
from wizard.errors import InputError
from wizard.facts import facts
from wizard.facts.nova import config_drive as programs
from wizard.model.answers import AllAnswers
from wizard.model.plan import Plan
from wizard.model.steps import WriteFile
from wizard.node.recorded import MemoryNode
from wizard.planning.verification import verify

CONF = "/etc/nova/nova.conf"
ONLY = {"iommu": None, "vfs": None, "passthrough": None}


def asked(node: MemoryNode, drive: bool = True) -> Plan:
    return planned(node, **ONLY, metadata={"config_drive": drive})


def written(plan: Plan) -> str:
    return "\n".join(step.diff for step in plan.steps if isinstance(step, WriteFile))


def conf(node: MemoryNode, line: str, path: str = CONF, section: str = "DEFAULT") -> MemoryNode:
    text = node.entries[path].content.decode() if path in node.entries else ""
    node.write(path, text + f"[{section}]\n{line}\n", 0o640)
    return node


def ready(node: MemoryNode) -> MemoryNode:
    node.write("/usr/bin/genisoimage", "")
    return node


def test_it_is_one_line_and_a_restart_of_nova_compute() -> None:
    plan = asked(ready(ovn()))
    assert [line for line in written(plan).splitlines() if line.startswith("+") and "force" in line] == [
        "+force_config_drive = True"
    ]
    assert [step.argv for step in plan.steps if step.kind == "run" and step.phase == "services"] == [
        ("systemctl", "restart", "nova-compute")
    ]
    assert plan.blocked == ()


def test_it_is_asked_on_neutron_nodes_and_stays_as_it_is_by_default() -> None:
    for line, now in (("", False), ("force_config_drive = true", True), ("force_config_drive = always", True)):
        seen = facts.read(conf(ready(ovn()), line))
        answers = suggestion.suggest(seen)
        assert answers.to_data()["metadata"]["config_drive"] is now
        (question,) = chapter.questions(seen, answers)
        assert question.key == ("config_drive",)
        mine = AllAnswers({"metadata": answers.get("metadata")})  # type: ignore[dict-item]
        assert chapter.changes(seen, mine).edits == ()


@pytest.mark.parametrize("value", ["True", "true", "1", "yes", "on", "ON", "always"])
def test_what_is_on_already_is_not_written_again(value: str) -> None:
    assert written(asked(conf(ready(ovn()), f"force_config_drive = {value}"))) == ""


@pytest.mark.parametrize("value", ["False", "no", "0", "", "maybe"])
def test_what_is_off_is_changed_where_it_stands(value: str) -> None:
    change = written(asked(conf(ready(ovn()), f"force_config_drive = {value}")))
    assert "+force_config_drive = True" in change
    assert any(line.startswith("-force_config_drive") for line in change.splitlines())


def test_a_file_that_is_read_later_is_the_one_that_counts() -> None:
    plan = asked(conf(ready(ovn()), "force_config_drive = False", "/etc/nova/nova-compute.conf"))
    (step,) = [step for step in plan.steps if isinstance(step, WriteFile)]
    assert step.path == "/etc/nova/nova-compute.conf"


def test_another_section_is_another_option() -> None:
    assert "+force_config_drive = True" in written(
        asked(conf(ready(ovn()), "force_config_drive = True", section="libvirt"))
    )


def test_a_value_that_is_not_known_is_not_written_over() -> None:
    plan = asked(conf(ready(ovn()), "force_config_drive = $something_else"))
    assert found(plan, "NOVA-VALUE-UNKNOWN").severity == "blocks"


@pytest.mark.parametrize(
    ("extra", "missing"),
    [
        ("", "genisoimage"),
        ("mkisofs_cmd = /opt/bin/mkisofs", "/opt/bin/mkisofs"),
        ("mkisofs_cmd = xorrisofs", "xorrisofs"),
        ("config_drive_format = vfat", "mkfs.vfat"),
    ],
)
def test_without_its_program_it_is_blocked(extra: str, missing: str) -> None:
    node = conf(ovn(), extra)
    remove(node, "/usr/bin/genisoimage")
    node.write(programs.LOOKED_FOR, "genisoimage mkisofs xorrisofs mkfs.vfat\n")
    plan = asked(node)
    assert missing in found(plan, "METADATA-NO-GENISOIMAGE").seen
    assert (plan.blocked, written(plan)) == (("metadata",), "")
    node.write(missing if missing.startswith("/") else f"/usr/sbin/{missing}", "")
    assert "METADATA-NO-GENISOIMAGE" not in codes(asked(node))


def test_where_they_are_forced_already_a_missing_program_is_a_warning() -> None:
    node = conf(ovn(), "force_config_drive = True")
    node.write(programs.LOOKED_FOR, "genisoimage\n")
    remove(node, "/usr/bin/genisoimage")
    assert found(asked(node), "METADATA-NO-GENISOIMAGE").severity == "warns"


def test_a_recording_that_did_not_look_knows_nothing_of_the_program() -> None:
    node = ovn()
    remove(node, "/usr/bin/genisoimage")
    assert facts.read(node).nova.config_drive_ready is None
    assert "METADATA-NO-GENISOIMAGE" not in codes(asked(node))


@pytest.mark.parametrize(
    ("path", "text", "where"),
    [
        ("/var/lib/juju/agents/unit-nova-compute-0/x", "", "config-flags"),
        ("/openstack/venvs/nova-31.0.0/bin/x", "", "nova_nova_conf_overrides"),
        ("/etc/kolla/nova-compute/nova.conf", "[DEFAULT]\n", "/etc/kolla/config/nova/"),
    ],
)
def test_who_owns_nova_conf_gets_the_lines(path: str, text: str, where: str) -> None:
    node = ready(ovn())
    if "kolla" in path:
        node.write("/proc/1810/cgroup", "0::/system.slice/docker-0123456789abcdef.scope\n")
    node.write(path, text)
    finding = found(asked(node), "METADATA-MANAGED")
    assert finding.severity == "blocks"
    assert where in finding.do
    assert "[DEFAULT] / force_config_drive = True" in finding.do


def test_a_node_without_nova_conf_is_told_so() -> None:
    node = ready(ovn())
    remove(node, "/etc/nova")
    remove(node, "/proc/1810")
    assert "METADATA-NO-NOVA-CONF" in codes(asked(node))


def test_verify_says_whether_nova_compute_has_read_it() -> None:
    answers = answer_files.from_data({"metadata": {"config_drive": True}})

    def state(node: MemoryNode) -> dict[str, str]:
        return {check.what: check.state for check in verify(facts.read(node), answers)}

    node = conf(ready(ovn()), "force_config_drive = True")
    assert state(node)[config_drive.WHAT] == "held"
    node.entries[CONF].modified = 4e9
    assert state(node)[config_drive.WHAT] == "pending"
    assert state(ready(ovn()))[config_drive.WHAT] == "failed"


def test_no_takes_back_only_what_is_ours() -> None:
    node = conf(ready(ovn()), "force_config_drive = True")
    plan = asked(node, drive=False)
    assert written(plan) == ""
    assert "force_config_drive = True" in found(plan, "NODE-SET-ELSEWHERE").seen


def test_answers_need_one_of_the_two() -> None:
    with pytest.raises(InputError, match="config_drive"):
        answer_files.from_data({"metadata": {}})
    with pytest.raises(InputError):
        answer_files.from_data({"metadata": {"config_drive": "perhaps"}})


def test_it_works_beside_the_redirect_of_nova_network() -> None:
    from nodes import origin

    node = origin()
    node.write("/usr/bin/genisoimage", "")
    plan = planned(node, metadata={"redirect": True, "config_drive": True})
    assert "+force_config_drive = True" in written(plan)
    assert any("compute-wizard-metadata" in getattr(step, "path", "") for step in plan.steps)


def test_the_dhcp_agents_option_is_printed_for_all_and_never_written() -> None:
    for node in (ovs_agent(), ovs_agent(dhcp="[DEFAULT]\nforce_metadata = False\n")):
        plan = asked(ready(node))
        code = "METADATA-DHCP-HERE" if "METADATA-DHCP-HERE" in codes(plan) else "METADATA-DHCP-ELSEWHERE"
        assert "every node with a DHCP agent" in found(plan, code).do
        assert not any("/etc/neutron" in getattr(step, "path", "") for step in plan.steps)


def test_the_node_of_today_is_as_it_was_without_an_answer() -> None:
    assert written(planned(today(), **ONLY)) == ""

"""`$name` in nova.conf: resolved from the files as nova does it, or unknown with file and line; never a secret."""

from __future__ import annotations

from typing import Any

import pytest
from nodes import codes, found, origin, planned, replace

from wizard.answers import files as answer_files
from wizard.facts import facts
from wizard.model.steps import WriteFile
from wizard.node.recorded import MemoryNode
from wizard.planning.verification import verify

CONF = "/etc/nova/nova.conf"


def node(lines: str, sections: str = "") -> MemoryNode:
    there = origin()
    replace(there, CONF, "my_ip = 10.20.0.17\n", "")
    replace(there, CONF, "[DEFAULT]\n", f"[DEFAULT]\n{lines}\n")
    there.entries[CONF].content += sections.encode()
    return there


@pytest.mark.parametrize(
    ("lines", "option", "value"),
    [
        ("my_ip = 10.1.2.3\nmetadata_host = $my_ip", "metadata_host", "10.1.2.3"),
        ("host = n1\nmy_ip = ${host}.x\nmetadata_host = a-${my_ip}-b", "metadata_host", "a-n1.x-b"),
        ("metadata_host = a$$my_ip\\$b$", "metadata_host", "a$my_ip$b$"),
        ("networks_path = $state_path/n", "networks_path", "/var/lib/nova/n"),
        ("state_path = /srv\nnetworks_path = ${STATE_PATH}/n", "networks_path", None),
        ("metadata_host = $nothing_of_the_kind", "metadata_host", None),
        ("my_ip = $my_ip\nmetadata_host = $my_ip", "metadata_host", None),
        ("metadata_host = $my_ip.example", "metadata_host", None),
    ],
)
def test_what_can_be_said_is_said(lines: str, option: str, value: str | None) -> None:
    seen = facts.read(node(lines)).nova
    assert seen.last("DEFAULT", option) == value
    assert (seen.unknown("DEFAULT", option) is None) == (value is not None)


@pytest.mark.parametrize(
    ("default", "group", "value"),
    [("x", None, "x"), (None, "y", "y"), ("x", "y", None), ("x", "x", "x"), (None, None, None)],
)
def test_the_own_group_goes_first_and_where_it_may_not_the_value_is_unknown(
    default: str | None, group: str | None, value: str | None
) -> None:
    there = node(
        f"host = {default}" if default else "# no host",
        "[neutron]\n" + (f"host = {group}\n" if group else "") + "metadata_listen = $host\n",
    )
    assert facts.read(there).nova.last("neutron", "metadata_listen") == value


def test_a_secret_is_never_put_in() -> None:
    there = node("admin_password = hunter2\nmetadata_host = ${admin_password}\nmy_ip = $rabbit_password")
    seen = facts.read(there)
    assert seen.nova.last("DEFAULT", "metadata_host") is None
    assert "hunter2" not in str(seen.nova.settings)
    assert "none of the options that are looked at" in str(seen.unseen)


def test_what_is_unknown_is_unseen_with_file_and_line() -> None:
    seen = facts.read(node("dnsmasq_config_file = $conf_dir/dnsmasq.conf"))
    (unseen,) = [each for each in seen.unseen if "dnsmasq_config_file" in each.what]
    assert unseen.what == f"{CONF} line 2: dnsmasq_config_file"
    assert "$conf_dir is none of the options" in unseen.why


GATEWAYS: dict[str, Any] = {"network": [{"label": "demo-net", "router": "10.44.1.1"}]}


def test_an_option_that_would_be_written_over_blocks() -> None:
    there = node("dnsmasq_config_file = $pybasedir/dnsmasq.conf")
    plan = planned(there, gateways=GATEWAYS)
    finding = found(plan, "NOVA-VALUE-UNKNOWN")
    assert (finding.severity, finding.chapter) == ("blocks", "gateways")
    assert finding.seen == f"{CONF} line 2: dnsmasq_config_file = $pybasedir/dnsmasq.conf"
    assert "gateways" in plan.blocked
    checks = verify(facts.read(there), answer_files.from_data({"gateways": GATEWAYS}))
    assert [check.state for check in checks if "gives /etc/dnsmasq-nova.conf" in check.what] == ["unknown"]


def test_one_that_can_be_resolved_is_as_good_as_written_out() -> None:
    there = node("bindir = /etc\ndnsmasq_config_file = $bindir/dnsmasq-nova.conf")
    plan = planned(there, gateways=GATEWAYS)
    assert "NOVA-VALUE-UNKNOWN" not in codes(plan)
    (step,) = [step for step in plan.steps if getattr(step, "path", "") == CONF]
    assert isinstance(step, WriteFile)
    assert "dnsmasq_config_file" not in "".join(line for line in step.diff.splitlines() if line[:1] in "+-")


def test_devices_that_cannot_be_said_are_warned_of_and_not_judged() -> None:
    plan = planned(node('pci_passthrough_whitelist = {"address": "$slot"}'))
    finding = found(plan, "NOVA-VALUE-UNKNOWN")
    assert (finding.severity, finding.chapter) == ("warns", "passthrough")
    assert "PASSTHROUGH-BAD-SPEC" not in codes(plan)


def test_uplinks_are_not_guessed_from_a_manager_that_is_unknown() -> None:
    there = origin()
    replace(there, CONF, "network_manager = nova.network.manager.VlanManager", "network_manager = $manager")
    (step,) = [
        step for step in planned(there).steps if getattr(step, "path", "") == "/etc/compute-wizard/metadata.conf"
    ]
    assert isinstance(step, WriteFile)
    assert "vlan+" not in step.diff


def test_a_metadata_host_that_is_unknown_is_said() -> None:
    there = node("metadata_host = $elsewhere")
    assert found(planned(there), "NOVA-VALUE-UNKNOWN").chapter == "metadata"
    answers = answer_files.from_data({"metadata": {"redirect": True}})
    (check,) = [
        each for each in verify(facts.read(there), answers) if each.what == "Something listens for metadata requests"
    ]
    assert (check.state, f"{CONF} line 2" in check.seen) == ("unknown", True)

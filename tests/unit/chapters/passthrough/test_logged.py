"""verify: what the running nova-compute logged about its devices is not passed over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from nodes import answered, today

from wizard.chapters.passthrough import chapter
from wizard.facts import facts
from wizard.facts.nova.compute_log import ComputeLog
from wizard.model.findings import Check

CONF = "/etc/nova/nova.conf"
LINES = [
    f'device_spec = {{"vendor_id": "15b3", "product_id": "1018", "address": "0000:3b:00.{port}", "physical_network": "physnet1"}}'
    for port in (0, 1)
]
PORTS = {"pool": [{"name": "tenant", "cards": "all", "physical_network": "physnet1"}]}


def check_with(log: ComputeLog | None) -> Check:
    node = today()
    node.write(CONF, node.entries[CONF].content + "\n".join(["", "[pci]", *LINES, ""]).encode())
    seen = facts.read(node)
    running = replace(seen.nova, compute_running=True, compute_started=4e9, compute_log=log)
    (check,) = chapter.checks(replace(seen, nova=running), answered(seen, passthrough=PORTS))
    return check


@pytest.mark.parametrize(
    ("log", "state", "said"),
    [
        (None, "held", "read by the running nova-compute"),
        (ComputeLog("/l", ""), "held", "it logged no error about PCI devices since its start"),
        (ComputeLog("/l", "cannot be read"), "held", "its log was not read: /l: cannot be read"),
        (ComputeLog("", "not part of a recording"), "held", "its log was not read: not part of a recording"),
        (ComputeLog("/l", "", ("e1", "e2"), ("w",)), "unknown", "which logged: e2"),
        (ComputeLog("/l", "", (), ("w",)), "held", "it logged a warning: w"),
    ],
)
def test_what_nova_compute_logged_counts(log: ComputeLog | None, state: str, said: str) -> None:
    check = check_with(log)
    assert (check.state, said in check.seen) == (state, True), check
    assert check.do == ("Read /l." if state == "unknown" else "")

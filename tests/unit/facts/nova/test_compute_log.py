"""What the running nova-compute logged about its devices: since its start, of them alone, and no secret."""

from __future__ import annotations

import pytest
from nova_nodes import COMPUTE, run, ubuntu

from wizard.facts.nova import nova
from wizard.facts.nova.compute_log import KEPT, MOST, ComputeLog
from wizard.node.node import Output
from wizard.node.recorded import Entry, MemoryNode

DEBIAN = "/var/log/nova/nova-compute.log"
STARTED = 1700000010.0
START = "2023-11-14 22:13:30.001 2211 INFO nova.service [-] Starting compute node (version 27.1.0-0+deb12u1)"
WARNED = (
    "2023-11-14 22:13:31.501 2211 WARNING nova.pci.utils [None req-6 - - - - -] Could not find the expected sysfs file for determining "
    "the MAC address of the PCI device 0000:3b:00.2."
)
FAILED = (
    "2023-11-14 22:13:32.100 2211 ERROR oslo_service.service nova.exception.PciDeviceInvalidDeviceName: devname is not supported "
    "in the [pci]device_spec"
)
FRAME = '2023-11-14 22:13:32.100 2211 ERROR oslo_service.service   File "/usr/lib/python3/dist-packages/nova/pci/devspec.py", line 9'
FOREIGN = "2023-11-14 22:13:32.200 2211 ERROR nova.compute.manager [-] No compute node record for host node"
TOLD = "2023-11-14 22:13:32.300 2211 INFO nova.pci.manager [-] a device"
SECRET = "2023-11-14 22:13:33.000 2211 ERROR nova.pci.request [-] of amqp://nova:Tr0ub4dor@rabbit:5672/"


def node_with(
    lines: list[str], *argv: str, place: str = DEBIAN, written: float = STARTED + 60, conf: str = ""
) -> MemoryNode:
    node = ubuntu("3:27.1.0-0+deb12u1", f"[DEFAULT]\n{conf}")
    run(node, 2211, *COMPUTE, *argv)
    node.live = True
    text = "\n".join(lines) + "\n"
    node.add(place, Entry("file", text.encode(), modified=written))
    tail = ("tail", "-c", str(MOST), place)
    node.commands[tail] = Output(tail, 0, text, "")
    return node


def log_of(node: MemoryNode) -> ComputeLog:
    found = nova.read(node).compute_log
    assert found is not None
    return found


def test_errors_and_warnings_about_devices_since_the_start() -> None:
    early = [WARNED.replace("00.2", "00.7"), FAILED.replace("devname", "earlier")]
    found = log_of(node_with([*early, START, WARNED, FRAME, FAILED, FOREIGN, TOLD]))
    assert (found.place, found.unseen, len(found.errors), len(found.warnings)) == (DEBIAN, "", 1, 1)
    assert "devname is not supported" in found.errors[0]
    assert "0000:3b:00.2" in found.warnings[0]


def test_a_log_that_does_not_reach_back_to_the_start_is_of_this_start_all_the_same() -> None:
    assert len(log_of(node_with([WARNED])).warnings) == 1


def test_secrets_are_hidden_and_few_lines_are_kept() -> None:
    many = [WARNED.replace("00.2", f"00.{number}") for number in range(KEPT * 3)]
    found = log_of(node_with([START, *many, SECRET]))
    assert "Tr0ub4dor" not in found.errors[0] and "rabbit" in found.errors[0]
    assert len(found.warnings) == KEPT and f"00.{KEPT * 3 - 1}." in found.warnings[-1]


@pytest.mark.parametrize(
    ("argv", "conf", "place"),
    [
        ((), "", DEBIAN),
        (("--log-file=/srv/log/compute.log",), "", "/srv/log/compute.log"),
        (("--log-dir", "/srv/log"), "", "/srv/log/nova-compute.log"),
        (("--log-dir", "/srv/log"), "log_dir = /elsewhere\nlog_file = c.log", "/srv/log/c.log"),
        ((), "log_dir = /srv/log", "/srv/log/nova-compute.log"),
        ((), "log_file = /srv/one.log\nlog_dir = /srv/log", "/srv/one.log"),
    ],
)
def test_the_place_is_where_the_process_writes(argv: tuple[str, ...], conf: str, place: str) -> None:
    found = log_of(node_with([START, WARNED], *argv, place=place, conf=conf))
    assert (found.place, found.unseen, len(found.warnings)) == (place, "", 1)


def test_what_is_older_than_the_process_is_not_its_log() -> None:
    found = log_of(node_with([START, WARNED], written=STARTED - 60))
    assert found.unseen == "nothing was written since nova-compute started" and not found.warnings


def test_without_a_file_the_journal_is_asked_for_that_process() -> None:
    node = node_with([START], "--log-dir", "/gone")
    assert log_of(node) == ComputeLog("the journal", "nothing of it is there")
    argv = ("journalctl", "-q", "--no-pager", "-b", "-o", "cat", "_PID=2211")
    node.commands[argv] = Output(argv, 0, f"{START}\n{FAILED}\n", "")
    found = log_of(node)
    assert (found.place, found.unseen, len(found.errors)) == ("the journal", "", 1)


def test_a_recording_does_not_hold_it_and_where_nothing_runs_there_is_none() -> None:
    node = node_with([START, WARNED])
    node.live = False
    assert log_of(node).unseen == "not part of a recording"
    assert nova.read(ubuntu()).compute_log is None

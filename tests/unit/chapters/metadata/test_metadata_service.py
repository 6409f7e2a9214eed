"""Where nova sends metadata requests, and what a node can say of who listens there: held, failed, or not to be seen."""

from __future__ import annotations

import pytest
from nodes import codes, found, origin, planned, replace

from wizard.answers import files as answer_files
from wizard.facts import facts
from wizard.model.findings import Check
from wizard.node.recorded import MemoryNode
from wizard.planning.verification import verify

CONF = "/etc/nova/nova.conf"
LOOPBACK, OWN, ANY, GUESTS = "0100007F", "1100140A", "00000000", ("02012C0A", "02022C0A")


def node(lines: str, *addresses: str, port: int = 8775) -> MemoryNode:
    """The origin node with more lines in nova.conf, where something listens on these addresses (in /proc's hex)."""
    there = origin()
    replace(there, CONF, "[DEFAULT]\n", f"[DEFAULT]\n{lines}\n")
    heads = "  sl  local_address rem_address   st\n"
    row = "   {}: {}:{:04X} 00000000:0000 0A 00000000:00000000\n"
    there.write("/proc/net/tcp", heads + "".join(row.format(n, each, port) for n, each in enumerate(addresses)))
    return there


def check(there: MemoryNode) -> Check:
    answers = answer_files.from_data({"metadata": {"redirect": True}})
    (one,) = [
        each for each in verify(facts.read(there), answers) if each.what == "Something listens for metadata requests"
    ]
    return one


@pytest.mark.parametrize("addresses", [(ANY,), ()])
def test_another_host_cannot_be_seen_from_here(addresses: tuple[str, ...]) -> None:
    there = node("metadata_host = 10.20.0.5", *addresses)
    seen = check(there)
    assert seen.state == "unknown"
    assert "10.20.0.5 is no address of this node" in seen.seen
    assert "verify --metadata" in seen.do
    plan = planned(there)
    assert found(plan, "METADATA-LISTENER-UNKNOWN").severity == "warns"
    assert "METADATA-NO-LISTENER" not in codes(plan)


@pytest.mark.parametrize(
    ("addresses", "state"),
    [((LOOPBACK,), "failed"), ((), "failed"), ((ANY,), "held"), (GUESTS, "held"), (GUESTS[:1], "failed")],
)
def test_a_redirect_leads_to_the_bridge_s_own_address(addresses: tuple[str, ...], state: str) -> None:
    there = node("metadata_host = 127.0.0.1\nmetadata_listen = 127.0.0.1", *addresses)
    assert check(there).state == state
    if state == "failed":
        finding = found(planned(there), "METADATA-NO-LISTENER")
        assert "the bridge's own address" in finding.seen
        assert "metadata_listen = 127.0.0.1 is too narrow" in finding.do
    else:
        assert "METADATA-NO-LISTENER" not in codes(planned(there))


def test_a_redirect_to_bridges_whose_addresses_are_not_known() -> None:
    there = node("metadata_host = 127.0.0.1", OWN)
    for place in [place for place in there.entries if place.startswith("/proc/3") and place.endswith("/cmdline")]:
        del there.entries[place]
    assert check(there).state == "unknown"


@pytest.mark.parametrize(("port", "state"), [(8780, "held"), (8775, "failed")])
def test_the_port_is_the_one_that_nova_sends_to(port: int, state: str) -> None:
    there = node("metadata_port = 8780\nmetadata_listen_port = 8780", ANY, port=port)
    assert check(there).state == state
    assert ("METADATA-NO-LISTENER" in codes(planned(there))) is (state == "failed")


def test_a_service_that_listens_on_another_port_than_nova_sends_to() -> None:
    finding = found(planned(node("metadata_port = 8780", ANY)), "METADATA-NO-LISTENER")
    assert finding.seen == "nothing listens on 10.20.0.17:8780"
    assert "8775 (metadata_listen_port)" in finding.do


@pytest.mark.parametrize(
    ("address", "state"), [(OWN, "held"), (ANY, "held"), (LOOPBACK, "failed"), (GUESTS[0], "failed")]
)
def test_an_address_of_this_node_is_looked_at(address: str, state: str) -> None:
    assert check(node("", address)).state == state


@pytest.mark.parametrize(
    "lines", ["metadata_host = controller", "metadata_host = 127.0.0.2", "metadata_host =", "metadata_port = x"]
)
def test_what_cannot_be_judged_is_neither_held_nor_failed(lines: str) -> None:
    there = node(lines, ANY)
    assert check(there).state == "unknown"
    assert found(planned(there), "METADATA-LISTENER-UNKNOWN").severity == "tells"


@pytest.mark.parametrize(
    ("addresses", "state"), [((ANY,), "held"), ((OWN,), "unknown"), ((LOOPBACK,), "failed"), ((), "failed")]
)
def test_an_address_that_nova_finds_out_by_itself(addresses: tuple[str, ...], state: str) -> None:
    there = node("", *addresses)
    replace(there, CONF, "my_ip = 10.20.0.17\n", "")
    assert check(there).state == state


def test_without_nova_conf_nothing_is_said_of_the_listener() -> None:
    there = node("", ANY)
    there.entries[CONF].kind = "other"
    assert check(there).state == "unknown"
    assert CONF in check(there).seen


def test_a_socket_for_ipv6_is_held_with_its_caveat() -> None:
    there = node("")
    row = f"   0: {'0' * 32}:2247 {'0' * 32}:0000 0A 00000000:00000000\n"
    there.write("/proc/net/tcp6", "  sl  local_address\n" + row)
    assert check(there).state == "held"
    assert "[::]:8775; it takes IPv4 as well, unless" in check(there).seen

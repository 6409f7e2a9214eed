"""verify --metadata against real bridges, dnsmasq with nova's command line, and a metadata service; and what it leaves: nothing."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from nova_network import OWN, PROGRAM, ROUTER, NovaNetwork, needs, until


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NovaNetwork]:
    needs()
    made = NovaNetwork(tmp_path)
    try:
        made.set_up()
        yield made
    finally:
        made.end()


def proven(world: NovaNetwork) -> tuple[dict[str, Any], dict[str, Any]]:
    """The check of the router and the check of metadata."""
    before = world.picture()
    done = world.run(PROGRAM, "verify", "--metadata", world.bridge, "--yes", "--json", "--answers", world.answers)
    assert done.returncode in (2, 7), done.stderr  # this machine is no node of nova: its other checks fail
    assert world.picture() == before
    data = json.loads(done.stdout)
    router, metadata = data["checks"][-2:]
    asked = {router["state"], metadata["state"]} != {"unknown"}
    assert ["were not asked for" in each for each in data.get("limits", [])] == [True] * asked
    assert router["chapter"] == "gateways"
    assert metadata["chapter"] == "metadata"
    return router, metadata


def test_all_is_well(world: NovaNetwork) -> None:
    world.serve_metadata()
    world.serve_dhcp()
    world.redirect()
    router, metadata = proven(world)
    assert (router["state"], router["seen"]) == ("held", f"DHCP tells {ROUTER}")
    assert metadata["state"] == "held"
    assert metadata["seen"].startswith("HTTP 200, ")
    assert "packets met the redirect" in metadata["seen"]


def test_two_networks_answer_each_on_its_own_bridge(world: NovaNetwork) -> None:
    """nova gives its dnsmasq no --interface: they share port 67, and a packet for one address goes to any one of them."""
    world.serve_metadata()
    names = world.more_networks(3)
    world.serve_dhcp()
    world.redirect()
    answers = world.place / "all.toml"
    answers.write_text(
        'format = "compute-wizard.answers/1"\n[metadata]\nredirect = true\nuplinks = ["vlan+"]\n'
        f"bridges = {json.dumps([world.bridge, *names])}\n",
        encoding="ascii",
    )
    for _ in range(2):
        done = world.run(PROGRAM, "verify", "--metadata", "--yes", "--json", "--answers", answers)
        told = [each for each in json.loads(done.stdout)["checks"] if each["what"].endswith("are told their router")]
        assert len(told) == 4
        assert [(each["state"], each["what"]) for each in told if each["state"] != "held"] == []


def test_the_rule_is_missing(world: NovaNetwork) -> None:
    world.serve_metadata()
    world.serve_dhcp()
    router, metadata = proven(world)
    assert router["state"] == "held"
    assert metadata["state"] == "failed"
    assert "no packet met the redirect" in metadata["seen"]
    assert "run plan, then apply" in metadata["do"]


def test_the_service_is_down(world: NovaNetwork) -> None:
    world.serve_dhcp()
    world.redirect()
    _, metadata = proven(world)
    assert metadata["state"] == "failed"
    assert "refused, although" in metadata["seen"]
    assert "start nova-api-metadata" in metadata["do"]


def test_the_service_is_ill(world: NovaNetwork) -> None:
    world.serve_metadata(500)
    world.serve_dhcp()
    world.redirect()
    _, metadata = proven(world)
    assert metadata["state"] == "failed"
    assert metadata["seen"].startswith("HTTP 500")


def test_dhcp_tells_another_router(world: NovaNetwork) -> None:
    world.serve_metadata()
    world.serve_dhcp(router="")
    world.redirect()
    router, metadata = proven(world)
    assert router["state"] == "failed"
    assert router["seen"] == f"DHCP tells {OWN} (this node itself); {ROUTER} is what was answered"
    assert metadata["state"] == "held"


def test_dhcp_is_dead(world: NovaNetwork) -> None:
    world.serve_metadata()
    world.redirect()
    router, metadata = proven(world)
    assert (router["state"], metadata["state"]) == ("failed", "held")
    assert "does not answer DHCP" in router["seen"]


def test_an_address_that_is_taken_is_not_borrowed(world: NovaNetwork) -> None:
    world.serve_metadata()
    world.serve_dhcp()
    world.redirect()
    world.sh("ip -n outside address add 10.44.1.254/24 dev eth0")
    _, metadata = proven(world)
    assert "asked from 10.44.1.253" in metadata["seen"]


def test_bridge_firewall_does_the_work(world: NovaNetwork) -> None:
    switch = "/proc/sys/net/bridge/bridge-nf-call-iptables"
    if not Path(switch).exists():
        pytest.skip("kernel: br_netfilter is not there")
    world.sh(f"echo 1 > {switch}")
    world.serve_metadata()
    world.serve_dhcp()
    _, metadata = proven(world)
    assert metadata["state"] == "held"
    assert "bridge-nf-call-iptables is 1 and does it" in metadata["seen"]


def test_a_bridge_that_is_not_there_yet(world: NovaNetwork) -> None:
    world.sh(f"ip link set {world.bridge} down; ip link delete {world.bridge}")
    router, metadata = proven(world)
    assert router["state"] == metadata["state"] == "unknown"
    assert "not there yet" in metadata["seen"]


@pytest.mark.parametrize("both", [False, True], ids=["the tool alone", "the tool and its child"])
def test_nothing_is_left_after_kill_9(world: NovaNetwork, both: bool) -> None:
    world.serve_dhcp()
    world.redirect()
    # the service accepts and never answers: the proof waits for it
    silent = "import socket, time; s = socket.create_server(('0.0.0.0', 8775)); time.sleep(3600)"
    world.start("python3", "-c", silent)
    until(lambda: ":2247 " in world.sh("cat /proc/net/tcp"))
    tool = world.start(PROGRAM, "verify", "--metadata", "--yes", "--answers", world.answers)
    until(lambda: ": cwp" in world.sh("ip -o link"))
    children = Path(f"/proc/{tool.pid}/task/{tool.pid}/children").read_text(encoding="ascii").split()
    assert children
    if both:
        _signal(children, signal.SIGSTOP)  # else it may see the tool's end, and clean up, before it is killed
    tool.kill()
    if both:
        _signal(children, signal.SIGKILL)
    until(lambda: ": cwp" not in world.sh("ip -o link"))
    until(lambda: not any(Path(f"/proc/{child}/ns").exists() for child in children))


def _signal(processes: list[str], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):  # a command that has come to its end since they were listed
            os.kill(int(process), number)


def test_asking_on_a_tenants_bridge_needs_a_word(world: NovaNetwork) -> None:
    done = world.run(PROGRAM, "verify", "--metadata", "--answers", world.answers)
    assert done.returncode == 64
    assert "Say --yes" in done.stderr
    assert f"on {world.bridge}: a port of its own" in done.stdout

"""Metadata on Neutron nodes, without a guest: one request inside each namespace that serves it. Nothing leaves the namespace.

haproxy listens there at 169.254.169.254 and hands requests to the agent by a socket (neutron/agent/metadata/driver_base.py); the agent
looks for the port that asked, finds none, since the namespace itself asked, and says 404 (agent/metadata/proxy_base.py). So 404 means
that haproxy and the agent live; whether nova answers a guest is not asked for.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

from wizard import program
from wizard.errors import NodeError
from wizard.facts.facts import Facts
from wizard.facts.neutron.served import Namespace
from wizard.model.findings import Check
from wizard.node.live import ENVIRONMENT
from wizard.probes.metadata.client import FETCH_LIMIT

CHAPTER = "metadata"
INSIDE = "wizard.probes.metadata.inside"
LIMIT = FETCH_LIMIT + 15  # seconds; a Python has to start
ALIVE = (200, 400, 403, 404, 405)
NOTHING = "A guest gets metadata from this node"


def namespaces(facts: Facts, only: str = "") -> list[Namespace]:
    """Those whose metadata is asked: OVN's, and the DHCP agent's where it serves metadata."""
    serves = facts.neutron.on("dhcp", "DEFAULT", "force_metadata") is True
    return [
        space
        for space in facts.neutron.namespaces
        if only in ("", space.name) and (space.kind == "ovnmeta" or space.proxy or serves)
    ]


def announce(facts: Facts, only: str = "") -> list[str]:
    return [
        f"in the namespace {space.name}: one request to 169.254.169.254, which does not leave it"
        for space in namespaces(facts, only)
    ]


def prove(facts: Facts, refusal: str, only: str = "") -> list[Check]:
    """One check for each namespace; where there is none, why not."""
    found = namespaces(facts, only)
    if not found:
        return [Check(CHAPTER, NOTHING, "unknown", _why_none(facts), "`curl http://169.254.169.254/` in a guest asks.")]
    return [_unknown(space, refusal) if refusal else _asked(space) for space in found]


def _why_none(facts: Facts) -> str:
    driver = facts.neutron.driver
    if driver == "ovn":
        return "no namespace of OVN's metadata is on this node: no guest of a network with DHCP is seen here, or the agent does not run"
    if driver in ("ovs", "linuxbridge"):
        return (
            "metadata is served by DHCP agents, and none on this node is seen to serve it: it cannot be asked from here"
        )
    return f"this node's networking is Neutron ({facts.nova.networking_source}), and nothing that serves metadata is seen here"


def _what(space: Namespace) -> str:
    return f"Metadata is answered in {space.name}"


def _unknown(space: Namespace, why: str) -> Check:
    return Check(CHAPTER, _what(space), "unknown", why)


def _asked(space: Namespace) -> Check:
    try:
        answer = _ask(space.name)
    except NodeError as error:
        return _unknown(space, str(error))
    return verdict(space, answer)


def _ask(name: str) -> dict[str, Any]:
    """What a request inside the namespace comes to, as of :func:`wizard.probes.metadata.client.get`. Raises NodeError."""
    argv = ["ip", "netns", "exec", name, *program.argv(INSIDE)]
    try:
        done = subprocess.run(
            argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=LIMIT, env=ENVIRONMENT, check=False, text=True
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
    except subprocess.TimeoutExpired:
        raise NodeError(f"the request in {name} did not end within {LIMIT:g} seconds") from None
    except (OSError, ValueError):
        raise NodeError(f"no request could be made in {name}") from None


def verdict(space: Namespace, answer: dict[str, Any]) -> Check:
    """What an answer means, by its place."""
    outcome, status = answer.get("outcome"), answer.get("status")
    if outcome == "answered" and status in ALIVE:
        return Check(CHAPTER, _what(space), "held", f"HTTP {status}: haproxy and the metadata agent answer")
    if outcome == "answered":
        seen = (
            f"HTTP {status}: haproxy answers, and the agent behind it does not, or it reaches neither Neutron nor nova"
        )
        do = "See whether the metadata agent runs, and its log: nova_metadata_host has to be reachable from this node."
        return Check(CHAPTER, _what(space), "failed", seen, do)
    why = {
        "refused": "refused: no haproxy listens in the namespace",
        "unreachable": "unreachable: the namespace has no such address",
        "silent": "no answer in time: haproxy or the agent hangs",
    }.get(str(outcome), "something that is not HTTP answered")
    return Check(
        CHAPTER,
        _what(space),
        "failed",
        why,
        "Restart the metadata agent (neutron-dhcp-agent in qdhcp-…): it makes haproxy anew.",
    )

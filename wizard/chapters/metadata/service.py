"""Where nova sends the metadata requests that come to this node, and whether something is seen to listen there.

The rule is nova-network's own (nova/network/linux_net.py, `metadata_forward`): DNAT of 169.254.169.254:80 to
metadata_host:metadata_port; and where metadata_host is 127.0.0.1 to the letter, REDIRECT to metadata_port, which leads to the
address of the link that the request came in by: the bridge's. The service listens where metadata_listen and
metadata_listen_port say, and a socket shows where it does.
"""

from __future__ import annotations

import ipaddress
from typing import Literal

from wizard.chapters.shared.networks import is_address
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.facts.nova.nova import NovaSetting
from wizard.integers import parse_int

PORT = 8775  # nova's default of metadata_port, and of metadata_listen_port
REDIRECTED = "127.0.0.1"
_EVERYWHERE = ("0.0.0.0", "*", "[::]")


@dataclass(frozen=True, slots=True)
class Service:
    """`place` is where requests are sent, in words, empty where that is not known; `seen` and `do` are as in a check."""

    state: Literal["listens", "nothing", "unknown"]
    seen: str
    do: str = ""
    place: str = ""
    port: int = PORT
    remote: bool = False  # requests are sent to an address that this node does not have


def unsaid(facts: Facts) -> list[NovaSetting]:
    """The options of that rule whose values cannot be said."""
    host = (
        "metadata_host" if facts.nova.for_network().all("DEFAULT", "metadata_host") else "my_ip"
    )  # nova's default is $my_ip
    told = [facts.nova.for_network().unknown("DEFAULT", option) for option in (host, "metadata_port")]
    return [setting for setting in told if setting is not None]


def dark(facts: Facts) -> str:
    """Why nova's configuration is not known as a whole; empty where it is."""
    if facts.nova.for_network().problem:
        return facts.nova.for_network().problem
    hidden = [unseen for unseen in facts.nova.unseen if unseen.what in facts.nova.for_network().config_files]
    if hidden:
        return f"{hidden[0].what} {hidden[0].why}"
    return "" if facts.nova.for_network().config_files else "no configuration of nova is seen here"


def service(facts: Facts) -> Service:
    """What this node can say of it; another node's sockets it cannot see."""
    told = unsaid(facts)
    if told:
        return Service("unknown", f"{told[0].place}: {told[0].option} = {told[0].value}: {told[0].unknown}")
    why = dark(facts)
    if why:
        return Service("unknown", f"{why}: where nova sends metadata requests is not known")
    text = facts.nova.for_network().last("DEFAULT", "metadata_port")
    port = PORT if text is None else parse_int(text)
    if port is None or not 0 < port < 65536:
        return Service("unknown", f"metadata_port = {text} is no port")
    host = facts.nova.for_network().last("DEFAULT", "metadata_host")
    host = host if host is not None else facts.nova.for_network().last("DEFAULT", "my_ip")
    if host is not None and host != REDIRECTED:
        elsewhere = _elsewhere(facts, host, port)
        if elsewhere is not None:
            return elsewhere
    return _here(facts, host, port)


def _elsewhere(facts: Facts, host: str, port: int) -> Service | None:
    """A place of which this node's sockets say nothing; None for an address of its own."""
    place = f"{host}:{port}"
    if not is_address(host):
        return Service("unknown", f"{host!r} is no IPv4 address: what it leads to is not looked at", "", place, port)
    address = ipaddress.IPv4Address(host)
    if address.is_loopback or address.is_unspecified:
        why = f"{place}: whether this kernel lets a guest's request through to there is not looked at"
        return Service("unknown", why, "Leave metadata_host out: nova's default is this node's my_ip.", place, port)
    own = {text.partition("/")[0] for _, text in facts.network.addresses}
    if host in own:
        return None
    if not own:
        return Service("unknown", f"whether this node has the address {host} could not be seen", "", place, port)
    return Service(
        "unknown",
        f"{host} is no address of this node: whether something listens on {place} cannot be seen from here",
        "`compute-wizard verify --metadata` fetches metadata as a guest would.",
        place,
        port,
        remote=True,
    )


def _here(facts: Facts, host: str | None, port: int) -> Service:
    """A place of this node. `host` is None where nova finds my_ip out by itself."""
    wanted, place = {host or ""} - {""}, f"{host}:{port}" if host else f"port {port} of this node"
    if host == REDIRECTED:
        wanted = {network.listen for network in facts.nova.networks if network.listen}
        place = f"port {port} of the bridge's own address"
    if facts.network.listeners is None:
        return Service("unknown", "the node's sockets could not be read", "", place, port)
    ends = [listener.rpartition(":") for listener in facts.network.listeners]
    at = [address for address, _, number in ends if number == str(port)]
    enough = [each for each in _EVERYWHERE if each in at][:1] or (sorted(wanted) if wanted <= set(at) else [])
    if enough:
        caveat = "; it takes IPv4 as well, unless its program said otherwise" if enough == ["[::]"] else ""
        return Service("listens", f"a socket listens on {_named(enough, port)}{caveat}", "", place, port)
    near = [each for each in at if not each.startswith(("127.", "["))]
    if near and not wanted:
        which = "nova takes for my_ip" if host is None else "the bridges have"
        why = f"a socket listens on {_named(near, port)}; which address {which} is not known"
        return Service("unknown", why, "", place, port)
    leads = f"; metadata_host = {REDIRECTED} leads there" if host == REDIRECTED else ""
    only = f", only on {_named(at, port)}" if at else ""
    return Service("nothing", f"nothing listens on {place}{only}{leads}", _start(facts, host, port), place, port)


def _named(addresses: list[str], port: int) -> str:
    return ", ".join(f"{address}:{port}" for address in addresses)


def _start(facts: Facts, host: str | None, port: int) -> str:
    """What to do for something to listen, by what nova.conf says of the service."""
    said = facts.nova.for_network().last("DEFAULT", "metadata_listen_port")
    listen = (
        PORT
        if said is None and facts.nova.for_network().unknown("DEFAULT", "metadata_listen_port") is None
        else parse_int(said or "")
    )
    if listen is not None and listen != port:
        return (
            f"By nova.conf the service listens on port {listen} (metadata_listen_port), and requests are sent to {port} "
            "(metadata_port): set both to the same, then restart nova-network and nova-api-metadata."
        )
    address = facts.nova.for_network().last("DEFAULT", "metadata_listen")
    if address not in (None, "0.0.0.0", "::", host) or (address == host == REDIRECTED):
        return f"metadata_listen = {address} is too narrow: set 0.0.0.0, nova's default, and restart nova-api-metadata."
    return "Start nova-api-metadata on this node: multi_host needs one on each."

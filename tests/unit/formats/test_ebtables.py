"""Listings of every variant come out in one spelling."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.errors import FormatError
from wizard.formats.ebtables import Chain, Rule, foreign_metadata_rules, metadata_state, parse_listing

RULE = (
    "!",
    "-i",
    "vlan101",
    "--logical-in",
    "br101",
    "--ip-dst",
    "169.254.169.254",
    "--ip-proto",
    "tcp",
    "--ip-dport",
    "80",
)
TAIL = ("-j", "redirect", "--redirect-target", "ACCEPT")
LISTING = """\
Bridge table: nat

Bridge chain: PREROUTING, entries: 1, policy: ACCEPT
{}

Bridge chain: cw-metadata, entries: 0, policy: RETURN
"""


@pytest.mark.parametrize(
    ("line", "packets"),
    [
        (
            "-p IPv4 -i ! vlan101 --logical-in br101 --ip-dst 169.254.169.254 --ip-proto tcp --ip-dport 80 -j redirect ",
            None,
        ),
        (
            "-p IPv4 ! -i vlan101 --logical-in br101 --ip-dst 169.254.169.254 --ip-proto 6 --ip-dport 80 -j redirect",
            None,
        ),
        (
            "1. -p IPv4 -i ! vlan101 --logical-in br101 --ip-dst 169.254.169.254/32 --ip-proto tcp --ip-dport 80 -j redirect ",
            None,
        ),
        (
            "1 -p IPv4 -i ! vlan101 --logical-in br101 --ip-dst 169.254.169.254 --ip-proto tcp --ip-dport 80 -j redirect "
            "--redirect-target ACCEPT , pcnt = 7 -- bcnt = 420",
            7,
        ),
        (
            "-p IPv4 -i ! vlan101 --logical-in br101 --ip-dst 169.254.169.254 --ip-proto tcp --ip-dport 80 -j redirect , pcnt = 0 -- bcnt = 0",
            0,
        ),
    ],
)
def test_one_spelling(line: str, packets: int | None) -> None:
    chains = parse_listing(LISTING.format(line))
    assert chains["PREROUTING"].rules == (Rule("PREROUTING", ("-p", "ipv4", *RULE, *TAIL), packets),)
    assert chains["cw-metadata"] == Chain("cw-metadata", "RETURN", ())
    assert foreign_metadata_rules(chains, chain="cw-metadata") == list(chains["PREROUTING"].rules)


def test_the_lines_of_lx() -> None:
    text = "ebtables -t nat -N x -P RETURN\nebtables -t nat -A PREROUTING -p IPv4 --ip-proto 17 -j x \n"
    assert parse_listing(text)["PREROUTING"].rules[0].words == ("-p", "ipv4", "--ip-proto", "17", "-j", "x")
    assert parse_listing("") == {}


def test_a_number_in_a_rule_is_no_line_number() -> None:
    (rule,) = parse_listing(LISTING.format("-s ! 52:54:0:56:44:32 -j DROP"))["PREROUTING"].rules
    assert rule.words == ("!", "-s", "52:54:00:56:44:32", "-j", "DROP")


def test_other_text_is_refused() -> None:
    with pytest.raises(FormatError, match="ebtables listing"):
        parse_listing("The kernel doesn't support the ebtables 'nat' table.\n")


JUMP = "-p IPv4 --ip-dst 169.254.169.254 --ip-proto tcp --ip-dport 80 -j cw-metadata "


def state(jumps: int, *rules: str) -> tuple[bool, tuple[str, ...]]:
    text = "Bridge table: nat\n\nBridge chain: PREROUTING, entries: 1, policy: ACCEPT\n" + f"{JUMP}\n" * jumps
    text += "\nBridge chain: cw-metadata, entries: 2, policy: RETURN\n" + "".join(f"{rule}\n" for rule in rules)
    found = metadata_state(
        parse_listing(text), chain="cw-metadata", bridges=["br1"], uplinks=["vlan+"], target="CONTINUE"
    )
    assert found.right == (not found.differences)
    return found.right, found.differences


RETURN, REDIRECT = "-i vlan+ -j RETURN", "--logical-in br1 -j redirect  --redirect-target CONTINUE"


def test_the_chain_as_it_should_be() -> None:
    assert state(1, RETURN, REDIRECT) == (True, ())
    assert state(1, RETURN, "-p IPv4 -j redirect --redirect-target CONTINUE") == (True, ())


@pytest.mark.parametrize(
    ("jumps", "rules", "word"),
    [
        (0, (RETURN, REDIRECT), "0 jumps"),
        (2, (RETURN, REDIRECT), "2 jumps"),
        (1, (REDIRECT,), "-i vlan+ -j RETURN is missing"),
        (1, (RETURN,), "is missing"),
        (1, (RETURN, "--logical-in br1 -j redirect "), "CONTINUE is missing"),
        (1, (REDIRECT, RETURN), "another order"),
        (1, (RETURN, REDIRECT, REDIRECT), "twice"),
        (1, (RETURN, REDIRECT, "-j ACCEPT"), "too much"),
    ],
)
def test_every_difference_is_named(jumps: int, rules: tuple[str, ...], word: str) -> None:
    right, differences = state(jumps, *rules)
    assert not right
    assert word in " ".join(differences)


@given(st.text(max_size=200))
def test_anything_is_read_or_refused(text: str) -> None:
    with suppress(FormatError):
        parse_listing(text)

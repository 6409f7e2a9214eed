"""dnsmasq's file: which router each network is told, what is wrong, and that an edit touches one network's lines only."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.errors import FormatError
from wizard.formats.dnsmasq import (
    RouterOption,
    label_problem,
    problems,
    remove_router,
    router_options,
    router_problem,
    set_router,
)

LINE = b"dhcp-option=tag:demo-net,option:router,10.44.1.1\n"

NOVA = b"""\
# nova's own dnsmasq reads this
cache-size=1200
dhcp-option=option:dns-server,192.0.2.118
dhcp-option=tag:demo-net,option:router,10.44.1.1   # the edge router
dhcp-option-force=209,pxelinux.cfg/ttyS1-115200
"""


# Reading


@pytest.mark.parametrize(
    ("line", "label", "router"),
    [
        ("dhcp-option=tag:demo-net,option:router,10.44.1.1", "demo-net", "10.44.1.1"),
        ("dhcp-option=tag:demo-net,3,10.44.1.1", "demo-net", "10.44.1.1"),
        ("dhcp-option=net:demo-net,option:router,10.44.1.1", "demo-net", "10.44.1.1"),
        ("dhcp-option=set:demo-net,3,10.44.1.1", "demo-net", "10.44.1.1"),
        ("dhcp-option=demo-net,option:Router,10.44.1.1", "demo-net", "10.44.1.1"),
        ("\tdhcp-option = tag:demo-net , option:router , 10.44.1.1 # why", "demo-net", "10.44.1.1"),
        ("dhcp-option-force=tag:a,003,10.0.0.1\r", "a", "10.0.0.1"),
        ("dhcp-option=tag:a#b,3,10.0.0.1, 10.0.0.2", "a#b", "10.0.0.1,10.0.0.2"),
        ("dhcp-option=tag:a,option:router", "a", ""),
        ('dhcp-option=tag:"a,b",3,10.0.0.1', "a,b", "10.0.0.1"),
        ('dhcp-option="tag:a",3,10.0.0.1', "tag:a", "10.0.0.1"),
        ("dhcp-option=tag:réseau,3,10.0.0.1", "réseau", "10.0.0.1"),
    ],
)
def test_a_router_in_every_spelling(line: str, label: str, router: str) -> None:
    assert router_options(f"# first\n{line}\n".encode()) == [RouterOption(label, router, 2)]


@pytest.mark.parametrize(
    "line",
    [
        "#dhcp-option=tag:a,3,10.0.0.1",
        "dhcp-option=option:router,10.0.0.1",
        "dhcp-option=tag:a,tag:b,3,10.0.0.1",
        "dhcp-option=tag:!a,3,10.0.0.1",
        "dhcp-option=tag:a,6,10.0.0.1",
        "dhcp-option=tag:a,option:router-discovery,1",
        "dhcp-option=tag:a,vendor:PXEClient,3,10.0.0.1",
        "dhcp-option=tag:a,encap:175,3,10.0.0.1",
        "dhcp-option=tag:a,option6:3,[::1]",
        "dhcp-options=tag:a,3,10.0.0.1",
        'dhcp-option=tag:a,3,"10.0.0.1',
        'dhcp-option=tag:a,"3",10.0.0.1',
        "cache-size=3",
    ],
)
def test_what_is_no_networks_router(line: str) -> None:
    assert router_options(line.encode()) == []


# Problems


@pytest.mark.parametrize(
    ("content", "number", "word", "fatal"),
    [
        (b"x=1\ndhcp-option=tag:a,3,10.44.1.1/24\n", 2, "'/'", False),
        (b"dhcp-option=tag:a,3,10.44.1\n", 1, "3 parts", True),
        (b"dhcp-option=tag:a,3,10.44.1.256\n", 1, "above 255", True),
        (b"dhcp-option=tag:a,3,10.44.01.1\n", 1, "leading zeros", True),
        (b"dhcp-option=tag:a,3,gw.example.com\n", 1, "no IPv4 address", True),
        (b"dhcp-option=tag:a,3,10.44.1.1# x\n", 1, "no IPv4 address", True),
        (b'dhcp-option=tag:a,3,"10.44.1.1"\n', 1, "no IPv4 address", True),
        (b"dhcp-option=tag:a,3,0.0.0.0\n", 1, "its own address", False),
        (b"dhcp-option=tag:a,3\n", 1, "no router is given", False),
        (b"dhcp-option=tag:a,3,\n", 1, "no IPv4 address", True),
        (b"dhcp-option=tag:a,3,1.2.3.4,\n", 1, "empty", True),
        ("–dhcp-option=tag:a,3,10.0.0.1\n".encode(), 1, "typographic dash", True),
        ("dhcp–option=tag:a,3,10.0.0.1\n".encode(), 1, "typographic dash", True),
        (b"--dhcp-option=tag:a,3,10.0.0.1\n", 1, "command line", True),
        (b"\xef\xbb\xbfdhcp-option=tag:a,3,10.0.0.1\n", 1, "byte order mark", True),
        ("dhcp-option=tag:a,3,10.0.0.1\n".encode("utf-16"), 1, "UTF-16", True),
        (b"dhcp-option tag:a,3,10.0.0.1\n", 1, "'=' is missing", True),
        (b"dhcp-option\n", 1, "without '='", True),
        (b"dhcp-options=tag:a,3,10.0.0.1\n", 1, "dhcp-options", True),
        (b"DHCP-option=tag:a,3,10.0.0.1\n", 1, "capitals", True),
        (b"dhcp-option=tag:a\n", 1, "no option is named", True),
        (b"dhcp-option=tag:a,router,10.0.0.1\n", 1, "no option is named", True),
        (b"dhcp-option=tag:a,option:routers,10.0.0.1\n", 1, "'routers'", True),
        (b"dhcp-option=tag:a,option:router 10.0.0.1\n", 1, "router 10.0.0.1", True),
        (b"dhcp-option=option:router,10.0.0.1\n", 1, "without a tag", False),
        (b"dhcp-option=set:a,3,10.0.0.1\n", 1, "'set:a'", False),
        (b"dhcp-option=TAG:a,3,10.0.0.1\n", 1, "'TAG:a'", False),
        (b"dhcp-option=tag: a,3,10.0.0.1\n", 1, "a blank in", False),
        (b"dhcp-option=tag:,3,10.0.0.1\n", 1, "no label behind", False),
        (b"dhcp-option=tag:a,b,3,10.0.0.1\n", 1, "second tag", False),
        (b"dhcp-option=tag:!a,3,10.0.0.1\n", 1, "every network but", False),
        (b"dhcp-option=tag:a,3,10.0.0.1\n\ndhcp-option=a,option:router,10.0.0.2\n", 1, "line 3", False),
        (b'domain="a\n', 1, "not closed", True),
        (b"\n#" + b"x" * 1023 + b"domain=x\n", 2, "1024 bytes", False),
        (b"domain=x\0y\n", 1, "NUL", False),
    ],
)
def test_what_is_wrong_is_named(content: bytes, number: int, word: str, fatal: bool) -> None:
    found = problems(content)
    assert [(each.line, each.fatal) for each in found if word in each.what] == [(number, fatal)], found
    assert all(each.do for each in found)


@pytest.mark.parametrize(
    "content", [b"", LINE, NOVA, NOVA.replace(b"\n", b"\r\n"), b"bind-interfaces\n#" + b" " * 2000, LINE[:-1]]
)
def test_nothing_is_wrong(content: bytes) -> None:
    assert problems(content) == []


@pytest.mark.parametrize(
    ("label", "word"),
    [
        ("", "empty"),
        ("a,b", "comma"),
        (" a", "blank at an end"),
        ("a ", "blank at an end"),
        ("a\nb", "\\n"),
        ("!a", "every network but"),
        ("#a", "every network but"),
        ("known", "sets itself"),
        ("bootp", "sets itself"),
        ("a\x00", "\\x00"),
    ],
)
def test_a_label_that_cannot_be_written(label: str, word: str) -> None:
    told = label_problem(label)
    assert told is not None and word in told
    assert "\n" not in told
    assert "in nova, too" not in told  # nova cannot rename a network


@given(st.text(max_size=20))
def test_a_label_that_is_taken_is_read_back(label: str) -> None:
    if label_problem(label) is None:
        assert router_options(set_router(LINE, label, "10.9.9.9"))[-1].router == "10.9.9.9"
        assert {each.label for each in router_options(set_router(LINE, label, "10.9.9.9"))} == {"demo-net", label}


@pytest.mark.parametrize(
    "router", ["", "10.44.1", "10.44.1.1/24", "0.0.0.0", "224.0.0.1", "127.0.0.1", "::1", " 10.0.0.1", "gw", "٣.1.1.1"]
)
def test_an_address_that_is_no_router(router: str) -> None:
    assert router_problem(router)
    with pytest.raises(FormatError):
        set_router(LINE, "demo-net", router)


# Editing


def test_a_new_file_and_a_new_network() -> None:
    assert set_router(None, "demo-net", "10.44.1.1") == LINE
    assert set_router(LINE, "demo2-net", "10.44.2.1") == LINE + b"dhcp-option=tag:demo2-net,option:router,10.44.2.1\n"


def test_only_the_address_changes() -> None:
    assert set_router(NOVA, "demo-net", "10.44.1.254") == NOVA.replace(b"10.44.1.1 ", b"10.44.1.254 ")


def test_what_stands_twice_and_says_the_right_router_last_stays_to_the_byte() -> None:
    content = b"dhcp-option=tag:a,option:router,10.9.9.1\ndhcp-option=tag:a,option:router,10.9.9.2\n"
    assert set_router(content, "a", "10.9.9.2") == content
    assert set_router(content, "a", "10.9.9.3") == content.replace(b"9.2", b"9.3")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"dhcp-option = tag:a , 3 , 10.0.0.9/24 # x\n", b"dhcp-option = tag:a , 3 , 10.0.0.1 # x\n"),
        (b"dhcp-option-force=a,3,10.0.0.8,10.0.0.9\r\n", b"dhcp-option-force=a,3,10.0.0.1\r\n"),
        (b"  dhcp-option=tag:a,3 # none\n", b"  dhcp-option=tag:a,option:router,10.0.0.1 # none\n"),
        (b'dhcp-option=tag:"a",3,"10.0.0.9" # x\n', b"dhcp-option=tag:a,option:router,10.0.0.1 # x\n"),
        (b"dhcp-option=tag:a,3,10.0.0.9", b"dhcp-option=tag:a,3,10.0.0.1"),
        (b"x=1", b"x=1\ndhcp-option=tag:a,option:router,10.0.0.1\n"),
        (b"x=1\r\n", b"x=1\r\ndhcp-option=tag:a,option:router,10.0.0.1\r\n"),
        (b"x=1\r\ny=1", b"x=1\r\ny=1\r\ndhcp-option=tag:a,option:router,10.0.0.1\r\n"),
        (b"dhcp-option=A,3,10.0.0.9\n", b"dhcp-option=A,3,10.0.0.9\ndhcp-option=tag:a,option:router,10.0.0.1\n"),
        (
            b"dhcp-option=tag:a,3,10.0.0.1\n# between\ndhcp-option=tag:b,3,10.0.0.2\ndhcp-option=a,3,10.0.0.3\n",
            b"dhcp-option=tag:a,3,10.0.0.1\n# between\ndhcp-option=tag:b,3,10.0.0.2\ndhcp-option=a,3,10.0.0.1\n",
        ),
    ],
)
def test_the_smallest_change(before: bytes, after: bytes) -> None:
    assert set_router(before, "a", "10.0.0.1") == after


def test_a_right_file_is_left_alone() -> None:
    for content in (NOVA, b"dhcp-option=net:demo-net,3,10.44.1.1", b"dhcp-option=tag:demo-net , 3 , 10.44.1.1 \r\n"):
        assert (
            set_router(content, "demo-net", "10.44.1.1") is content
            or set_router(content, "demo-net", "10.44.1.1") == content
        )


def test_a_network_is_taken_out_whole() -> None:
    two = NOVA + b"dhcp-option=demo-net,3,10.44.1.2\ndhcp-option=tag:demo-net,6,10.44.1.3\n"
    assert router_options(remove_router(two, "demo-net")) == []
    assert b"tag:demo-net,6" in remove_router(two, "demo-net")
    assert remove_router(two, "other") == two


def test_lines_that_dnsmasq_breaks_are_not_edited() -> None:
    with pytest.raises(FormatError, match="longer than 1024") as caught:
        set_router(b"\n#" + b"x" * 1100 + b"\n", "a", "10.0.0.1")
    assert caught.value.where == "line 2"
    with pytest.raises(FormatError):
        set_router(b"dhcp-option=tag:a,3,1.1.1.1 #".ljust(1023, b"x") + b"\n", "a", "100.100.100.100")


def test_a_label_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(FormatError, match="comma"):
        set_router(LINE, "a,b", "10.0.0.1")


# Any input

PIECES = [
    b"dhcp-option=", b"dhcp-option-force = ", b"tag:a,", b"a,", b"net:b,", b"tag:!a,", b"set:a,", b"3,", b"option:router,", b"6,",
    b"10.0.0.1", b"10.0.0.2/24", b"10.0.0", b",", b" ", b"#", b"# ", b'"', b"\\", b"\n", b"\r\n", b"\t", b"\0", b"\xff", b"x=1", b"=",
    b"vendor:x,", "–".encode(), b"z" * 600,
]  # fmt: skip
CONTENT = st.one_of(st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join), st.binary(max_size=60))
LABELS = st.sampled_from(["a", "b", "demo-net", "3", "0.x_y"])
ROUTERS = st.sampled_from(["10.0.0.1", "10.0.0.2", "192.168.100.254"])


def others(content: bytes, label: str) -> list[RouterOption]:
    return [RouterOption(o.label, o.router, 0) for o in router_options(content) if o.label != label]


@settings(max_examples=150, deadline=None)
@given(CONTENT, LABELS, ROUTERS)
def test_any_file_is_edited_or_refused(content: bytes, label: str, router: str) -> None:
    problems(content)
    with suppress(FormatError):
        after = set_router(content, label, router)
        assert [o.router for o in router_options(after) if o.label == label] == [router]
        assert others(after, label) == others(content, label)
        assert set_router(after, label, router) == after
        gone = remove_router(after, label)
        assert [o for o in router_options(gone) if o.label == label] == []
        assert others(gone, label) == others(content, label)
        if not any(o.label == label for o in router_options(content)):
            assert gone.startswith(content) and not gone[len(content) :].strip()


@settings(max_examples=150, deadline=None)
@given(CONTENT, LABELS, ROUTERS)
def test_lines_of_others_keep_every_byte(content: bytes, label: str, router: str) -> None:
    with suppress(FormatError):
        own = {o.line for o in router_options(content) if o.label == label}
        rest = [line for number, line in enumerate(content.split(b"\n"), 1) if number not in own and line]
        after = set_router(content, label, router).split(b"\n")
        kept = iter(after)
        # Each line of the others is there, in the same order; only a missing final line end may have come (b"\r" of a CRLF file).
        assert all(any(line in (found, found.removesuffix(b"\r")) for found in kept) for line in rest)

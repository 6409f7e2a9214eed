"""Many networks at once: patterns, pasted lines, imported files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.chapters.gateways import network_import
from wizard.chapters.gateways.network_import import Row
from wizard.chapters.shared.networks import NetworkAnswers
from wizard.errors import InputError

TEMPLATES = {"label": "net{vlan}", "router": "10.{vlan/256}.{vlan%256}.1", "cidr": "10.{vlan/256}.{vlan%256}.0/24"}


def test_a_pattern_over_all_vlans_gives_networks_that_the_answers_take() -> None:
    rows = network_import.from_pattern("1-4094", TEMPLATES)
    assert len(rows) == 4094
    assert not [row for row in rows if row.problem]
    answers = NetworkAnswers.model_validate({"network": [row.data() for row in rows]})
    assert answers.network[1440].model_dump() == {
        "label": "net1441", "router": "10.5.161.1", "vlan": 1441, "cidr": "10.5.161.0/24", "bridge": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("net{vlan}", "net1441"),
        ("{n}", "3"),
        ("10.{vlan/256}.{vlan%256}.1", "10.5.161.1"),
        ("{(vlan - 1000) * 2 + n}", "885"),
        ("plain", "plain"),
        ("{vlan}{n}", "14413"),
    ],
)
def test_templates(template: str, text: str) -> None:
    assert network_import.fill(template, 1441, 3) == text


@pytest.mark.parametrize(
    "template",
    [
        "{",
        "a}",
        "{}",
        "{vlan/0}",
        "{vlan%(n-n)}",
        "{x}",
        "{vlan**9}",
        "{__import__('os')}",
        "{'a'*9}",
        "{1.5}",
        "{True}",
        "{vlan" + "+1" * 40 + "}",
        "{-vlan}",
        "{vlan; 1}",
    ],
)
def test_a_template_that_is_no_arithmetic_is_refused(template: str) -> None:
    with pytest.raises(InputError):
        network_import.fill(template, 1441, 3)


@given(st.text(max_size=60), st.integers(1, 4094), st.integers(1, 4094))
def test_any_template_is_worked_out_or_refused(template: str, vlan: int, n: int) -> None:
    try:
        text = network_import.fill(template, vlan, n)
    except InputError:
        return
    assert not set("{}") & set(text)


@given(st.sets(st.integers(1, 4094), min_size=1, max_size=40))
def test_vlans_come_back_as_they_were_written(numbers: set[int]) -> None:
    assert network_import.vlans(", ".join(str(each) for each in sorted(numbers))) == sorted(numbers)
    assert set(network_import.vlans(f"{min(numbers)}-{max(numbers)}")) == set(range(min(numbers), max(numbers) + 1))


@pytest.mark.parametrize("text", ["", "x", "0", "5-1", "4095", "1-", "-1", "1--2", "99999", "1441-1460-1470", "\u0661"])
def test_what_is_no_vlan_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        network_import.vlans(text)


@given(st.text(max_size=300))
def test_any_text_gives_rows_that_are_right_or_say_what_is_wrong(text: str) -> None:
    rows = network_import.without_doubles(network_import.from_text(text), [])
    NetworkAnswers.model_validate({"network": [row.data() for row in rows if not row.problem]})


RIGHT = {"label": "demo-net", "router": "10.44.1.1", "vlan": "1441"}


@pytest.mark.parametrize(
    "text",
    [
        "demo-net,10.44.1.1,1441",
        "demo-net; 10.44.1.1; 1441\n",
        "demo-net\t10.44.1.1\t1441\r\n",
        "  demo-net   10.44.1.1 1441",
        "# label router vlan\n\ndemo-net,10.44.1.1,1441",
        "vlan,label,gateway\n1441,demo-net,10.44.1.1\n",
        "VLAN ID;Name;Gateway\n1441;demo-net;10.44.1.1\n",
        '"demo-net","10.44.1.1","1441"',
        "+----------+-----------+------+\n| label | router | vlan |\n+----+----+---+\n| demo-net | 10.44.1.1 | 1441 |\n+---+---+---+",
        "\ufeffdemo-net,10.44.1.1,1441",
    ],
)
def test_lines_of_many_kinds(text: str) -> None:
    (row,) = network_import.from_text(text)
    assert dict(row.values) == RIGHT
    assert not row.problem


def test_lines_of_a_dnsmasq_file() -> None:
    rows = network_import.from_text(
        "# x\ndhcp-option=tag:a,option:router,10.0.0.1\ndhcp-option=tag:b,3,10.0.1.1\nport=0\n"
    )
    assert rows.pop() == Row(4, {}, "'port=0' does not set the router of one network: it is left out")
    assert [(row.number, row.values["label"], row.values["router"]) for row in rows] == [
        (2, "a", "10.0.0.1"),
        (3, "b", "10.0.1.1"),
    ]


def test_what_is_wrong_keeps_its_line_and_names_its_field() -> None:
    rows = network_import.from_text("a,10.0.0.1\nb,10.0.0.300\nc d,10.0.0.2,5,x,y,z,w\n\ne,10.0.0.4,5000\nf\n")
    assert [(row.number, row.field) for row in rows] == [(1, ""), (2, "router"), (3, ""), (5, "vlan"), (6, "router")]
    assert "10.44.1.1" in rows[1].problem
    assert "7 values" in rows[2].problem
    assert rows[4].problem == "router is missing"


def test_doubles_are_told_once_each() -> None:
    rows = network_import.from_text("a,10.0.0.1,1\nb,10.0.0.2,1\na,10.0.0.3,2\nold,10.0.0.4,3\nc,10.0.0.5,9\n")
    told = network_import.without_doubles(rows, [{"label": "old", "vlan": 9}])
    assert [row.problem for row in told] == [
        "", "vlan 1 is in row 1 already", "label a is in row 1 already", "label old is in the list already", "vlan 9 is in the list already",
    ]  # fmt: skip


def test_too_much_is_no_list() -> None:
    with pytest.raises(InputError):
        network_import.from_text("x" * (network_import.LONGEST + 1))


def test_an_empty_row_says_what_to_type() -> None:
    assert network_import.judged(Row(1, {})).problem == "type nova's network label and the router's address"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("network,router\nred,10.0.0.1\n", "label"),
        ("name,network,router\nred,10.0.0.0/24,10.0.0.1\n", "cidr"),
        ("router;network;name\n10.0.0.1;10.0.0.0/24;red\n", "cidr"),
        ("Network\tGateway\nred-net\t10.0.0.1\n", "label"),
        ("network,router,label\n# the first\n\n10.0.0.0/24,10.0.0.1,red\n", "cidr"),
    ],
)
def test_the_heading_network_is_what_stands_below_it(text: str, field: str) -> None:
    (row,) = network_import.from_text(text)
    assert row.problem == ""
    assert row.values[field] in ("red", "red-net", "10.0.0.0/24")
    assert row.values["router"] == "10.0.0.1"


def test_no_pasted_line_vanishes() -> None:
    """Each line is taken, or it is said why not; only comments and empty lines are neither."""
    lines = (
        "# a comment", "", "dhcp-option=tag:red,option:router,10.0.0.1", "dhcp-option=tag:blue,option:dns-server,10.0.0.2",
        "dhcp-option=option:router,10.0.0.3", "green 10.0.2.1", "domain=example", "dhcp-option=tag:!x,3,10.0.0.4",
        "dhcp-option=tag:a,tag:b,3,10.0.0.5", "dhcp-option=net:old,3,10.0.0.6",
    )  # fmt: skip
    rows = network_import.from_text("\n".join(lines))
    assert [row.number for row in rows] == list(range(3, 11))
    assert [row.values.get("label") for row in rows if not row.problem] == ["red", "old"]
    assert all("is left out" in row.problem for row in rows if row.number not in (3, 10))


@given(
    st.lists(
        st.sampled_from(
            [
                "red 10.0.0.1",
                "blue,10.0.0.2,7",
                "x",
                "a,b,c,d,e,f,g",
                "label router",
                "dhcp-option=3,1.1.1.1",
                "1.1.1.1",
                "%%",
                "| a | b |",
            ]
        ),
        max_size=8,
    )
)
def test_each_line_has_its_row(lines: list[str]) -> None:
    rows = network_import.from_text("\n".join(lines))
    headings = {number for number, line in enumerate(lines, 1) if line == "label router"}
    assert {row.number for row in rows} | headings >= set(range(1, len(lines) + 1))

"""Answers files: each mistake gets one message that names the field and says what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from wizard.answers import editing
from wizard.answers import files as answer_files
from wizard.errors import InputError
from wizard.model.answers import AllAnswers
from wizard.model.questions import Question

HEAD = 'format = "compute-wizard.answers/1"\n'

CONTRACT = (
    HEAD
    + """
[iommu]
enable = true
passthrough_mode = true
[[vfs.card]]
match = { serial = "MT1644X02937" }
count = 16
ports = "infiniband"
host_vfs = 0
firmware = "keep"
[passthrough]
release = "auto"
manager = "auto"
config_file = "auto"
[[passthrough.pool]]
name = "ib"
cards = "all"
flavor = { name = "m1.ib", count = 1 }
[gateways]
config_file = "/etc/dnsmasq-nova.conf"
[[gateways.network]]
label = "demo-net"
router = "10.44.1.1"
vlan = 1441
[metadata]
redirect = true
bridges = "all"
target = "continue"
uplinks = "auto"
"""
)


def load(tmp_path: Path, text: str) -> AllAnswers:
    path = tmp_path / "answers.toml"
    path.write_text(text, encoding="utf-8")
    return answer_files.load(path)


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert "answers.toml" in message
    assert "pydantic" not in message
    assert "Traceback" not in message
    return message


def test_the_contract_s_example_is_understood(tmp_path: Path) -> None:
    answers = load(tmp_path, CONTRACT)
    assert answers.names() == ("iommu", "vfs", "passthrough", "gateways", "metadata")


def test_what_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    answers = load(tmp_path, CONTRACT)
    again = load(tmp_path, answer_files.to_toml(answers, {"iommu": "why\nin two lines"}))
    assert again == answers


def test_the_short_form_is_one_pool_over_all_cards(tmp_path: Path) -> None:
    short = load(
        tmp_path, HEAD + '[passthrough]\nalias = "ib"\ndevices = "vfs"\nflavor = { name = "m1.ib", count = 2 }\n'
    )
    assert short.to_data()["passthrough"]["pool"] == [
        {"name": "ib", "cards": "all", "flavor": {"name": "m1.ib", "count": 2}}
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["has no format", 'format = "compute-wizard.answers/1"']),
        ('format = "compute-wizard.answers/9"', ["compute-wizard.answers/9"]),
        (HEAD + "[iommu\n", ["is not TOML", "line 2"]),
        (HEAD + "[iomu]\nenable = true", ["unknown chapter [iomu]", "iommu, vfs"]),
        (HEAD + "[iommu]\nenabled = true", ["iommu.enable", "not a known key", "passthrough_mode"]),
        (HEAD + '[iommu]\nenable = "maybe"', ["iommu.enable", "true or false", "maybe"]),
        (HEAD + "[[vfs.card]]\nmatch = { serial = 'x' }\ncount = -1", ["vfs.card[1].count", "0 to 1024"]),
        (HEAD + "[[vfs.card]]\nmatch = { serial = 'x' }\ncount = 'all'", ["vfs.card[1].count", '"max"']),
        (
            HEAD + "[[vfs.card]]\nmatch = { serial = 'x', mac = '24:8a:07:11:22:33' }\ncount = 1",
            ["vfs.card[1].match", "exactly one"],
        ),
        (
            HEAD + "[[vfs.card]]\nmatch = { address = '3b:00.0' }\ncount = 1",
            ["vfs.card[1].match.address", "0000:3b:00.0"],
        ),
        (
            HEAD + "[[vfs.card]]\nmatch = { serial = 'x' }\ncount = 1\nhost_vfs = 2",
            ["vfs.card[1]", "cannot keep 2 of 1"],
        ),
        (HEAD + "[[gateways.network]]\nlabel = 'a,b'\nrouter = '10.0.0.1'", ["gateways.network[1].label"]),
        (HEAD + "[[gateways.network]]\nlabel = 'a,b'\nrouter = '10.0.0.1'", ["gateways.network[1].label"]),
        (HEAD + '[[gateways.network]]\nlabel = "a\\nb"\nrouter = "10.0.0.1"', ["gateways.network[1].label"]),
        (HEAD + "[[gateways.network]]\nlabel = 'a'\nrouter = '10.0.0.1/24'", ["gateways.network[1].router", "alone"]),
        (HEAD + "[[gateways.network]]\nlabel = 'a'\nrouter = '10.0.0.256'", ["gateways.network[1].router"]),
        (
            HEAD + "[[gateways.network]]\nlabel = 'a'\nrouter = '10.0.0.1'\nvlan = 4095",
            ["gateways.network[1].vlan", "4094"],
        ),
        (
            HEAD + "[[gateways.network]]\nlabel = 'a'\nrouter = '10.0.1.1'\ncidr = '10.0.0.0/24'",
            ["gateways.network[1]", "10.0.1.1", "not in its network 10.0.0.0/24"],
        ),
        (
            HEAD
            + "[[gateways.network]]\nlabel = 'a'\nrouter = '10.0.0.1'\n[[gateways.network]]\nlabel = 'a'\nrouter = '10.0.1.1'",
            ["label a is there twice"],
        ),
        (
            HEAD
            + "[[gateways.network]]\nlabel = 'a'\nrouter = '10.0.0.1'\nvlan = 5\n"
            + "[[gateways.network]]\nlabel = 'b'\nrouter = '10.0.1.1'\nvlan = 5",
            ["vlan 5 is there twice"],
        ),
        (HEAD + "[[passthrough.pool]]\nname = 'a:b'", ["passthrough.pool[1].name", "a:b"]),
        (HEAD + "[[passthrough.pool]]\nname = 'a,b'", ["passthrough.pool[1].name", "a,b"]),
        (HEAD + "[passthrough]\nrelease = 'bexar'", ["passthrough.release", "kilo", "bexar"]),
        (HEAD + "[metadata]\nredirect = true\nbridges = ['br1;reboot']", ["metadata.bridges", "br1;reboot"]),
        (HEAD + "[metadata]\nredirect = true\ntarget = 'drop'", ["metadata.target", "continue", "drop"]),
    ],
)
def test_a_mistake_is_named_with_its_field(tmp_path: Path, text: str, parts: list[str]) -> None:
    message = refused(tmp_path, text)
    for part in parts:
        assert part in message


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    path.write_bytes(b"format = \xff")
    with pytest.raises(InputError, match="not UTF-8"):
        answer_files.load(path)
    with pytest.raises(InputError, match="No such file"):
        answer_files.load(tmp_path / "missing.toml")
    with pytest.raises(InputError, match="Is a directory"):
        answer_files.load(tmp_path)


def test_one_value_is_changed_and_the_rest_stays(tmp_path: Path) -> None:
    answers = load(tmp_path, CONTRACT)
    changed = editing.change(answers, "vfs", ("card", 0, "count"), 4)
    assert editing.value_at(changed, "vfs", ("card", 0, "count")) == 4
    assert editing.change(changed, "vfs", ("card", 0, "count"), 16) == answers


def test_a_wrong_value_is_refused_where_it_is_typed(tmp_path: Path) -> None:
    answers = load(tmp_path, CONTRACT)
    with pytest.raises(InputError, match="0 to 1024"):
        editing.change(answers, "vfs", ("card", 0, "count"), 5000)


def test_rows_come_and_go(tmp_path: Path) -> None:
    answers = load(tmp_path, CONTRACT)
    more = editing.add_row(answers, "gateways", ("network",), {"label": "x", "router": "10.0.0.1"})
    assert editing.value_at(more, "gateways", ("network", 1, "label")) == "x"
    assert editing.remove_row(more, "gateways", ("network",), 1) == answers


@pytest.mark.parametrize(("text", "value"), [("16", 16), (" 16 ", 16), ("max", "max"), ("", None)])
def test_numbers_are_parsed_as_they_are_typed(text: str, value: object) -> None:
    assert editing.parse(Question(("count",), "number", "VFs"), text) == value


@pytest.mark.parametrize("text", ["sixteen", "1.5", "0x10", "１６"])
def test_what_is_no_number_says_what_to_type(text: str) -> None:
    with pytest.raises(InputError, match="whole number"):
        editing.parse(Question(("count",), "number", "VFs"), text)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('[[vfs.card]]\nmatch = { serial = "a" }\ncount = 1\nports = ["infiniband", 3]\n', "vfs.card[1].ports[2]"),
        ('[[vfs.card]]\nmatch = { serial = "a" }\ncount = 1\nports = 3\n', "vfs.card[1].ports"),
        ("[[vfs.card]]\nmatch = { serial = 5 }\ncount = 1\n", "vfs.card[1].match.serial"),
        ("[[passthrough.pool]]\nname = 'p'\ncards = { serial = 5 }\n", "passthrough.pool[1].cards.serial"),
        ("[[passthrough.pool]]\nname = 'p'\ncards = 5\n", "passthrough.pool[1].cards"),
        ("[[passthrough.pool]]\nname = 'p'\ndevices = [{ address = 5 }]\n", "passthrough.pool[1].devices[1].vendor_id"),
        ("[[passthrough.pool]]\nname = 'p'\ncards = { Match = 5 }\n", "passthrough.pool[1].cards.Match"),
    ],
)
def test_the_place_of_a_mistake_has_the_answers_own_names_alone(text: str, field: str) -> None:
    with pytest.raises(InputError) as raised:
        answer_files.from_text(HEAD + text, "answers.toml")
    assert field in str(raised.value)

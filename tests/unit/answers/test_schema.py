"""The JSON Schema of the answers agrees with the models that read them, and the page of reference is made from it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from calling import call, written
from hypothesis import given, settings
from hypothesis import strategies as st
from places import REPOSITORY

from wizard import toml
from wizard.answers import files as answer_files
from wizard.answers import schema as answers_schema
from wizard.errors import InputError
from wizard.report import documents

SCHEMA = answers_schema.schema()
VALID = jsonschema.Draft202012Validator(SCHEMA)
FORMAT = "compute-wizard.answers/1"
CARD = {"match": {"vendor": "15b3", "product": "1007"}, "count": 4}


def models_take(data: dict[str, Any]) -> bool:
    try:
        answer_files.from_data({key: value for key, value in data.items() if key != "format"})
    except InputError:
        return False
    return True


def schema_takes(data: dict[str, Any]) -> bool:
    return VALID.is_valid({"format": FORMAT, **data})


@pytest.mark.parametrize("name", ["answers", *documents.MODELS])
def test_a_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(documents.schema(name))


@pytest.mark.parametrize(
    "data",
    [
        {"iommu": {"enable": True, "passthrough_mode": False, "accept": ["quiet"]}},
        {"vfs": {"card": [CARD, {**CARD, "match": {"serial": "x"}, "count": "max", "ports": ["infiniband", "keep"]}]}},
        {"vfs": {"card": [{**CARD, "match": {"mac": "24:8a:07:11:22:33"}, "host_vfs": 2, "firmware": "set"}]}},
        {"passthrough": {"alias": "ib", "devices": "vfs", "flavor": {"name": "m1.ib"}}},
        {"passthrough": {"alias": "ib", "devices": [{"vendor_id": "15b3", "product_id": "1004"}]}},
        {"passthrough": {"release": "train", "pool": [{"name": "ib", "cards": "all", "numa_policy": "socket"}]}},
        {
            "passthrough": {
                "pool": [{"name": "p", "cards": {"netdev": "ens1"}, "physical_network": "physnet1", "trusted": True}]
            }
        },
        {"gateways": {"network": [{"label": "n", "router": "10.0.0.1", "vlan": 4094, "cidr": "10.0.0.0/24"}]}},
        {"metadata": {"redirect": True, "bridges": "br1, br2", "uplinks": ["eth0"], "target": "accept"}},
        {"metadata": {"redirect": False}},
        {"metadata": {"config_drive": True}},
        {"passthrough": {"release": "2025.1", "pool": [{"name": "p", "managed": False, "live_migratable": True}]}},
        {"passthrough": {"sriov_agent": False, "pool": []}},
        {},
    ],
)
def test_what_is_right_is_taken_by_both(data: dict[str, Any]) -> None:
    assert models_take(data)
    assert schema_takes(data), list(VALID.iter_errors({"format": FORMAT, **data}))


@pytest.mark.parametrize(
    "data",
    [
        {"vf": {}},
        {"iommu": {}},
        {"iommu": {"enable": "yes"}},
        {"iommu": {"enable": True, "enabled": True}},
        {"vfs": {"card": [{**CARD, "count": 1025}]}},
        {"vfs": {"card": [{**CARD, "count": -1}]}},
        {"vfs": {"card": [{**CARD, "count": "all"}]}},
        {"vfs": {"card": [{**CARD, "host_vfs": -1}]}},
        {"vfs": {"card": [{**CARD, "ports": "fibre"}]}},
        {"vfs": {"card": [{**CARD, "firmware": True}]}},
        {"vfs": {"card": [{**CARD, "match": {}}]}},
        {"vfs": {"card": [{**CARD, "match": {"vendor": "15b3"}}]}},
        {"vfs": {"card": [{**CARD, "match": {"serial": "x", "netdev": "y"}}]}},
        {"vfs": {"card": [{**CARD, "match": {"vendor": "0x15b3", "product": "1007"}}]}},
        {"vfs": {"card": [{**CARD, "match": {"mac": "24:8a"}}]}},
        {"passthrough": {"release": "folsom"}},
        {"passthrough": {"manager": "me"}},
        {"passthrough": {"devices": "vfs"}},
        {"passthrough": {"pool": [{"cards": "all"}]}},
        {"passthrough": {"pool": [{"name": "a:b"}]}},
        {"passthrough": {"pool": [{"name": "a", "flavor": {"name": "x", "count": 0}}]}},
        {"gateways": {"network": [{"label": "n"}]}},
        {"gateways": {"network": [{"label": "n", "router": "10.0.0.1", "vlan": 4095}]}},
        {"metadata": {"redirect": True, "target": "drop"}},
        {"metadata": {"redirect": True, "bridges": 3}},
    ],
)
def test_what_is_wrong_is_refused_by_both(data: dict[str, Any]) -> None:
    assert not models_take(data)
    assert not schema_takes(data)


VALUES = st.one_of(
    st.booleans(),
    st.integers(-2, 1100),
    st.sampled_from(["max", "keep", "set", "all", "auto", "none", "15b3", "a b", ""]),
)
MATCHES = st.dictionaries(st.sampled_from(["serial", "mac", "netdev", "vendor", "product"]), VALUES, max_size=2)
CARDS = st.fixed_dictionaries(
    {"match": MATCHES, "count": VALUES}, optional={"ports": VALUES, "host_vfs": VALUES, "firmware": VALUES}
)
POOLS = st.fixed_dictionaries(
    {"name": VALUES}, optional={"cards": VALUES | MATCHES, "devices": VALUES, "numa_policy": VALUES, "trusted": VALUES}
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "iommu": st.dictionaries(st.sampled_from(["enable", "passthrough_mode", "other"]), VALUES),
        "vfs": st.fixed_dictionaries({"card": st.lists(CARDS, max_size=2)}),
        "passthrough": st.fixed_dictionaries({}, optional={"pool": st.lists(POOLS, max_size=2), "release": VALUES}),
        "metadata": st.dictionaries(st.sampled_from(["redirect", "bridges", "target", "uplinks"]), VALUES),
    },
)


@settings(max_examples=150, deadline=None)
@given(ANSWERS)
def test_the_schema_refuses_nothing_that_the_models_take(data: dict[str, Any]) -> None:
    if models_take(data):
        assert schema_takes(data)


@pytest.mark.parametrize("node", ["demo", "origin", "today"])
@pytest.mark.parametrize("words", [[], ["--portable"]])
def test_what_is_suggested_fits_the_schema_and_names_it(
    node: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = call(capsys, "suggest", *words, "--root", str(written(tmp_path / node, node)))
    assert out.startswith("#:schema ./answers.schema.json\n")
    VALID.validate(toml.loads(out))


def test_what_is_printed_fits_its_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(written(tmp_path / "origin"))
    for command in ("plan", "verify", "check"):
        _, out, _ = call(capsys, command, "--json", "--root", root)
        jsonschema.validate(json.loads(out), documents.schema(command))
        _, printed, _ = call(capsys, "schema", command)
        assert json.loads(printed) == documents.schema(command)


def test_every_key_is_described() -> None:
    missing = [
        f"{model}.{key}"
        for model, each in SCHEMA["$defs"].items()
        for key, field in each.get("properties", {}).items()
        if not field.get("description")
    ]
    assert missing == []


def test_the_page_is_made_from_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    text = (REPOSITORY / "docs/answers.md").read_text(encoding="utf-8")
    assert call(capsys, "schema", "answers", "--markdown")[1] == text
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.*) \| (.+) \| ([0-9.]+) \|$", text, re.M)
    named = {name for name, *_ in rows}
    keys = {key for each in SCHEMA["$defs"].values() for key in each.get("properties", {})}
    assert named == keys | {"format"}


def test_a_schema_into_a_file_is_for_all_to_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "answers.schema.json"
    assert call(capsys, "schema", "answers", "--out", str(path))[:2] == (0, "")
    assert json.loads(path.read_text("utf-8")) == SCHEMA
    assert path.stat().st_mode & 0o777 == 0o644
    assert call(capsys, "schema", "plan", "--markdown")[0] == 64

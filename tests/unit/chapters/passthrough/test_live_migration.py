"""managed and live_migratable of a pool: for aliases of the releases that know them, in nova's own types, and told elsewhere."""

from __future__ import annotations

import json

import pytest
from nodes import codes, found, planned, today

from wizard.model.plan import Plan
from wizard.model.steps import WriteFile

VFS = {"card": [{"match": {"serial": "MT2011X04218"}, "count": 8}]}


def plan(release: str, **pool: object) -> Plan:
    pools = [{"name": "mlx", "cards": "all", **pool}]
    return planned(today(), iommu=None, vfs=VFS, passthrough={"release": release, "pool": pools})


def values(made: Plan, option: str) -> list[dict[str, object]]:
    diffs = [step.diff for step in made.steps if isinstance(step, WriteFile) and step.path == "/etc/nova/nova.conf"]
    lines = [line[1:] for diff in diffs for line in diff.splitlines() if line.startswith("+")]
    return [json.loads(line.partition("=")[2]) for line in lines if line.startswith(f"{option} =")]


@pytest.mark.parametrize(("said", "word"), [(True, "yes"), (False, "no")])
def test_they_are_written_as_nova_takes_them(said: bool, word: str) -> None:
    made = plan("2026.1", live_migratable=said, managed=said)
    assert {(str(v["live_migratable"]), str(v["managed"])) for v in values(made, "device_spec")} == {(word, word)}
    (alias,) = values(made, "alias")
    assert alias["live_migratable"] == word
    assert "managed" not in alias
    assert made.blocked == ()
    assert not {
        "PASSTHROUGH-NOT-IN-RELEASE",
        "PASSTHROUGH-UNKNOWN-KEY",
        "PASSTHROUGH-ALIAS",
        "PASSTHROUGH-SHADOWED",
    } & codes(made)


def test_an_older_release_does_not_get_them() -> None:
    made = plan("2024.2", live_migratable=True)
    assert "live_migratable" in found(made, "PASSTHROUGH-NOT-IN-RELEASE").seen
    assert all("live_migratable" not in value for value in (*values(made, "device_spec"), *values(made, "alias")))


def test_ports_do_not_have_them() -> None:
    made = plan("2026.1", live_migratable=True, physical_network="fast")
    assert "live_migratable = yes" in found(made, "PASSTHROUGH-NOT-OF-PORTS").seen
    assert all("live_migratable" not in value for value in values(made, "device_spec"))

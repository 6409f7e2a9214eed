"""Values of the node's own that no answer can hold: every command goes on, and what is left out is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from calling import call, written
from nodes import codes, found, origin, planned, replace, today

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.chapters.gateways import chapter as gateways
from wizard.chapters.registry import chapter
from wizard.chapters.shared.cards import Card
from wizard.chapters.vfs import chapter as vfs
from wizard.errors import Exit
from wizard.facts import facts
from wizard.facts.pci.functions import PciFunction
from wizard.integers import parse_int
from wizard.node.recorded import MemoryNode

DNSMASQ, NOVA, MODPROBE = "/etc/dnsmasq-nova.conf", "/etc/nova/nova.conf", "/etc/modprobe.d/mlx4_core.conf"
MANY = "9" * 5000
ROUTERS = ["0.0.0.0", "127.0.0.1", "224.0.0.1", "240.0.0.1", "10.44.1.0", "10.44.1.255"]
PATHS = ["/etc/dnsmasq.d/", "etc/dnsmasq.conf", "~/x", "/etc/a b.conf", "/etc/d'x", "/etc/../x", "/"]
OPTIONS = ["num_vfs=4 probe_vf=8", "num_vfs=2000", "num_vfs=²", "probe_vf=²", f"num_vfs={MANY}", "probe_vf=2000"]


def router(value: str) -> str:
    return f"dhcp-option=tag:demo-net,option:router,{value}\n"


def with_file(node: MemoryNode, path: str, text: str) -> MemoryNode:
    node.write(path, text)
    return node


def with_option(path: str) -> MemoryNode:
    node = origin()
    replace(node, NOVA, "[DEFAULT]\n", f"[DEFAULT]\ndnsmasq_config_file = {path}\n")
    return node


VALUES = [
    *(("origin", DNSMASQ, router(value)) for value in ROUTERS),
    *(("origin", NOVA, f"[DEFAULT]\ndnsmasq_config_file = {path}\n") for path in PATHS),
    *(("origin", MODPROBE, f"options mlx4_core {options}\n") for options in OPTIONS),
    ("origin", DNSMASQ, "#" * 1100 + "\n"),
    ("origin", "/etc/passwd", "root:x:0:0::/:/bin/sh\nodd:x:²:0::/:/bin/sh\n" + f"long:x:{MANY}:0::/:/bin/sh\n"),
    ("today", "/etc/rc.local", "#!/bin/sh\necho 2000 > /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs\n"),
    ("today", "/etc/udev/rules.d/x.rules", f'ATTR{{device/sriov_numvfs}}="{MANY}"\n'),
    ("today", "/sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs", "2000\n"),
]


@pytest.mark.parametrize(("name", "path", "text"), VALUES, ids=[f"{path} {text[-50:]!r}" for _, path, text in VALUES])
def test_no_value_of_the_node_ends_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, path: str, text: str
) -> None:
    root = written(tmp_path / "node", name)
    place = root / path.lstrip("/")
    place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
    for command in ("check", "suggest", "plan", "verify"):
        code, out, err = call(capsys, "--root", str(root), command)
        assert code != Exit.ERROR, f"{command}: {err}"
        assert out


@pytest.mark.parametrize("value", ROUTERS)
def test_a_router_that_can_be_none_is_told_and_not_suggested(value: str) -> None:
    node = with_file(origin(), DNSMASQ, "# ours\n" + router(value) + "dhcp-option=tag:net2,option:router,10.45.1.1\n")
    suggested = suggestion.suggest(facts.read(node)).of(gateways.Answers)
    assert suggested is not None
    assert [network.label for network in suggested.network] == ["demo2-net", "net2"]
    finding = found(planned(node), "GATEWAYS-ROUTER")
    assert finding.severity == "warns"
    assert f"{DNSMASQ} line 2: " in finding.seen
    assert value in finding.seen
    alone = with_file(origin(), DNSMASQ, router(value))
    assert f"{DNSMASQ} line 1: " in found(planned(alone), "GATEWAYS-ROUTER").seen
    answer = {"network": [{"label": "demo-net", "router": "10.44.1.1"}]}
    assert "GATEWAYS-ROUTER" not in codes(planned(alone, gateways=answer))


@pytest.mark.parametrize("path", PATHS)
def test_a_dnsmasq_file_without_a_whole_path_is_told_and_not_suggested(path: str) -> None:
    node = with_option(path)
    assert suggestion.suggest(facts.read(node)).of(gateways.Answers) is None
    finding = found(planned(node), "GATEWAYS-FILE")
    assert finding.severity == "warns"
    assert f"{NOVA} line 2: dnsmasq_config_file = {path}" in finding.seen
    answer = {"network": [{"label": "demo-net", "router": "10.44.1.1"}]}
    assert "GATEWAYS-FILE" not in codes(planned(node, gateways=answer))


def test_networks_on_one_bridge_are_suggested_together() -> None:
    node = origin()
    second = "\0--dhcp-range=set:more-net,10.44.9.2,static,255.255.255.0,86400s\0"
    place = next(p for p, e in node.entries.items() if p.endswith("/cmdline") and b"--dhcp-range=set:demo" in e.content)
    node.entries[place].content = node.entries[place].content.rstrip(b"\0") + second.encode()
    suggested = suggestion.suggest(facts.read(node)).of(gateways.Answers)
    assert suggested is not None
    rows = {each.label: (each.vlan, each.bridge_name) for each in suggested.network}
    assert rows["demo-net"] == (1441, "br1441")
    assert rows["more-net"] == (None, "br1441")


def test_a_line_that_is_too_long_is_named_with_its_file() -> None:
    finding = found(planned(with_file(origin(), DNSMASQ, "#" * 1100 + "\n")), "FILE-NOT-EDITABLE")
    assert finding.seen.startswith(f"{DNSMASQ} line 1: the line is longer than 1024 bytes")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("num_vfs=4 probe_vf=8", (4, 4)),
        ("num_vfs=2000 probe_vf=3000", (1024, 1024)),
        ("num_vfs=8 probe_vf=²", (8, 0)),
        (f"num_vfs={MANY} probe_vf=1", (16, 1)),
    ],
)
def test_numbers_of_the_module_are_suggested_as_far_as_they_go(options: str, expected: tuple[int, int]) -> None:
    suggested = suggestion.suggest(facts.read(with_file(origin(), MODPROBE, f"options mlx4_core {options}\n")))
    mine = suggested.of(vfs.Answers)
    assert mine is not None
    assert (mine.card[0].count, mine.card[0].host_vfs) == expected


def test_a_number_of_an_owner_that_is_far_too_long_is_one_that_cannot_be_read() -> None:
    node = with_file(today(), "/etc/udev/rules.d/x.rules", f'ATTR{{device/sriov_numvfs}}="{MANY}"\n')
    assert "a number that cannot be read" in found(planned(node), "VFS-OTHER-OWNER").why


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> str:
    """A value that no chapter knew to expect, of the chapter that is named."""

    def card(_: facts.Facts, __: PciFunction) -> object:
        return Card.model_validate({"match": {"serial": "x"}, "count": 9999})

    monkeypatch.setattr(vfs, "card_for", card)
    return "vfs"


def test_a_chapter_whose_suggestion_is_refused_is_left_out_and_told(refused: str) -> None:
    node = origin()
    names = suggestion.suggest(facts.read(node)).names()
    assert refused not in names
    assert "iommu" in names
    finding = found(planned(node), "NODE-VALUE-REFUSED")
    assert (finding.chapter, finding.severity) == (refused, "warns")
    assert finding.seen == 'count: type a number from 0 to 1024, or "max"; it is 9999'


def test_a_chapter_that_is_answered_needs_no_suggestion(refused: str) -> None:
    answer = {"card": [{"match": {"vendor": "15b3", "product": "1007"}, "count": 4}]}
    plan = planned(origin(), **{refused: answer})
    assert "NODE-VALUE-REFUSED" not in codes(plan)
    assert any(refused in step.chapters for step in plan.steps)


def test_suggest_does_not_say_that_a_refused_chapter_does_not_apply(
    refused: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, "--root", str(written(tmp_path / "node", "origin")), "suggest")
    assert (code, err) == (Exit.DONE, "")
    told = " ".join(out.replace("\n# ", " ").split())
    assert f"[{refused}] is left out, since what this node has now cannot be said as an answer: count:" in told
    assert not any("left alone" in line and chapter(refused).TITLE in line for line in out.splitlines())
    answer_files.from_text(out, "suggest")


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("010", 10), ("²", None), ("٣", None), ("", None), ("-1", None), ("9" * 18, 10**18 - 1), (MANY, None)],
)
def test_only_plain_digits_are_a_number(text: str, number: int | None) -> None:
    assert parse_int(text) == number

"""Text that would like to be something else: shell words, escape sequences, markup. In answers and in everything that a node
says: refused, or inert in every file, command, script and on the screen."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import driving  # noqa: F401 - how it waits for the event loop
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from screens.shared.page_order import PAGES
from screens.shared.session import NodeEngine
from screens.tui.app import WizardApp
from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.apply import rescue_script
from wizard.chapters.vfs import sriov
from wizard.cli import main as cli
from wizard.errors import InputError, WizardError
from wizard.export.script import script
from wizard.facts import facts
from wizard.facts.facts import Facts
from wizard.model import step_text
from wizard.model.plan import Plan
from wizard.model.steps import RemoveFile, RunCommand, StopByPidfile, WriteFile, WriteSysfs
from wizard.node.recorded import DirectoryNode, MemoryNode
from wizard.planning.planner import make_plan
from wizard.report import text as report
from wizard.safe_text import safe_text
from wizard.simulator import described
from wizard.simulator.built_in import built_in, simulate

MARK = "injected-here"
HOSTILE = (
    f"$(touch {MARK})",
    f"`touch {MARK}`",
    f"';touch {MARK};'",
    f'";touch {MARK};"',
    f"x;touch {MARK};#",
    f"a\ntouch {MARK}\n",
    f"a\nCOMPUTE_WIZARD_END\ntouch {MARK}\n",
    f"|touch {MARK}",
    f"${{x:=$(touch {MARK})}}",
    "\x1b[31mred\x1b[0m\x07",
    "\x1b]0;title\x07",
    "\x9b31m",
    "[bold red on white]x[/]",
    "[/]",
    "[@click=app.quit]x[/]",
    "a\rb",
    "\u202egnp",
    "-rf",
    "--help",
    "%s%n%d",
    "../../../etc/passwd",
    "\\",
    "'",
    '"',
    "\t",
    "\udcff",
)
CONTROL = re.compile(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]|[\u202a-\u202e\u2066-\u2069\u200b-\u200f\x7f]")
ORIGIN = built_in("origin")
TEXTS = sorted(
    path
    for path, entry in ORIGIN.entries.items()
    if entry.kind == "file"
    and 0 < len(entry.content) < 20_000
    and b"\0\0" not in entry.content
    and path not in ("/etc/passwd", "/etc/group")  # the test itself needs them, to write the node out
)
WORD = re.compile(rb"[^\s=:\"',;\0]+")


def hostile_node(changes: list[tuple[int, int, str]]) -> MemoryNode:
    """The built-in node with some words of some of its files replaced: (file, word, text)."""
    node = copy.deepcopy(ORIGIN)
    for number, position, text in changes:
        entry = node.entries[TEXTS[number % len(TEXTS)]]
        words = list(WORD.finditer(entry.content))
        if words:
            word = words[position % len(words)]
            entry.content = entry.content[: word.start()] + _bytes(text) + entry.content[word.end() :]
    return node


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def texts_of(seen: Facts, plan: Plan) -> str:
    """Everything that the command line would print about a node."""
    answers = suggestion.suggest(seen)
    return "".join(
        [
            report.inspect(seen),
            report.findings(plan.findings),
            report.plan(plan),
            plan.masked().to_json(),
            report.as_json(seen.to_data()),
            *report.suggested(seen, answers).values(),
        ]
    )


def looks_inert(plan: Plan) -> None:
    """Each step is about whole paths and whole words, of which a person can see every character."""
    for step in plan.steps:
        paths = [step.path] if isinstance(step, WriteFile | RemoveFile | WriteSysfs) else []
        paths += [step.pidfile] if isinstance(step, StopByPidfile) else []
        for path in paths:
            assert path.startswith("/")
            assert ".." not in path.split("/")
            assert path.isprintable(), repr(path)
        for word in step.argv if isinstance(step, RunCommand) else ():
            assert word.isprintable(), repr(word)
        assert not CONTROL.search(step_text.title(step)), repr(step_text.title(step))


def run_inert(seen: Facts, plan: Plan, root: Path) -> None:
    """The exported script and undo.sh are read by a real shell, and run below a directory: nothing else happens."""
    dash = shutil.which("dash")
    if dash is None:
        pytest.skip("dash: the program is not installed")
    try:
        text = script(seen, plan)
    except InputError as error:  # refused in words, where it could not change a file without holding its secrets
        stray = [step.path for step in plan.steps if isinstance(step, WriteFile) and step.secret]
        assert "carriage return" in error.what and error.where in stray
        assert re.search(rb"\r(?!\n)", seen.content(error.where) or b"")
        return
    assert not CONTROL.search(text), CONTROL.search(text)
    for name, content in (("script.sh", text), ("undo.sh", rescue_script.script(plan))):
        (root / name).write_text(content, encoding="utf-8")
        read = subprocess.run([dash, "-n", root / name], capture_output=True, check=False, timeout=60)
        assert (read.returncode, read.stderr) == (0, b""), name
    environment = {"PATH": "/usr/bin:/bin", "COMPUTE_WIZARD_ROOT": str(root / "node")}
    for words in (["--dry-run"], []):
        done = subprocess.run(
            [dash, root / "script.sh", *words], capture_output=True, check=False, timeout=120, cwd=root, env=environment
        )
        assert done.returncode in (0, 4), done.stderr
    assert not list(root.rglob(MARK))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 9999), st.sampled_from(HOSTILE)), min_size=1, max_size=12)
)
@example([(6680, 712, "a\rb")])  # a stray carriage return in nova.conf
def test_whatever_a_node_says_stays_text(changes: list[tuple[int, int, str]]) -> None:
    node = hostile_node(changes)
    try:
        seen = facts.read(node)
        plan = make_plan(seen, suggestion.suggest(seen))
    except WizardError as error:
        assert not CONTROL.search(safe_text(str(error)))
        return
    found = CONTROL.search(texts_of(seen, plan))
    assert found is None, found
    looks_inert(plan)
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "node").mkdir()
        described.materialise(node, root / "node")
        run_inert(seen, plan, root)


def test_names_with_line_ends_are_no_commands_of_the_script(tmp_path: Path) -> None:
    """Whatever a plan holds: no comment of the script ends before its line does."""
    node = built_in("origin")
    seen = facts.read(node)
    plan = make_plan(seen, suggestion.suggest(seen))
    bad = f"x\ntouch {MARK}\n"
    name = plan.node.model_copy(update={"hostname": bad, "os": bad})
    step = RunCommand(
        chapters=("iommu",), phase="boot", argv=("true", bad), why=(bad,), undo=("true", bad), undo_when="after_files"
    )
    hostile = plan.model_copy(update={"node": name, "steps": (*plan.steps, step)})
    (tmp_path / "node").mkdir()
    described.materialise(node, tmp_path / "node")
    run_inert(seen, hostile, tmp_path)
    (directory,) = (tmp_path / "node/var/lib/compute-wizard").glob("script-*")
    undo = subprocess.run(["sh", directory / "undo.sh"], capture_output=True, check=False, timeout=60, cwd=tmp_path)
    assert undo.returncode == 0
    assert not list(tmp_path.rglob(MARK))


def field(name: str, value: str) -> dict[str, Any]:
    """Answers in which one field holds a value."""
    row = {"label": "demo-net", "router": "10.44.1.1", "vlan": 1441}
    card = {"match": {"vendor": "15b3", "product": "1007"}, "count": 4}
    pool: dict[str, Any] = {"name": "ib", "cards": "all"}
    chapter, _, key = name.partition(".")
    match chapter:
        case "network":
            return {"gateways": {"network": [{**row, key: value}]}}
        case "gateways" | "metadata":
            given_ = {"network": [row]} if chapter == "gateways" else {"redirect": True}
            return {chapter: {**given_, key: [value] if key in ("bridges", "uplinks") else value}}
        case "match":
            return {"vfs": {"card": [{"match": {key: value}, "count": 4}]}}
        case "card":
            return {"vfs": {"card": [{**card, key: value}]}}
        case "flavor":
            return {"vfs": {"card": [card]}, "passthrough": {"pool": [{**pool, "flavor": {key: value, "count": 1}}]}}
        case "device":
            return {"passthrough": {"pool": [{"name": "ib", "devices": [{key: value}]}]}}
        case _:
            return {"vfs": {"card": [card]}, "passthrough": {"pool": [{**pool, key: value}]}}


FIELDS = (
    *("network.label", "network.router", "network.bridge", "network.cidr", "gateways.config_file"),
    *("metadata.bridges", "metadata.uplinks", "metadata.target", "match.serial", "match.mac", "match.netdev"),
    *("match.address", "match.vendor", "card.ports", "card.count", "card.firmware", "pool.name", "pool.cards"),
    *("pool.numa_policy", "pool.physical_network", "flavor.name", "device.vendor_id", "device.address"),
)
SEEN = facts.read(built_in("origin"))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(FIELDS),
    st.one_of(
        st.sampled_from(HOSTILE),
        st.sampled_from(HOSTILE).map(lambda text: f"/etc/{text}"),
        st.sampled_from(HOSTILE).map(lambda text: f"name{text}"),
        st.text(max_size=12),
    ),
)
def test_whatever_is_answered_is_refused_or_stays_text(name: str, value: str) -> None:
    try:
        answers = answer_files.from_data(field(name, value))
        plan = make_plan(SEEN, answers)
    except WizardError as error:
        assert not CONTROL.search(safe_text(str(error)))
        return
    assert not CONTROL.search(report.plan(plan))
    looks_inert(plan)
    for step in plan.steps:  # what was answered is one word of its line: it neither ends the line nor begins another
        if isinstance(step, WriteFile) and not step.secret and value.strip() and value in (step.after.content or ""):
            assert "\n" not in value
            assert "\r" not in value
    for each in plan.controller:
        assert not CONTROL.search(each.value)
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "node").mkdir()
        if any(text in value for text in "$`;|'\"\\\n") and plan.steps:
            described.materialise(built_in("origin"), root / "node")
            run_inert(SEEN, plan, root)


@pytest.mark.parametrize("value", ["-rf", "--all", ""])
@pytest.mark.parametrize("name", ["flavor.name", "pool.name", "network.bridge", "metadata.bridges"])
def test_a_name_that_a_command_would_take_for_an_option_is_refused(name: str, value: str) -> None:
    with pytest.raises(WizardError):
        answer_files.from_data(field(name, value))


MARKUP = ("[bold red on white]x[/]", "[/]", "[@click=app.quit]x[/]", "\x1b[31mred", "[link=file:///etc]y[/link]")


@pytest.mark.parametrize("text", MARKUP)
async def test_markup_and_escapes_of_a_node_are_neither_drawn_nor_fatal(text: str, tmp_path: Path) -> None:
    """Every word of every text file is the same hostile word in turn; each page shows it as it is, or not at all."""
    changes = [(number, position, text) for number in range(len(TEXTS)) for position in (1, 4) if number % 3 == 0]
    node = hostile_node(changes)
    node.entries["/etc/hostname"].content = _bytes(text)
    for path in [path for path in node.entries if path.endswith(("/os-release", "pci.ids"))]:
        entry = node.entries[path]
        entry.content = entry.content.replace(b"Ubuntu", _bytes(text)).replace(b"MT27520", _bytes(text))
    described.materialise(node, tmp_path)
    app = WizardApp(lambda: NodeEngine(DirectoryNode(tmp_path), str(tmp_path), False), False)
    shown = ""
    async with app.run_test(size=(120, 60)) as pilot:
        for number, name in enumerate(PAGES):
            await pilot.app.workers.wait_for_complete()
            await pilot.press(str(number))
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()
            for strip in app.screen._compositor.render_strips():
                for segment in strip:
                    assert "\x1b" not in segment.text, name
                    shown += segment.text
                    assert segment.style is None or not segment.style.link, name
            if name == "preview":
                for _ in range(6):
                    await pilot.press("down")
                    await pilot.pause()
    literal = safe_text(text)
    assert literal.split("]")[0] in shown
    assert app._exception is None


@pytest.mark.parametrize(
    "serial", ["MT1944X 1 ; /bin/sh", "MT19 2 x", "X1;touch", "a%n", "a$b", 'a"b', "a'b", "a\\b", ""]
)
def test_a_serial_that_is_no_word_goes_into_no_command_line(serial: str) -> None:
    seen = facts.read(built_in("today"))
    function = replace(seen.pci.functions[0], serial=serial, netdevs=(), rdma=())
    assert sriov.identity(function) == "none"
    assert sriov.identity(replace(function, serial="MT2011X04218")) == "serial=MT2011X04218"


@pytest.mark.parametrize("closed", ["<&-", "<&- 2>&-"])
def test_a_question_without_stdin_is_a_wrong_use_and_no_traceback(closed: str, tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path / "node")
    program = f"{sys.executable} -m screens.start --root {node.directory}"
    words = (
        f"{program} plan --out {tmp_path}/p.json >/dev/null; {program} apply {tmp_path}/p.json --files-only {closed}"
    )
    done = subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=False)
    assert done.returncode == 64, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "left", ["nova-br@1.pid", 'nova-a"b.pid', "nova-\udcff.pid", "nova-a b.conf", f"nova-{'b' * 16}.opts"]
)
def test_what_is_left_with_no_name_of_a_bridge_is_told_and_is_no_bridge(left: str, tmp_path: Path) -> None:
    """The directory is nova's own: not only root writes there."""
    node = simulate(built_in("demo"), tmp_path / "node")
    place = node.place("/var/lib/nova/networks")
    place.mkdir(parents=True, exist_ok=True)
    (place / left).touch()
    seen = facts.read(node)
    bridge = left.removeprefix("nova-").rpartition(".")[0]
    assert bridge not in [network.bridge for network in seen.nova.networks]
    assert any(bridge in each.what for each in seen.unseen)
    script(seen, make_plan(seen, suggestion.suggest(seen))).encode()


def test_a_file_whose_name_is_no_text_is_changed_by_the_script(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path / "node")
    (node.place("/etc/modprobe.d") / "\udcff.conf").write_text("options mlx4_core num_vfs=2\n", encoding="utf-8")
    out = tmp_path / "the.sh"
    assert cli.main(["export", "script", "--root", str(node.directory), "--out", str(out)]) == 0
    assert b"/etc/modprobe.d/\xff.conf" in out.read_bytes()
    assert subprocess.run(["sh", "-n", out], check=False).returncode == 0

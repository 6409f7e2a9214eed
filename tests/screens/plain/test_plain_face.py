"""The plain face: a run that is read aloud, what can be typed at every question, and the same plan as in the other faces."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import TextIO, TypeAlias, cast

import needs
import pytest
from driving import page, settled, state, until
from places import SCREENS_GOLDEN
from pseudoterminal import DEMO, Session
from textual.widgets import Input

from screens.plain.terminal_io import Talk
from screens.plain.walk import Walk
from screens.shared.session import NodeEngine
from screens.terminal.choice import Face
from screens.terminal.probe import Terminal
from screens.tui.app import WizardApp
from screens.tui.widgets.fields import Field, Line
from wizard.answers import drafts, editing
from wizard.answers import files as answer_files
from wizard.apply import launch
from wizard.chapters.metadata import chapter as metadata
from wizard.errors import UsageError, WizardError
from wizard.facts import facts
from wizard.planning.planner import make_plan
from wizard.runs.journal import follow
from wizard.simulator.built_in import built_in, simulate

GOLDEN = SCREENS_GOLDEN / "plain-demo.txt"
MOST = 300  # bytes of a question

# (what the question holds, what is typed there): at every question in between Enter
WHOLE_RUN = [
    ("Enter begins", "?"), ("Enter begins", ""),
    ("Enable the IOMMU", "?"), ("iommu=pt", "maybe"), ("iommu=pt", "no"), ("3 Set this up", "b"), ("iommu=pt", "yes"),
    ("3.1 VFs", "99"), ("3.2 ", "b"), ("3.1 VFs", "8"), ("Ports:", "?"), ("Ports:", "1"),
    ("Release of nova", "kilo?"),
    ("Networks, 2", "e1"), ("row 1 Router", "10.44.1.254"), ("Networks, 2", "l"),
    ("7 Preview", "2"), ("7 Preview", ""),
    ("8 Do these", "no"), ("Enter begins", "7"), ("8 Do these", "yes"),
    ("9 v verify", "r"), ("9 v verify", "h"), ("History,", "1"), ("8 Take run", "yes"), ("History,", "q"),
]  # fmt: skip


class Script:
    """Lines for questions: the next one where its question is asked, an empty one elsewhere."""

    def __init__(self, script: list[tuple[str, str]]) -> None:
        self._script, self.prompt, self._asked = list(script), "", 0

    def readline(self) -> str:
        self._asked += 1
        if self._script and self._script[0][0] in self.prompt:
            return f"{self._script.pop(0)[1]}\n"
        return "\n" if self._script and self._asked < 300 else ""

    def isatty(self) -> bool:
        return False


class Listener(Talk):
    """Keeps how much was said between two answers."""

    def __init__(self, lines: list[str] | list[tuple[str, str]]) -> None:
        self.target = io.StringIO()
        self.script = Script([line if isinstance(line, tuple) else ("", line) for line in lines])
        super().__init__(cast(TextIO, self.script), self.target)
        self.prompts: list[str] = []

    def ask(self, prompt: str) -> str:
        self.prompts.append(prompt)
        self.script.prompt = prompt
        return super().ask(prompt)


def walked(
    directory: Path, lines: list[str] | list[tuple[str, str]], name: str = "demo", expect: type[Exception] | None = None
) -> tuple[Walk, str]:
    """A session on a built-in node, and all that was said."""
    node = simulate(built_in(name), directory)
    talk = Listener(lines)
    walk = Walk(NodeEngine(node, str(directory), True), talk)
    if expect is None:
        assert walk.run() == 0
    else:
        with pytest.raises(expect):
            walk.run()
    return walk, talk.target.getvalue()


def test_a_whole_run_reads_well_aloud(tmp_path: Path) -> None:
    needs.root("to give files to root, or there is a note more")
    _, said = walked(tmp_path, WHOLE_RUN)
    _golden(said, GOLDEN)
    assert not (tmp_path / "etc/modprobe.d/mlx4_core.conf").exists()


def test_a_chapter_whose_suggestion_is_refused_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "suggest", lambda _: metadata.Answers.model_validate({"redirect": "of course"}))
    walk, said = walked(tmp_path, [("Enter begins", ""), ("6 Set this up", "yes"), ("7 Preview", "q")])
    assert "NODE-VALUE-REFUSED" in said
    refused = "! what this node has now cannot be said as an answer: redirect: has to be true or false"
    assert refused in " ".join(said.split())
    assert walk.state.answers.get("metadata") is None


@pytest.mark.parametrize("name", ["demo", "origin", "today"])
def test_a_question_has_at_most_300_bytes(name: str, tmp_path: Path) -> None:
    walk, said = walked(tmp_path, ["", *[""] * 60, "q"], name)
    assert isinstance(walk.talk, Listener)
    assert len(walk.talk.prompts) > 20
    assert max(len(prompt.encode()) for prompt in walk.talk.prompts) <= MOST
    assert "\x1b" not in said and said.isprintable() is False
    said = said.replace("\n  ", " ")  # long ones go on in a second line
    for first, second in zip(walk.talk.prompts, walk.talk.prompts[1:], strict=False):
        place = said.index(first)
        between = said[place + len(first) : said.index(second, place + 1)] if second != first else ""
        if re.match(r"\d\.\d", first) and first[:2] == second[:2]:
            assert len(between.encode()) + len(second.encode()) <= MOST, (first, second)


def test_no_line_is_broken_inside_a_word(tmp_path: Path) -> None:
    _, said = walked(tmp_path, [("Enter begins", ""), ("7 Preview", "q")])
    assert all(len(line) < 80 for line in said.splitlines())
    assert "2 raise its limits where they stand in the\n  way (one way) [1]:" in said
    assert "judges the packet,\n  2 ACCEPT: the rule" in said  # a choice's number stays with it


Wanted: TypeAlias = tuple[str, tuple[str | int, ...], object]
ANSWERS: list[list[Wanted]] = [
    [
        ("iommu", ("passthrough_mode",), False),
        ("vfs", ("card", 0, "count"), 8),
        ("vfs", ("card", 0, "ports"), "infiniband"),
    ],
    [("vfs", ("card", 0, "count"), "max"), ("vfs", ("card", 0, "host_vfs"), 1), ("metadata", ("target",), "accept")],
    [
        ("gateways", ("config_file",), "/etc/dnsmasq-b.conf"),
        ("metadata", ("bridges",), "br1441"),
        ("iommu", ("enable",), False),
    ],
]


@pytest.mark.parametrize("wanted", ANSWERS, ids=["count", "max", "texts"])
async def test_the_same_answers_give_the_same_plan_in_every_face(wanted: list[Wanted], tmp_path: Path) -> None:
    plans = {}
    for face in ("full", "console"):
        engine = NodeEngine(simulate(built_in("demo"), tmp_path / face), str(tmp_path / face), True)
        app = WizardApp(
            lambda engine=engine: engine,  # type: ignore[misc]
            True,
            Face("full" if face == "full" else "console", "", Terminal("xterm", "pty")),
        )
        async with app.run_test(size=(80, 24)) as pilot:
            for chapter, key, value in wanted:
                await until(pilot, lambda: page(pilot) != "")
                app.go(chapter)
                await until(pilot, lambda chapter=chapter: page(pilot) == chapter)  # type: ignore[misc]
                await settled(pilot)
                (field,) = [each for each in app.screen.query(Field) if each.key == key]
                field.query_one(Input if field.query(Input) else Line).focus()
                await pilot.pause()
                if field.query(Input):
                    await pilot.press("end", *["backspace"] * 40, *str(value))
                else:
                    while field.value != value:
                        await pilot.press("space")
                await pilot.press("escape")
                await pilot.pause()
            app.replan()
            await until(pilot, lambda: state(pilot).current is not None)
            assert app.state.plan is not None
            plans[face] = app.state.plan.to_json()
    plain = Walk(
        NodeEngine(simulate(built_in("demo"), tmp_path / "plain"), str(tmp_path / "plain"), True), Answerer(wanted)
    )
    assert plain.run() == 0
    for chapter, key, value in wanted:
        assert editing.value_at(plain.state.answers, chapter, key) in (value, [value])
    plans["plain"] = plain.plan().to_json()
    assert plans["full"] == plans["console"] == plans["plain"]


LABELS = {
    "enable": "2.1", "passthrough_mode": "2.2", "count": "3.1", "host_vfs": "3.2", "ports": "3.3", "config_file": "5.1",
    "target": "6.2", "bridges": "6.3",
}  # fmt: skip


class Answerer(Talk):
    """Types each answer where its question is asked, and Enter elsewhere; leaves at the preview."""

    def __init__(self, wanted: list[Wanted]) -> None:
        super().__init__(io.StringIO(), io.StringIO())
        self.lines = {
            LABELS[str(key[-1])]: {"True": "yes", "False": "no"}.get(str(value), str(value)) for _, key, value in wanted
        }

    def ask(self, prompt: str) -> str:
        if prompt.startswith("7 "):
            return "q"
        return self.lines.get(prompt.partition(" ")[0], "")


def test_a_text_that_is_a_command_stands_in_quotes(tmp_path: Path) -> None:
    walk, _ = walked(
        tmp_path, [("Enter begins", "4"), ("Pools", "e1"), ("Alias", '"b"'), ("physical network", '""'), ("Pools", "q")]
    )
    (pool,) = editing.value_at(walk.state.answers, "passthrough", ("pool",))
    assert pool["name"] == "b" and "physical_network" not in pool


def test_rows_are_added_edited_and_taken_out(tmp_path: Path) -> None:
    walk, said = walked(
        tmp_path,
        ["5", "", "", "a", "third", "10.44.3.1", "1443", "", "e3", "", "10.44.3.2", "", "10.44.3.0/24", "d1", "q"],
    )
    rows = editing.value_at(walk.state.answers, "gateways", ("network",))
    assert [row["label"] for row in rows] == ["demo2-net", "third"]
    assert rows[1] == {"label": "third", "router": "10.44.3.2", "vlan": 1443, "cidr": "10.44.3.0/24"}
    assert "Taken out:  1. Label demo-net" in said
    walk, said = walked(tmp_path / "b", ["5", "", "", "a", "b", "d9", "e", "", "not an address", "b", "b", "q"])
    assert "Not added." in said and "! there are rows 1 to 2" in said
    assert len(editing.value_at(walk.state.answers, "gateways", ("network",))) == 2
    assert re.search(r"^! .*address", said, re.M)


MANY = [
    ("Enter begins", "5"), ("Networks, 2", "?"), ("Networks, 2", "m"), ("VLANs, such", "1441-1444"), ("Label [", "?"), ("Label [", ""),
    ("Router [", "10.{vlan"), ("Network, -", ""), ("Networks, 2", "m"), ("VLANs, such", "1441-1444"), ("Label [", ""), ("Router [", ""),
    ("Network, -", "-"), ("Add 2", ""),
    ("Networks, 4", "t"), ("line 1", "label;gateway;vlan"), ("line 2", "five;10.5.0.1;5"), ("line 3", "six;10.6.0.300;6"), ("line 4", ""),
    ("Add 1", "no"), ("Networks, 4", "t"), ("line 1", "five 10.5.0.1 5"), ("line 2", ""), ("Add 1", "y"),
    ("Networks, 5", "f"), ("File, such", "/no/such/file"), ("Networks, 5", "x"), ("Networks, 5", "l"), ("Networks, 5", "q"),
]  # fmt: skip


def _golden(said: str, path: Path) -> None:
    said = re.sub(r"(\d{4})-\d{8}T\d{6}Z", r"\1-TIME", said)
    said = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*", "TIME", said)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(said, encoding="utf-8")
    assert said == path.read_text(encoding="utf-8")


def test_many_networks_read_well_aloud(tmp_path: Path) -> None:
    walk, said = walked(tmp_path, MANY)
    _golden(said, GOLDEN.with_name("plain-networks.txt"))
    rows = editing.value_at(walk.state.answers, "gateways", ("network",))
    assert [row["label"] for row in rows] == ["demo-net", "demo2-net", "net1443", "net1444", "five"]
    assert rows[2] == {"label": "net1443", "router": "10.5.163.1", "vlan": 1443}


def test_a_file_with_all_vlans_is_taken_and_listed(tmp_path: Path) -> None:
    listed = tmp_path / "networks.csv"
    listed.write_text("".join(f"n{vlan},10.{vlan // 256}.{vlan % 256}.1,{vlan}\n" for vlan in range(1, 4095)))
    walk, said = walked(tmp_path / "node", ["5", "", "", "f", str(listed), "", "l", "q"])
    assert len(editing.value_at(walk.state.answers, "gateways", ("network",))) == 4094
    assert "! line 1441: vlan 1441 is in the list already" in said
    assert "4094. Label n4094" in said


@pytest.mark.parametrize("choice", ["keep", "restore", "merge"])
def test_what_was_changed_after_a_run_is_asked_about(choice: str, tmp_path: Path) -> None:
    answers = answer_files.from_data(
        {"gateways": {"network": [{"label": "demo-net", "router": "10.44.1.1", "vlan": 1441}]}}
    )
    node = simulate(built_in("demo"), tmp_path)
    place = tmp_path / "etc/dnsmasq-nova.conf"
    started = launch.start(tmp_path, make_plan(facts.read(node), answers), simulated=True)
    list(follow(started.journal))
    place.write_bytes(place.read_bytes() + b"# mine\n")
    talk = Listener([("Enter begins", "h"), ("History,", "1"), ("What becomes", "what?"), ("What becomes", "s"), ("What becomes", "b"),
                     ("History,", "1"), ("What becomes", choice), ("8 Take run", "yes"), ("History,", "q")])  # fmt: skip
    assert Walk(NodeEngine(node, str(tmp_path), True), talk).run() == 0
    said = talk.target.getvalue()
    assert "/etc/dnsmasq-nova.conf was changed after the run." in said
    assert "+# mine" in said
    now = place.read_bytes() if place.exists() else None
    if choice == "keep":
        assert now is not None and now.endswith(b"\n# mine\n") and b"10.44.1.1" in now
    else:
        assert now == {"restore": None, "merge": b"# mine\n"}[choice]


def test_a_chapter_is_left_alone_and_set_up_again(tmp_path: Path) -> None:
    walk, said = walked(tmp_path, ["6", "no", "b", "b", "b", "q"])
    assert walk.state.answers.get("metadata") is None
    walk, said = walked(tmp_path / "b", ["6", "no", "b", "yes", "q"])
    assert walk.state.answers.get("metadata") is not None
    assert "6.1 Redirect metadata requests" in said


def test_the_plan_and_the_script_are_written(tmp_path: Path) -> None:
    plan, script = tmp_path / "a.plan", tmp_path / "a.sh"
    walk, said = walked(tmp_path / "node", ["7", "w", str(plan), "x", str(script), "w", "/no/such/place", "q"])
    assert plan.read_text() == walk.plan().to_json()
    assert plan.stat().st_mode & 0o777 == 0o600
    subprocess.run(["sh", "-n", str(script)], check=True)
    assert "! /no/such/place" in said


def test_input_that_ends_is_told_and_answers_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []
    monkeypatch.setattr(NodeEngine, "save_draft", lambda _, answers: kept.append(answers))
    walked(tmp_path, ["3", "", "5"], expect=WizardError)
    assert editing.value_at(kept[-1], "vfs", ("card", 0, "count")) == 5
    walked(tmp_path / "b", [], expect=UsageError)


def test_text_of_the_node_sends_no_escape_sequences(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    (tmp_path / "etc/hostname").write_text("x\x1b[31m\n", encoding="utf-8")
    (tmp_path / "proc/sys/kernel/hostname").unlink(missing_ok=True)
    talk = Listener(["q"])
    assert Walk(NodeEngine(node, str(tmp_path), True), talk).run() == 0
    assert "x\\x1b[31m" in talk.target.getvalue()


def test_a_pipe_takes_answers_and_says_everything_on_stdout() -> None:
    done = subprocess.run(
        [*DEMO], input="\n" * 60, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]}
    )
    assert done.returncode == 1
    assert "3.1 VFs" in done.stdout
    assert done.stderr.startswith("compute-wizard: the input ended")
    done = subprocess.run([*DEMO], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 64
    done = subprocess.run([*DEMO], input="q\n", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_dumb_terminal_gets_lines_and_nothing_else() -> None:
    with Session(DEMO, environment={"TERM": "dumb"}) as session:
        session.until(lambda: session.output.endswith(b"[Enter]: "), "the first question")
        session.press(b"3\n\n")
        session.until(lambda: b"3.1 VFs" in session.output, "a question")
        session.settle()
        session.press(b"5\n")
        session.until(lambda: b"3.2 " in session.output, "the next question")
        assert len(session.settle()) <= MOST
        assert session.settle(3.0) == b""
        session.press(b"\x04")
        assert session.wait() == 0
        assert session.settings == session.before
        assert re.sub(rb"[\r\n -~]", b"", session.output) == b""


def test_bytes_that_are_no_text_are_an_answer_like_any_other() -> None:
    done = subprocess.run([*DEMO], input=b"\xff\xfe\nq\n", capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    posix = {"PATH": os.environ["PATH"], "LC_ALL": "POSIX"}
    done = subprocess.run([*DEMO], input="é\nq\n".encode(), capture_output=True, check=False, env=posix)
    assert (done.returncode, done.stderr) == (0, b"")


def test_arrow_keys_choose_where_they_work() -> None:
    with Session((*DEMO, "--ui", "plain"), environment={"TERM": "vt220"}) as session:
        session.until(lambda: b"[Enter]: " in session.output, "the first question")
        session.press(b"3\r")
        session.until_text("> yes")
        session.press(b"\r")
        session.until_text("3.1 VFs [16]:")
        session.press(b"\r")
        session.until_text("3.2 of these")
        session.settle()
        session.press(b"\r")
        session.until_text("> keep as they are")
        assert len(session.settle()) <= MOST
        session.press(b"?")
        session.until_text("b goes back")
        session.press(b"\x1b[A")
        session.settle()
        session.press(b"\r")
        session.until_text("3.4 Firmware")
        assert "3.3 Ports: Ethernet" in "\n".join(session.lines())
        session.press(b"q")
        assert session.wait() == 0
        assert session.settings == session.before


@pytest.mark.parametrize("keys", [b"", b"3\r"], ids=["at a line", "at a list"])
def test_a_signal_leaves_the_terminal_sane(keys: bytes) -> None:
    with Session((*DEMO, "--ui", "plain"), environment={"TERM": "vt220"}) as session:
        session.until(lambda: b"[Enter]: " in session.output, "the first question")
        if keys:
            session.press(keys)
            session.until_text("> yes")
        session.send_signal(signal.SIGTERM)
        assert session.wait() == 143
        assert session.settings == session.before


def test_the_draft_is_offered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described = simulate(built_in("demo"), tmp_path / "node")
    assert described.directory == tmp_path / "node"
    monkeypatch.setattr(drafts, "_draft", lambda _: tmp_path / "draft.toml")
    from wizard.node.recorded import DirectoryNode

    def session(*lines: str) -> str:
        talk = Listener(list(lines))
        engine = NodeEngine(DirectoryNode(tmp_path / "node"), str(tmp_path / "node"), False)
        assert Walk(engine, talk).run() == 0
        return talk.target.getvalue()

    session("3", "", "5", "q")
    said = session("3", "", "q")
    assert "answers of your last session are back" in said
    assert "3.1 VFs [5]" in said
    assert "3.1 VFs [16]" in session("n", "3", "", "q")


@pytest.mark.parametrize("heard", [0, 1, 3])
def test_a_reader_who_has_seen_enough_ends_it_in_silence(tmp_path: Path, heard: int) -> None:
    node = simulate(built_in("demo"), tmp_path)
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as target:

        class Leaving(Talk):
            said = 0

            def _put(self, text: str) -> None:
                if self.said == heard:
                    os.close(reading)
                self.said += 1
                super()._put(text)

        talk = Leaving(io.StringIO("\n" * 50), target)
        assert Walk(NodeEngine(node, str(tmp_path), True), talk).run() == 0
        assert talk.unheard

"""Secrets of all kinds, planted wherever this tool reads, and looked for in everything that it says or leaves behind."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import driving  # noqa: F401 - how it waits for the event loop
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.shared.page_order import PAGES
from screens.shared.session import NodeEngine
from screens.terminal import guard
from screens.tui.app import WizardApp
from wizard import locations
from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.apply import launch
from wizard.apply.backends import LONGEST_LINE, Lines
from wizard.apply.runner import reason
from wizard.apply.system_log import SystemLog
from wizard.cli import main as cli
from wizard.errors import NodeError
from wizard.export.script import script
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.planning.planner import make_plan
from wizard.redaction import redacted
from wizard.report import text as report
from wizard.runs import store
from wizard.runs.event_text import sentence
from wizard.runs.journal import Journal, follow, read
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

NOVA = {
    "transport_url": "[DEFAULT]\ntransport_url = rabbit://openstack:{}@10.0.0.1:5672/\n",
    "transport_url-slash": "transport_url = rabbit://openstack:pa/{}@10.0.0.1:5672,x:{}@10.0.0.2:5672//\n",
    "sql": "sql_connection = mysql://nova:{}@10.0.0.1/nova\n",
    "connection": "[database]\nconnection = mysql+pymysql://nova:{}@10.0.0.1/nova?charset=utf8\n",
    "slave": "slave_connection: postgresql://nova:{}@10.0.0.2/nova\n",
    "password": "[keystone_authtoken]\nadmin_password = {}\n",
    "no-blanks": "password={}\n",
    "quoted": 'memcache_secret_key = "{} with blanks"\n',
    "single-quoted": "auth_token = '{}'\n",
    "upper-case": "RABBIT_PASSWORD = {}\n",
    "hyphens": "rabbit-password = {}\n",
    "a vendor's own": "[vendor]\nlogin = {}\n",
    "a list": "sheep_list = one, {}, three\n",
    "json": '[service]\ncredentials_json = {{"user": "x", "key": "{}"}}\n',
    "continued": "[libvirt]\nrbd_secret_uuid = first\n    {}\n    = {}\n",
    "continued option": "images_rbd_pool =\n\t{}\n",
    "a comment": "# the old password was {}\n",
    "a comment that was an option": "#admin_password = {}\n",
    "a comment with a semicolon": "; {}\n",
    "an indented comment": "before_it = x\n    # {}\n",
    "an alias of the section": "[Neutron]\nmetadata_proxy_shared_secret = {}\n[NEUTRON]\npassword = {}\n",
    "a repeated option": "[neutron]\npassword = {}\npassword = {}\n",
    "interpolated": "[glance]\nkey = {}\nauth = $key\n",
    "in a known option's continuation": "[DEFAULT]\ndhcp_domain = example\n  password = {}\n",
    "in a name": "[DEFAULT]\n{}_name = x\n",
    "the last line without an end": "[zz]\npassword = {}",
}
ELSEWHERE = {
    "/etc/dnsmasq-nova.conf": "# admin_password = {}\ndhcp-option=tag:other,option:router,10.1.1.1\n",
    "/etc/modprobe.d/aaa.conf": "# token={}\noptions mlx4_core debug_level=1\n",
    "/etc/default/grub.d/10-iscsi.cfg": 'GRUB_CMDLINE_LINUX="rd.iscsi.password={} netroot=iscsi:user:{}@10.0.0.9"\n',
    "/etc/default/grub": '# GRUB_PASSWORD={}\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\n',
    "/etc/nova/nova-compute.conf": "[DEFAULT]\ncompute_driver=libvirt.LibvirtDriver\n[libvirt]\nvnc_password = {}\n",
}


class Planted:
    """A node full of secrets. Each is a word of its own."""

    def __init__(self, directory: Path) -> None:
        self.node = simulate(built_in("demo"), directory)
        self.words: dict[str, str] = {}
        conf = self.node.place("/etc/nova/nova.conf")
        text = "".join(self._filled(name, each) for name, each in NOVA.items() if not name.startswith("the last"))
        text = conf.read_text(encoding="utf-8") + text + self._filled("the last", NOVA["the last line without an end"])
        strange = self.node.place("/srv/odd/service.settings")  # no name of nova's: the running process tells it
        strange.parent.mkdir(parents=True)
        strange.write_text(
            "[DEFAULT]\nmy_ip = 10.0.0.3\n" + self._filled("strange", "admin_pass_word = {}\n"), encoding="utf-8"
        )
        conf.write_text(text, encoding="utf-8")
        for path, each in ELSEWHERE.items():
            place = self.node.place(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(self._filled(path, each), encoding="utf-8")
        line = self.node.place("/proc/cmdline")
        line.write_text(
            line.read_text(encoding="utf-8").rstrip() + self._filled("cmdline", " rd.password={}\n"), encoding="utf-8"
        )
        log = self.node.place("/.compute-wizard/commands/dmesg")
        log.mkdir(parents=True)
        (log / "argv").write_text("dmesg", encoding="utf-8")
        (log / "stdout").write_text(
            self._filled("kernel log", "[0.0] Command line: ro rd.password={} netroot=iscsi:me:{}@10.0.0.9\n"),
            encoding="utf-8",
        )
        for process in self.node.directory.glob("proc/[0-9]*/cmdline"):
            if b"nova-compute" in process.read_bytes():
                more = f"--config-file=/srv/odd/service.settings\0--os-password\0{self._word('argv')}\0"
                process.write_bytes(process.read_bytes() + more.encode())

    def _word(self, name: str) -> str:
        word = f"s3cr3t{len(self.words):03}x"
        self.words[word] = name
        return word

    def _filled(self, name: str, text: str) -> str:
        return text.format(*(self._word(name) for _ in range(text.count("{}"))))

    def found_in(self, text: str | bytes) -> list[str]:
        text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        return sorted({self.words[word] for word in self.words if word in text})


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    (tmp_path / "node").mkdir()
    return Planted(tmp_path / "node")


def test_there_are_two_dozen_kinds_and_nova_reads_them(planted: Planted) -> None:
    assert len(set(planted.words.values())) >= 30
    seen = facts.read(planted.node)
    assert seen.nova.problem == ""
    assert "/srv/odd/service.settings" in seen.nova.config_files
    assert {step.path for step in planned(planted.node).steps if hasattr(step, "path")} >= {"/etc/nova/nova.conf"}


def accepted(answers: str) -> str:
    """The kernel line's waiting words are accepted as they are shown."""
    words = '["rd.iscsi.password=***", "netroot=iscsi:***@10.0.0.9"]'
    return answers.replace("[iommu]\n", f"[iommu]\naccept = {words}\n")


def planned(node: SimulatedNode) -> Plan:
    seen = facts.read(node)
    text = accepted(answer_files.to_toml(suggestion.suggest(seen)))
    return make_plan(seen, answer_files.from_text(text, ""))


def commands(directory: Path) -> Iterator[list[str]]:
    answers, out = str(directory / "answers.toml"), str(directory / "the.plan")
    for command in ("inspect", "check", "verify", "history", "plan"):
        yield [command]
        yield [command, "--json"]
    yield ["plan", "--answers", answers, "--out", out]
    yield ["export", "script", "--answers", answers, "--out", str(directory / "the.sh")]
    yield ["apply", out, "--yes", "--files-only"]
    yield ["history", "0001"]
    yield ["history", "0001", "--json"]
    yield ["undo", "--json"]
    yield ["undo"]
    yield ["bundle", "--out", str(directory / "the.tar.gz")]
    yield ["plan", "--answers", "/etc/nova/nova.conf"]
    yield ["apply", str(directory / "node/etc/nova/nova.conf"), "--yes"]
    yield ["check", "--answers", str(directory / "node/etc/nova/nova.conf")]


def test_no_command_says_one_and_no_file_but_private_ones_holds_one(planted: Planted, tmp_path: Path) -> None:
    """stdout and stderr of every command, each process's arguments, and every file that is left behind."""
    root = planted.node.directory
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    suggested = ""
    run = [sys.executable, "-I", "-m", "screens.start", "--root", str(root)]
    for words in [["suggest"], *commands(tmp_path)]:
        done = subprocess.run([*run, *words], capture_output=True, env=environment, check=False, timeout=120)
        assert planted.found_in(done.stdout) == [], words
        assert planted.found_in(done.stderr) == [], words
        assert b"Traceback" not in done.stderr, (words, done.stderr)
        if words == ["suggest"]:
            suggested = accepted(done.stdout.decode())
            (tmp_path / "answers.toml").write_text(suggested, encoding="utf-8")
    with tarfile.open(tmp_path / "the.tar.gz") as archive:
        for entry in archive.getmembers():
            file = archive.extractfile(entry)
            assert file is not None
            assert planted.found_in(file.read()) == [], entry.name
        assert {"kernel.log", "journal.jsonl", "facts.json"} <= {name.rpartition("/")[2] for name in archive.getnames()}
    known = {root / path.lstrip("/") for path in (*ELSEWHERE, "/etc/nova/nova.conf", "/srv/odd/service.settings")}
    holding: dict[str, int] = {}
    for path in sorted(tmp_path.rglob("*")):
        planted_there = path in known or path.is_relative_to(root / "proc") or path.parent.name == "dmesg"
        if path.is_symlink() or not path.is_file() or planted_there:
            continue
        if planted.found_in(path.read_bytes()):
            status = path.stat()
            holding[str(path.relative_to(tmp_path))] = stat.S_IMODE(status.st_mode)
            assert status.st_uid == os.geteuid(), path
    assert set(holding.values()) == {0o600}, holding
    assert "the.plan" in holding
    assert not [
        name for name in holding if "journal" in name or "undo.sh" in name or name.endswith((".state", ".sh", ".log"))
    ]
    assert stat.S_IMODE((tmp_path / "the.sh").stat().st_mode) == 0o700


def test_no_process_has_one_among_its_arguments(planted: Planted, tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace: the program is not installed")
    log = tmp_path / "log"
    root = planted.node.directory
    plan = tmp_path / "the.plan"
    run = [sys.executable, "-I", "-m", "screens.start", "--root", str(root)]
    for words in (["plan", "--out", str(plan)], ["apply", str(plan), "--yes", "--files-only"]):
        traced = [strace, "-f", "-qq", "-v", "-s", "4096", "-e", "trace=execve", "-o", str(log)]
        done = subprocess.run([*traced, *run, *words], capture_output=True, check=False, timeout=300)
        if b"ptrace" in done.stderr:
            pytest.skip("kernel: this process may not trace others")
        text = log.read_text(encoding="utf-8", errors="replace")
        assert "execve(" in text
        assert planted.found_in(text) == [], words


async def test_no_page_of_the_wizard_shows_one(planted: Planted) -> None:
    app = WizardApp(lambda: NodeEngine(planted.node, str(planted.node.directory), True), True)
    async with app.run_test(size=(160, 200)) as pilot:
        for number, name in enumerate(PAGES):
            await pilot.app.workers.wait_for_complete()
            await pilot.press(str(number))
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()
            for _ in range(25 if name == "preview" else 1):
                shown = app.export_screenshot() + "".join(str(each.render()) for each in app.screen.query("Static"))
                assert planted.found_in(shown) == [], name
                await pilot.press("down")
                await pilot.pause()


def test_a_run_and_its_undo_say_none(planted: Planted) -> None:
    node = planted.node
    seen = facts.read(node)
    plan = planned(node)
    assert planted.found_in(plan.masked().to_json()) == []
    assert planted.found_in(script(seen, plan)) == []
    started = launch.start(node.directory, plan, simulated=True)
    events = list(follow(started.journal))
    assert planted.found_in("\n".join(sentence(event) for event in events)) == []
    assert planted.found_in(started.journal.read_bytes()) == []
    assert planted.found_in((started.directory / "undo.sh").read_bytes()) == []
    assert planted.found_in(report.as_json(facts.read(node).to_data())) == []
    assert len(store.runs(node.directory)) == 1


def test_what_a_command_says_is_written_down_without_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.output(1, "reading [x] admin_password = hunter2 and more\n")
    journal.output(1, "connecting to rabbit://openstack:hun/ter2@10.0.0.1:5672/\n")
    journal.close()
    text = (tmp_path / "journal.jsonl").read_text(encoding="utf-8")
    assert "hunter2" not in text
    assert "ter2" not in text
    assert [event["text"] for event in read(tmp_path / "journal.jsonl")] == [
        "reading [x] admin_password = ***",
        "connecting to rabbit://***@10.0.0.1:5672/",
    ]


def test_neither_the_system_log_nor_a_report_of_a_defect_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a run fails with may hold a piece of a file; so may the message of a defect of this program."""
    why = "line 3: admin_password = hunter2"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(tmp_path / "log"))
        log.settimeout(30)
        tell = SystemLog("0007-x", str(tmp_path / "log")).tell
        with closing(Journal(tmp_path / "journal.jsonl", tell)) as journal:
            journal.write("failed", n=1, why=reason(NodeError(why)))
            journal.write("rollback_failed", n=1, why=reason(ValueError(why)))
            journal.output(1, why)
            journal.write("end", result="failed", why=reason(NodeError(why)))
        said = [log.recv(4096).decode() for _ in range(3)]
    assert all("admin_password = ***" in line for line in said[:2])
    assert "hunter2" not in "".join(said) + (tmp_path / "journal.jsonl").read_text(encoding="utf-8")
    monkeypatch.setattr(
        locations, "DIRECTORIES", SimpleNamespace(site_log_dir=str(tmp_path), user_log_dir=str(tmp_path))
    )
    kept = guard.keep_report(f"ValueError: {why}\nrabbit://openstack:hunter2@10.0.0.1:5672/\n")
    assert kept is not None
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "hunter2" not in kept.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "dhcp-option=tag:demo-net,option:router,10.44.1.1",
        "BOOT_IMAGE=/boot/vmlinuz root=UUID=1-2 ro quiet intel_iommu=on",
        'alias = {"vendor_id": "15b3", "name": "ib"}',
        "--changed keep, restore or merge",
        "0000:04:00.0: bound to mlx4_core",
        "see https://example.org/page",
        "serial-getty@ttyS0.service",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


@given(st.text(max_size=60))
def test_any_text_may_be_looked_through(text: str) -> None:
    assert redacted(redacted(text)) == redacted(text)


@pytest.mark.parametrize("text", ["a-", "password", "://", "x:", "token =  ", '"', "secret ", "a@", "=", "10.44.1.1,"])
def test_a_text_of_any_size_is_looked_through_in_time(text: str) -> None:
    """A step for each character, not for each pair: that would take an hour."""
    start = time.process_time()
    assert len(redacted(text * (400_000 // len(text)) + "@=")) > 0
    assert time.process_time() - start < 60


@pytest.mark.parametrize(
    "text",
    [
        "netroot=iscsi:me:HIDE1:them:HIDE2@10.0.0.9::3260::iqn.2009-06.x ro",
        "netroot=iscsi:me:HI/DE@10.0.0.9",
        "netroot=iscsi:me:HIDE@:10.0.0.9",
        "cifspass=HIDE ro",
        '"rd.iscsi.password=HIDE HIDE" ro',
        'rd.iscsi.password="HIDE HIDE" ro',
        "# admin_password= HIDE",
        "db_pass = HIDE HIDE",
        'admin_password = "a" HIDE',
        'password="a"HIDE',
        "admin_password+=HIDE",
        "password[0]=HIDE",
        "password: HIDE",
        "a --os-password HIDE --name x",
        'connection = mysql+pymysql://nova:p"HIDE@10.0.0.1/nova',
        "psk=HIDE",
    ],
)
def test_a_secret_is_hidden_however_it_is_spelled(text: str) -> None:
    assert "HIDE" not in redacted(text).replace("HI/DE", "HIDE")


@pytest.mark.parametrize(
    "secret", ["admin_password=HIDE", "rabbit://openstack:HIDE@10.0.0.1/", "admin_password = HIDE HIDE"]
)
@pytest.mark.parametrize("end", ["\n", "", " and more" * 200])
def test_a_secret_is_hidden_wherever_what_a_command_says_is_cut(secret: str, end: str) -> None:
    for before in range(LONGEST_LINE - len(secret) - 3, LONGEST_LINE + 3):
        told: list[str] = []
        lines = Lines(told.append)
        text = ("x" * (before - 1) + " " + secret + end).encode()
        for start in range(0, len(text), 7):
            lines.take(text[start : start + 7])
        lines.end()
        assert not any("HI" in each or "DE" in each for each in told), (before, told)


def test_a_secret_is_hidden_before_a_paragraph_is_wrapped() -> None:
    for width in range(40, 100):
        words = " ".join(f"HIDE{number}" for number in range(30))
        text = "\n".join(report._wrapped("x" * (width - 30) + f' rd.iscsi.password="{words}" ro'))
        assert "HIDE" not in text


@pytest.mark.parametrize("ends", ["\r", "\r\n", "mixed"])
def test_a_script_holds_no_secret_in_any_writing(tmp_path: Path, ends: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a literal command of it writes is looked through, too: octal is no hiding place."""
    node = simulate(built_in("demo"), tmp_path / "node")
    conf = node.place("/etc/nova/nova.conf")
    text = conf.read_text(encoding="utf-8") + "[database]\nconnection = mysql://nova:HIDE@10.0.0.1/nova\n"
    text = text.replace("\n", ends) if ends != "mixed" else text.replace("[DEFAULT]\n", "[DEFAULT]\r", 1)
    conf.write_bytes(text.encode())
    out = tmp_path / "the.sh"
    code = cli.main(["export", "script", "--root", str(node.directory), "--out", str(out)])
    if code != 0:
        assert "carriage return" in capsys.readouterr().err
        assert not out.exists()
        return
    for line in out.read_text(encoding="utf-8").splitlines():
        if line.startswith("printf '\\"):
            said = subprocess.run(["sh", "-c", line.partition(" >>")[0]], capture_output=True, check=True).stdout
            assert b"HIDE" not in said
    assert "HIDE" not in out.read_text(encoding="utf-8")

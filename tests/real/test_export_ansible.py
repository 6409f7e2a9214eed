"""The exported playbook, played by Ansible itself: a check changes nothing, a run applies, a second one finds nothing to do,
and what the tool says of a failure is what is read."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from injection import snapshot

from wizard.cli import main as cli
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode
from wizard.version import version

PLAYER = Path(sys.executable).with_name("ansible-playbook")
TOOL = Path(__file__).with_name("simulated_tool.py")
EVERY_NODE = """\
format = "compute-wizard.answers/1"
[iommu]
enable = true
[[vfs.card]]
match = { vendor = "15b3", product = "1007" }
count = 4
"""


@dataclass
class Fleet:
    """An exported playbook, a simulated node, and what stands between them."""

    place: Path
    node: SimulatedNode
    command: list[str]

    def export(self, answers: str) -> int:
        file = self.place / "given.toml"
        file.write_text(answers, encoding="utf-8")
        return cli.main(["export", "ansible", "--answers", str(file), "--out", str(self.place / "out")])

    def play_on(self, *words: str, **variables: Any) -> tuple[int, str]:
        """As :meth:`play`, but the tool is known to be there: its tasks, which others of these tests are about, are left out."""
        return self.play("--skip-tags", "tool", *words, **variables)

    def play(self, *words: str, hosts: str = "localhost,", **variables: Any) -> tuple[int, str]:
        """Ansible's exit code (0, or 2 where a host failed) and all it said."""
        if not PLAYER.exists():
            pytest.skip("ansible: ansible-core is not installed")
        given = {
            "compute_wizard_command": self.command,
            "compute_wizard_hosts": "all",
            "ansible_become": False,
            "ansible_python_interpreter": sys.executable,
            "compute_wizard_link": str(self.place / "sbin/compute-wizard"),
            **variables,
        }
        done = subprocess.run(
            [
                PLAYER,
                "-i",
                hosts,
                "-c",
                "local",
                "-e",
                json.dumps(given),
                *words,
                self.place / "out/playbook.yml",
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            stdin=subprocess.DEVNULL,
            cwd=self.place,
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": str(self.place),
                "LC_ALL": "C.UTF-8",
                "TMPDIR": str(self.place),
                "ANSIBLE_LOCALHOST_WARNING": "False",
                "ANSIBLE_PIPELINING": "True",
            },
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    (tmp_path / "node").mkdir()
    (tmp_path / "sbin").mkdir()
    node = simulate(built_in("origin"), tmp_path / "node")
    return Fleet(tmp_path, node, [sys.executable, str(TOOL), str(node.directory)])


def spoiled(fleet: Fleet, code: str) -> list[str]:
    """The tool with something that happens between the plan and its apply: `node` and `plan` are paths."""
    program = fleet.place / "spoiled.py"
    program.write_text(
        f"import json, sys; from pathlib import Path; sys.path.insert(0, {str(TOOL.parent)!r})\n"
        f"import simulated_tool; node = Path({str(fleet.node.directory)!r})\n"
        "if 'apply' in sys.argv:\n"
        "    plan = Path(sys.argv[sys.argv.index('apply') + 1])\n"
        f"    {code}\n"
        "sys.exit(simulated_tool.main(str(node), sys.argv[1:]))\n",
        encoding="utf-8",
    )
    return [sys.executable, str(program)]


def left_over(place: Path) -> list[str]:
    return [path.name for path in place.glob("compute-wizard-*")]


def test_check_run_and_run_again(fleet: Fleet) -> None:
    assert fleet.export(EVERY_NODE) == 0
    before = snapshot(fleet.node.directory)

    code, said = fleet.play("--check", "--diff")
    assert code == 0, said
    assert "+options mlx4_core num_vfs=4 probe_vf=0" in said
    assert "update-grub" in said
    assert "changed=1 " in said
    assert snapshot(fleet.node.directory) == before
    assert not (fleet.node.directory / "var/lib/compute-wizard").exists()

    code, said = fleet.play()
    assert code == 0, said
    assert "changed=1 " in said
    assert "Confirmed." in said
    assert "pending: The IOMMU is on" in said
    assert fleet.node.text("/etc/modprobe.d/mlx4_core.conf") == "options mlx4_core num_vfs=4 probe_vf=0"

    fleet.node.reboot()
    code, said = fleet.play_on()
    assert code == 0, said
    assert "changed=0 " in said
    assert "pending" not in said
    assert left_over(fleet.place) == []


def test_a_finding_that_blocks_is_shown_with_what_to_do(fleet: Fleet) -> None:
    assert fleet.export(EVERY_NODE.replace("1007", "1003")) == 0
    code, said = fleet.play_on()
    assert code == 2
    assert "compute-wizard plan ended with 3; nothing was changed" in said
    assert "VFS-NO-SUCH-CARD" in said
    assert "name the card by its serial or MAC" in said
    assert not (fleet.node.directory / "var/lib/compute-wizard").exists()
    assert left_over(fleet.place) == []


FAILING = (
    "whole = json.loads(plan.read_text()); step = next(s for s in whole['steps'] if s['kind'] == 'run'); "
    "step['argv'] = ['no-such-command']; plan.write_text(json.dumps(whole))"
)


@pytest.mark.parametrize(
    ("code", "spoil", "on_failure", "says"),
    [
        (4, "(node / 'etc/default/grub').write_text('GRUB_DEFAULT=1\\n')", "rollback", "/etc/default/grub"),
        (5, FAILING, "rollback", "no-such-command"),
        (6, FAILING, "stop", "no-such-command"),
    ],
)
def test_a_run_that_fails_is_shown_in_the_words_of_the_tool(
    fleet: Fleet, code: int, spoil: str, on_failure: str, says: str
) -> None:
    assert fleet.export(EVERY_NODE) == 0
    fleet.command = spoiled(fleet, spoil)
    got, said = fleet.play_on(compute_wizard_on_failure=on_failure)
    assert got == 2
    assert f"compute-wizard apply ended with {code}" in said
    assert says in said.partition("compute-wizard apply ended with")[2]
    assert fleet.node.exists("/etc/modprobe.d/mlx4_core.conf") == (code == 6)


@pytest.mark.parametrize("hosts", ["compute", "nosuch", ["nosuch", "neither"]])
@pytest.mark.parametrize("words", [[], ["--check"]])
def test_a_play_that_finds_no_host_is_no_success(fleet: Fleet, hosts: str | list[str], words: list[str]) -> None:
    """To Ansible it is none: it says that no hosts matched, and ends with 0."""
    assert fleet.export(EVERY_NODE) == 0
    code, said = fleet.play(*words, compute_wizard_hosts=hosts)
    assert code == 2
    assert "no host of the inventory is meant by compute_wizard_hosts" in said
    assert "-e compute_wizard_hosts=NAME" in said


def test_the_group_compute_is_meant_by_default_and_others_can_be(fleet: Fleet) -> None:
    assert fleet.export(EVERY_NODE) == 0
    inventory = fleet.place / "inventory"
    inventory.write_text("other\n[compute]\nlocalhost\n[more]\nfirst\nsecond\n", encoding="utf-8")
    defaults = (fleet.place / "out/roles/compute_wizard/defaults/main.yml").read_text(encoding="utf-8")
    assert "\ncompute_wizard_hosts: compute\n" in defaults
    for hosts, meant in (("compute", ["localhost"]), (["localhost", "second"], ["localhost", "second"])):
        code, said = fleet.play("--list-hosts", hosts=str(inventory), compute_wizard_hosts=hosts)
        assert code == 0, said
        assert sorted(said.rpartition("hosts (")[2].split()[1:]) == meant


def test_what_cannot_be_taken_back_wants_its_word(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    fleet.node = simulate(built_in("demo"), fleet.place / "demo")
    fleet.command = [sys.executable, str(TOOL), str(fleet.node.directory)]
    text = EVERY_NODE.replace("count = 4", 'count = 32\nfirmware = "set"')
    assert fleet.export(text) == 0
    assert "-e compute_wizard_accept=one-way" in capsys.readouterr().out
    before = snapshot(fleet.node.directory)
    code, said = fleet.play_on("--check")
    assert code == 0, said
    assert "NUM_OF_VFS=32  [one-way" in said
    code, said = fleet.play_on()
    assert code == 2
    assert "cannot be taken back" in said
    assert "-e compute_wizard_accept=one-way" in said
    assert snapshot(fleet.node.directory) == before
    _, said = fleet.play_on(compute_wizard_accept="one-way")  # and verify finds the simulated firmware as it was
    assert "Show what was done" in said
    assert "compute-wizard apply ended" not in said
    assert "Confirmed." not in said
    assert snapshot(fleet.node.directory) != before


def test_what_may_interrupt_guests_wants_its_word(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    fleet.node = simulate(built_in("demo"), fleet.place / "demo")
    fleet.command = [sys.executable, str(TOOL), str(fleet.node.directory)]
    guest = fleet.node.directory / "proc/4712"
    guest.mkdir(parents=True)
    (guest / "cmdline").write_bytes(b"/usr/bin/qemu-system-x86_64\0-name\0guest=instance-0000002a\0")
    network = '[[gateways.network]]\nlabel = "demo-net"\nrouter = "10.44.1.1"\nvlan = 1441\n'
    assert fleet.export(f'format = "compute-wizard.answers/1"\n{network}') == 0
    before = snapshot(fleet.node.directory)
    code, said = fleet.play()
    assert code == 2
    assert "may interrupt guests that run here" in said
    assert "instance-0000002a" in said
    assert "-e compute_wizard_accept=guests" in said
    assert snapshot(fleet.node.directory) == before
    _, said = fleet.play(compute_wizard_accept="guests")
    assert "Show what was done" in said
    assert "compute-wizard apply ended" not in said
    assert "Confirmed." in said  # of it a run still waits for its confirmation
    assert snapshot(fleet.node.directory) != before


def test_answers_of_nothing_are_noted(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    assert fleet.export('format = "compute-wizard.answers/1"\n') == 0
    assert "note: nothing is answered" in capsys.readouterr().out


def test_what_is_answered_is_copied_and_never_evaluated(fleet: Fleet) -> None:
    mark = fleet.place / "pwned"
    hostile = "{{ lookup('pipe', 'touch " + str(mark) + "') }}"
    answers = (
        EVERY_NODE
        + f"# {hostile} {{% raw %}}\n"
        + f'[[vfs.card]]\nmatch = {{ serial = "{hostile}\\n\\" \' x" }}\ncount = 1\n'
    )
    assert fleet.export(answers) == 0
    assert (fleet.place / "out/answers.toml").read_text(encoding="utf-8") == answers
    code, said = fleet.play_on("--check")
    assert code == 2
    assert "VFS-NO-SUCH-CARD" in said
    assert "lookup('pipe', 'touch" in said
    assert not mark.exists()


def test_a_tool_that_is_not_there_is_said_before_anything_else(fleet: Fleet) -> None:
    assert fleet.export(EVERY_NODE) == 0
    fleet.command = ["/no/such/compute-wizard"]
    code, said = fleet.play()
    assert code == 2
    assert "/no/such/compute-wizard cannot be run on this node" in said
    assert "--tags tool" in said


def test_a_directory_that_stands_for_a_node_gets_its_files_and_no_command(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fleet.export(EVERY_NODE) == 0
    fleet.command = [sys.executable, "-I", "-m", "screens.start"]
    code, said = fleet.play_on(compute_wizard_root=str(fleet.node.directory))
    assert code == 0, said
    assert "not done here: files only" in said
    assert fleet.node.exists("/etc/modprobe.d/mlx4_core.conf")


def wheel(directory: Path) -> None:
    """A wheel of our name and version with a command that only says so."""
    directory.mkdir()
    info = f"compute_wizard-{version()}.dist-info"
    files = {
        "stand_in.py": f"def main() -> None:\n    print('compute-wizard {version()}')\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: compute-wizard\nVersion: {version()}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ncompute-wizard = stand_in:main\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(directory / f"compute_wizard-{version()}-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def test_the_tool_is_brought_as_wheels_and_only_once(fleet: Fleet) -> None:
    assert fleet.export(EVERY_NODE) == 0
    wheel(fleet.place / "out/wheels")
    home = fleet.place / "home of the tool"
    fleet.command = [f"{home}/bin/compute-wizard"]
    given = {"compute_wizard_home": str(home), "compute_wizard_python": sys.executable}
    code, said = fleet.play("--check", **given)
    assert (code, home.exists()) == (2, False), said
    code, said = fleet.play("--tags", "tool", **given)
    assert code == 0, said
    assert "changed=5 " in said
    assert subprocess.check_output(fleet.command, text=True) == f"compute-wizard {version()}\n"
    link = fleet.place / "sbin/compute-wizard"
    assert str(link.readlink()) == fleet.command[0]
    code, said = fleet.play("--tags", "tool", **given)
    assert code == 0, said
    assert "changed=0 " in said
    code, said = fleet.play(
        "--tags", "tool", **{**given, "compute_wizard_version": "9", "compute_wizard_python": "false"}
    )
    assert str(link.readlink()) == fleet.command[0]
    assert code == 2
    assert "false on this node is not Python 3.10 or newer" in said
    assert left_over(fleet.place) == []


@pytest.mark.parametrize("there", ["a file", "a link elsewhere", "no link wanted", "a command of another name"])
def test_a_name_in_path_that_is_not_the_roles_stays(fleet: Fleet, there: str) -> None:
    assert fleet.export(EVERY_NODE) == 0
    home, link = fleet.place / "home", fleet.place / "sbin/compute-wizard"
    tool = home / "bin/compute-wizard"
    tool.parent.mkdir(parents=True)
    tool.write_text(f"#!/bin/sh\necho compute-wizard {version()} of a commit\n", encoding="utf-8")
    tool.chmod(0o755)
    fleet.command = [str(tool)]
    given = {"compute_wizard_home": str(home)}
    if there == "a file":
        link.write_text("somebody's\n", encoding="utf-8")
    elif there == "a link elsewhere":
        link.symlink_to("/nowhere")
    elif there == "no link wanted":
        given["compute_wizard_link"] = ""
    else:
        given["compute_wizard_home"] = str(fleet.place / "elsewhere")
    (fleet.place / "out/wheels").mkdir()  # and the version is known with a commit behind it
    code, said = fleet.play("--tags", "tool", **given)
    assert code == 0, said
    assert "changed=0 " in said
    if there == "a file":
        assert link.read_text(encoding="utf-8") == "somebody's\n"
    elif there == "a link elsewhere":
        assert str(link.readlink()) == "/nowhere"
    else:
        assert not link.is_symlink()


def test_one_node_may_have_answers_of_its_own(fleet: Fleet) -> None:
    assert fleet.export(EVERY_NODE) == 0
    (fleet.place / "out/host_answers").mkdir()
    own = fleet.place / "out/host_answers/localhost.toml"
    own.write_text(EVERY_NODE.replace("count = 4", "count = 7"), encoding="utf-8")
    assert fleet.export(EVERY_NODE) == 0  # made anew, and the node's own is left alone
    code, said = fleet.play_on("--check")
    assert code == 0, said
    assert "+options mlx4_core num_vfs=7 probe_vf=0" in said


def test_no_node_is_begun_after_one_that_failed(fleet: Fleet) -> None:
    assert fleet.export(EVERY_NODE) == 0
    (fleet.place / "out/host_answers").mkdir()
    (fleet.place / "out/host_answers/first.toml").write_text(EVERY_NODE.replace("1007", "1003"), encoding="utf-8")
    code, said = fleet.play_on(hosts="first,second,")
    assert code == 2
    assert "VFS-NO-SUCH-CARD" in said
    assert "[second]" not in said
    assert not (fleet.node.directory / "var/lib/compute-wizard").exists()
    code, said = fleet.play_on("--check", hosts="first,second,")  # but the plans of all are seen
    assert code == 2
    assert "changed: [second]" in said


def test_every_file_of_it_is_understood(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    assert fleet.export(EVERY_NODE) == 0
    assert "note:" not in capsys.readouterr().out
    code, said = fleet.play("--syntax-check")
    assert code == 0, said
    for line in ("ERROR", "WARNING", "DEPRECATION"):
        assert line not in said


@pytest.mark.parametrize("taken", ["out", "out/roles"])
def test_a_file_in_the_way_is_an_error(fleet: Fleet, taken: str, capsys: pytest.CaptureFixture[str]) -> None:
    (fleet.place / taken).parent.mkdir(exist_ok=True)
    (fleet.place / taken).write_text("mine", encoding="utf-8")
    assert fleet.export(EVERY_NODE) == 1
    assert "no directory can be made there" in capsys.readouterr().err
    assert (fleet.place / taken).read_text(encoding="utf-8") == "mine"


def test_what_fits_one_node_alone_is_noted(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    words = EVERY_NODE.replace('vendor = "15b3", product = "1007"', 'serial = "MT1\\u001b[2J"')
    assert fleet.export(words) == 0
    out = capsys.readouterr().out
    assert "note: serial MT1\\x1b[2J fits one node alone" in out
    assert "\x1b" not in out


def test_answers_that_are_wrong_are_not_exported(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    assert fleet.export(EVERY_NODE.replace("count = 4", 'count = "4"')) == 1
    assert "vfs.card[1].count" in capsys.readouterr().err
    assert not (fleet.place / "out").exists()

"""The exported playbook over real ssh: three hosts, each a network namespace with an sshd of its own. Node by node, the same bytes as an
apply, nothing after the first that fails, and a line that is cut costs no run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from injection import snapshot

from wizard.cli import main as cli
from wizard.simulator.built_in import built_in, simulate

TOOL = Path(__file__).with_name("simulated_tool.py")
PLAYER = Path(sys.executable).with_name("ansible-playbook")
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
NAMES = ("one", "two", "three")
ANSWERS = """\
format = "compute-wizard.answers/1"
[iommu]
enable = true
[[vfs.card]]
match = { vendor = "15b3", product = "1007" }
count = 4
"""
# In a mount namespace of its own: sshd wants a user, a directory and an account of root that is not locked.
INSIDE = """\
set -e
mount -t tmpfs none /run && mkdir -m 0755 /run/sshd
mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/shadow" /etc/shadow
ip link set lo up && ip link set eth0 up && ip address add "$2/24" dev eth0
exec "$3" -D -e -f "$1/sshd_config"
"""
CUT = """\
import os, signal, sys
sys.path.insert(0, {tools!r})
import simulated_tool
from wizard.cli import apply as command_apply

def cut(started, as_json):
    here = os.getppid()
    while True:  # the line is gone as soon as the run has begun
        with open(f"/proc/{{here}}/stat") as file:
            name, _, rest = file.read().partition("(")[2].rpartition(")")
        if name == "sshd":
            os.kill(here, signal.SIGKILL)
            os._exit(1)
        here = int(rest.split()[1])

command_apply.followed = cut
sys.exit(simulated_tool.main({node!r}, sys.argv[1:]))
"""
BROKEN = """\
import json, sys
from pathlib import Path
sys.path.insert(0, {tools!r})
import simulated_tool
if "apply" in sys.argv:
    plan = Path(sys.argv[sys.argv.index("apply") + 1])
    whole = json.loads(plan.read_text())
    next(step for step in whole["steps"] if step["kind"] == "run")["argv"] = ["no-such-command"]
    plan.write_text(json.dumps(whole))
sys.exit(simulated_tool.main({node!r}, sys.argv[1:]))
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def namespaces() -> bool:
    """Whether network namespaces may be made here."""
    probe = f"cw{os.getpid()}probe"
    try:
        ip("netns", "add", probe)
        ip("netns", "delete", probe)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@dataclass
class Fleet:
    """Three hosts, and a namespace from which they are reached."""

    place: Path
    control: str
    sockets: Path  # a short path: the address of a socket has 108 characters at most
    commands: dict[str, list[str]] = field(default_factory=dict)

    def node(self, name: str) -> Path:
        return self.place / name / "node"

    def play(self, *words: str, **variables: Any) -> tuple[int, str]:
        hosts = {
            name: {
                "ansible_host": f"10.213.0.{number}",
                "compute_wizard_command": self.commands.get(name, [sys.executable, str(TOOL), str(self.node(name))]),
                "compute_wizard_link": "",
            }
            for number, name in enumerate(NAMES, 1)
        }
        shared = {
            "ansible_python_interpreter": sys.executable,
            "ansible_ssh_private_key_file": str(self.place / "key"),
            "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
            "ansible_user": "root",
            "ansible_become": False,
        }
        inventory = self.place / "inventory.json"
        inventory.write_text(json.dumps({"compute": {"hosts": hosts, "vars": shared}}), "utf-8")
        done = subprocess.run(
            [
                "ip",
                "netns",
                "exec",
                self.control,
                PLAYER,
                "-i",
                inventory,
                *words,
                "-e",
                json.dumps(variables),
                self.place / "fleet/playbook.yml",
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
                "ANSIBLE_PIPELINING": "True",
                "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.sockets),
            },
        )
        return done.returncode, done.stdout + done.stderr

    def spoil(self, name: str, program: str) -> None:
        path = self.place / name / "tool.py"
        path.write_text(program.format(tools=str(TOOL.parent), node=str(self.node(name))), "utf-8")
        self.commands[name] = [sys.executable, str(path)]

    def states(self, name: str) -> list[str]:
        """The state of each run of a host."""
        tool = [sys.executable, str(TOOL), str(self.node(name)), "--root", "/", "history", "--json"]
        return [run["state"] for run in json.loads(subprocess.run(tool, capture_output=True, check=False).stdout)]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    if os.geteuid() != 0 or not namespaces():
        pytest.skip("kernel: network namespaces may not be made here")
    if SSHD is None:
        pytest.skip("openssh-server is not installed")
    if not PLAYER.exists():
        pytest.skip("ansible: ansible-core is not installed")
    tag = f"cw{os.getpid()}"
    own = Fleet(tmp_path, f"{tag}c", Path(tempfile.mkdtemp(prefix="cw")))
    running: list[subprocess.Popen[bytes]] = []
    made = [own.control]
    ip("netns", "add", own.control)
    try:
        ip("-n", own.control, "link", "add", "br0", "type", "bridge")
        ip("-n", own.control, "address", "add", "10.213.0.254/24", "dev", "br0")
        ip("-n", own.control, "link", "set", "br0", "up")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
        for number, name in enumerate(NAMES, 1):
            running.append(_host(own, f"{tag}{number}", number, name))
            made.append(f"{tag}{number}")
        (tmp_path / "answers.toml").write_text(ANSWERS, "utf-8")
        words = ["export", "ansible", "--answers", str(tmp_path / "answers.toml"), "--out", str(tmp_path / "fleet")]
        assert cli.main(words) == 0
        yield own
    finally:
        shutil.rmtree(own.sockets)
        for each in running:
            os.killpg(each.pid, signal.SIGKILL)
            each.wait()
        for namespace in made:
            subprocess.run(["ip", "netns", "delete", namespace], check=False, capture_output=True)


def _host(fleet: Fleet, namespace: str, number: int, name: str) -> subprocess.Popen[bytes]:
    """A namespace with an address and an sshd, and a node that obeys."""
    place = fleet.place / name
    (place / "node").mkdir(parents=True)
    simulate(built_in("origin"), place / "node")
    accounts = [line for line in Path("/etc/passwd").read_text("utf-8").splitlines() if not line.startswith("sshd:")]
    (place / "passwd").write_text(
        "\n".join([*accounts, "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin", ""]), "utf-8"
    )
    (place / "shadow").write_text("root:*:19000:0:99999:7:::\n", "utf-8")
    (place / "authorized").write_text((fleet.place / "key.pub").read_text("utf-8"), "utf-8")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / "host_key"], check=True)
    settings = {
        "ListenAddress": f"10.213.0.{number}",
        "HostKey": place / "host_key",
        "AuthorizedKeysFile": place / "authorized",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
        "PidFile": "none",
        "MaxStartups": "100",
    }
    (place / "sshd_config").write_text("".join(f"{key} {value}\n" for key, value in settings.items()), "utf-8")
    ip("netns", "add", namespace)
    ip("-n", fleet.control, "link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", namespace)
    ip("-n", fleet.control, "link", "set", f"v{number}", "master", "br0", "up")
    words = ["ip", "netns", "exec", namespace, "unshare", "--mount", "sh", "-c", INSIDE, "sh", str(place)]
    with (place / "sshd.log").open("wb") as log:
        started = subprocess.Popen(
            [*words, f"10.213.0.{number}", str(SSHD)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    for _ in range(100):
        if "Server listening" in (place / "sshd.log").read_text("utf-8"):
            return started
        assert started.poll() is None, (place / "sshd.log").read_text("utf-8")
        time.sleep(0.1)
    raise AssertionError("sshd does not listen")


def applied(fleet: Fleet) -> dict[str, Any]:
    """What an apply on such a node by hand gives."""
    other = fleet.place / "by hand"
    other.mkdir()
    simulate(built_in("origin"), other)
    words = ["--root", "/", "apply", "--yes", "--answers", str(fleet.place / "answers.toml")]
    subprocess.run([sys.executable, TOOL, other, *words], check=True, capture_output=True)
    return snapshot(other)


def test_three_hosts_one_of_which_fails(fleet: Fleet) -> None:
    before = snapshot(fleet.node("three"))
    code, said = fleet.play("--check")
    assert code == 0, said
    assert said.count("+options mlx4_core num_vfs=4 probe_vf=0") == 3

    fleet.spoil("two", BROKEN)
    code, said = fleet.play()
    assert code == 2
    assert "compute-wizard apply ended with 5" in said
    assert [fleet.states(name) for name in NAMES] == [
        ["done"],
        ["rolled_back"],
        [],
    ]  # no node after the one that failed
    assert snapshot(fleet.node("three")) == before
    menu = "boot/grub/grub.cfg"  # the rollback generated it again
    assert snapshot(fleet.node("two")) | {menu: before[menu]} == before

    del fleet.commands["two"]
    code, said = fleet.play()
    assert code == 0, said
    by_hand = applied(fleet)
    assert [snapshot(fleet.node(name)) == by_hand for name in NAMES] == [True, True, True]
    assert said.count("changed=1 ") == 2 and said.index("ok: [one]") < said.index("ok: [two]") < said.index(
        "ok: [three]"
    )

    code, said = fleet.play()
    assert code == 0 and "changed=1 " not in said, said


def test_a_line_that_is_cut_while_it_applies(fleet: Fleet) -> None:
    """The run goes on to its end without its caller, and waits: it is kept by whoever can log in, and else undone."""
    fleet.spoil("one", CUT)
    code, said = fleet.play("--limit", "one")
    assert code in (2, 4), said
    del fleet.commands["one"]
    for _ in range(100):
        if fleet.states("one") == ["waiting"]:
            break
        time.sleep(0.1)
    assert fleet.states("one") == ["waiting"]
    tool = [sys.executable, str(TOOL), str(fleet.node("one")), "--root", "/", "confirm"]
    subprocess.run(tool, check=True, capture_output=True)
    code, said = fleet.play("--limit", "one")
    assert code == 0 and "changed=0 " in said, said
    assert snapshot(fleet.node("one")) == applied(fleet)

"""Measured against what people would use instead, all in one run and taken in turn, so that the ratios hold on a busy machine too.

* The same files by a shell script with the same fsyncs, by ansible-core, and by this tool: plan, apply, verify.
* The first screen of the wizard, of whiptail, and of a bare Textual app; and the bytes of each on a line of 9600 baud.
* A look at 1,000 PCI functions: this tool, lspci, and one bare pass over sysfs.

Prints a table in Markdown, as docs/benchmarks.md has it. What is not installed is left out, and said. `comparison.py quick`: once each.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import faces  # it also finds pseudoterminal
from pseudoterminal import DEMO, Session

from wizard.facts.pci import functions as pci
from wizard.model.plan import load
from wizard.model.steps import WriteFile
from wizard.node.recorded import DirectoryNode
from wizard.simulator import described
from wizard.simulator.built_in import built_in
from wizard.version import version

RUNS = 1 if "quick" in sys.argv[1:] else 5
TOOL = str(Path(sys.executable).with_name("compute-wizard"))
PLAYER = Path(sys.executable).with_name("ansible-playbook")
FUNCTIONS = 1000
BAUD = 9600  # bits a second; ten bits a byte

Row = tuple[str, str, str]


def timed(action: Callable[[], object]) -> float:
    """Seconds that an action takes by the clock."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def in_turn(ways: dict[str, Callable[[], float]]) -> dict[str, float]:
    """The median of each way, all of them taken in turn."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS):
        for name, way in ways.items():
            taken[name].append(way())
    return {name: statistics.median(found) for name, found in taken.items()}


def run(*words: str | Path, codes: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run(list(words), capture_output=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode in codes, done.stderr.decode()


class Change:
    """One change of files, prepared for each way to make it."""

    def __init__(self, place: Path) -> None:
        self.place, self.number = place, 0
        node = self.node()
        self.answers, plan = place / "answers.toml", place / "first.plan"
        self.answers.write_bytes(
            subprocess.run([TOOL, "--root", node, "suggest"], capture_output=True, check=True).stdout
        )
        run(TOOL, "--root", node, "plan", "--answers", self.answers, "--out", plan, codes=(2,))
        self.files = {each.path: each.after for each in load(plan).steps if isinstance(each, WriteFile)}
        for number, after in enumerate(self.files.values()):
            (place / f"content{number}").write_bytes(after.data())

    def node(self) -> Path:
        """A fresh node in a directory."""
        self.number += 1
        node = self.place / f"node{self.number}"
        node.mkdir()
        described.materialise(built_in("origin"), node)
        return node

    def script(self) -> float:
        """Each file beside its place, synced, renamed, its directory synced: what a careful shell script does."""
        node, lines = self.node(), ["set -e"]
        for number, (path, after) in enumerate(self.files.items()):
            target = shlex.quote(f"{node}{path}")
            temporary, parent = f"{target}.new", shlex.quote(str(Path(f"{node}{path}").parent))
            lines += [
                f"mkdir -p {parent}",
                f"cp {self.place}/content{number} {temporary}",
                f"chmod {after.mode} {temporary}",
            ]
            lines += [f"sync {temporary}", f"mv {temporary} {target}", f"sync {parent}"]
        script = self.place / "script.sh"
        script.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return timed(lambda: run("sh", script))

    def ansible(self) -> float:
        """The same files by its copy module, without facts, on this machine: no ssh is in it."""
        node = self.node()
        own = f"ansible_python_interpreter={sys.executable}"
        tasks = [
            f"    - ansible.builtin.file: {{ path: '{Path(f'{node}{path}').parent}', state: directory }}\n"
            f"    - ansible.builtin.copy: {{ src: {self.place}/content{number}, dest: '{node}{path}', mode: '{after.mode}' }}\n"
            for number, (path, after) in enumerate(self.files.items())
        ]
        playbook = self.place / "playbook.yml"
        playbook.write_text("- hosts: localhost\n  gather_facts: false\n  tasks:\n" + "".join(tasks), encoding="utf-8")
        return timed(lambda: run(PLAYER, "-i", "localhost,", "-c", "local", "-e", own, playbook))

    def tool(self) -> dict[str, float]:
        """Plan, apply, verify, each a process of its own."""
        node, plan = self.node(), self.place / "change.plan"
        start = (TOOL, "--root", node)
        planned = timed(lambda: run(*start, "plan", "--answers", self.answers, "--out", plan, codes=(2,)))
        applied = timed(lambda: run(*start, "apply", plan, "--yes", "--files-only"))
        verified = timed(lambda: run(*start, "verify", codes=(0, 2, 7)))
        return {"plan": planned, "apply": applied, "verify": verified}


def change(place: Path) -> list[Row]:
    """Rows of the same change by each."""
    same = Change(place)
    taken: dict[str, list[float]] = {"plan": [], "apply": [], "verify": [], "script": [], "ansible": []}
    for _ in range(RUNS):
        taken["script"].append(same.script())
        if PLAYER.exists():
            taken["ansible"].append(same.ansible())
        for name, seconds in same.tool().items():
            taken[name].append(seconds)
    found = {name: statistics.median(times) for name, times in taken.items() if times}
    script, apply, whole = found["script"], found["apply"], found["plan"] + found["apply"] + found["verify"]
    count = len(same.files)
    rows = [
        (f"a shell script, {count} files, each synced and renamed", ms(script), "1"),
        ("this tool: apply, with journal and backups", ms(apply), times(apply, script)),
        ("this tool: plan, apply and verify", ms(whole), times(whole, script)),
    ]
    if "ansible" in found:
        rows.insert(
            1, ("ansible-core, the same files, no facts, no ssh", ms(found["ansible"]), times(found["ansible"], script))
        )
        rows.append(("  Ansible takes so many times this tool's apply", "", f"{found['ansible'] / apply:.1f}"))
        rows.append(("  Ansible takes so many times plan, apply and verify", "", f"{found['ansible'] / whole:.1f}"))
    return rows


def first_screens() -> list[Row]:
    """The first picture of each, in turn, and its bytes."""
    programs: dict[str, tuple[tuple[str, ...], bytes]] = {
        "a bare Textual app": ((sys.executable, "-I", "-c", faces.BARE), b"Enter next"),
        "the wizard, full face": ((*DEMO, "--ui", "full"), faces.LOOKING),
        "the wizard, console face": ((*DEMO, "--ui", "console"), faces.LOOKING),
        "the wizard, plain questions": ((*DEMO, "--ui", "plain"), faces.LOOKING),
    }
    whiptail = shutil.which("whiptail")
    if whiptail:
        menu = (
            whiptail,
            "--menu",
            "compute-wizard",
            "20",
            "70",
            "6",
            *(f"{n}" for pair in range(1, 7) for n in (pair, "chapter")),
        )
        programs = {"whiptail, a menu": (menu, b"<Cancel>"), **programs}
    found = in_turn(
        {
            name: lambda argv=argv, last=last: faces.first_picture(argv, last)[0]
            for name, (argv, last) in programs.items()
        }
    )
    first = next(iter(found.values()))
    rows = []
    for name, (argv, last) in programs.items():
        with Session(argv, environment={"TERM": "vt220" if "console" in name else "xterm-256color"}) as session:
            session.until(lambda last=last, session=session: last in session.output, last.decode())
            session.settle()
            size = len(session.output)
        line = f"{size} B, {size * 10 / BAUD:.1f} s at {BAUD} baud"
        rows.append(
            (f"{name}: first screen; once it is quiet {line}", f"{found[name]:.0f} ms", times(found[name], first))
        )
    return rows


def crowded(place: Path) -> Path:
    """A sysfs with a thousand functions: what lspci and this tool read of each."""
    node = place / "crowded"
    devices = node / "sys/bus/pci/devices"
    devices.mkdir(parents=True)
    for number in range(FUNCTIONS):
        address = f"0000:{number // 256:02x}:{number // 8 % 32:02x}.{number % 8}"
        home = node / "sys/devices/pci0000:00" / address
        home.mkdir(parents=True)
        ids = {"vendor": "0x15b3", "device": "0x1018", "class": "0x020000", "numa_node": "0", "irq": "0"}
        ids |= {"subsystem_vendor": "0x15b3", "subsystem_device": "0x0006"}
        for name, value in ids.items():
            (home / name).write_text(f"{value}\n", encoding="ascii")
        (home / "config").write_bytes(bytes.fromhex("b3151810") + bytes(4) + b"\x00\x00\x00\x02" + bytes(52))
        (home / "resource").write_text(f"{'0x0000000000000000 ' * 3}\n" * 13, encoding="ascii")
        (devices / address).symlink_to(f"../../../devices/pci0000:00/{address}")
    return node


def bare_pass(node: Path) -> None:
    """Vendor, device and class of each function, and nothing else."""
    for each in (node / "sys/bus/pci/devices").iterdir():
        for name in ("vendor", "device", "class"):
            (each / name).read_text(encoding="ascii")


def scan(place: Path) -> list[Row]:
    """Rows of a look at a thousand functions."""
    node = crowded(place)
    ways: dict[str, Callable[[], float]] = {
        "a bare pass in Python: vendor, device, class": lambda: timed(lambda: bare_pass(node)),
        "this tool: all it wants to know of them": lambda: timed(lambda: pci.read(DirectoryNode(node))),
    }
    lspci = shutil.which("lspci", path="/usr/bin:/sbin:/usr/sbin:/bin:" + (os.environ.get("PATH", "")))
    if lspci:
        words = (lspci, "-A", "linux-sysfs", "-O", f"sysfs.path={node}/sys/bus/pci", "-Dnn")
        ways["lspci -Dnn, with its start"] = lambda: timed(lambda: run(*words))
    found = in_turn(ways)
    first = next(iter(found.values()))
    return [(name, ms(seconds), times(seconds, first)) for name, seconds in found.items()]


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def times(one: float, other: float) -> str:
    return f"{one / other:.1f}"


def main() -> None:
    """Measure, and print the tables."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        place = Path(directory)
        tables = {
            "The same change": change(place),
            "First screen": first_screens(),
            f"A look at {FUNCTIONS:,} PCI functions": scan(place),
        }
    load_now = Path("/proc/loadavg").read_text(encoding="ascii").split()[0]
    print(
        f"Version {version()}, Python {platform.python_version()}, median of {RUNS}; load {load_now}. "
        "The last column is a ratio to the first row."
    )
    for title, rows in tables.items():
        print(f"\n## {title}\n\n| what | time | ratio |\n|---|---|---|")
        for what, took, ratio in rows:
            print(f"| {what} | {took} | {ratio} |")
    for program in ("whiptail", "lspci"):
        if shutil.which(program) is None:
            print(f"\n{program} is not installed: not compared.")


if __name__ == "__main__":
    main()

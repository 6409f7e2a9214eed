"""A support bundle: one file for whoever helps, with what this tool saw and did on a node. Secrets are masked; nothing is changed."""

from __future__ import annotations

import io
import platform
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator

from wizard.answers import suggestion
from wizard.dataclass import dataclass
from wizard.errors import InputError, NodeError, WizardError
from wizard.facts import packages
from wizard.facts.facts import Facts
from wizard.model import plan as plans
from wizard.node.node import Node
from wizard.planning.planner import make_plan
from wizard.planning.verification import to_be, verify
from wizard.report import text as report
from wizard.runs import selection
from wizard.runs.records import RUNS, age, is_meant, parse
from wizard.safe_text import safe_text
from wizard.version import version

MOST_RUNS = 10  # the newest, where no run is named
MOST_TEXT = 2 * 1024 * 1024  # characters of a log: its end
KERNEL_LOG = (("journalctl", "-q", "-k", "-b", "--no-pager", "-o", "short-iso"), ("dmesg",))
OF_INTEREST = (
    "nova",
    "python3-nova",
    "neutron",
    "openstack-n",
    "libvirt",
    "qemu",
    "ebtables",
    "iptables",
    "nftables",
    "dnsmasq",
    "grub",
    "initramfs-tools",
    "dracut",
    "linux-image",
    "kernel",
    "kmod",
    "systemd",
    "upstart",
    "udev",
    "mst",
    "rdma",
    "mlnx",
    "openvswitch",
    "ovn",
    "netplan",
    "ifupdown",
    "NetworkManager",
)
README = """\
No program knows every secret: look these files over before you send them.

A support bundle of compute-wizard {version}, made {when} on {host}. It is text, masked: values of nova's options, comments of
nova's files, and whatever looks like a password, a key, a token or a login in any other text stand as ***.

What it tells, and what you may want to look over or replace:
  host names, addresses, MAC addresses and GUIDs, serial numbers of cards
  names of networks, bridges, guests, flavors and PCI aliases
  the kernel's log of this boot, and what commands of a run said

What it does not hold: configuration files as they are, backups of a run, keys, logs of nova or of guests.

Files:
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the bundle. `text` is None where there is none, and `why` says why."""

    name: str
    about: str
    text: str | None
    why: str = ""


def parts(node: Node, facts: Facts, run: str | None = None) -> list[Part]:
    """All of it, as text that may be shown. With `run` only that run, and those that took it back or that it took back.

    Raises InputError where there is no such run.
    """
    chosen = _chosen(facts, run)
    return [
        _part("versions.txt", "this tool, its Python, the system, packages that matter here", lambda: _versions(node)),
        _part("facts.json", "what was read from the node", lambda: report.as_json(facts.to_data())),
        _part("inspect.txt", "the same for people, and what could not be seen", lambda: report.inspect(facts)),
        _part("findings.txt", "what is wrong or will go wrong, and what would be planned now", lambda: _plan(facts)),
        _part("verify.txt", "what holds of what the runs that stand were asked for", lambda: _verified(facts)),
        _part("history.txt", "all runs", lambda: report.history(facts.history.runs, facts.history.unseen)),
        *(part for past in chosen for part in _of_run(node, past)),
        _part("kernel.log", "the kernel's log since the boot (its end, if it is long)", lambda: _kernel_log(node)),
    ]


def packed(found: Iterable[Part], host: str) -> tuple[bytes, str]:
    """The parts as the bytes of a tar.gz, and the README that it begins with."""
    found, now = list(found), int(time.time())
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now))
    text = safe_text(README.format(version=version(), when=when, host=host or "a node without a name"))
    text += "".join(safe_text(f"  {line}\n") for line in contents(found))
    place = f"compute-wizard-bundle-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in [("README.txt", text), *((p.name, p.text) for p in found if p.text is not None)]:
            data = content.encode("utf-8", "backslashreplace")
            entry = tarfile.TarInfo(f"{place}/{name}")
            entry.size, entry.mtime, entry.mode = len(data), now, 0o600
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue(), text


def contents(found: Iterable[Part]) -> list[str]:
    """A line for each part: what it is, or why it is not there."""
    return [f"{part.name}: {part.about if part.text is not None else f'left out: {part.why}'}" for part in found]


def _part(name: str, about: str, make: Callable[[], str]) -> Part:
    """A part that cannot be made is no reason to go without the others."""
    try:
        return Part(name, about, make())
    except WizardError as error:
        return Part(name, about, None, safe_text(str(error)).replace("\n", " "))


def _chosen(facts: Facts, run: str | None) -> list[str]:
    """The ids of the runs that are meant, oldest first, also of such as cannot be read: these need help most."""
    runs, unread = facts.history.runs, [each.id for each in facts.history.unread if each.id]
    if run is None:
        return sorted([*(each.id for each in runs), *unread], key=age)[-MOST_RUNS:]
    mine = selection.named(facts.history, run)
    if mine is not None:
        return [each.id for each in runs if each is mine or each.id in (mine.undoes, mine.undone_by)]
    hidden = [each for each in unread if is_meant(each, run)]
    if not hidden:
        raise InputError(f"there is no run {run}", do="`compute-wizard history` lists them.")
    return hidden


def _versions(node: Node) -> str:
    lines = [f"compute-wizard {version()}", f"Python {platform.python_version()}", f"seen as {node.name}"]
    lines += [line for path in ("/etc/os-release", "/proc/version") for line in (node.text(path) or "").splitlines()]
    names = packages.installed(node)
    lines += ["", *(f"{name} {names[name]}" for name in sorted(names) if name.startswith(OF_INTEREST))]
    return safe_text("\n".join(lines)) + "\n"


def _plan(facts: Facts) -> str:
    return report.plan(make_plan(facts, suggestion.suggest(facts)))


def _verified(facts: Facts) -> str:
    asked = to_be(facts)
    if not asked.runs and not asked.unseen:
        return "no run of this tool stands\n"
    return report.checks([*verify(facts, asked.answers), *asked.unseen])


def _of_run(node: Node, run: str) -> Iterator[Part]:
    place = f"{RUNS}/{run}"

    def plan() -> str:
        text = node.read(f"{place}/plan.json").decode("utf-8", "replace")
        return plans.from_json(text, f"{place}/plan.json").masked().to_json()

    yield _part(f"{run}/plan.json", "its plan, without the content of files that may hold secrets", plan)
    yield _part(
        f"{run}/journal.jsonl",
        "what it did, and what its commands said",
        lambda: "".join(report.as_json(each, None) for each in parse(node.read(f"{place}/journal.jsonl"), place)),
    )
    for name, about in (("options.json", "how it was run"), ("runner.log", "what its runner said")):
        if node.exists(f"{place}/{name}"):
            yield _part(f"{run}/{name}", about, lambda name=name: _log(node, f"{place}/{name}"))  # type: ignore[misc]


def _log(node: Node, path: str) -> str:
    return _end(node.read(path).decode("utf-8", "replace"))


def _end(text: str) -> str:
    """The last of a long text, from the beginning of a line: half a line would hide what its value is."""
    if len(text) > MOST_TEXT:
        text = text[-MOST_TEXT:].partition("\n")[2]
    return safe_text(text)


def _kernel_log(node: Node) -> str:
    why = ""
    for argv in KERNEL_LOG:
        try:
            said = node.run(argv, timeout=60.0)
        except NodeError as error:
            why = why or str(error)
            continue
        if said.status == 0 and said.stdout.strip():
            return _end(said.stdout)
        why = (said.stderr.strip() or f"{argv[0]} ended with exit status {said.status}").splitlines()[0]
    raise NodeError(why)

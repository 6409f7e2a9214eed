"""States in which a node may be before a run, as hypothesis makes them up: what hands, packages and earlier runs left there.

A state is a list of *deeds*; :func:`do` does one to a simulated node. The runner is run in this process, and may be killed at
any line that it is about to write into its journal.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import strategies as st
from strategies import any_answers

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.apply import launch, runner
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.planning.planner import make_plan
from wizard.runs.journal import Journal, read
from wizard.runs.records import STATE
from wizard.simulator.simulated_node import SimulatedNode

Deed = tuple[str, Any]

MODPROBE_LINES = (
    "options mlx4_core num_vfs={n}\n",
    "options mlx4_core num_vfs={n} probe_vf={m}\n",
    "options mlx4_core \\\n    port_type_array=2,2 num_vfs={n}\n",
    "options mlx4_core log_num_mgm_entry_size=-1",
    "  options   mlx4_core\tprobe_vf={m}   # by hand\n",
    "options mlx4_en pfctx=0x08\r\n",
    "# options mlx4_core num_vfs=64\n",
    "blacklist nouveau\n\n",
    "softdep mlx4_core post: mlx4_ib\n",
)
GRUB_WORDS = (
    "intel_iommu=on",
    "iommu=pt",
    "intel_iommu=off",
    "iommu=soft",
    "hugepages=64",
    "nomodeset",
    "iommu.passthrough=1",
    "quiet",
    "pci=realloc",
)
GRUB_FORMS = (
    '{name}="{words}"\n',
    '{name}="${name} {words}"\n',
    "{name}='{words}'\n",
    'export {name}="{words} $HOME"\n',
)
GRUB_FILES = (
    "/etc/default/grub",
    "/etc/default/grub.d/10-local.cfg",
    "/etc/default/grub.d/50-cloudimg-settings.cfg",
    "/etc/default/grub.d/zzz-last.cfg",
)
NOVA_LINES = (
    'pci_passthrough_whitelist = {{"vendor_id": "15b3", "product_id": "1004"}}\n',
    'pci_passthrough_whitelist = [{{"address": "0000:04:00.{m}"}},\n  {{"vendor_id": "8086", "product_id": "154c"}}]\n',
    "dnsmasq_config_file = /etc/dnsmasq-nova.conf\n",
    "dnsmasq_config_file=/etc/nova/dnsmasq.conf\n",
    'pci_alias = {{"vendor_id": "15b3", "product_id": "1004", "name": "a{n}"}}\n',
    "# dnsmasq_config_file = /etc/none.conf\n",
    "[pci]\n",
    "[DEFAULT]\n",
    "[libvirt]\ncpu_mode = none\n",
    "my_own = {n}",
)
DNSMASQ_LINES = (
    "dhcp-option=tag:demo-net,option:router,10.44.1.{n}\n",
    "dhcp-option=tag:demo-net,3,10.44.1.{n}\n",
    "dhcp-option=tag:demo2-net,option:router,10.44.2.{n}\n",
    "dhcp-option=tag:other,option:router,10.9.9.{n}\r\n",
    "dhcp-option = tag:third , 3 , 10.44.3.{n}\n",
    "log-dhcp\n",
    "# by hand\n",
    "dhcp-option-force=option:mtu,1450",
)
RULE = "-p IPv4 --ip-dst 169.254.169.254 --ip-proto tcp --ip-dport 80 -j redirect"
UNIT = "/etc/systemd/system/metadata-by-hand.service"
WANTS = "/etc/systemd/system/multi-user.target.wants"


def _lines(lines: tuple[str, ...]) -> st.SearchStrategy[str]:
    line = st.builds(
        lambda text, n, m: text.format(n=n, m=m), st.sampled_from(lines), st.integers(1, 16), st.integers(0, 4)
    )
    return st.lists(line, min_size=1, max_size=4).map("".join)


def _grub(names: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    words = st.lists(st.sampled_from(GRUB_WORDS), max_size=3, unique=True).map(" ".join)
    line = st.builds(
        lambda form, name, text: form.format(name=name, words=text), st.sampled_from(GRUB_FORMS), names, words
    )
    return st.lists(line, min_size=1, max_size=2).map("".join)


BY_HAND: st.SearchStrategy[Deed] = st.one_of(
    st.tuples(
        st.just("append"),
        st.tuples(
            st.sampled_from(["mlx4_core.conf", "aaa.conf", "zz-local.conf"]).map("/etc/modprobe.d/{}".format),
            _lines(MODPROBE_LINES),
        ),
    ),
    st.tuples(
        st.just("append"),
        st.tuples(
            st.sampled_from(GRUB_FILES), _grub(st.sampled_from(["GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"]))
        ),
    ),
    st.tuples(st.just("append"), st.tuples(st.just("/etc/nova/nova.conf"), _lines(NOVA_LINES))),
    st.tuples(st.just("first"), st.tuples(st.just("/etc/nova/nova.conf"), _lines(NOVA_LINES))),
    st.tuples(st.just("append"), st.tuples(st.just("/etc/dnsmasq-nova.conf"), _lines(DNSMASQ_LINES))),
    st.tuples(st.just("command"), st.sampled_from([("update-grub",), ("update-initramfs", "-u", "-k", "all")])),
    st.tuples(st.just("rule"), st.sampled_from([RULE, f"{RULE} --redirect-target CONTINUE"])),
    st.tuples(st.just("mode"), st.tuples(st.sampled_from(["/etc/nova/nova.conf", *GRUB_FILES[:1]]), st.just(0o640))),
    st.tuples(st.just("reboot"), st.none()),
)
"""What a person may have done to the node."""

EARLIER: st.SearchStrategy[Deed] = st.tuples(
    st.just("run"),
    st.fixed_dictionaries(
        {
            "answers": any_answers(),
            "killed_at": st.one_of(st.none(), st.integers(1, 90)),
            "then": st.sampled_from(["leave", "leave", "resume", "undo", "cut undo"]),
            "forgotten": st.sampled_from([False, False, False, True]),
        }
    ),
)
"""A run of this tool: whole, or killed at the N-th line of its journal; its records may be lost, as on a node that an
exported script set up."""


def any_past() -> st.SearchStrategy[list[Deed]]:
    """Deeds in any order."""
    return st.lists(st.one_of(BY_HAND, BY_HAND, BY_HAND, EARLIER), max_size=6)


def do(node: SimulatedNode, deed: Deed) -> None:
    """Do one of them."""
    name, what = deed
    if name in ("append", "first"):
        _write(node, *what, first=name == "first")
    elif name == "command":
        node.obey(what)
    elif name == "rule":
        node.by_hand(what)
        _write(node, UNIT, f"[Service]\nExecStart=/sbin/ebtables -t nat -I PREROUTING {what}\n")
        link = node.place(f"{WANTS}/{UNIT.rpartition('/')[2]}")
        link.unlink(missing_ok=True)
        link.symlink_to(UNIT)
    elif name == "mode":
        node.place(what[0]).chmod(what[1])
    elif name == "reboot":
        node.reboot()
    else:
        _run(node, **what)


def _write(node: SimulatedNode, path: str, text: str, *, first: bool = False) -> None:
    place = node.place(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    old = place.read_bytes() if place.exists() else b""
    if first:  # below the first section's header
        head, end, rest = old.partition(b"\n")
        place.write_bytes(head + end + text.encode() + (b"" if text.endswith("\n") else b"\n") + rest)
    else:
        place.write_bytes(old + text.encode())


def _run(node: SimulatedNode, answers: dict[str, Any], killed_at: int | None, then: str, forgotten: bool) -> None:
    plan = allowed(node, answers)
    if not plan.steps:
        return
    run = carried_out(node, plan, killed_at)
    if then == "resume" and killed_at is not None:
        resumed(node, run)
    elif then in ("undo", "cut undo"):
        take_back(node, run, killed_at if then == "cut undo" else None)
    if forgotten:
        shutil.rmtree(node.place(STATE))


def planned_here(node: SimulatedNode) -> Plan:
    """The plan for what would be suggested."""
    seen = facts.read(node)
    return make_plan(seen, suggestion.suggest(seen))


def allowed(node: SimulatedNode, answers: dict[str, Any]) -> Plan:
    """The plan for these answers, less the chapters that a finding blocks."""
    seen = facts.read(node)
    plan = make_plan(seen, answer_files.from_data(answers))
    while plan.blocked:
        answers = {name: value for name, value in answers.items() if name not in plan.blocked}
        plan = make_plan(seen, answer_files.from_data(answers))
    return plan


class Killed(BaseException):
    """The runner is gone, as after kill -9: nothing below catches it."""


@contextmanager
def _killed(at: int | None) -> Iterator[None]:
    """Within, the runner is killed when it is about to write the line of this number into its journal."""
    real, count = Journal.write, iter(range(1, 10_000))

    def write(self: Journal, event: str, **fields: Any) -> None:
        if next(count) == at:
            raise Killed
        real(self, event, **fields)

    with mock.patch.object(Journal, "write", write):
        try:
            yield
        except Killed:
            return


def carried_out(node: SimulatedNode, plan: Plan, killed_at: int | None = None) -> str:
    """Carry a plan out by the real runner, in this process; the name of the run."""
    started = launch.save(node.directory, plan, "rollback", "simulated")
    with _killed(killed_at):
        run_here(node.directory, started.run)
    return started.run


def resumed(node: SimulatedNode, run: str) -> None:
    """Let a run go on, where it had begun."""
    run_here(node.directory, run)


def take_back(node: SimulatedNode, run: str, killed_at: int | None = None) -> None:
    """Take a run back, where something of it stands; what may not be taken back is left."""
    from wizard.planning.undo import undo_plan

    past = {each.id: each for each in facts.read(node).history.runs}.get(run)
    if past is None or past.undone_by or past.state == "rolled_back":
        return
    back = undo_plan(facts.read(node), node, run, node.directory)
    if not back.stopped:
        carried_out(node, back, killed_at)


def run_here(directory: Path, run: str, *events: int) -> None:
    """The runner in this process, which may be told how many events there were. The disk is not what is tried here: nothing
    waits for it."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    umask = os.umask(0o022)
    try:
        with mock.patch("os.fsync"):
            assert runner.main([str(directory), run, *map(str, events)]) == 0
    finally:
        os.umask(umask)
        for number, handler in kept.items():
            signal.signal(number, handler)


def result(node: SimulatedNode, run: str) -> str:
    """How a run ended."""
    events = read(node.place(f"{STATE}/runs/{run}") / "journal.jsonl")
    return str(events[-1].get("result")) + (
        f": {json.dumps(events[-3:])}" if events[-1].get("result") != "done" else ""
    )

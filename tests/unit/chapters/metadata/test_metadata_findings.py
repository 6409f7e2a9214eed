"""Findings about the metadata redirect: each is seen where it is so, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest
from nodes import codes, found, origin, planned, remove, replace

from wizard.answers import files as answer_files
from wizard.facts import facts
from wizard.model.steps import RunCommand, WriteFile
from wizard.node.node import Output
from wizard.node.recorded import MemoryNode
from wizard.planning.planner import make_plan
from wizard.planning.verification import verify
from wizard.simulator.built_in import built_in, simulate


def test_nobody_listens_on_the_metadata_port() -> None:
    node = origin()
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        if path in node.entries:
            node.entries[path].content = node.entries[path].content.replace(b":2247 ", b":2248 ")
    assert ":8775" in found(planned(node), "METADATA-NO-LISTENER").seen
    assert "METADATA-NO-LISTENER" not in codes(planned(origin()))


@pytest.mark.parametrize(("value", "words"), [(None, "not loaded"), ("0\n", "iptables is 0"), ("1\n", "iptables is 1")])
def test_what_the_bridge_firewall_means_is_told(value: str | None, words: str) -> None:
    node = origin()
    if value is not None:
        node.write("/proc/sys/net/bridge/bridge-nf-call-iptables", value)
    finding = found(planned(node), "METADATA-BRIDGE-NF")
    assert finding.severity == "tells"
    assert words in finding.seen


def test_unknown_uplinks_block() -> None:
    node = origin()
    node.entries["/etc/nova/nova.conf"].content = node.entries["/etc/nova/nova.conf"].content.replace(
        b"VlanManager", b"FlatDHCPManager"
    )
    for path in [path for path in node.entries if path.startswith("/sys/class/net/")]:
        remove(node, path)
    assert found(planned(node, metadata={"redirect": True}), "METADATA-UPLINKS-UNKNOWN").severity == "blocks"
    assert found(planned(node), "METADATA-NOT-SUGGESTED").severity == "warns"
    assert planned(node).blocked == ()


def test_the_published_rule_is_found_and_the_accept_target_warned_of() -> None:
    node = origin()
    argv = ("ebtables", "-t", "nat", "-L", "--Lc")
    listing = (
        "Bridge table: nat\n\nBridge chain: PREROUTING, entries: 1, policy: ACCEPT\n"
        "-p IPv4 --ip-dst 169.254.169.254 --ip-proto tcp --ip-dport 80 -j redirect , pcnt = 3 -- bcnt = 180\n"
    )
    node.commands[argv] = Output(argv, 0, listing, "")
    plan = planned(node, metadata={"redirect": True, "target": "accept"})
    assert "169.254.169.254" in found(plan, "METADATA-FOREIGN-RULE").seen
    assert found(plan, "METADATA-ACCEPT").severity == "warns"


def test_without_ebtables_or_bridges_there_is_no_redirect() -> None:
    node = origin()
    for path in [path for path in node.entries if "ebtables" in path.rpartition("/")[2]]:
        remove(node, path)
    assert found(planned(node, metadata={"redirect": True}), "METADATA-NO-EBTABLES").severity == "blocks"
    assert "no ebtables command" in found(planned(node), "METADATA-NOT-SUGGESTED").seen
    assert planned(node).blocked == ()
    lone = origin()
    for path in [path for path in lone.entries if "nova-br" in path or path.startswith("/proc/3")]:
        remove(lone, path)
    assert found(planned(lone, gateways=None, metadata={"redirect": True}), "METADATA-NO-BRIDGE").severity == "blocks"
    fresh = planned(lone)  # no guest yet: what is suggested for such a node blocks nothing
    assert fresh.blocked == ()
    assert found(fresh, "METADATA-NOT-SUGGESTED").severity == "tells"
    assert "metadata" not in fresh.answers
    assert "METADATA-NOT-SUGGESTED" not in codes(planned(origin()))


def test_two_ebtables_are_told() -> None:
    node = origin()
    node.write("/usr/sbin/ebtables-nft", "x", mode=0o755)
    node.write("/usr/sbin/ebtables-legacy", "x", mode=0o755)
    assert "nft" in found(planned(node), "METADATA-TWO-EBTABLES").seen


ASKED = "force_snat_range = 169.254.169.254/32"
NOVAS = "-p IPv4 --ip-src 10.44.1.0/24 --ip-dst 169.254.169.254 -j redirect "
PUBLISHED = "-p IPv4 --ip-dst 169.254.169.254 --ip-proto tcp --ip-dport 80 -j redirect "


def with_rules(*rules: str, lines: str = "") -> MemoryNode:
    """The origin node with these rules in PREROUTING, and more lines in nova.conf."""
    node = origin()
    argv = ("ebtables", "-t", "nat", "-L", "--Lc")
    counted = "".join(f"{rule}, pcnt = 3 -- bcnt = 180\n" for rule in rules)
    head = f"Bridge table: nat\n\nBridge chain: PREROUTING, entries: {len(rules)}, policy: ACCEPT\n"
    node.commands[argv] = Output(argv, 0, head + counted, "")
    replace(node, "/etc/nova/nova.conf", "[DEFAULT]\n", f"[DEFAULT]\n{lines}\n")
    return node


@pytest.mark.parametrize("rules", [(), (NOVAS,), (NOVAS, NOVAS.replace("44.1", "44.2"))])
def test_nova_s_own_rule_is_called_nova_s(rules: tuple[str, ...]) -> None:
    plan = planned(with_rules(*rules, lines=ASKED))
    finding = found(plan, "METADATA-NOVA-RULE")
    assert finding.severity == "warns"
    assert f"/etc/nova/nova.conf line 2: {ASKED}" in finding.seen
    assert ("--ip-src 10.44.1.0/24" in finding.seen) is bool(rules)
    assert "at each start" in finding.why
    assert "else nova adds them again" in finding.do
    assert "METADATA-FOREIGN-RULE" not in codes(plan)


def test_nova_s_own_rule_beside_the_published_one() -> None:
    plan = planned(with_rules(NOVAS, PUBLISHED, lines="force_snat_range = 10.0.0.0/8\n" + ASKED))
    assert "--ip-src" in found(plan, "METADATA-NOVA-RULE").seen
    assert "--ip-src" not in found(plan, "METADATA-FOREIGN-RULE").seen
    assert "by hand" in found(plan, "METADATA-FOREIGN-RULE").why


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("", "nova.conf as it is seen here does not name that"),
        ("force_snat_range = 10.0.0.0/8", "nova.conf as it is seen here does not name that"),
        ("force_snat_range = $elsewhere", "whether nova.conf asks for it by force_snat_range is not known"),
    ],
)
def test_a_rule_like_nova_s_that_nova_conf_does_not_ask_for(lines: str, words: str) -> None:
    plan = planned(with_rules(NOVAS, lines=lines))
    assert words in found(plan, "METADATA-FOREIGN-RULE").why
    assert "nova adds the rule again at each start" in found(plan, "METADATA-FOREIGN-RULE").do
    assert "METADATA-NOVA-RULE" not in codes(plan)


def test_a_rule_that_the_other_variant_has_is_found_too() -> None:
    node = origin()
    node.write("/usr/sbin/ebtables-nft", "x", mode=0o755)
    node.write("/usr/sbin/ebtables-legacy", "x", mode=0o755)
    listing = f"Bridge table: nat\n\nBridge chain: PREROUTING, entries: 1, policy: ACCEPT\n{PUBLISHED}\n"
    for name in ("ebtables-nft", "ebtables-legacy"):
        argv = (name, "-t", "nat", "-L", "--Lc")
        node.commands[argv] = Output(argv, 0, listing, "")
    assert "169.254.169.254" in found(planned(node), "METADATA-FOREIGN-RULE").seen


@pytest.mark.parametrize("meant", ["nft", "legacy"])
def test_advice_names_the_ebtables_that_sees_the_rule(meant: str) -> None:
    """libvirt's filters stand beside the published rule, in the variant that `ebtables` does not mean."""
    node = origin()
    other = {"nft": "legacy", "legacy": "nft"}[meant]
    for variant in ("nft", "legacy"):
        node.write(f"/usr/sbin/ebtables-{variant}", "x", mode=0o755)
    for name in [path for path in node.entries if path.endswith("/ebtables")]:
        remove(node, name)
    node.symlink("/usr/sbin/ebtables", f"ebtables-{meant}")
    chain = "\nBridge chain: libvirt-I-vnet0, entries: 0, policy: ACCEPT\n"
    head = "Bridge table: nat\n\nBridge chain: PREROUTING, entries: {}, policy: ACCEPT\n"
    listings = {"ebtables": head.format(0), f"ebtables-{other}": head.format(1) + PUBLISHED + "\n" + chain}
    for name, text in listings.items():
        argv = (name, "-t", "nat", "-L", "--Lc")
        node.commands[argv] = Output(argv, 0, text, "")
    plan = planned(node)
    finding = found(plan, "METADATA-FOREIGN-RULE")
    assert f"`ebtables-{other} -t nat -D PREROUTING -p ipv4 --ip-dst 169.254.169.254 --ip-proto tcp" in finding.do
    assert "libvirt's own filters are in that variant" in finding.do
    assert f"only ebtables-{other} sees them" in found(plan, "METADATA-TWO-EBTABLES").why
    plain = found(planned(with_rules(PUBLISHED)), "METADATA-FOREIGN-RULE")
    assert "`ebtables -t nat -D PREROUTING " in plain.do
    assert "libvirt's own" not in plain.do


@pytest.mark.parametrize(
    ("argv", "said", "severity", "words"),
    [
        (("iptables", "-S", "FORWARD"), "-P FORWARD DROP\n", "warns", "FORWARD is DROP"),
        (("iptables-save",), "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\nCOMMIT\n", "warns", "FORWARD is DROP"),
        (("iptables", "-S", "FORWARD"), "-P FORWARD ACCEPT\n", "tells", "iptables is 1"),
        (("false",), "", "tells", "FORWARD is not known"),
    ],
)
def test_bridged_packets_that_iptables_may_drop(argv: tuple[str, ...], said: str, severity: str, words: str) -> None:
    node = origin()
    node.write("/proc/sys/net/bridge/bridge-nf-call-iptables", "1\n")
    node.commands[argv] = Output(argv, 0, said, "")
    finding = found(planned(node), "METADATA-BRIDGE-NF")
    assert finding.severity == severity
    assert words in finding.seen


def test_a_node_without_nova_network_of_its_own_is_warned_of() -> None:
    node = origin()
    replace(node, "/etc/nova/nova.conf", "multi_host", "# multi_host")
    assert "METADATA-SINGLE-HOST" not in codes(planned(node))  # its networks are served here: they have it of their own
    for path in [path for path in node.entries if path.startswith(("/proc/3", "/proc/2245"))]:
        remove(node, path)
    finding = found(planned(node), "METADATA-SINGLE-HOST")
    assert (finding.severity, "is not seen to run here" in finding.seen) == ("warns", True)
    assert "METADATA-SINGLE-HOST" not in codes(planned(origin()))


def test_an_old_kernel_without_a_bridge_tells_nothing_of_the_bridge_firewall() -> None:
    node = origin()
    node.write("/proc/sys/kernel/osrelease", "3.13.0-170-generic\n")
    finding = found(planned(node), "METADATA-BRIDGE-NF")
    assert "3.13.0" in finding.seen
    assert "is not known" in finding.why


AT_BOOT = "The redirect is there again after each boot"
UNIT = "/etc/systemd/system/compute-wizard-metadata.service"
SCRIPT, CONFIG, JOB = (
    "/usr/local/sbin/compute-wizard-metadata",
    "/etc/compute-wizard/metadata.conf",
    "/etc/init/compute-wizard-metadata.conf",
)


def at_boot(node: MemoryNode) -> tuple[str, str]:
    answers = answer_files.from_data({"metadata": {"redirect": True}})
    (one,) = [each for each in verify(facts.read(node), answers) if each.what == AT_BOOT]
    return one.state, one.seen


@pytest.mark.parametrize("missing", ["", SCRIPT, CONFIG, JOB])
def test_the_redirect_at_boot_takes_all_of_its_files(missing: str) -> None:
    node = installed(origin())
    if missing:
        remove(node, missing)
    state, seen = at_boot(node)
    assert (state, seen.partition(";")[0]) == (("failed", f"{missing} is not there") if missing else ("held", JOB))
    assert missing or "nothing watches it in between" in seen  # upstart: said, not promised


@pytest.mark.parametrize("path", [SCRIPT, CONFIG, JOB])
def test_files_that_somebody_changed_are_not_held_for_the_next_boot(path: str) -> None:
    node = installed(origin())
    node.entries[path].content += b"# by hand\n"
    assert at_boot(node) == ("failed", f"{path} is not as this version writes it")


def test_a_drop_in_of_our_unit_is_not_judged() -> None:
    node = installed(built_in("demo"))
    assert at_boot(node) == ("held", UNIT)
    node.write(f"{UNIT}.d/override.conf", "[Service]\nExecStart=\n")
    assert at_boot(node)[0] == "unknown"


@pytest.mark.parametrize("installs", [True, False])
def test_the_watch_is_seen_by_its_process(installs: bool, tmp_path: Path) -> None:
    """Of a recording it is not said: only what matters of the processes is in it."""
    what = "The redirect is put back when a packet filter is loaded anew"
    answers = answer_files.from_data({"metadata": {"redirect": True}})
    assert what not in [each.what for each in verify(facts.read(installed(built_in("demo"))), answers)]
    node = simulate(installed(built_in("demo")), tmp_path)
    if installs:
        assert node.obey(["systemctl", "restart", "compute-wizard-metadata.service"]).status == 0
    (one,) = [each for each in verify(facts.read(node), answers) if each.what == what]
    assert one.state == ("held" if installs else "failed")
    again = [step for step in make_plan(facts.read(node), answers).steps if isinstance(step, RunCommand)]
    assert ("systemctl", "restart", "compute-wizard-metadata.service") in [step.argv for step in again] or installs


@pytest.mark.parametrize("count", [1, 60, 400])
def test_the_deadline_grows_with_the_bridges(count: int) -> None:
    bridges = [f"br{number}" for number in range(1000, 1000 + count)]
    plan = planned(built_in("demo"), metadata={"redirect": True, "bridges": bridges})
    steps = [each for each in plan.steps if isinstance(each, RunCommand) and each.argv == (SCRIPT, "apply")]
    assert [step.deadline_s for step in steps] == [120 + 2 * count]


def installed(node: MemoryNode) -> MemoryNode:
    """The node with all files of the redirect's plan, and the unit enabled."""
    for step in planned(node).steps:
        if isinstance(step, WriteFile) and "metadata" in step.path:
            node.write(step.path, step.after.data())
    if UNIT in node.entries:
        node.symlink("/etc/systemd/system/multi-user.target.wants/compute-wizard-metadata.service", UNIT)
    return node


def test_what_an_init_system_that_is_not_known_does_is_not_known() -> None:
    node = origin()
    for path in [path for path in node.entries if path.startswith(("/etc/init", "/proc/1/", "/sbin/init"))]:
        remove(node, path)
    assert facts.read(node).system.init == "unknown"
    assert at_boot(node)[0] == "unknown"


def test_a_file_that_may_not_be_read_is_not_called_missing() -> None:
    node = origin()
    installed(node)
    node.entries[CONFIG].kind = "other"
    assert at_boot(node)[0] == "unknown"

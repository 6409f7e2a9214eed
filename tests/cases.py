"""Run the cases of a directory and print what each comes to: `python tests/cases.py DIRECTORY [WORD ...]`, or `make cases CASES=DIRECTORY`.

DIRECTORY holds hardware/, nova/, network/ and formats/, a folder for each case. A node is root.tar.gz, or is built from node.json by
nova/build.py, or is files.tar.gz over a built-in node; answers.toml stands beside it. WORDs select cases by a part of their name.
The commands run in this process, below a root of their own. What a case has to come to stands in TABLE: for each command a regular
expression that its output (in one line, with the exit code at the end as EXIT n) has to hold, or with ! before it must not hold.
Exit code: 0 all right, 1 some are not, 2 DIRECTORY has no cases.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import sys
import tarfile
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

from wizard.cli.main import main
from wizard.simulator.built_in import built_in, simulate

Expected = Mapping[str, tuple[str, ...]]
"""Command -> what its output holds (a regular expression), or must not hold (after a !)."""

OTHERS: Expected = {
    "check": ("blocks VFS-OTHER-OWNER .* sets 4 VFs on 0000:c1:00.0",),
    "verify": ("!gets . VFs at each boot: left",),
}
NOT_OWNED: Expected = {
    "verify": ("!held +0000:c1:00.0 gets 8 VFs at each boot", "failed +0000:c1:00.0 gets 8 VFs", "EXIT 2"),
    "plan": (r"write \S*compute-wizard\S*\.service",),
}
PART_OWNED: Expected = {
    "verify": ("held +0000:c1:00.0 gets 4 VFs", "failed +0000:c1:00.1 gets 4 VFs", "EXIT 2"),
    "plan": (r"write \S*compute-wizard\S*\.service",),
}
SH_ENDS: Expected = {"check": ("blocks IOMMU-LINE-UNKNOWN .*/etc/default/grub line [0-9]+", "EXIT 3")}
NOT_KNOWN: Expected = {
    "check": ("(warns|blocks) +IOMMU-LINE-UNKNOWN",),
    "plan": ("after reboot: unknown|Blocked, and left out of this plan: iommu",),
}
HELD: Expected = {"verify": ("EXIT 0", "!failed|pending"), "plan": ("EXIT 0", "!update-grub")}
AT_BOOT: Expected = {"check": (r"(warns|blocks) +VFS-DRIVER-AT-BOOT .*/etc/\S+ line [0-9]+",)}

TABLE: dict[str, Expected] = {
    "hardware/bluefield-dpu-mode": {"check": ("VFS-DPU-MODE",), "plan": ("!mstconfig .* set",)},
    "hardware/bnxt-needs-its-link-up": {"plan": ("ip link set dev .* up",)},
    "hardware/grub-and-list": {**NOT_KNOWN, "plan": ("write /etc/default/grub.d/zz-compute-wizard.cfg",)},
    "hardware/grub-source-in-dash": SH_ENDS,
    "hardware/grub-sourced-variable": NOT_KNOWN,
    "hardware/grub-unquoted-blank": SH_ENDS,
    "hardware/grub-words-after-quote": SH_ENDS,
    "hardware/intremap-off-kernel-line": {"check": ("warns +IOMMU-NO-INTREMAP .*intremap=off",)},
    "hardware/kexec-reboots": {"plan": ("BOOT-KEXEC .*LOAD_KEXEC=true",)},
    "hardware/menu-memtest": HELD,
    "hardware/menu-os-prober": HELD,
    "hardware/mlx4-initramfs-modules": {"check": ("VFS-OPTION-OVERRIDDEN .*/etc/initramfs-tools/modules line",)},
    "hardware/mlx4-kernel-line": {
        "check": ("VFS-OPTION-OVERRIDDEN .*4,4,0", r"!IOMMU-CONFLICT"),
        "suggest": ("count = ",),
    },
    "hardware/mlx4-ofed-short-address": {
        "check": ("!none of the forms",),
        "plan": ("Nothing is to be changed",),
        "suggest": ("count = 5", "count = 8"),
    },
    "hardware/mlx4-probe-vf-kernel-line": {"check": ("blocks VFS-MLX4-PROBE", "EXIT 3")},
    "hardware/mlx4-quoted-value": {"check": ("!none of the forms",), "plan": ("Nothing is to be changed",)},
    "hardware/mlx4-triplet-on-infiniband": {
        "check": ("warns +VFS-MLX4-FORM .*InfiniBand",),
        "plan": (r"\+options mlx4_core .*num_vfs=8",),
    },
    "hardware/owner-absent-interface": {**NOT_OWNED, "check": ("warns +VFS-OTHER-OWNER",)},
    "hardware/owner-by-driver": NOT_OWNED,
    "hardware/owner-igb-max-vfs": {"check": ("VFS-OTHER-OWNER .*max_vfs=7",)},
    "hardware/owner-link-by-driver": NOT_OWNED,
    "hardware/owner-link-sections": OTHERS,
    "hardware/owner-mlx5-num-vfs": OTHERS,
    "hardware/owner-modprobe-install": OTHERS,
    "hardware/owner-netplan-vf-links": OTHERS,
    "hardware/owner-networkd-dispatcher": OTHERS,
    "hardware/owner-rc-local-not-executable": NOT_OWNED,
    "hardware/owner-rdma-name": PART_OWNED,
    "hardware/owner-sysfs-conf-without-sysfsutils": NOT_OWNED,
    "hardware/owner-tuned-sysfs": OTHERS,
    "hardware/owner-udev-continued-line": PART_OWNED,
    "hardware/owner-unit-in-usr-lib": OTHERS,
    "hardware/pf-blacklist-kernel-line": AT_BOOT,
    "hardware/pf-blacklist-modprobe": AT_BOOT,
    "hardware/pf-no-driver-blacklisted": {"check": ("/etc/modprobe.d/blacklist-nics.conf line 1",)},
    "hardware/pf-vfio-ids-modprobe": AT_BOOT,
    "hardware/recovery-card-advice": {"check": ("mstflint", "!mstconfig -d [0-9a-f:.]+ set")},
    "hardware/rhel-tuned-params-off": {
        "check": ("IOMMU-OFF-ELSEWHERE .*grubenv",),
        "plan": (r"!after reboot: .*\$tuned_params",),
    },
    "hardware/uki-with-grub-left-over": {"plan": ("IOMMU-BOOTLOADER", "!write /etc/default/grub", r"!\$ update-grub")},
    "nova/bad-alias-values": {"check": ("blocks PASSTHROUGH-ALIAS", "EXIT 3")},
    "nova/bad-spec-values": {"check": ("blocks PASSTHROUGH-BAD-SPEC", "EXIT 3")},
    "nova/devices-with-physical-network": {"plan": (r'\+device_spec = .*"physical_network": "physnet1"|EXIT 3',)},
    "nova/devname-covers-vfs": {"check": ("PASSTHROUGH-NOT-APART",)},
    "nova/kolla-release-known": {"check": ("!answer the release to see it",)},
    "nova/mlx4-two-ports-two-nets": {"plan": (r"0000:08:0[01]\.[0-7].*physnet1|EXIT 3",)},
    "nova/numa-policy-of-ports": {"check": ("numa_policy", "numa-policy-required|hw:pci_numa_affinity_policy")},
    "nova/offload-null-and-alias": {"check": ("PASSTHROUGH-NOT-APART",)},
    "nova/ovn-metadata-of-sriov-ports": {"check": ("external port", "config.drive")},
    "nova/shadow-dev-type": {"check": ("dev_type", "!hands out the whole machine")},
    "nova/shadow-ours-is-first": {"check": ("blocks PASSTHROUGH-", "EXIT 3")},
    "nova/shadow-untagged": {"check": ("PASSTHROUGH-.*nova.conf line",), "verify": ("EXIT 2",)},
    "nova/suggest-over-neutron": {"suggest": ("!alias", "!flavor = {")},
    "nova/switchdev-node": {
        "inspect": ("switchdev", "!: another network namespace"),
        "suggest": (r"!\n\[\[passthrough.pool",),
    },
    "nova/trusted-port-command": {"plan": ("trusted=true|--trusted",)},
    "nova/two-nets-one-card": {"check": ("blocks ", "EXIT 3")},
    "network/advice-for-the-other-ebtables": {"check": ("ebtables-legacy -t nat -D",)},
    "network/chef-owns-the-dnsmasq-file": {"check": ("GATEWAYS-MANAGED",), "plan": ("!write /etc/dnsmasq-nova.conf",)},
    "network/fresh-nova-network-node": {"plan": ("!blocks METADATA-NO-BRIDGE",)},
    "network/label-known": {
        "check": ("(warns|blocks) .*'known'", "'br1442'"),
        "plan": (r"!\+dhcp-option=tag:(known|br1442)",),
    },
    "network/label-with-a-blank": {"check": ("!does not start", "!name the network so")},
    "network/listens-outside-its-network": {"check": ("1.127.0.1",)},
    "network/stop-without-start": {
        "plan": (
            "(blocks|warns|tells) +GATEWAYS-NO-STARTER .*br1711; br1712 .*without it every guest",
            "!stop the process in",
        ),
    },
    "formats/dnsmasq-duplicate-removed": {"plan": (r"!\| +-dhcp-option",)},
    "formats/grub-conditional-and": {**NOT_KNOWN, "plan": ("write /etc/default/grub.d/",)},
    "formats/grub-conditional-or": {**NOT_KNOWN, "plan": ("write /etc/default/grub.d/",)},
    "formats/grub-crlf": SH_ENDS,
    "formats/grub-function": NOT_KNOWN,
    "formats/grub-heredoc": {"plan": ("write /etc/default/grub.d/",)},
    "formats/grub-missing-fi": {"check": ("blocks IOMMU-LINE-UNKNOWN", "EXIT 3")},
    "formats/grub-open-quote-blank": SH_ENDS,
    "formats/grub-open-quote-inplace": {**SH_ENDS, "plan": ("!write /etc/default/grub",)},
    "formats/grub-readonly": {"plan": ("EXIT 3|write .*GRUB_CMDLINE_LINUX=",)},
    "formats/grub-source": SH_ENDS,
    "formats/grub-unquoted-value": {"check": ("(blocks|warns) .*/etc/default/grub line 2",)},
    "formats/modprobe-glued-continuation": {"plan": ("num_vfs=16probe_vf=0|(write|change) /etc/modprobe.d",)},
    "formats/modprobe-nbsp": {"plan": ("(write|change) /etc/modprobe.d",)},
}


def run(case: Path, directory: Path, word: str, root: Path) -> str:
    """What one command says of a case's node, and its exit code; a traceback is a result as well."""
    argv = ["--root", str(root), word]
    if word == "inspect":
        answers = None
    elif (case / "answers.toml").exists() and word != "suggest":
        answers = directory / "answers.toml"
        text = (case / "answers.toml").read_text(encoding="utf-8")
        if (
            case / "files.tar.gz"
        ).exists():  # they mean the card of any ConnectX-3 Pro; the built-in node's stands elsewhere
            text = text.replace("0000:08:00.0", "0000:04:00.0")
        answers.write_text(text, encoding="utf-8")
    else:
        answers = None
    if answers is None and case.name == "fresh-nova-network-node" and word != "suggest":
        answers = directory / "suggested.toml"  # the case is about its own suggestion
        answers.write_text(run(case, directory, "suggest", root).rpartition("EXIT")[0], encoding="utf-8")
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            code: object = main([*argv, *(["--answers", str(answers)] if answers else [])])
        except SystemExit as ended:
            code = ended.code
        except Exception:
            code = traceback.format_exc()
    return f"{out.getvalue()}\nEXIT {code}"


BY_TESTS = {
    "network/labels-for-real": "tests/real/test_dnsmasq_tags.py",
    "network/neutron-verify-says-apply": "tests/unit/chapters/gateways/test_gateways_findings.py",
    "network/redirect-gone-after-reload": "tests/real/test_redirect_stays.py",
    "network/unit-keeps-firewalld-from-restarting": "tests/real/test_redirect_stays.py",
    "network/verify-says-held-wrongly": "tests/real/test_dnsmasq_tags.py",
    "network/verify-two-networks": "tests/real/test_metadata_proof.py",
    "trust/export-script-link": "tests/real/test_writer_races.py",
    "trust/export-undo-link": "tests/real/test_writer_races.py",
    "trust/recorder-secrets": "tests/real/test_secret_shapes.py, tests/real/test_recorder.py",
    "trust/resume-after-undo": "tests/unit/runs/test_late.py",
    "trust/rollback-undoes-chmod": "tests/unit/apply/test_whole_state.py",
    "trust/secrets-telling-names": "tests/real/test_secret_shapes.py",
    "trust/systemd-run-from-path": "tests/unit/apply/test_spawn.py",
    "trust/systemd-run-missing": "tests/unit/apply/test_spawn.py",
    "trust/undo-wants-1-mib": "tests/unit/apply/test_hostile_surroundings.py",
}
"""Cases that need a live machine: the tests that hold the same on nodes of their own."""


def roots(case: Path, directory: Path) -> Iterator[tuple[str, Path]]:
    """The nodes of a case with a name each: one, or one for each line of its lines.txt as nova's option."""
    if (case / "lines.txt").exists():
        option = "alias" if "alias" in case.name else "device_spec"
        for number, line in enumerate((case / "lines.txt").read_text(encoding="utf-8").splitlines(), 1):
            root = directory / str(number)
            _build(case, root)
            conf = root / "etc/nova/nova.conf"
            kept = [text for text in conf.read_text(encoding="utf-8").splitlines() if not text.startswith(option)]
            value = line.split("\t")[0]
            at = kept.index("[pci]") + 1
            conf.write_text("\n".join([*kept[:at], f"{option} = {value}", *kept[at:], ""]), encoding="utf-8")
            yield f" {value[:60]}", root
        return
    root = directory / "root"
    root.mkdir()
    if (case / "node.json").exists():
        _build(case, root)
    elif (case / "files.tar.gz").exists():
        simulate(built_in("demo" if case.name.startswith("dnsmasq") else "origin"), root)
        _unpack(case / "files.tar.gz", root)
    else:
        _unpack(case / "root.tar.gz", root)
        inner = root / "root"
        if (inner / "etc").is_dir():
            root = inner
    yield "", root


def _unpack(archive: Path, root: Path) -> None:
    with tarfile.open(archive) as tar:
        tar.extractall(root, filter="fully_trusted") if hasattr(tarfile, "fully_trusted_filter") else tar.extractall(
            root
        )


def _build(case: Path, root: Path) -> None:
    spec = importlib.util.spec_from_file_location("build", case.parent / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    root.mkdir(exist_ok=True)
    module.main(case, root)


def faults(case: Path, directory: Path, root: Path, expected: Expected, show: bool) -> list[str]:
    """What falls short, in words: a command, and what its output lacks or should not hold."""
    found = []
    for word, patterns in expected.items():
        said = run(case, directory, word, root)
        if show:
            print(f"----- {case.name}: {word}\n{said}")
        if "Traceback" in said:
            found.append(f"{word}: a traceback")
        line = re.sub(r"\s*\n\s*", " ", said)
        for pattern in patterns:
            unwanted = pattern.startswith("!")
            text = said if r"\n" in pattern else line
            if bool(re.search(pattern.removeprefix("!"), text)) is unwanted:
                found.append(f"{word}: {'holds' if unwanted else 'lacks'} {pattern.removeprefix('!')!r}")
    return found


def table(directory: Path, words: list[str], show: bool = False) -> int:
    """Print `case | ok` or what falls short, a line each; gives the exit code."""
    right = wrong = left = 0
    for case in sorted(path.parent for path in directory.glob("*/*/README")):
        name = f"{case.parent.name}/{case.name}"
        if words and not any(word in name for word in words):
            continue
        if name not in TABLE:
            left += 1
            print(f"{name:48} | {BY_TESTS.get(name, 'by hand: needs a live machine, or stands in no table')}")
            continue
        with tempfile.TemporaryDirectory() as made:
            for part, root in roots(case, Path(made)):
                found = faults(case, Path(made), root, TABLE[name], show)
                right, wrong = (right, wrong + 1) if found else (right + 1, wrong)
                print(f"{name + part:48} | {'; '.join(found) or 'ok'}", flush=True)
    print(f"{right} right, {wrong} wrong, {left} by hand")
    return 1 if wrong else 0 if right or left else 2


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    arguments = [word for word in sys.argv[2:] if word != "--show"]
    sys.exit(table(Path(sys.argv[1]), arguments, show="--show" in sys.argv))

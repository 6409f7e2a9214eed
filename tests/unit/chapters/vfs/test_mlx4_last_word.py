"""Who has the last word on mlx4_core's options: files, the kernel's line, install lines, the initramfs's list of modules."""

from __future__ import annotations

import pytest
from nodes import CX3, codes, found, origin, planned

from wizard.chapters.shared import mlx4_sources
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.model.steps import WriteFile
from wizard.node.recorded import MemoryNode

DEFAULT, OPTIONS, MODULES = "/etc/default/grub", "/etc/modprobe.d/mlx4_core.conf", "/etc/initramfs-tools/modules"
CARD = {"match": {"serial": "MT1644X02937"}, "count": 12}


def ethernet() -> MemoryNode:
    node = origin()
    for port in "12":
        node.write(f"{CX3}/mlx4_port{port}", "eth\n")
        node.write(f"{CX3}/infiniband/mlx4_0/ports/{port}/link_layer", "Ethernet\n")
    return node


def with_line(words: str) -> MemoryNode:
    """A node whose kernel was booted with these words, and will be again."""
    node = ethernet()
    line = node.entries["/proc/cmdline"].content.decode().rstrip("\n")
    node.write("/proc/cmdline", f"{line} {words}\n")
    node.write(DEFAULT, f'GRUB_CMDLINE_LINUX="{" ".join(line.split()[3:])} {words}"\n')
    return node


def written(plan: Plan) -> str:
    steps = [step for step in plan.steps if isinstance(step, WriteFile) and step.path == OPTIONS]
    return steps[0].after.data().decode() if steps else ""


@pytest.mark.parametrize("word", ["mlx4_core.num_vfs=4", "mlx4-core.num_vfs=4", "mlx4_core.num_vfs=4,4,0"])
def test_the_kernels_line_has_the_last_word(word: str) -> None:
    plan = planned(with_line(word), vfs={"card": [CARD]})
    finding = found(plan, "VFS-OPTION-OVERRIDDEN")
    assert (finding.severity, finding.chapter) == ("blocks", "vfs")
    assert f"{DEFAULT} line 1" in finding.seen
    assert "IOMMU-CONFLICT" not in codes(plan)


def test_what_the_kernels_line_says_is_suggested_and_kept() -> None:
    node = with_line("mlx4_core.num_vfs=4,4,0 mlx4_core.probe_vf=0")
    plan = planned(node)
    assert "VFS-OPTION-OVERRIDDEN" not in codes(plan)
    assert written(plan) == ""
    assert plan.answers["vfs"]["card"][0]["count"] == 8


@pytest.mark.parametrize("word", ["mlx4_core.probe_vf=4,4,0", "mlx4_core.probe_vf=13", "mlx4_core.probe_vf=1,0,0"])
def test_more_kept_than_there_are_blocks(word: str) -> None:
    assert found(planned(with_line(word), vfs={"card": [CARD]}), "VFS-MLX4-PROBE").severity == "blocks"


@pytest.mark.parametrize(
    ("line", "overrides"),
    [
        ("install mlx4_core /sbin/modprobe --ignore-install mlx4_core num_vfs=4 $CMDLINE_OPTS", True),
        ("install mlx4-core modprobe -i mlx4-core num_vfs=4; modprobe mlx4_en", True),
        ("install mlx4_core /sbin/modprobe --ignore-install mlx4_core $CMDLINE_OPTS && modprobe mlx4_en", False),
        ("install mlx5_core /sbin/modprobe -i mlx5_core num_vfs=4", False),
        ("# install mlx4_core /sbin/modprobe -i mlx4_core num_vfs=4", False),
    ],
)
def test_an_install_line_comes_after_the_files(line: str, overrides: bool) -> None:
    node = ethernet()
    node.write("/etc/modprobe.d/site.conf", f"{line}\n")
    plan = planned(node, vfs={"card": [CARD]})
    assert ("VFS-OPTION-OVERRIDDEN" in codes(plan)) is overrides
    if overrides:
        assert "/etc/modprobe.d/site.conf line 1" in found(plan, "VFS-OPTION-OVERRIDDEN").seen


@pytest.mark.parametrize(
    ("line", "overrides"),
    [
        ("mlx4_core num_vfs=4 probe_vf=0", True),
        ("mlx4-core num_vfs=4 # few", True),
        ("mlx4_core", False),
        ("#mlx4_core num_vfs=4", False),
        ("mlx4_en num_vfs=4", False),
    ],
)
def test_the_initramfs_list_of_modules_comes_last(line: str, overrides: bool) -> None:
    node = ethernet()
    node.write(MODULES, f"# modules\n{line}\n")
    plan = planned(node, vfs={"card": [CARD]})
    assert ("VFS-OPTION-OVERRIDDEN" in codes(plan)) is overrides
    if overrides:
        finding = found(plan, "VFS-OPTION-OVERRIDDEN")
        assert (finding.severity, f"{MODULES} line 2" in finding.seen) == ("warns", True)


@pytest.mark.parametrize(("value", "count"), [("4,4,0", 8), ("0,0,8", 8), ("4,4", 8)])
def test_with_infiniband_one_number_alone_is_valid(value: str, count: int) -> None:
    node = origin()
    node.write(OPTIONS, f"options mlx4_core num_vfs={value} probe_vf=0\n")
    plan = planned(node)
    assert "InfiniBand port" in found(plan, "VFS-MLX4-FORM").why
    assert written(plan) == f"options mlx4_core num_vfs={count} probe_vf=0\n"
    node.write(OPTIONS, f"options mlx4_core num_vfs={value} probe_vf=0 port_type_array=2,2\n")
    assert "VFS-MLX4-FORM" not in codes(planned(node)) or "InfiniBand" not in found(planned(node), "VFS-MLX4-FORM").why


@pytest.mark.parametrize("value", ['"8"', '"8', "8"])
def test_quotes_are_taken_away_as_the_kernel_does(value: str) -> None:
    node = ethernet()
    node.write(OPTIONS, f"options mlx4_core num_vfs={value} probe_vf=0\n")
    assert mlx4_sources.Mlx4Options.read(facts.read(node)).parameters["num_vfs"].startswith("8")


@pytest.mark.parametrize(
    ("content", "after"),
    [
        ("options mlx4_core num_vfs=16\\\nprobe_vf=0\n", "options mlx4_core num_vfs=12 probe_vf=0\n"),
        ("options mlx4_core\u00a0num_vfs=12 probe_vf=0\n", "options mlx4_core num_vfs=12 probe_vf=0\n"),
        ("options mlx4_core num_vfs=12 probe_vf=0\\", ""),
    ],
)
def test_what_kmod_reads_otherwise_than_it_looks_is_written_anew(content: str, after: str) -> None:
    node = ethernet()
    node.write(OPTIONS, content)
    text = written(planned(node, vfs={"card": [CARD]}))
    assert text.endswith(after)
    assert text

"""The programs that read what is written are the judges of it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import needs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oslo_config import cfg

from wizard.answers import suggestion
from wizard.errors import FormatError
from wizard.facts import facts
from wizard.formats import dnsmasq, grub_cfg, modprobe
from wizard.model.plan import Plan
from wizard.model.steps import WriteFile
from wizard.planning.planner import make_plan
from wizard.simulator.built_in import built_in

PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


def need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program, path=PATH) is None:
            pytest.skip(f"{program}: the program is not installed")


def planned(name: str) -> Plan:
    seen = facts.read(built_in(name))
    return make_plan(seen, suggestion.suggest(seen))


def written(plan: Plan, path: str) -> bytes:
    return next(step.after.data() for step in plan.steps if isinstance(step, WriteFile) and step.path == path)


@pytest.mark.parametrize(
    ("name", "group", "option", "value"),
    [
        ("origin", None, "pci_passthrough_whitelist", '{"vendor_id": "15b3", "product_id": "1004"}'),
        ("demo", None, "pci_passthrough_whitelist", '{"vendor_id": "15b3", "product_id": "1004"}'),
        ("today", "pci", "device_spec", '{"vendor_id": "15b3", "product_id": "1018"}'),
    ],
)
def test_oslo_config_reads_what_is_planned(
    name: str, group: str | None, option: str, value: str, tmp_path: Path
) -> None:
    path = tmp_path / "nova.conf"
    path.write_bytes(written(planned(name), "/etc/nova/nova.conf"))
    conf = cfg.ConfigOpts()
    conf.register_opts([cfg.MultiStrOpt(option)], group=group)
    conf.register_opts([cfg.StrOpt("dnsmasq_config_file", default="")])
    conf(["--config-file", str(path)], project="nova", default_config_dirs=[])
    assert getattr(conf if group is None else getattr(conf, group), option) == [value]
    assert conf.dnsmasq_config_file == ("" if name == "today" else "/etc/dnsmasq-nova.conf")


def test_dnsmasq_takes_what_is_planned(tmp_path: Path) -> None:
    need("dnsmasq")
    path = tmp_path / "dnsmasq-nova.conf"
    path.write_bytes(written(planned("origin"), "/etc/dnsmasq-nova.conf"))
    done = subprocess.run(
        ["dnsmasq", "--test", f"--conf-file={path}"], capture_output=True, text=True, check=False, env={"PATH": PATH}
    )
    assert done.returncode == 0, done.stderr


LABEL = st.from_regex(r"[A-Za-z0-9._-]{1,20}", fullmatch=True)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(LABEL, st.ip_addresses(v=4).map(str), max_size=5))
def test_dnsmasq_takes_any_routers(routers: dict[str, str]) -> None:
    need("dnsmasq")
    content: bytes | None = b""
    for label, router in routers.items():
        if dnsmasq.label_problem(label) is None:
            with suppress(FormatError):  # 0.0.0.0 and the like are no routers
                content = dnsmasq.set_router(content, label, router)
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content or b"")
        done = subprocess.run(
            ["dnsmasq", "--test", f"--conf-file={file.name}"], capture_output=True, check=False, env={"PATH": PATH}
        )
    assert done.returncode == 0, (content, done.stderr)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["options mlx4_core num_vfs=4", "options mlx4-core x=1", "blacklist y", "# c", "options other a=1"]
        ),
        max_size=5,
    ),
    st.integers(1, 63),
)
def test_modprobe_sees_what_is_written(lines: list[str], count: int) -> None:
    need("modprobe")
    after = modprobe.set_parameters(
        "".join(f"{line}\n" for line in lines).encode(), "mlx4_core", {"num_vfs": str(count), "probe_vf": "0"}
    )
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "mlx4_core.conf").write_bytes(after)
        done = subprocess.run(
            ["modprobe", "-C", directory, "--showconfig"],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": PATH},
        )
    words = [
        word for line in done.stdout.splitlines() if line.startswith("options mlx4_core ") for word in line.split()[2:]
    ]
    last = dict(word.partition("=")[::2] for word in words)
    assert (last["num_vfs"], last["probe_vf"]) == (str(count), "0")


def test_grub_takes_the_drop_in_and_the_menu_holds_the_argument(tmp_path: Path) -> None:
    """grub-mkconfig itself, in a mount namespace, with the planned drop-in and a kernel that is only a name."""
    needs.root("a mount namespace")
    need("grub-mkconfig", "grub-script-check", "unshare")
    (tmp_path / "default/grub.d").mkdir(parents=True)
    (tmp_path / "default/grub").write_text(
        'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX=""\n', encoding="utf-8"
    )
    (tmp_path / "default/grub.d/50-cloudimg-settings.cfg").write_text(
        'GRUB_CMDLINE_LINUX_DEFAULT="console=ttyS0"\n', encoding="utf-8"
    )
    drop_in = written(planned("origin"), "/etc/default/grub.d/zz-compute-wizard.cfg")
    (tmp_path / "default/grub.d/zz-compute-wizard.cfg").write_bytes(drop_in)
    (tmp_path / "boot/grub").mkdir(parents=True)
    for name in ("vmlinuz-6.12.74", "initrd.img-6.12.74"):
        (tmp_path / "boot" / name).write_bytes(b"x")
    out = tmp_path / "grub.cfg"
    script = (
        f"mount --make-rprivate / && mkdir -p /etc/default && mount --bind {tmp_path}/default /etc/default && mount --bind {tmp_path}/boot /boot && "
        f"GRUB_DEVICE=/dev/vda GRUB_FS=ext4 grub-mkconfig -o {out}"
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": PATH},
        timeout=120,
    )
    if "vmlinuz-6.12.74" not in (out.read_text(encoding="utf-8") if out.exists() else ""):
        pytest.skip(f"kernel: grub-mkconfig cannot look at this machine's disks: {done.stderr.strip()[-120:]}")
    assert subprocess.run(["grub-script-check", out], check=False).returncode == 0
    lines = grub_cfg.linux_lines(out.read_bytes())
    assert [line.arguments for line in lines if not line.recovery]
    assert all("console=ttyS0 intel_iommu=on iommu=pt" in line.arguments for line in lines if not line.recovery)
    assert not any("intel_iommu" in line.arguments for line in lines if line.recovery)


def test_a_drop_in_that_adds_with_plus_would_kill_update_grub() -> None:
    """Why the drop-in is written as it is: dash, under which grub-mkconfig runs, knows no +=."""
    need("dash")
    for text, status in (('X="$X b"\n', 0), ('X+=" b"\n', 127)):
        done = subprocess.run(["dash", "-c", f"set -e\nX=a\n{text}"], capture_output=True, check=False)
        assert done.returncode == status

"""An exported script that may interrupt guests lists those that run, and wants their word, before it changes anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from calling import call, written

from wizard.answers import files as answer_files
from wizard.export.script_permission import undoing_guests
from wizard.model.guest_effects import touching
from wizard.model.plan import load
from wizard.model.steps import WriteSysfs
from wizard.model.undo_order import Undo

SHELLS = [pytest.param(["dash"], id="dash"), pytest.param(["busybox", "sh"], id="busybox")]
GATEWAYS = {"gateways": {"network": [{"label": "demo-net", "router": "10.44.1.1", "vlan": 1441}]}}
IOMMU = {"iommu": {"enable": True}}
NAME = "instance-0000002a"
FORMS = {  # how libvirt and others start a guest, and what it is called
    "libvirt": (("/usr/bin/qemu-system-x86_64", "-name", f"guest={NAME},debug-threads=on", "-m", "2048"), NAME),
    "older": (("/usr/bin/kvm", "-S", "-name", NAME, "-name", f"{NAME}b"), f"{NAME}b"),
    "rhel": (("/usr/libexec/qemu-kvm", "-name", f"guest={NAME},process=x"), NAME),
    "by hand": (("qemu-system-aarch64", "-m", "1"), "pid 4713"),
    "telling": (("qemu-kvm", "-name", f"{NAME}\x1b[2J\n$(touch x)"), f"{NAME}[2J $(touch x)"),
}
NONE = [
    ("/usr/sbin/libvirtd", "--with", "qemu-system-x86_64"), ("vi", "/etc/kvm"), ("kvm-irqfd",), ("/usr/bin/virsh", "kvm"),
]  # fmt: skip


def runs(root: Path, *argv: str, pid: int = 4712) -> None:
    place = root / "proc" / str(pid)
    place.mkdir(parents=True, exist_ok=True)
    (place / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in argv))


def exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answers: dict[str, Any] | None = None
) -> tuple[Path, Path, str]:
    root, text, out = tmp_path / "node", tmp_path / "answers.toml", tmp_path / "change.sh"
    if not root.exists():
        written(root, "demo")
    text.write_text(answer_files.to_toml(answer_files.from_data(answers or GATEWAYS)), encoding="utf-8")
    words = ("--root", str(root), "--answers", str(text), "--out")
    code, said, _ = call(capsys, "export", "script", *words, str(out))
    assert code == 0
    call(capsys, "plan", *words, str(tmp_path / "plan.json"))
    assert bool(touching(load(tmp_path / "plan.json").steps)) is (answers is not IOMMU)
    return root, out, said


def run(shell: list[str], path: Path, root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]}: the program is not installed")
    environment = {"PATH": os.defpath, "COMPUTE_WIZARD_ROOT": str(root)}
    command = [*shell, str(path), *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)


def content(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file() and not path.is_symlink()}


@pytest.mark.parametrize("shell", SHELLS)
def test_guests_that_run_now_are_listed_and_want_their_word(
    shell: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out, said = exported(tmp_path, capsys)
    assert "--accept guests" not in said  # none ran when it was made
    for number, argv in enumerate(NONE):
        runs(root, *argv, pid=100 + number)
    for number, (argv, _) in enumerate(FORMS.values()):
        runs(root, *argv, pid=4710 + number)
    names = [name for _, name in FORMS.values()]
    before = content(root)
    for words in ([], ["--dry-run"], ["--accept", "one-way"]):
        done = run(shell, out, root, *words)
        assert done.returncode == 4, done.stderr
        listed = done.stderr.split("The guests:\n")[1].splitlines()
        assert sorted(line.strip() for line in listed[:-2]) == sorted(names)
        assert "nova-network" in done.stderr.split("The guests:")[0]
        assert f"Nothing was changed. If you mean it: sh {out} --accept guests\n" in done.stderr
        assert content(root) == before
    assert run(shell, out, root, "--dry-run", "--accept", "guests").returncode == 0
    assert content(root) == before
    done = run(shell, out, root, "--accept=guests")
    assert (done.returncode, done.stderr) == (0, "")
    assert content(root) != before


def test_guests_of_the_plan_count_where_those_of_now_cannot_be_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs(written(tmp_path / "node", "demo"), *FORMS["libvirt"][0])
    root, out, said = exported(tmp_path, capsys)
    assert "--accept guests" in said
    shutil.rmtree(root / "proc/4712")
    done = run(["dash"], out, root)
    assert done.returncode == 4
    assert f"1 guest runs here: {NAME}" in done.stderr


def test_nothing_is_asked_where_no_guest_runs_or_no_step_touches_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out, _ = exported(tmp_path, capsys)
    for number, argv in enumerate(NONE):
        runs(root, *argv, pid=100 + number)
    assert run(["dash"], out, root, "--dry-run").returncode == 0
    runs(root, *FORMS["libvirt"][0])
    _, out, said = exported(tmp_path, capsys, IOMMU)
    assert "--accept guests" not in said
    assert run(["dash"], out, root, "--dry-run").returncode == 0


def test_both_words_are_asked_for_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = written(tmp_path / "node", "demo")
    runs(root, *FORMS["libvirt"][0])
    card = {"match": {"address": "0000:04:00.0"}, "count": 32, "firmware": "set"}
    root, out, _ = exported(tmp_path, capsys, {**GATEWAYS, "vfs": {"card": [card]}})
    both = f"sh {out} --accept one-way --accept guests\n"
    for words in ([], ["--accept", "one-way"], ["--accept", "guests"]):
        done = run(["dash"], out, root, *words)
        assert done.returncode == 4
        assert both in done.stderr
    assert run(["dash"], out, root, "--dry-run", "--accept", "one-way", "--accept", "guests").returncode == 0


@pytest.mark.parametrize("shell", SHELLS)
def test_undoing_asks_for_the_word_as_well(
    shell: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out, _ = exported(tmp_path, capsys)
    before = content(root)
    assert run(shell, out, root).returncode == 0
    (backup,) = (root / "var/lib/compute-wizard").glob("script-*")
    numbers = "".join(f"{number}\n" for number in range(1, 20))
    (backup / "begun").write_text(numbers, encoding="utf-8")  # below a directory commands are only listed
    undo, after = backup / "undo.sh", content(root)
    for number, (argv, _) in enumerate(FORMS.values()):
        runs(root, *argv, pid=4710 + number)
    processes = {path: text for path, text in content(root).items() if path.startswith(str(root / "proc"))}
    done = run(shell, undo, root)
    assert done.returncode == 4
    assert "nova-network" in done.stderr.split("The guests:")[0]
    listed = done.stderr.split("The guests:\n")[1].splitlines()
    assert sorted(line.strip() for line in listed[:-2]) == sorted(name for _, name in FORMS.values())
    assert f"Nothing was changed. If you mean it: sh {undo} --accept guests\n" in done.stderr
    assert content(root) == {**after, **processes}
    for words in (["--accept"], ["--accept", "one-way"], ["now"]):
        assert run(shell, undo, root, *words).returncode == 64
    assert content(root) == {**after, **processes}
    assert run(shell, undo, root, "--accept", "guests").returncode == 0
    kept = {path: text for path, text in content(root).items() if not path.startswith(str(backup))}
    assert kept == {**before, **processes}


@pytest.mark.parametrize(
    ("begun", "guest", "status"), [("1\n4\n5\n6\n", False, 0), ("1\n", True, 0), ("", True, 0), ("1\n6\n", True, 4)]
)
def test_undoing_asks_only_where_a_guest_runs_and_such_a_step_was_begun(
    begun: str, guest: bool, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out, _ = exported(tmp_path, capsys)
    before = content(root)
    assert run(["dash"], out, root).returncode == 0
    (backup,) = (root / "var/lib/compute-wizard").glob("script-*")
    (backup / "begun").write_text(begun, encoding="utf-8")
    if guest:
        runs(root, *FORMS["libvirt"][0])
    assert run(["dash"], backup / "undo.sh", root).returncode == status
    same = {path: text for path, text in content(root).items() if str(backup) not in path and "/proc/" not in path}
    assert (same == {path: text for path, text in before.items() if "/proc/" not in path}) is (status == 0)


def test_undoing_vfs_touches_guests() -> None:
    step = WriteSysfs.model_construct(
        kind="set_attribute", path="/sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs", before="0", after="4"
    )
    found = undoing_guests([Undo("attribute", (3,), step)])
    assert found[0] == "3"
    assert "sriov_numvfs" in found[1]

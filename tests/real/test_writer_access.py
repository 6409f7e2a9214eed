"""ACLs and attributes come along with each writer, or it says so; an ACL's mask never becomes the group's rights."""

from __future__ import annotations

import errno
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import needs
import pytest
from injection import go_on

from wizard.apply import extended_attributes, launch
from wizard.apply.file_writer import Tree
from wizard.export.script import script
from wizard.facts import facts
from wizard.hashing import digest
from wizard.model.plan import NodeName, Plan
from wizard.model.steps import FileContent, FileState, RemoveFile, Step, WriteFile
from wizard.node.recorded import DirectoryNode

ACL, OLD, NEW = "system.posix_acl_access", b"old\n", b"new\n"
NOBODY = 2**32 - 1
# user rw, user 1234 rw, group nothing, mask rw, other nothing: the mode is 0660, and the group may nothing
VALUE = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", *entry)
    for entry in ((1, 6, NOBODY), (2, 6, 1234), (4, 0, NOBODY), (16, 6, NOBODY), (32, 0, NOBODY))
)
TOOLS = "cat chmod chown cp cut date dirname grep head id ln ls mkdir mv od readlink rm rmdir sed sha256sum sleep sort stat sync tail tr".split()
EXTRA = {
    "all": ("getfacl", "setfacl", "getfattr", "setfattr"),
    "acl": ("getfacl", "setfacl"),
    "attr": ("getfattr", "setfattr"),
    "none": (),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")  # owners have names here, as in the plans
    (root / "etc/group").write_text("root:x:0:\n")
    (root / "etc/hostname").write_text("h\n")
    conf = root / "etc/a"
    conf.write_bytes(OLD)
    conf.chmod(0o660)
    try:
        os.setxattr(conf, "user.note", b"a b")
        os.setxattr(conf, ACL, VALUE)
    except OSError:
        pytest.skip("kernel: this file system has no attributes or ACLs")
    return root


def path_of(tools: str, place: Path) -> str:
    """A PATH of the usual small tools and some of those for ACLs and attributes."""
    place.mkdir()
    for name in (*TOOLS, *EXTRA[tools]):
        real = shutil.which(name)
        if real is None:
            pytest.skip(f"{name}: the program is not installed")
        (place / name).symlink_to(real)
    return str(place)


def plan(gone: bool = False) -> Plan:
    before = FileState(sha256=digest(OLD), mode="0660", owner="root:root")
    common: dict[str, Any] = {
        "path": "/etc/a",
        "chapters": ("x",),
        "phase": "files",
        "why": ("w",),
        "diff": "",
        "before": before,
    }
    step: Step = RemoveFile(**common) if gone else WriteFile(after=FileContent.of(NEW, 0o660, "root:root"), **common)
    return Plan(node=NodeName(hostname="h", os="o", nova=None), steps=(step,))


def sh(text: str, where: Path, path: str, root: Path) -> subprocess.CompletedProcess[str]:
    """A script by dash, which finds nothing but these tools."""
    where.write_text(
        text.replace(":/usr/local/sbin:/usr/sbin:/sbin", "").replace(":/usr/sbin:/usr/bin:/sbin:/bin\n", "\n")
    )
    environment = {"PATH": path, "COMPUTE_WIZARD_ROOT": str(root)}
    words = [shutil.which("dash") or "/bin/sh", str(where)]
    return subprocess.run(words, capture_output=True, text=True, env=environment, check=False, timeout=60)


def access(file: Path) -> tuple[int, bytes | None]:
    return file.stat().st_mode & 0o7777, os.getxattr(file, ACL) if ACL in os.listxattr(file) else None


def group_may(file: Path) -> int:
    """What the group may do, as the kernel judges it."""
    mode, acl = access(file)
    if acl is None:
        return mode >> 3 & 7
    entries = {tag: permissions for tag, permissions, _ in extended_attributes.acl_entries(acl) if tag in (4, 16)}
    return entries[4] & entries.get(16, 7)


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("tools", EXTRA)
def test_an_exported_script_and_its_undo(tools: str, gone: bool, root: Path, tmp_path: Path) -> None:
    path, conf = path_of(tools, tmp_path / "tools"), root / "etc/a"
    text = script(facts.read(DirectoryNode(root)), plan(gone))
    done = sh(text, tmp_path / "script.sh", path, root)
    if tools == "none":
        assert done.returncode == 1
        assert "has an ACL, and there is no getfacl here" in done.stderr
        assert (conf.read_bytes(), access(conf)) == (OLD, (0o660, VALUE))
        assert {each.name for each in conf.parent.iterdir()} == {"a", "passwd", "group", "hostname"}
        return
    assert (done.returncode, done.stderr) == (0, "")
    assert ("no getfattr" in done.stdout) is (tools == "acl")
    if not gone:
        assert (conf.read_bytes(), access(conf)) == (NEW, (0o660, VALUE))
    (undo,) = root.glob("var/lib/compute-wizard/script-*/undo.sh")
    back = sh(undo.read_text(), undo, path, root)
    assert (back.returncode, back.stderr) == (0, "")
    assert (conf.read_bytes(), access(conf)) == (OLD, (0o660, VALUE))
    assert ("user.note" in os.listxattr(conf)) is (tools != "acl")


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("tools", EXTRA)
def test_the_undo_script_of_a_run(tools: str, gone: bool, root: Path, tmp_path: Path) -> None:
    needs.root("files of root")
    path, conf = path_of(tools, tmp_path / "tools"), root / "etc/a"
    started = launch.save(root, plan(gone), "stop", "none")
    assert go_on(root, started.run) == "done"
    for _ in range(2):
        undo = started.directory / "undo.sh"
        back = sh(undo.read_text(), undo, path, root)
        assert (back.returncode, back.stderr) == (0, "")
        assert conf.read_bytes() == OLD
        assert group_may(conf) == 0
        if tools == "none":
            assert (
                "missing here: setfattr, setfacl. Later: setfacl --set 'u::rw-,u:1234:rw-,g::---,m::rw-,o::---' /etc/a"
                in back.stdout
            )
        else:
            assert access(conf) == (0o660, VALUE)


def test_an_undo_script_without_tools_leaves_the_acl_of_a_file_that_is_as_it_was(root: Path, tmp_path: Path) -> None:
    needs.root("files of root")
    started = launch.save(root, plan(), "stop", "none")
    assert go_on(root, started.run) == "done"
    conf, undo = root / "etc/a", started.directory / "undo.sh"
    conf.write_bytes(OLD)
    back = sh(undo.read_text(), undo, path_of("none", tmp_path / "tools"), root)
    assert (back.returncode, back.stderr) == (0, "")
    assert access(conf) == (0o660, VALUE)


def test_the_runner_gives_the_group_no_more_where_the_acl_cannot_be_set(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf, tree = root / "etc/a", Tree(root)
    found = tree.find("/etc/a")
    assert found is not None

    def refused(_descriptor: int, name: str, _value: bytes) -> None:
        raise OSError(errno.ENOTSUP, "no", name)

    monkeypatch.setattr(os, "setxattr", refused)
    notes = tree.write("/etc/a", NEW, 0o660, "root:root", found.attributes, found)
    assert any(ACL in note for note in notes)
    assert (conf.read_bytes(), group_may(conf)) == (NEW, 0)


def test_a_directory_that_gives_an_acl_to_new_files_lets_nobody_in(root: Path, tmp_path: Path) -> None:
    """Its owner may have it give his own rights to whatever is made in it."""
    subprocess.run(["setfacl", "-d", "-m", "u:1234:rwx", root / "etc"], check=True)
    text = script(facts.read(DirectoryNode(root)), plan())
    done = sh(text, tmp_path / "script.sh", path_of("all", tmp_path / "tools"), root)
    assert (done.returncode, done.stderr) == (0, "")
    assert access(root / "etc/a") == (0o660, VALUE)
    other = sh(text.replace(digest(OLD), digest(NEW)), tmp_path / "again.sh", path_of("none", tmp_path / "few"), root)
    assert other.returncode != 0
    assert access(root / "etc/a") == (0o660, VALUE)

"""Files that the user names: whatever stands there, one clear message, nothing waited for, nothing replaced that is no file."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import call, written

from wizard import user_files
from wizard.answers.files import load
from wizard.errors import InputError, NodeError
from wizard.model import plan as plans
from wizard.node.node import MAX_FILE
from wizard.node.recorded import read_tar
from wizard.user_files import write_private

ANSWERS = 'format = "compute-wizard.answers/1"\n'


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return written(tmp_path / "origin")


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_what_is_no_file_is_neither_read_nor_waited_for(tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    assert "a FIFO or a pipe" in refused(pipe)
    assert "a device" in refused(Path("/dev/zero"))
    assert "directory" in refused(tmp_path).lower()
    assert "symbolic links" in refused(loop)
    assert "No such file" in refused(tmp_path / "none")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(300 * user_files.MIB)
    assert "larger than 1 MiB" in refused(path)
    with pytest.raises(InputError, match="larger than 256 MiB"):
        plans.load(path)


def test_the_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    path.write_bytes(ANSWERS.encode() + b"[iommu]\n# caf\xe9\nenable = true\n")
    assert "byte 0xe9 in line 3 is not UTF-8" in refused(path)


@pytest.mark.parametrize("change", ["bom", "crlf", "no final newline", "a link"])
def test_odd_but_valid_answers_are_taken(tmp_path: Path, change: str) -> None:
    path = tmp_path / "answers.toml"
    content = ANSWERS.encode() + b"[iommu]\nenable = true\n"
    changed = {
        "bom": b"\xef\xbb\xbf" + content,
        "crlf": content.replace(b"\n", b"\r\n"),
        "no final newline": content.rstrip(b"\n"),
    }
    path.write_bytes(changed.get(change, content))
    if change == "a link":
        path = tmp_path / "link"
        path.symlink_to("answers.toml")
    assert load(path).names() == ("iommu",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[iommu]\nenable = "yes"\n', "iommu.enable: has to be true or false"),
        ("[iommu]\nenable = 1\n", "iommu.enable: has to be true or false"),
        ('[[gateways.network]]\nlabel = "a"\nrouter = "10.0.0.1"\nvlan = "5"\n', "network[1].vlan: has to be a whole"),
        ('[[gateways.network]]\nlabel = "a"\nrouter = "10.0.0.1"\nvlan = 5.0\n', "network[1].vlan: has to be a whole"),
        ('[[gateways.network]]\nlabel = "a"\nrouter = 2026-01-01\n', "network[1].router: has to be a text"),
        ('[passthrough]\nalias = "ib"\nflavor = { name = "-rf" }\n', "flavor.name: type a flavor name"),
        ('[passthrough]\nalias = "ib"\nconfig_file = "/etc/nova/.."\n', "config_file: has to be auto, or a whole path"),
        (
            '[[passthrough.pool]]\nname = "a"\ndevices = [{ vendor_id = "0x15b3", product_id = "1004" }]\n',
            "devices[1].vendor_id: type four",
        ),
        ("[metadata]\nredirect = true\nbridges = 5\n", "metadata.bridges: has to be 'all' or a list, not 5"),
        ('[[passthrough.pool]]\nname = "a"\ncards = 3\n', "cards: has to be 'all' or a table, not 3"),
        (
            '[[passthrough.pool]]\nname = "a"\ncards = { serial = "a", mac = "00:11:22:33:44:55" }\n',
            "cards: give exactly",
        ),
        ('[[vfs.card]]\nmatch = { serial = "a" }\ncount = 1\nports = ["ib"]\n', "ports[1]: has to be 'infiniband', "),
        ("x = " + "[" * 5000 + "\n", "too deep"),
    ],
)
def test_a_wrong_type_is_named_with_its_field(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "answers.toml"
    path.write_text(ANSWERS + text, encoding="utf-8")
    assert message in refused(path)


def _saved(origin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    path = tmp_path / "change.plan"
    assert call(capsys, "plan", "--root", str(origin), "--out", str(path))[0] == 2
    return json.loads(path.read_text(encoding="utf-8"))


def _first(plan: Any, kind: str) -> Any:
    return next(step for step in plan["steps"] if step["kind"] == kind)


EDITS: dict[str, tuple[Callable[[Any], object], str]] = {
    "content": (lambda p: _first(p, "write_file")["after"].update(content="x\n"), "step 1, /etc/default/grub.d/"),
    "base64": (lambda p: _first(p, "write_file")["after"].update(content=None, content_base64="@"), "not base64"),
    "relative": (lambda p: _first(p, "write_file").update(path="etc/x"), "step 1, path"),
    "dots": (lambda p: _first(p, "write_file").update(path="/etc/../x"), "no whole path"),
    "nul": (lambda p: _first(p, "write_file").update(path="/etc/\0"), "no whole path"),
    "mode": (lambda p: _first(p, "write_file")["after"].update(mode="rwx"), "after.mode"),
    "owner": (lambda p: _first(p, "write_file")["after"].update(owner="root"), "after.owner"),
    "words": (lambda p: _first(p, "run").update(argv=[]), "step 9, argv"),
    "a shell string": (lambda p: _first(p, "run").update(argv="update-grub"), "step 9, argv"),
    "kind": (lambda p: _first(p, "run").update(kind="delete"), "step 9"),
    "deadline": (lambda p: _first(p, "run").update(deadline_s=0), "deadline_s"),
    "format": (lambda p: p.update(format="compute-wizard.plan/2"), "format"),
    "unknown": (lambda p: p.update(more=1), "more"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_plan_that_was_edited_is_refused_before_a_run_begins(
    edit: str, origin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = _saved(origin, tmp_path, capsys)
    change, message = EDITS[edit]
    change(plan)
    path = tmp_path / "edited.plan"
    path.write_text(json.dumps(plan), encoding="utf-8")
    code, out, err = call(capsys, "apply", str(path), "--root", str(origin), "--yes", "--files-only")
    assert (code, out) == (1, "")
    assert message in err
    assert not (origin / "var/lib/compute-wizard").exists()


def test_only_files_are_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    for place in (pipe, link, tmp_path, Path("/dev/null"), Path()):
        with pytest.raises(InputError):
            write_private(place, b"x")
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert Path("/dev/null").is_char_device()


def test_a_damaged_tar_is_never_taken_for_a_smaller_node(origin: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.tar"
    with tarfile.open(whole, "w") as archive:
        archive.add(origin, arcname=".")
    packed = tmp_path / "whole.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(origin, arcname=".")
    content, compressed = whole.read_bytes(), packed.read_bytes()
    third, half = len(content) // 1536 * 512, len(compressed) // 2
    damaged = {
        "cut between two members": _until_member(whole),
        "cut inside": content[: third + 100],
        "overwritten header": _with_bad_header(whole),
        "gz cut": compressed[:half],
        "gz flipped": compressed[:half] + bytes([compressed[half] ^ 0xFF]) + compressed[half + 1 :],
        "gz checksum": compressed[:-8] + b"\0\0\0\0" + compressed[-4:],
        "empty": b"",
        "noise": os.urandom(4096),
    }
    for name, bytes_ in damaged.items():
        path = tmp_path / "damaged"
        path.write_bytes(bytes_)
        code = subprocess.run(
            [sys.executable, "-m", "screens.start", "inspect", "--root", str(path)], capture_output=True, check=False
        )
        assert (code.returncode, code.stdout) == (1, b""), name
        assert code.stderr.count(b"\n") == 2, (name, code.stderr)


def _member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.size, member.linkname = kind, size, link
    return member


def _extended(record: bytes) -> bytes:
    """An extended header with one record, and nothing that it is about."""
    return _member("x", b"x", len(record)).tobuf(tarfile.USTAR_FORMAT) + record.ljust(512, b"\0")


def test_names_in_a_tar_may_have_their_first_slash(tmp_path: Path) -> None:
    path = tmp_path / "absolute.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(_member("/etc/hostname", size=5), io.BytesIO(b"node\n"))
        archive.addfile(_member("//etc/other", tarfile.LNKTYPE, link="/etc/hostname"))
    node = read_tar(path)
    assert node.names("/etc") == ["hostname", "other"]
    assert node.read("/etc/other") == b"node\n"


def test_a_file_in_a_tar_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    path, size = tmp_path / "large.tar", MAX_FILE + 1
    with tarfile.open(path, "w") as archive:
        archive.addfile(_member("etc/large", size=size), io.BytesIO(bytes(size)))
        archive.addfile(_member("boot/initrd.img", size=size), io.BytesIO(bytes(size)))
        archive.addfile(_member("etc/hostname", size=5), io.BytesIO(b"node\n"))
    node = read_tar(path)
    for limit in (MAX_FILE, 2 * size):
        with pytest.raises(NodeError, match=rf"too large to be read.* \({size} bytes\)"):
            node.read("/etc/large", limit)
    assert len(node.read("/boot/initrd.img", 2 * size)) == size
    assert node.read("/etc/hostname") == b"node\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (_member("a/" * 3000 + "x").tobuf(tarfile.PAX_FORMAT) + bytes(1024), "a path in it is far too deep"),
        (_member("etc/hostname", size=10**12).tobuf(tarfile.PAX_FORMAT) + bytes(512), "unexpected end"),
        (_member("boot/vmlinuz", size=10**12).tobuf(tarfile.PAX_FORMAT) + bytes(512), "unexpected end"),
        (_extended(b"30 GNU.sparse.map=a,b,c,d,e,f\n") + _member("x").tobuf() + bytes(1024), "invalid literal"),
    ],
    ids=["deep", "huge", "huge image", "sparse"],
)
def test_a_tar_whose_headers_make_no_sense_is_damaged(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "odd.tar"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"is damaged: .*{said}") as caught:
        read_tar(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("depth"), OverflowError("too large"), ValueError("nul")]
)
def test_whatever_reading_a_tar_stumbles_over_is_said_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    path = tmp_path / "small.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(_member("etc/hostname", size=5), io.BytesIO(b"node\n"))

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(tarfile.TarFile, "extractfile", fails)
    with pytest.raises(InputError, match=r"is damaged: \w"):
        read_tar(path)


def _offsets(path: Path) -> list[int]:
    with tarfile.open(path) as archive:
        return [member.offset for member in archive]


def _until_member(path: Path) -> bytes:
    offsets = _offsets(path)
    return path.read_bytes()[: offsets[len(offsets) // 2]]


def _with_bad_header(path: Path) -> bytes:
    offsets = _offsets(path)
    place = offsets[len(offsets) // 2]
    content = path.read_bytes()
    return content[:place] + b"#" * 512 + content[place + 512 :]


@pytest.mark.parametrize("option", [["--root", ""], ["--answers", ""], ["--out", ""], ["--roo", "/"], ["--js"]])
def test_options_are_whole_and_not_empty(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "plan", *option)
    assert (code, out) == (64, "")


COMMAND = f"{sys.executable} -m screens.start"


@pytest.mark.parametrize(
    ("tail", "code", "said"),
    [
        (">/dev/full", 1, "cannot be written: No space left on device"),
        (">&-", 2, ""),
        ("2>&- >/dev/null", 2, ""),
        ("| head -n 1 >/dev/null; exit ${PIPESTATUS[0]}", 2, ""),
    ],
)
def test_results_that_nobody_reads(origin: Path, tail: str, code: int, said: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{COMMAND} plan --json --root {origin} {tail}"], capture_output=True, text=True, check=False
    )
    told = json.loads(done.stderr)["what"] if done.stderr else ""
    assert (done.returncode, told) == (code, said)


@pytest.mark.parametrize("words", ["--version", "--help", "plan --help", "demo --ui plain"])
@pytest.mark.parametrize(
    ("tail", "code", "said"),
    [
        (">/dev/full", 1, "compute-wizard: standard output: cannot be written: No space left on device\n"),
        ("| head -c 0; exit ${PIPESTATUS[0]}", 0, ""),
    ],
)
def test_whatever_is_printed_may_be_read_by_nobody(words: str, tail: str, code: int, said: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{COMMAND} {words} </dev/null {tail}"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (code, said)

"""What is handed out: the same bytes each time, a README without dead links, and packages that remove no way back."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from places import REPOSITORY

from wizard import version
from wizard.cli import main as cli
from wizard.cli import parser

PACKAGING = REPOSITORY / "packaging"


@pytest.fixture
def packaging(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the directory, by its name."""
    monkeypatch.syspath_prepend(str(PACKAGING))

    def module(name: str) -> Any:
        sys.modules.pop(name, None)
        return __import__(name)

    yield module
    for name in ("archives", "debian", "readme"):
        sys.modules.pop(name, None)


def tree(place: Path, umask: int, time: int) -> Path:
    old = os.umask(umask)
    try:
        (place / "b/c").mkdir(parents=True)
        for name in ("b/c/two", "a one", "é"):
            (place / name).write_text(name, encoding="utf-8")
            os.utime(place / name, (time, time))
        (place / "run").write_text("#!/bin/sh\n", encoding="ascii")
        (place / "run").chmod(0o755 & ~umask)
        (place / "link").symlink_to("a one")
    finally:
        os.umask(old)
    return place


def test_an_archive_does_not_know_where_when_and_by_whom_it_was_made(packaging: Any, tmp_path: Path) -> None:
    archives = packaging("archives")
    made = [
        archives.tar(tree(tmp_path / str(umask), umask, time), ".", 1_700_000_000)
        for umask, time in ((0o022, 1), (0o077, 2_000_000_000), (0o002, 5))
    ]
    assert made[0] == made[1] == made[2]
    with tarfile.open(fileobj=BytesIO(made[0])) as archive:
        members = archive.getmembers()
    assert {(each.uid, each.gid, each.uname, each.mtime) for each in members} == {(0, 0, "root", 1_700_000_000)}
    assert {each.name: each.mode for each in members if each.isreg()} == {
        "./a one": 0o644, "./b/c/two": 0o644, "./run": 0o755, "./é": 0o644,
    }  # fmt: skip


@pytest.mark.parametrize("address", ["", "https://forge.example/tool"])
def test_the_readme_of_an_index_has_no_relative_link(packaging: Any, address: str) -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    shown = packaging("readme").shown(text, address, "v1")
    links = re.findall(r"\]\(([^)]*)\)", shown)
    assert all(each.startswith("https://") for each in links)
    assert bool(links) is bool(address)
    for link in links:
        kind, _, path = link.removeprefix(f"{address}/").partition("/v1/")
        assert kind in ("blob", "raw")
        assert (REPOSITORY / path.partition("#")[0]).exists()
    assert "Not tried on a real ConnectX yet" in shown
    assert "dpkg -i" in shown
    pictures = shown.count("![")
    assert pictures == (text.count("![") if address else 0)
    assert address or "| |" not in shown


@pytest.mark.parametrize("address", ["", "https://forge.example/tool"])
def test_the_address_is_in_the_metadata_and_the_help_where_there_is_one(
    packaging: Any, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = tmp_path / "PKG-INFO"
    info.write_text("Metadata-Version: 2.4\nName: x\n\n# old\n\nmore\n", encoding="utf-8")
    packaging("readme").into_metadata(info, "# new\n", address)
    project = f"\nProject-URL: Source, {address}" if address else ""
    assert info.read_text(encoding="utf-8") == f"Metadata-Version: 2.4\nName: x{project}\n\n# new\n"
    monkeypatch.setattr(parser, "PUBLIC_ADDRESS", address)
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    assert ("https://" in capsys.readouterr().out) is bool(address)


def test_no_document_names_an_address_while_there_is_none() -> None:
    if version.PUBLIC_ADDRESS:
        return
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8") + (REPOSITORY / "README.md").read_text(
        encoding="utf-8"
    )
    assert "project.urls" not in text
    assert not re.search(r"https?://|pip install compute-wizard", text)


STATES = {
    "runs": (["runs/0001-x/journal.jsonl"], "/runs; undo.sh in each needs no Python."),
    "a run that cannot be followed": (["runs/0001-x@"], "/runs; undo.sh in each needs no Python."),
    "scripts": (["script-20261201-1/undo.sh"], "backups of its scripts stay in "),
    "both": (["script-20261201-1/undo.sh", "runs/0001-x/journal.jsonl"], "/runs; undo.sh in each"),
    "drafts alone": (["drafts/a.toml", "runs/"], ""),
    "nothing": ([], ""),
}


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("what", ["purge", "remove", "upgrade", "abort-install"])
@pytest.mark.parametrize("held", STATES)
def test_purging_the_package_leaves_what_is_a_way_back(held: str, what: str, shell: str, tmp_path: Path) -> None:
    state = tmp_path / "var/lib/compute wizard"
    state.mkdir(parents=True)
    names, said = STATES[held]
    for name in names:
        place = state / name.rstrip("@/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("@"):
            place.symlink_to("nowhere")
        elif name.endswith("/"):
            place.mkdir(parents=True)
        else:
            place.write_text("x", encoding="ascii")
    before = sorted(state.rglob("*"))
    script = tmp_path / "postrm"
    text = (PACKAGING / "deb/postrm").read_text(encoding="utf-8")
    assert text.count("/var/lib/compute-wizard") == 1
    script.write_text(text.replace("/var/lib/compute-wizard", f"'{state}'"), encoding="utf-8")
    done = subprocess.run([shell, script, what], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    if what == "purge" and not said:
        assert not state.exists()
        return
    assert sorted(state.rglob("*")) == before
    assert (done.stderr == "") is (what != "purge")
    if what == "purge":
        assert said in done.stderr and str(state) in done.stderr


def test_purging_twice_and_where_there_is_no_state_says_nothing(tmp_path: Path) -> None:
    text = (PACKAGING / "deb/postrm").read_text(encoding="utf-8").replace("/var/lib", str(tmp_path))
    for _ in range(2):
        done = subprocess.run(["sh", "-c", text, "postrm", "purge"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

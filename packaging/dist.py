"""Builds what is handed out, into dist/: sdist, wheel, single file, packages for Debian and Ubuntu, wheelhouse, sums.

Twice gives the same bytes: times are SOURCE_DATE_EPOCH (else that of the last commit), names are sorted, owners are root, and
the versions of everything that is carried are those of constraints.txt. Nothing of it is run here: test.sh does that.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

import debian
import man
import readme
from archives import tar

HERE = Path(__file__).parent
ROOT = HERE.parent
DIST = ROOT / "dist"
MINORS = (10, 11, 12, 13, 14)
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
PLATFORMS = ("manylinux_2_17", "manylinux2014")  # glibc 2.17 and newer


def main() -> int:
    os.umask(0o022)
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or _last_commit())
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch)
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    with tempfile.TemporaryDirectory(prefix="compute-wizard-dist-") as scratch:
        place = Path(scratch)
        wheel = _sdist_and_wheel(place, epoch)
        version = wheel.name.split("-")[1]
        carried = _carried()
        _wheelhouse(place, wheel, carried, version, epoch)
        tree = _tree(place, wheel, carried)
        _single(tree, version, epoch)
        for machine, name in MACHINES.items():
            package = debian.package(place, tree, machine, name, version, MINORS, epoch)
            (DIST / f"compute-wizard_{version}_{name}.deb").write_bytes(package)
    files = sorted(each for each in DIST.iterdir())
    sums = "".join(f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in files)
    (DIST / "SHA256SUMS").write_text(sums, encoding="ascii")
    for each in files:
        print(f"{each.stat().st_size / 1e6:6.1f} MB  {each.name}")
    return 0


def _last_commit() -> str:
    return _told("%ct") or str(int((ROOT / "pyproject.toml").stat().st_mtime))


def _told(form: str) -> str:
    """What git says of the commit that is built from; empty where this is no checkout."""
    if not (ROOT / ".git").exists():
        return ""
    told = subprocess.run(
        ["git", "log", "-1", f"--format={form}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return told.stdout.strip()


def _address() -> str:
    """The constant of the program; nothing of it is imported to read it."""
    text = (ROOT / "wizard/version.py").read_text(encoding="utf-8")
    found = re.search(r'^PUBLIC_ADDRESS = "(.*)"$', text, re.MULTILINE)
    assert found
    return found[1]


def _run(*words: str | Path, cwd: Path = ROOT) -> None:
    subprocess.run([str(word) for word in words], cwd=cwd, check=True)


def _sdist_and_wheel(place: Path, epoch: int) -> Path:
    """The sdist holds everything that `make test` needs. The wheel is made from the sdist, unpacked."""
    out = place / "built"
    os.environ["PIP_CONSTRAINT"] = (
        HERE / "build-constraints.txt"
    ).as_uri()  # a wheel names what built it; words end at spaces there
    _run(sys.executable, "-m", "build", "--sdist", "--outdir", out, ROOT)
    (made,) = out.glob("*.tar.gz")
    with tarfile.open(made) as archive:
        archive.extractall(place / "source", filter="data")
    (source,) = (place / "source").iterdir()
    for path in source.rglob("*"):  # as a checkout has them, whatever its umask was
        if path.is_file():
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    commit = _told("%H")
    if commit:  # what `--version` says
        (source / "assets/commit").write_text(f"{commit}\n", encoding="ascii")
    address, tag = _address(), "v" + made.name.removesuffix(".tar.gz").rpartition("-")[2]
    shown = readme.shown((source / "README.md").read_text(encoding="utf-8"), address, tag)
    readme.into_metadata(source / "PKG-INFO", shown, address)
    (DIST / made.name).write_bytes(gzip.compress(tar(source, source.name, epoch), mtime=0))
    readme.into_project(source, shown, address)
    _run(sys.executable, "-m", "build", "--wheel", "--outdir", out, source)
    del os.environ["PIP_CONSTRAINT"]
    (wheel,) = out.glob("*.whl")
    shutil.copy(wheel, DIST)
    return DIST / wheel.name


def _carried() -> Path:
    """Every wheel that is needed, for each Python and machine; kept in .dist-wheels until what is needed changes."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert listed
    needed = [re.split(r"\s*;", each)[0] for each in re.findall(r'^ +"([^"]+)"', listed[1], re.MULTILINE)]
    constraints = HERE / "constraints.txt"
    wheels = ROOT / ".dist-wheels" / hashlib.sha256(repr(needed).encode() + constraints.read_bytes()).hexdigest()[:12]
    if wheels.exists():
        return wheels
    made = wheels.with_suffix(".part")
    shutil.rmtree(made, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
    command += ["--constraint", str(constraints), "--dest", str(made)]
    _run(*command, "--no-deps", "pip")
    for machine in MACHINES:
        for minor in MINORS:
            fits = [
                "--implementation=cp",
                f"--python-version=3.{minor}",
                f"--abi=cp3{minor}",
                "--abi=abi3",
                "--abi=none",
            ]
            fits += [word for name in PLATFORMS for word in ("--platform", f"{name}_{machine}")]
            if minor == MINORS[0]:
                _run(*command, *fits, *needed)
            else:  # only what has to be another one for each Python
                own = [
                    each.name.split("-")[:2] for each in made.glob(f"*-cp3{MINORS[0]}-cp3{MINORS[0]}-*{machine}*.whl")
                ]
                _run(*command, *fits, "--no-deps", *(f"{name}=={version}" for name, version in sorted(own)))
    made.rename(wheels)
    return wheels


def _wheelhouse(place: Path, wheel: Path, carried: Path, version: str, epoch: int) -> None:
    house = place / f"compute-wizard-{version}-wheelhouse"
    shutil.copytree(carried, house / "wheels")
    shutil.copy(wheel, house / "wheels")
    text = (HERE / "install.sh").read_text(encoding="utf-8").replace("@VERSION@", version)
    (house / "install.sh").write_text(text, encoding="utf-8")
    man.write(house / "man")
    (DIST / f"{house.name}.tar").write_bytes(tar(house, house.name, epoch))


def _tree(place: Path, wheel: Path, carried: Path) -> Path:
    """Everything unpacked: `pure` once, `native/3.MINOR-MACHINE` for each."""
    tree = place / "tree"
    for each in [wheel, *sorted(carried.glob("*.whl"))]:
        name, python, abi, platform = (each.stem.split("-")[at] for at in (0, -3, -2, -1))
        if name == "pip":
            continue
        targets = [tree / "pure"]
        if platform != "any":
            machine = next(known for known in MACHINES if known in platform)
            first = int(python.removeprefix("cp3"))
            minors = [minor for minor in MINORS if minor == first or (abi == "abi3" and minor > first)]
            targets = [tree / "native" / f"3.{minor}-{machine}" for minor in minors]
        for target in targets:
            with zipfile.ZipFile(each) as packed:
                packed.extractall(target)
    for path in sorted(tree.rglob("RECORD")):
        path.unlink()
    return tree


def _single(tree: Path, version: str, epoch: int) -> None:
    """One file that any Python from 3.10 to 3.14 starts: single.py, and the tree that it unpacks."""
    members = [path for path in sorted(tree.rglob("*")) if path.is_file()]
    content = hashlib.sha256()
    for path in members:
        content.update(f"{path.relative_to(tree)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    start = (HERE / "single.py").read_text(encoding="utf-8").replace("@VERSION@", version)
    start = start.replace("@CONTENT@", content.hexdigest()[:12])
    out = io.BytesIO()
    stamp = time.gmtime(max(epoch, 315532800))[:6]  # a zip knows no year before 1980
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, data in [
            ("__main__.py", start.encode()),
            *((str(path.relative_to(tree)), path.read_bytes()) for path in members),
        ]:
            entry = zipfile.ZipInfo(name, stamp)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, data)
    path = DIST / f"compute-wizard-{version}.pyz"
    path.write_bytes(b"#!/usr/bin/env python3\n" + out.getvalue())
    path.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main())

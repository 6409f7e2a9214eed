"""A package for any Debian or Ubuntu with a Python from 3.10 on: a private tree below /usr/lib/compute-wizard."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import shutil
from collections.abc import Iterable
from email.utils import formatdate
from pathlib import Path

import man
from archives import ar, tar

HERE = Path(__file__).parent / "deb"
START = '#!/bin/sh\nexec /usr/lib/compute-wizard/bin/python3 -I -m screens.start "$@"\n'
SHARED = {  # where below /usr/share a distribution looks for what man.py makes
    "compute-wizard.8": "man/man8/compute-wizard.8.gz",
    "compute-wizard.bash": "bash-completion/completions/compute-wizard",
    "_compute-wizard": "zsh/vendor-completions/_compute-wizard",
    "compute-wizard.fish": "fish/vendor_completions.d/compute-wizard.fish",
}
CHANGES = "compute-wizard ({version}) unstable; urgency=medium\n\n  * See CHANGELOG.md in the source.\n\n -- {maintainer} <>  {date}\n"


def package(
    place: Path, tree: Path, machine: str, architecture: str, version: str, minors: Iterable[int], epoch: int
) -> bytes:
    """The bytes of the .deb. `tree` holds `pure` and `native/3.MINOR-MACHINE`; `place` is a directory for what is put together."""
    root, control = place / f"deb-{architecture}", place / f"control-{architecture}"
    _program(root / "usr/lib/compute-wizard", tree, machine, minors)
    start = root / "usr/sbin/compute-wizard"
    start.parent.mkdir()
    start.write_text(START, encoding="ascii")
    start.chmod(0o755)
    control.mkdir()
    text = (HERE / "control").read_text(encoding="utf-8")
    _papers(root / "usr/share", text, version, epoch)
    size = sum(path.stat().st_size for path in _files(root)) // 1024
    for key, value in {"VERSION": version, "ARCHITECTURE": architecture, "SIZE": str(size)}.items():
        text = text.replace(f"@{key}@", value)
    (control / "control").write_text(text, encoding="utf-8")
    for script in ("postinst", "prerm", "postrm"):
        shutil.copy(HERE / script, control / script)
        (control / script).chmod(0o755)
    sums = [
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(root)}\n"
        for path in _files(root)
    ]
    (control / "md5sums").write_text("".join(sums), encoding="utf-8")
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": lzma.compress(tar(control, ".", epoch)),
        "data.tar.xz": lzma.compress(tar(root, ".", epoch)),
    }
    return ar(members, epoch)


def _files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())


def _program(home: Path, tree: Path, machine: str, minors: Iterable[int]) -> None:
    """A virtual environment of the system's Python, whichever that is: what is pure once, the rest for each."""
    shutil.copytree(tree / "pure", home / "pure")
    for minor in minors:
        native = f"native/3.{minor}-{machine}"
        shutil.copytree(tree / native, home / native)
        site = home / f"lib/python3.{minor}/site-packages"
        site.mkdir(parents=True)
        (site / "compute-wizard.pth").write_text(f"../../../pure\n../../../{native}\n", encoding="ascii")
    (home / "bin").mkdir()
    (home / "bin/python3").symlink_to("../../../bin/python3")
    (home / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n", encoding="ascii")


def _papers(share: Path, control: str, version: str, epoch: int) -> None:
    """What a package has to say of itself: copyright, changes, manual page and completions, and what lintian need not say."""
    papers = share / "doc/compute-wizard"
    papers.mkdir(parents=True)
    (papers / "copyright").write_bytes((HERE.parent / "copyright").read_bytes())
    maintainer = next(line for line in control.splitlines() if line.startswith("Maintainer: ")).partition(": ")[2]
    changes = CHANGES.format(version=version, maintainer=maintainer, date=formatdate(epoch))
    (papers / "changelog.gz").write_bytes(gzip.compress(changes.encode(), 9, mtime=0))
    for path in man.write(share.parent / "made"):
        target = share / SHARED[path.name]
        target.parent.mkdir(parents=True, exist_ok=True)
        page = path.suffix == ".8"  # policy: manual pages are compressed
        target.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0) if page else path.read_bytes())
    shutil.rmtree(share.parent / "made")
    overrides = share / "lintian/overrides"
    overrides.mkdir(parents=True)
    (overrides / "compute-wizard").write_bytes((HERE / "lintian-overrides").read_bytes())

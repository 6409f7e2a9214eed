"""The machine that the lab runs on: what it can do, where things are kept, and programs that are started and ended."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
RESULTS = ROOT / "build" / "lab"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "sfdisk": "fdisk",
    "mkfs.ext4": "e2fsprogs",
    "mkfs.vfat": "dosfstools",
    "zstd": "zstd",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "dpkg-deb": "dpkg",
}
"""What building and driving a machine uses, program -> Debian package. QEMU is not among them: it is unpacked, never installed."""

MEMORY = 2.5  # GiB that a machine and its emulator take

NETWORK = re.compile(
    "(Failed|Unable) to fetch|Unable to connect|Could not (connect|resolve|get)|Temporary failure|Name or service not known|"
    "unreachable|[Cc]onnection (failed|timed out|refused|broken|reset)|timed out|Max retries|Hash Sum mismatch|unexpected size"
)
"""What apt and pip say where a download fails."""


class NotPossible(Exception):
    """This host lacks something that no package brings; the message says what."""


def cache() -> Path:
    """Where images are kept between runs."""
    named = os.environ.get("COMPUTE_WIZARD_LAB")
    place = Path(named) if named else Path.home() / ".cache" / "compute-wizard-lab"
    place.mkdir(parents=True, exist_ok=True)
    return place


def key(*parts: str | bytes | Path) -> str:
    """A short hash of texts and of the contents of files."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()[:12]


def run(argv: Sequence[str | Path], **options: object) -> str:
    """Run a program to its end; gives its stdout. Raises RuntimeError with all that it said."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        )
    return str(done.stdout)


def fetch(argv: Sequence[str | Path], **options: object) -> str:
    """Run a program that needs the network. Raises NotPossible where it says that the network failed it."""
    try:
        return run(argv, **options)
    except RuntimeError as error:
        if NETWORK.search(str(error)):
            raise NotPossible(f"what is needed cannot be downloaded: {error}") from error
        raise


def prepare() -> None:
    """See that images can be built here, and install what that takes. Raises NotPossible."""
    if os.uname().machine != "x86_64":
        raise NotPossible(f"the machines are x86_64, this host is {os.uname().machine}")
    if os.geteuid() != 0:
        raise NotPossible("building images needs root")
    if not shutil.which("apt-get"):
        raise NotPossible("images are made of Debian packages, and there is no apt here")
    missing = sorted({package for program, package in PACKAGES.items() if not shutil.which(program)})
    if not KEYRING.exists():
        missing.append("debian-archive-keyring")
    if missing:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        try:
            run(["apt-get", "update", "-qq"])
            run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], env=environment)
        except RuntimeError as error:
            raise NotPossible(f"{', '.join(missing)} cannot be installed: {error}") from error
    try:
        run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/tmp"])
    except RuntimeError as error:
        raise NotPossible(
            f"packages are installed below mounts of a process's own, and none may be made: {error}"
        ) from error
    free = shutil.disk_usage(cache()).free >> 30
    if free < 8:
        raise NotPossible(f"{cache()} has {free} GiB free, images need 8")
    available = available_memory()
    if available < MEMORY:
        raise NotPossible(f"a machine takes {MEMORY} GiB of memory, and {available:.1f} GiB are available")


def available_memory() -> float:
    """GiB."""
    told = re.search(r"^MemAvailable: *(\d+)", Path("/proc/meminfo").read_text(encoding="ascii"), re.MULTILINE)
    return int(told[1]) / 2**20 if told else 0


def mirror() -> str:
    """The Debian mirror that this machine's apt uses; COMPUTE_WIZARD_LAB_MIRROR overrides, where the host is not Debian."""
    named = os.environ.get("COMPUTE_WIZARD_LAB_MIRROR")
    if named:
        return named.rstrip("/")
    listed = run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"])
    fitting = sorted({line.rstrip("/") for line in listed.splitlines() if re.search(r"/debian/?$", line)})
    if not fitting:
        raise NotPossible("apt has no Debian mirror here; COMPUTE_WIZARD_LAB_MIRROR names one")
    return fitting[0]


def bootstrap(suite: str, directory: Path, include: Iterable[str], variant: str, hooks: Sequence[str] = ()) -> None:
    """Install packages of a suite into a directory, without recommended ones and without documentation."""
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in ("doc", "man", "locale", "info")]
    url = mirror()
    with scratch("reached") as place:
        try:
            run(["/usr/lib/apt/apt-helper", "download-file", f"{url}/dists/{suite}/InRelease", place / "InRelease"])
        except RuntimeError as error:
            raise NotPossible(f"{url} cannot be reached, and packages are needed from it: {error}") from error
    fetch(
        [
            *("mmdebstrap", "--quiet", "--mode=root", f"--variant={variant}", f"--keyring={KEYRING}"),
            *('--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Check-Valid-Until "false"'),
            *excluded,
            *(f"--customize-hook={hook}" for hook in hooks),
            f"--include={','.join(include)}",
            *(suite, directory, f"deb {url} {suite} main"),
        ]
    )
    for emptied in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(directory / emptied, ignore_errors=True)
        (directory / emptied).mkdir(parents=True)


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Of several labs on this host, one at a time is in here; the others wait."""
    with (cache() / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A directory beside the images that is gone afterwards, whatever happens."""
    directory = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=cache()))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def hardware_virtualisation() -> bool:
    """Whether KVM can run an unmodified kernel. /dev/kvm alone tells nothing: some hosts offer one without VMX or SVM."""
    flags = re.search(r"^flags.*\b(vmx|svm)\b", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return os.access("/dev/kvm", os.R_OK | os.W_OK) and flags is not None

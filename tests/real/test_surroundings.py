"""The command line in surroundings that are against it: a name service that never answers, a locale that is not UTF-8."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wizard.simulator.built_in import built_in, simulate

COMMANDS = (
    ["inspect"],
    ["inspect", "--json"],
    ["check"],
    ["check", "--json"],
    ["suggest"],
    ["plan"],
    ["plan", "--json"],
    ["verify"],
    ["history"],
    ["history", "--json"],
)


def words(root: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-X", "utf8=0", "-m", "screens.start", "--root", str(root), *arguments]


def odd_node(directory: Path) -> None:
    """A node with names that are not ASCII, and bytes that are not UTF-8, wherever text is read from."""
    node = simulate(built_in("demo"), directory)
    (directory / "etc/hostname").write_bytes("knoten-é-漢".encode() + b"\xff\n")
    with (directory / "etc/nova/nova.conf").open("ab") as file:
        file.write("# Prüfung 漢字\n".encode())
    with (directory / "etc/os-release").open("ab") as file:
        file.write('PRETTY_NAME="Übuntu ☃"\n'.encode() + b"BAD=\xfe\xff\n")
    (directory / "etc/modprobe.d" / os.fsdecode(b"caf\xe9.conf")).write_bytes(
        b"# \xe9\noptions mlx4_core debug_level=1\n"
    )
    with (directory / "etc/default/grub").open("ab") as file:
        file.write('# Größe\nGRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX ü=1"\n'.encode())
    assert node.exists("/etc/hostname")


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1", "no_such_LOCALE"])
def test_no_locale_makes_it_fall(locale: str, tmp_path: Path) -> None:
    odd_node(tmp_path)
    environment = {
        "PATH": os.environ["PATH"],
        "LC_ALL": locale,
        "LANG": locale,
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }
    for arguments in COMMANDS:
        done = subprocess.run(
            words(tmp_path, *arguments), capture_output=True, env=environment, check=False, timeout=120
        )
        assert b"Traceback" not in done.stderr, (arguments, done.stderr)
        assert done.returncode < 64, (arguments, done.stderr)
        assert done.returncode == 1 or done.stderr == b"", (arguments, done.stderr)
        assert done.stdout, arguments


def test_no_name_service_is_asked(tmp_path: Path) -> None:
    """Owners are names, but from the node's own /etc/passwd: neither nsswitch.conf nor a daemon is opened."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace: the program is not installed")
    simulate(built_in("demo"), tmp_path / "node")
    log = tmp_path / "log"
    environment = {"PATH": os.environ["PATH"], "HOME": "/root"}  # without it Python itself asks, for site-packages
    for arguments in (*COMMANDS, ["apply", "--yes", "--files-only", "--answers", str(tmp_path / "answers")]):
        if arguments[0] == "suggest":
            suggested = subprocess.run(
                words(tmp_path / "node", "suggest"), capture_output=True, check=True, env=environment
            )
            (tmp_path / "answers").write_bytes(suggested.stdout)
        traced = [strace, "-f", "-qq", "-e", "trace=open,openat,connect", "-o", str(log)]
        done = subprocess.run(
            [*traced, *words(tmp_path / "node", *arguments)],
            capture_output=True,
            check=False,
            timeout=300,
            env=environment,
        )
        if b"ptrace" in done.stderr:
            pytest.skip("kernel: this process may not trace others")
        text = log.read_text(encoding="utf-8", errors="replace")
        assert "/etc/passwd" in text or arguments[0] == "history", arguments
        assert not re.findall(r".*(?:nsswitch|nscd|libnss|sssd|\"/etc/(?:passwd|group)\").*", text), arguments

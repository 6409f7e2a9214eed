"""The command line in surroundings that are against it: a name service that never answers, a locale that is not UTF-8."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from one_python import commanded

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


NO_UTF8 = ("-X", "utf8=0")


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
    (tmp_path / "node").mkdir()
    odd_node(tmp_path / "node")
    environment = {
        "PATH": os.environ["PATH"],
        "LC_ALL": locale,
        "LANG": locale,
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }
    root = ["--root", str(tmp_path / "node")]
    answered = commanded(
        tmp_path / "said", [[*root, *each] for each in COMMANDS], options=NO_UTF8, environment=environment
    )
    for arguments, done in zip(COMMANDS, answered, strict=True):
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
    root = ["--root", str(tmp_path / "node")]
    (suggested,) = commanded(tmp_path / "suggested", [[*root, "suggest"]], options=NO_UTF8, environment=environment)
    (tmp_path / "answers").write_bytes(suggested.stdout)
    commands = [*COMMANDS, ["apply", "--yes", "--files-only", "--answers", str(tmp_path / "answers")]]
    traced = [strace, "-ff", "-qq", "-e", "trace=open,openat,connect", "-o", str(log)]
    answered = commanded(
        tmp_path / "said",
        [[*root, *each] for each in commands],
        before=traced,
        options=NO_UTF8,
        environment=environment,
    )
    if any(b"ptrace" in done.stderr for done in answered):
        pytest.skip("kernel: this process may not trace others")
    texts = [
        each.read_text(encoding="utf-8", errors="replace") for each in tmp_path.glob("log.*")
    ]  # one of each process
    looking = [each for each in commands if each[0] != "history"]
    assert sum("/etc/passwd" in text for text in texts) >= len(looking), "the node's own is looked at"
    asked = re.compile(r".*(?:nsswitch|nscd|libnss|sssd|\"/etc/(?:passwd|group)\").*")
    assert not [line for text in texts for line in asked.findall(text)]

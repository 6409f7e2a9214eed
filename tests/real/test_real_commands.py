"""Real commands that fail or are killed half-way, and a runner that is killed under them: on a throw-away copy of this machine."""

from __future__ import annotations

from pathlib import Path

from test_live_machine import inside

from wizard.hashing import digest
from wizard.model.plan import NodeName, Plan
from wizard.model.steps import FileContent, FileState, RunCommand, WriteFile

SOURCE, MENU, MAKE = "/etc/cw-test.source", "/boot/cw-test.menu", "/usr/local/sbin/cw-test-make"

# Makes the menu from its source as update-grub does, but not in one go. What it is to do wrong, once, stands in a file.
PROGRAM = f"""\
#!/bin/sh
wrong=$(cat /tmp/wrong 2>/dev/null)
rm -f /tmp/wrong
head -c 3 {SOURCE} >{MENU}
case $wrong in
    fail) echo no room >&2; exit 1 ;;
    die) kill -9 $$ ;;
    orphan) kill -9 $PPID; while [ ! -e /tmp/go ]; do sleep 0.1; done ;;
esac
cat {SOURCE} >{MENU}
"""

PREPARE = f"""
    mkdir -p /boot /usr/local/sbin
    cp TMP/make {MAKE}; chmod 755 {MAKE}
    printf "the old source\\n" >{SOURCE}; chmod 640 {SOURCE}
    {MAKE}
    say() {{ echo "=== $1 $?"; }}
    seen() {{ stat -c "%n %a %u:%g" {SOURCE} {MENU}; cat {SOURCE} {MENU}; find /etc /boot -xdev -name ".compute-wizard*"; }}
    seen >/tmp/before
    same() {{ seen >/tmp/now; cmp /tmp/before /tmp/now; }}
"""


def played(tmp_path: Path, script: str) -> str:
    """What a script said on the copy, where a plan is saved that changes the source and has the menu made anew."""
    old = b"the old source\n"
    write = WriteFile(
        chapters=("iommu",),
        phase="files",
        why=("a test",),
        path=SOURCE,
        before=FileState(sha256=digest(old), mode="0640", owner="root:root"),
        after=FileContent.of(b"the new source, longer\n", 0o640, "root:root"),
        diff="",
    )
    make = RunCommand(
        chapters=("iommu",), phase="boot", why=("a test",), argv=(MAKE,), undo=(MAKE,), undo_when="after_files"
    )
    plan = Plan(node=NodeName(hostname="", os="any", nova=None), steps=(write, make))
    (tmp_path / "the.plan").write_text(plan.to_json(), encoding="utf-8")
    (tmp_path / "make").write_text(PROGRAM, encoding="utf-8")
    done = inside(tmp_path, (PREPARE + script).replace("TMP", str(tmp_path)))
    assert "=== end" in done.stdout, done.stdout + done.stderr
    return done.stdout


def test_a_command_that_fails_or_dies_half_way_is_made_good_by_the_rollback(tmp_path: Path) -> None:
    said = played(
        tmp_path,
        """
        for wrong in fail die; do
            echo $wrong >/tmp/wrong
            CW apply TMP/the.plan --yes; say $wrong
            same; say same-$wrong
        done
        CW history; say end
        """,
    )
    assert "no room" in said
    for wrong in ("fail", "die"):
        assert f"=== {wrong} 5" in said, said
        assert f"=== same-{wrong} 0" in said, said
    assert said.count("rolled_back") == 2


def test_a_runner_that_is_killed_under_its_command(tmp_path: Path) -> None:
    """While the command goes on, nothing is done beside it; then going on finishes the run, and undo gives all back."""
    said = played(
        tmp_path,
        f"""
        echo orphan >/tmp/wrong
        CW apply TMP/the.plan --yes; say killed
        CW history; say history
        CW resume --yes; say beside
        touch /tmp/go
        while ! cmp -s {SOURCE} {MENU}; do sleep 0.1; done
        for try in 1 2 3 4 5 6 7 8 9; do CW resume --yes && break; sleep 1; done; say resumed
        cat {MENU}
        CW undo --yes >/dev/null; say undone
        same; say same
        CW history; say end
        """,
    )
    assert "=== killed 6" in said, said
    assert "interrupted" in said.partition("=== history")[0]
    assert "=== beside 4" in said, said
    assert "=== resumed 0" in said, said
    assert "the new source, longer" in said.partition("=== resumed")[2]
    assert "=== undone 0" in said, said
    assert "=== same 0" in said, said

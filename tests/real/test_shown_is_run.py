"""What was shown is what runs: strace writes down every program that the runner starts, below a copy of this machine's root."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from test_live_machine import inside

SCRIPT = """
CW plan --answers ANSWERS --out /tmp/cw-test.plan; echo "=== shown"
cat /tmp/cw-test.plan; echo "=== saved"
strace -f -qq -s 4096 -o /tmp/cw-test.trace -e trace=execve,clone,clone3,fork,vfork CW apply /tmp/cw-test.plan --yes >/dev/null
echo "=== applied $?"
cat /tmp/cw-test.trace; echo "=== traced"
for each in /etc/dnsmasq-nova.conf /etc/compute-wizard/metadata.conf /usr/local/sbin/compute-wizard-metadata; do sha256sum $each; done
"""


def started_by_the_runner(trace: str) -> list[list[str]]:
    """The argument lists of all programs whose parent is the runner, in their order."""
    runner, children, found = "", set[str](), []
    for line in trace.splitlines():
        pid, _, rest = line.partition(" ")
        if '"wizard.apply.runner"' in rest and "execve(" in rest and '"-c"' not in rest:
            runner = pid
        made = re.search(r"\b(?:clone3?|v?fork)\b.* = (\d+)$", rest)
        if made and pid == runner:
            children.add(made[1])
        words = re.search(r'execve\(".*?", \[(.*?)\], 0x', rest)
        if words and pid in children:
            found.append([json.loads(word) for word in re.findall(r'"(?:[^"\\]|\\.)*"', words[1])])
    return found


def test_the_bytes_and_words_that_run_are_those_of_the_preview(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace: the program is not installed")
    done = inside(tmp_path, SCRIPT)
    shown, _, rest = done.stdout.partition("=== shown\n")
    saved, _, rest = rest.partition("=== saved\n")
    applied, _, rest = rest.partition("=== applied 0\n")
    trace, _, sums = rest.partition("=== traced\n")
    assert trace, (applied, done.stderr)
    plan = json.loads(saved)
    previewed = [
        shlex.split(re.sub(r"  \[[^]]*\]$", "", line.partition("$ ")[2]))
        for line in shown.splitlines()
        if re.match(r" *\d+\. \$ ", line)
    ]
    assert previewed == [step["argv"] for step in plan["steps"] if step["kind"] == "run"]
    assert previewed
    assert started_by_the_runner(trace) == previewed
    written = {step["path"]: step["after"]["sha256"] for step in plan["steps"] if step["kind"] == "write_file"}
    found = {path: digest for digest, path in (line.split() for line in sums.splitlines())}
    assert found
    assert {path: written[path] for path in found} == found

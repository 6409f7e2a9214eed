"""undo.sh that is killed, or whose tools fail, at any of its changes: called once more, it gives everything back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest
from injection import copied, spread
from test_rescue_script import carried_out, everything, marked, rescue, shell_of

from wizard.facts import facts
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

STEP = os.environ.get("COMPUTE_WIZARD_TORTURE", "")  # "1": every point, "8": each eighth; a few without it
SHORT = 3
TOOLS = (
    "rm",
    "mkdir",
    "ln",
    "cp",
    "cat",
    "chown",
    "setfattr",
    "chmod",
    "mv",
    "rmdir",
    "sync",
)  # what the script changes anything with
FAULTS = {
    "killed before": "kill -9 0",
    "killed after": '"$real" "$@"; kill -9 0',
    "killed half way": 'case $name in cat) head -c 40 "$1" ;; esac; kill -9 0',
    "fails": 'echo "$name: No space left on device" >&2; exit 1',
    "fails half way": 'case $name in cat) head -c 40 "$1" ;; esac; echo "$name: Input/output error" >&2; exit 1',
}  # in the place of the N-th call; 0 is the process group: the script, its subshells and this tool
WRAPPER = """\
#!/bin/sh
name=${{0##*/}} real={real}
echo "$name" >>{calls}
n=0
while read -r _; do n=$((n + 1)); done <{calls}
[ $n = {at} ] || exec "$real" "$@"
echo met >{met}
{fault}
"""


@pytest.fixture(scope="module", params=["demo", "today"])
def done(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, dict[str, tuple[object, ...]]]:
    """A node on which a run was carried out; the run; and all as it was before."""
    directory = tmp_path_factory.mktemp("done") / "node"
    directory.mkdir()
    node = simulate(built_in(str(request.param)), directory)
    marked(node)
    before = everything(node)
    return directory, carried_out(node).name, before


def wrapped(place: Path, at: int, fault: str) -> str:
    """A directory of tools that are the real ones, but at their call number `at`; as a PATH."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in TOOLS:
        real = shutil.which(name)
        if real is None:
            continue
        text = WRAPPER.format(real=real, calls=place / "calls", met=place / "met", at=at, fault=FAULTS[fault])
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    return str(place)


def cut(words: list[str], script: Path, tools: str) -> subprocess.CompletedProcess[str]:
    """The script, in a process group of its own, with these tools before the others."""
    return subprocess.run(
        [*words, str(script)],
        capture_output=True,
        text=True,
        env={"PATH": f"{tools}:{os.defpath}"},
        check=False,
        timeout=60,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
    )


@cache
def counted(source: Path, shell: str, script: Path) -> int:
    """How many calls of these tools the script makes by this shell, where nothing fails."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        words, _ = shell_of(shell, place)
        whole = copied(source, place / "whole")
        assert cut(words, whole / script, wrapped(place / "tools", 0, "fails")).returncode == 0
        return len((place / "tools" / "calls").read_text().splitlines())


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_whatever_happens_to_it_a_second_call_gives_everything_back(
    done: tuple[Path, str, dict[str, tuple[object, ...]]], shell: str, fault: str, tmp_path: Path
) -> None:
    source, run, before = done
    words, path = shell_of(shell, tmp_path)
    script = Path("var/lib/compute-wizard/runs") / run / "undo.sh"
    calls = counted(source, shell, script)
    every = tuple(range(1, calls + 1))
    tried = every[:: int(STEP)] if STEP else tuple(spread(every, SHORT, 7 * list(FAULTS).index(fault)))
    bad: list[str] = []
    for at in tried:
        place = copied(source, tmp_path / f"node-{at}")
        tools = Path(wrapped(tmp_path / "tools", at, fault))
        first = cut(words, place / script, str(tools))
        assert (tools / "met").exists(), at
        name = (tools / "calls").read_text().splitlines()[at - 1]
        node = SimulatedNode(place)
        told = first.returncode or any(f"not {what}" in first.stdout for what in ("set", "given", "removed"))
        if not told and everything(node) != before:
            bad.append(f"{fault} at {at}, {name}: nothing was said, and not all was given back")
        second = rescue(words, path, (place / script).parent)
        if (second.returncode, second.stderr) != (0, "") or everything(node) != before:
            now = everything(node)
            differ = sorted(each for each in {*now, *before} if now.get(each) != before.get(each))
            bad.append(f"{fault} at {at}, {name}: {second.returncode} {second.stderr} {differ}")
        elif facts.read(node).history.runs[0].state != "undone":
            bad.append(f"{fault} at {at}, {name}: the history does not know of it")
        else:
            shutil.rmtree(place)
    if STEP:
        print(f"\nundo.sh by {shell}, {fault}: {len(tried)} of {calls} points, {len(bad)} ended badly", file=sys.stderr)
    assert not bad, "\n".join(bad)

"""How long things take: measured and printed, never judged. Medians of several runs, in milliseconds."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from wizard.answers import suggestion
from wizard.facts import facts
from wizard.formats import oslo_config
from wizard.planning.planner import make_plan
from wizard.planning.verification import verify
from wizard.simulator.built_in import built_in, simulate


def median(what: str, action: Callable[[], object], runs: int = 7) -> None:
    """Run an action several times and print the median."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1000)
    print(f"{what:55} {statistics.median(times):8.1f} ms  [{min(times):.1f} - {max(times):.1f}]")


def command(*words: str) -> Callable[[], object]:
    program = str(Path(sys.executable).with_name("compute-wizard"))
    return lambda: subprocess.run([program, *words], capture_output=True, check=False)


def main() -> None:
    """Measure start, reading, planning and editing."""
    median("compute-wizard --version", command("--version"))
    median("compute-wizard inspect (this machine)", command("inspect"))
    for name in ("origin", "today", "demo"):
        node = built_in(name)
        seen = facts.read(node)
        answers = suggestion.suggest(seen)
        median(f"{name}: read all facts", lambda node=node: facts.read(node))
        median(f"{name}: plan", lambda seen=seen, answers=answers: make_plan(seen, answers))
        median(f"{name}: verify", lambda seen=seen, answers=answers: verify(seen, answers))
    with tempfile.TemporaryDirectory() as directory:
        node = simulate(built_in("demo"), Path(directory))
        median("demo in a directory: read all facts", lambda: facts.read(node))
    sample = b"[DEFAULT]\n" + b"".join(b"# comment %d\n#option_%d = value\n" % (n, n) for n in range(9000)) + b"[pci]\n"
    median(
        "nova.conf of 18,000 lines: one more device_spec",
        lambda: oslo_config.append_value(sample, "pci", "device_spec", "{}"),
    )


if __name__ == "__main__":
    main()

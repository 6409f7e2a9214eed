"""Writes what this version leaves behind, for the tests of all later ones: answers, a saved plan, a run that was done, one that was cut.

    PYTHONPATH=.:tests/unit python tests/releases/make.py

Run once for each release, as the last thing before it; what was written is never changed afterwards.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

from prior_states import carried_out, planned_here

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.facts import facts
from wizard.runs import store
from wizard.simulator.built_in import built_in, simulate
from wizard.version import version

HERE = Path(__file__).parent
CUT_AT = 40  # lines of its journal


def main() -> int:
    place = HERE / version()
    place.mkdir()
    with tempfile.TemporaryDirectory() as scratch:
        node = simulate(built_in("demo"), Path(scratch) / "node")
        seen = facts.read(node)
        (place / "suggested.toml").write_text(answer_files.to_toml(suggestion.suggest(seen)), encoding="utf-8")
        (place / "change.plan").write_text(planned_here(node).to_json(), encoding="utf-8")
        for name, killed_at in (("done", None), ("cut", CUT_AT)):
            node = simulate(built_in("demo"), Path(scratch) / name)
            run = carried_out(node, planned_here(node), killed_at)
            shutil.copytree(store.run_directory(node.directory, run), place / name / run)
    documented = (HERE.parents[1] / "docs/compatibility.md").read_text(encoding="utf-8")
    every = re.search(r"^```toml\n(.*?)^```", documented, re.MULTILINE | re.DOTALL)
    assert every
    (place / "every.toml").write_text(every[1], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

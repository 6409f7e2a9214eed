"""How a part of this program is started as a process of its own, however the program was installed."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

from wizard import errors

_RUN = """\
import json, runpy, sys
given, name = sys.argv[1:3]
del sys.argv[1:3]
sys.path += [each for each in json.loads(given) if each not in sys.path]
from wizard import program
program.given = given
runpy.run_module(name, run_name="__main__", alter_sys=True)
"""
given = ""
"""The directories of modules that this process was given by the one that started it, as JSON."""


def argv(module: str, *words: str) -> list[str]:
    """The argument list that runs a module of ours with these words, as `python -I -m` would.

    An isolated Python finds an installed program by itself. One that runs by PYTHONPATH, from a user's own site-packages, or from
    where a single file unpacked itself, it does not find: then it is given the directories.
    """
    places = given or _places()
    if not places:
        return [sys.executable, "-I", "-m", module, *words]
    return [sys.executable, "-I", "-c", _RUN, places, module, *words]


@cache
def _places() -> str:
    """Empty where an isolated Python finds this very program by itself."""
    if sys.orig_argv[1:3] == ["-I", "-m"]:  # it did: no process is started to ask, since a runner may be short of them
        return ""
    ask = "from wizard import errors; print(errors.__file__)"
    command = [sys.executable, "-I", "-c", ask]
    found = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL).stdout
    if found and Path(found.rstrip("\n")) == Path(errors.__file__):
        return ""
    return json.dumps([str(Path(each).absolute()) for each in sys.path])

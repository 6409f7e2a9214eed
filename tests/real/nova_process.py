"""Nova's own code, which takes seconds to be imported: one process of each kind answers every question of the tests of a worker.

The program that is started imports what it needs and calls `serve`, which is there; each question is answered by a fork of it, so
that no answer knows of another question.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
from contextlib import suppress
from functools import cache
from typing import IO, Any

SERVE = '''
import sys

def serve(answer):
    """A question a line on stdin, and for each what `answer` makes of it on stdout, as JSON; {"failed": TRACEBACK} where that fails."""
    import json, os, traceback
    for line in iter(sys.stdin.readline, ""):
        if child := os.fork():
            os.waitpid(child, 0)
            continue
        try:
            said = json.dumps(answer(json.loads(line)))
        except BaseException:
            said = json.dumps({"failed": traceback.format_exc()})
        with open(int(sys.argv[1]), "w") as out:
            out.write(said + "\\n")
        os._exit(0)

exec(compile(sys.argv.pop(2), "the program", "exec"))
'''


class Process:
    """A Python that runs `program` with these arguments."""

    def __init__(self, python: str, program: str, *arguments: str) -> None:
        reading, writing = os.pipe()  # not stdout: what is imported may write there
        self._process = subprocess.Popen(
            [python, "-W", "ignore", "-c", SERVE, str(writing), program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=[writing],
        )
        os.close(writing)
        self._said: IO[str] = os.fdopen(reading, encoding="utf-8")
        atexit.register(self._process.kill)

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stderr is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        line = self._said.readline()
        assert line, self._process.stderr.read()[-2000:]
        said: dict[str, Any] = json.loads(line)
        assert "failed" not in said, said["failed"][-2000:]
        return said


started = cache(Process)

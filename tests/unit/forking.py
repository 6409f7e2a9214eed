"""Runs that are quick: the runner is a fork of the tests' own process, which has everything loaded.

It stays a process of its own, with its lock, journal and signals; only the start of a new Python is saved. Tests in `tests/real`
and the lab start it as a user does. A test that is about the start itself asks for `own_python`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from wizard.apply import launch, runner


class Forking:
    """Stands for the module subprocess where a runner is started."""

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    @staticmethod
    def run(words: Sequence[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        if list(words[:4]) != [sys.executable, "-I", "-c", launch.DETACH]:
            return subprocess.run(words, **options)  # noqa: PLW1510, the caller says it
        start, argv = words[4:8], words[8:]
        assert start == [sys.executable, "-I", "-m", "wizard.apply.runner"]
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return subprocess.CompletedProcess(words, 0)
        status = 1
        try:
            if os.fork():
                os._exit(0)
            os.setsid()
            os.chdir("/")
            with open(os.devnull, "rb") as nothing:  # noqa: PTH123
                os.dup2(nothing.fileno(), 0)
            for number in (1, 2):
                os.dup2(options["stderr"].fileno(), number)
            sys.stdout = sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
            status = runner.main(list(argv))
        finally:
            os._exit(status)


@pytest.fixture
def own_python() -> None:
    """The runner is started as a user's is."""


@pytest.fixture(autouse=True)
def forked_runner(request: pytest.FixtureRequest) -> Iterator[None]:
    if "own_python" in request.fixturenames:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "subprocess", Forking())
        yield

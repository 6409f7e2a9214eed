"""Many commands of the tool by one Python, which is started and imports it once: each in a fork, with descriptors of its own.

`python one_python.py DIRECTORY`: the commands are a JSON list of lists of words on stdin; the command of the number N, from 0 on, has
DIRECTORY/N.out and N.err as its output, and its exit code is in N.code. What Python makes of its surroundings at its start is
the same for all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path


def main(directory: str) -> None:
    import wizard.cli.main  # noqa: F401 - once for all of them
    from screens import start

    commands = json.loads(sys.stdin.buffer.read())
    for number, words in enumerate(commands):
        if child := os.fork():
            _, status = os.waitpid(child, 0)
            code = os.waitstatus_to_exitcode(status)
            Path(directory, f"{number}.code").write_text(str(code), encoding="ascii")
            continue
        code = 255
        try:
            for descriptor, ending in ((1, "out"), (2, "err")):
                os.dup2(os.open(Path(directory, f"{number}.{ending}"), os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            sys.argv = ["compute-wizard", *words]
            try:
                code = start.main()  # type: ignore[no-untyped-call]
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def commanded(
    place: Path,
    commands: Sequence[Sequence[str]],
    *,
    before: Sequence[str] = (),
    options: Sequence[str] = (),
    environment: Mapping[str, str],
) -> list[subprocess.CompletedProcess[bytes]]:
    """What each of these commands said, and how it ended. `before` are words before the Python, `options` its own."""
    place.mkdir()
    words = [*before, sys.executable, "-I", *options, __file__, str(place)]
    done = subprocess.run(
        words, input=json.dumps(commands).encode(), capture_output=True, check=False, timeout=400, env=environment
    )
    if done.returncode:
        return [done] * len(commands)
    return [
        subprocess.CompletedProcess(
            list(each),
            int((place / f"{number}.code").read_text(encoding="ascii")),
            (place / f"{number}.out").read_bytes(),
            (place / f"{number}.err").read_bytes(),
        )
        for number, each in enumerate(commands)
    ]


if __name__ == "__main__":
    main(sys.argv[1])

"""Somebody who owns a directory in which root works, and who wants what is root's: names in it are swapped as fast as it goes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = 4242
SECRET, CONTENT = b"of root alone\n", b"password = hunter2\n"

PROGRAM = r"""
import os, random, sys, time
victim, inside = sys.argv[1:3]
seed = random.Random(int(sys.argv[3]))
user = int(sys.argv[5]) # root until here: the Python that runs this may lie where only root may look
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
tricks = "link unlink rename directory hard foreign dangling fifo parent".split()
names = ["nova.conf", "nova.conf.compute-wizard-undo"]
print("ready", flush=True)
kept = 0
PAUSES = (0, 0.003, 0.02, 0.1, 0.3)
while os.getppid() == int(sys.argv[4]):
    try:
        there = os.listdir(".")
    except OSError:
        there = []
    mine = [name for name in there if name.startswith(".compute-wizard") and not name.endswith(".mine")]
    for name in mine + seed.sample(names, 1 if seed.random() < 0.05 else 0):
        kept += 1
        time.sleep(seed.choice(PAUSES) * seed.random()) # else all would be refused at its beginning, and the rest not be raced
        aside = ".aside-%d" % (kept % 50)
        trick = seed.choice(tricks)
        try:
            if trick == "unlink":
                os.unlink(name)
                continue
            os.rename(name, aside)
            if trick == "link": os.symlink(victim, name)
            elif trick == "directory": os.symlink(inside, name)
            elif trick == "hard": os.link("mine", name)
            elif trick == "foreign": os.mkdir(name); [os.symlink(victim, name + "/" + each) for each in ("new", "part", "old", "state")]
            elif trick == "dangling": os.symlink(inside + "/made", name)
            elif trick == "fifo": os.symlink("mine", name)
            elif trick == "parent": os.symlink("..", name)
        except OSError:
            pass
        if name == "nova.conf" and seed.random() < 0.9:
            try:
                if os.path.isdir(name) and not os.path.islink(name): os.rename(name, aside + "d")
                os.rename(aside, name)
            except OSError:
                pass
"""


@contextmanager
def at_work(directory: Path, victim: Path, inside: Path, seed: int) -> Iterator[None]:
    """The owner of a directory races whoever works in it; `victim` is a file of root's, `inside` a directory of root's."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", PROGRAM, victim, inside, str(seed), str(os.getpid()), str(USER)],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield
        assert process.poll() is None  # he was at it until the end
    finally:
        process.kill()
        process.communicate()

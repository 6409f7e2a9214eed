"""The entry point of an installed wheel. It makes sure that the rest is found where this file is, and hands over.

Its name is its own, so that it is found where another package is called `screens`, `wizard` or `assets` and comes first in the
path of modules. Any Python can parse it, old ones too; `screens.start` says which one is needed.
"""

import os
import sys


def main():  # type: ignore[no-untyped-def] # Python 2 knows no annotations
    """Start the command line; one sentence and 1 where the path of modules leads to packages of others."""
    found = _stranger() if sys.version_info >= (3, 10) else ""  # type: ignore[no-untyped-call]
    if found:
        sys.stderr.write(
            "compute-wizard: another package of that name is found first: "
            + found
            + ". Start it without PYTHONPATH, or install it into a virtual environment of its own.\n"
        )
        return 1
    from screens.start import main as start

    return start()  # type: ignore[no-untyped-call]


def _stranger():  # type: ignore[no-untyped-def]
    """Where Python finds one of our packages, if it is not beside this file; empty where all of them are ours."""
    from importlib.util import find_spec

    home = os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120
    for name in ("screens", "wizard", "assets"):
        try:
            spec = find_spec(name)
        except ValueError:  # a module that stands in sys.modules and says nothing of itself
            return name + ", loaded before"
        place = next(iter(spec.submodule_search_locations or ()), spec.origin or name) if spec else name + ", missing"
        if os.path.realpath(place) != os.path.join(home, name):  # noqa: PTH118
            return place
    return ""

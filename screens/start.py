"""The entry point. Any Python can parse this file, old ones too: it says which one is needed before anything else is read."""

import os
import sys

NEEDED = (3, 10)


def main():  # type: ignore[no-untyped-def] # Python 2 knows no annotations
    """Check the Python, then hand over to the command line."""
    if sys.version_info < NEEDED:
        sys.stderr.write(
            "compute-wizard needs Python 3.10 or newer; this is {}.{}. For a node without one: `recorder` and `export script`, "
            "from another machine.\n".format(*sys.version_info[:2])
        )
        return 1
    for name, mode in (
        ("stdin", "r"),
        ("stderr", "w"),
    ):  # closed by who started this: nothing is read then, and nobody told
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
    stranger = _stranger()  # type: ignore[no-untyped-call]
    if stranger:
        sys.stderr.write(
            "compute-wizard: another package of that name is found first: "
            + stranger
            + ". Start it without PYTHONPATH, or install it into a virtual environment of its own.\n"
        )
        return 1
    # nobody's plugin has a say in what is read and planned as root; looking for them takes as long as reading a node
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from wizard.cli import looks
        from wizard.cli.main import main as run

        looks.load = _load_looks
        return run(None, start_wizard)
    except KeyboardInterrupt:  # while the libraries were being loaded
        return 130


def _stranger():  # type: ignore[no-untyped-def]
    """The package `wizard` or `assets` that is not the one beside this file; empty where both are ours."""
    from importlib.util import find_spec

    home = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120
    for name in ("wizard", "assets"):
        spec = find_spec(name)
        place = next(iter(spec.submodule_search_locations or ()), spec.origin or "") if spec else "none at all"
        if os.path.realpath(place) != os.path.join(home, name):  # noqa: PTH118
            return place
    return ""


def _load_looks():  # type: ignore[no-untyped-def]
    """Colours and pictures of results; rich is imported now."""
    from screens.terminal.rich_looks import RichLooks

    return RichLooks()


def start_wizard(open_node, ui, simulated):  # type: ignore[no-untyped-def]
    """Choose a face for this terminal and start it; nothing of a face is imported before that."""
    from screens.terminal import choice as faces
    from screens.terminal import guard
    from screens.terminal import probe as terminal
    from screens.terminal import serial_choice as serial

    face = faces.choose(terminal.probe(), ui)
    if ui == "auto" and face.terminal.kind == "serial":
        chosen = serial.ask(face)
        if chosen is None:
            return 0
        face = chosen
    faces.prepare(face)
    words = guard.SANE if face.name == "full" else guard.SANE_VT100 if face.name == "console" else ""
    with guard.Guard(words, gently=face.name == "plain") as watch:
        if face.name == "plain":
            from screens.plain import run as ask

            return ask(open_node, simulated, face)
        from screens.tui.app import run

        return run(open_node, simulated, face, watch)


if __name__ == "__main__":
    sys.exit(main())  # type: ignore[no-untyped-call]

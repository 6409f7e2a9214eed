"""The entry point. Any Python can parse this file, old ones too: it says which one is needed before anything else is read."""

import sys

NEEDED = (3, 11)


def main():  # type: ignore[no-untyped-def] # Python 2 knows no annotations
    """Check the Python, then hand over to the command line."""
    if sys.version_info < NEEDED:
        sys.stderr.write(
            "compute-wizard needs Python 3.11 or newer; this is {}.{}. For a node without one: `recorder` and `export script`, "
            "from another machine.\n".format(*sys.version_info[:2])
        )
        return 1
    from wizard.cli import main as run

    return run(None, start_wizard)


def start_wizard(node, root, ui, simulated):  # type: ignore[no-untyped-def]
    """Choose a face for this terminal and start it; nothing of a face is imported before that."""
    from screens import terminal

    terminal.prepare(ui)
    from screens.app import run

    return run(node, root, simulated)


if __name__ == "__main__":
    sys.exit(main())  # type: ignore[no-untyped-call]

"""No face imports the library of another: each would cost its share of every start."""

from __future__ import annotations

import subprocess
import sys

import pytest

LIBRARIES = ("textual", "rich", "prompt_toolkit", "questionary")


def imported(code: str) -> set[str]:
    """Which of the libraries are there after some code ran in a Python of its own."""
    program = f"import sys\n{code}\nprint(' '.join(name for name in {LIBRARIES!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("code", "libraries"),
    [
        ("import screens.start, wizard.cli.main, wizard.cli.commands", set()),
        (
            "import screens.terminal.probe, screens.terminal.choice, screens.terminal.serial_choice, screens.terminal.guard",
            set(),
        ),
        ("import screens.plain, screens.plain.walk", set()),
        ("import screens.plain.arrow_select", {"prompt_toolkit", "questionary"}),
        ("import screens.tui.app, screens.tui.page_registry", {"textual", "rich"}),
        ("import screens.tui.app, screens.console.driver", {"textual", "rich"}),
    ],
)
def test_a_face_imports_its_own_library_only(code: str, libraries: set[str]) -> None:
    assert imported(code) == libraries


def test_what_is_seen_first_needs_no_engine() -> None:
    program = "import sys, screens.start, wizard.cli.main, screens.plain, screens.tui.app, screens.console.driver; print([name for name in ('pydantic', 'wizard.node', 'wizard.model.plan') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_the_probe_needs_is_the_standard_library() -> None:
    program = "import sys, screens.terminal.probe; print([name for name in ('pydantic', 'asyncio', 'curses', 'ctypes') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

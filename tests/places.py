"""Where the tests find what they share: the checkout, and the texts that are compared whole."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
GOLDEN = REPOSITORY / "tests/golden"
SCREENS_GOLDEN = REPOSITORY / "tests/screens/golden"

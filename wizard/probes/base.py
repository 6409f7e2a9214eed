"""What every probe is given."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str], None]
"""Takes a line about what is being done."""

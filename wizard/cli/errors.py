"""An error, as it is said on stderr: as a message, or as one line of JSON."""

from __future__ import annotations

import sys

from wizard.errors import WizardError
from wizard.safe_text import safe_text

WITHOUT_PAGE = ("ERROR", "USAGE", "INPUT", "REFUSED")  # what the message says is all there is to say


def tell(error: WizardError, *, as_json: bool, verbose: bool = False) -> None:
    """Say it; nothing where stderr is closed."""
    if sys.stderr is None:
        return
    if as_json:
        import json

        data = {"code": error.code, "exit_code": int(error.exit_code), "what": error.what, "where": error.where}
        told = {key: safe_text(value) if isinstance(value, str) else value for key, value in data.items()}
        line = {"format": "compute-wizard.error/1", **told, "do": safe_text(error.do)}
        print(json.dumps(line), file=sys.stderr)
        return
    print(f"compute-wizard: {safe_text(str(error))}", file=sys.stderr)
    if verbose:
        print(f"  code {error.code}, exit code {error.exit_code}", file=sys.stderr)

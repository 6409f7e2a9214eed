"""Units that have `verify` look at a node regularly, for node_exporter's textfile collector."""

from __future__ import annotations

import shlex
import shutil

from wizard.asset_text import asset
from wizard.errors import InputError

SERVICE, TIMER = "compute-wizard-drift.service", "compute-wizard-drift.timer"
USUAL = "/usr/sbin/compute-wizard"


def units(textfile: str) -> dict[str, str]:
    """The texts of the service and its timer, by name. `textfile` is where the metrics go. Raises InputError."""
    if not textfile.startswith("/") or not textfile.endswith(".prom") or any(c in textfile for c in " \t\n\"'\\%$;"):
        raise InputError(
            "is not a plain path that ends with .prom",
            where=textfile,
            do="node_exporter reads files of that ending; name one such as /var/lib/prometheus/node-exporter/compute-wizard.prom.",
        )
    command = shutil.which("compute-wizard") or USUAL
    service = asset(SERVICE).replace("@COMMAND@", shlex.quote(command)).replace("@TEXTFILE@", textfile)
    return {SERVICE: service, TIMER: asset(TIMER)}

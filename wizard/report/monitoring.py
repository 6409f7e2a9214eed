"""What `verify` found, for a monitoring system."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from enum import IntEnum

from wizard.model.findings import Check
from wizard.safe_text import safe_text

STATES = ("held", "failed", "pending", "unknown")


class Nagios(IntEnum):
    """Exit codes of a plugin (Monitoring Plugins Development Guidelines)."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


def status(checks: Sequence[Check]) -> Nagios:
    """Critical where something failed, warning where something waits for a reboot, unknown where something could not be seen."""
    states = {check.state for check in checks}
    if "failed" in states:
        return Nagios.CRITICAL
    if "pending" in states:
        return Nagios.WARNING
    return Nagios.UNKNOWN if "unknown" in states else Nagios.OK


def nagios(checks: Sequence[Check]) -> str:
    """One line with performance data, then a line for each check that does not hold. A `|` would begin performance data."""
    counts: Counter[str] = Counter(check.state for check in checks)
    told = [f"{counts[state]} {state}" for state in STATES if counts[state]] or ["nothing is asked for"]
    data = " ".join(f"{state}={counts[state]}" for state in STATES)
    lines = [f"COMPUTE-WIZARD {status(checks).name} - {', '.join(told)} | {data}"]
    lines += [_line(f"{check.state}: {check.what}: {check.seen}") for check in checks if check.state != "held"]
    return "\n".join(lines) + "\n"


def failed_to_look(what: str) -> str:
    """What a plugin says that could not look."""
    return f"COMPUTE-WIZARD UNKNOWN - {_line(what)}\n"


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", safe_text(text)).replace("|", "/")


def prometheus(checks: Sequence[Check], now: float) -> str:
    """The text exposition format, for the textfile collector of node_exporter. `now` is in seconds since the epoch."""
    counts: Counter[tuple[str, str]] = Counter((check.chapter, check.state) for check in checks)
    chapters = list(dict.fromkeys(check.chapter for check in checks))
    lines = [
        "# HELP compute_wizard_checks Checks of compute-wizard verify, by section and state.",
        "# TYPE compute_wizard_checks gauge",
    ]
    for chapter in chapters:
        for state in STATES:
            lines.append(f'compute_wizard_checks{{section="{chapter}",state="{state}"}} {counts[(chapter, state)]}')
    lines += [
        "# HELP compute_wizard_check_ok Whether one check holds.",
        "# TYPE compute_wizard_check_ok gauge",
    ]
    holds: dict[tuple[str, str], bool] = {}
    for check in checks:  # two checks of one name are one series
        key = (check.chapter, check.what)
        holds[key] = holds.get(key, True) and check.state == "held"
    lines += [
        f'compute_wizard_check_ok{{section="{chapter}",check="{_label(what)}"}} {int(held)}'
        for (chapter, what), held in holds.items()
    ]
    lines += [
        "# HELP compute_wizard_verify_status 0 all holds, 1 waits for a reboot, 2 something failed, 3 something could not be seen.",
        "# TYPE compute_wizard_verify_status gauge",
        f"compute_wizard_verify_status {int(status(checks))}",
        "# HELP compute_wizard_verify_time_seconds When this was looked at.",
        "# TYPE compute_wizard_verify_time_seconds gauge",
        f"compute_wizard_verify_time_seconds {now:.0f}",
    ]
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    r"""A label's value: backslash, quote and line end are escaped."""
    return safe_text(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

"""Values of nova.conf that cannot be said: what they refer to is known to nova alone. Asked by the chapters that judge them."""

from __future__ import annotations

from collections.abc import Iterable

from wizard.facts.nova.nova import NovaSetting
from wizard.model.findings import Finding, Severity


def findings(chapter: str, severity: Severity, settings: Iterable[NovaSetting | None]) -> list[Finding]:
    """One for each of them that is unknown."""
    return [
        Finding(
            code="NOVA-VALUE-UNKNOWN",
            severity=severity,
            chapter=chapter,
            seen=f"{setting.place}: {setting.option} = {setting.value}",
            why=f"{setting.unknown}: what nova makes of it is not known, so it is not judged, and not written over.",
            do="Write the value out there, or set what it refers to in the same files; write $$ where a dollar sign is meant.",
        )
        for setting in settings
        if setting is not None and setting.unknown
    ]

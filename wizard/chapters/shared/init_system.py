"""Words for a node's init system: restart a service, enable a unit, reload the unit list."""

from __future__ import annotations

from wizard.facts.facts import Facts
from wizard.model.changes import Artifact, FileEdit, LiveAction
from wizard.model.plan import Phase, RunCommand, UndoWhen

UNITS = "/etc/systemd/system"
JOBS = "/etc/init"
LOGIN = "multi-user.target.wants"


def restart(facts: Facts, service: str) -> tuple[str, ...]:
    """The words that restart a service here."""
    if facts.system.init == "systemd":
        return ("systemctl", "restart", service)
    return ("service", service, "restart")


def find(facts: Facts, *names: str) -> str | None:
    """The first of these services that the node has: packages name them differently."""
    return next((name for name in names if name in facts.nova.services), None)


def restarted(
    facts: Facts, service: str, why: str, inputs: tuple[str, ...], *, due: bool = False, waits_for_reboot: bool = False
) -> Artifact:
    """A running service as a product of its configuration."""
    words = restart(facts, service)
    return Artifact(
        f"service:{service}",
        words,
        "services",
        why,
        inputs=inputs,
        due=due,
        labels=("restarts-service",),
        undo=words,
        order=80,
        covered_by_reboot=waits_for_reboot,
    )


def unit_list(facts: Facts, inputs: tuple[str, ...]) -> tuple[Artifact, ...]:
    """systemd's own list of units, read anew when a unit file changed; nothing where no systemd runs that could (a chroot)."""
    if not inputs or (facts.live and not facts.system.systemd_running):
        return ()
    words = ("systemctl", "daemon-reload")
    return (Artifact("units", words, "boot", "systemd reads its unit files anew", inputs=inputs, undo=words, order=30),)


def is_enabled(facts: Facts, unit: str) -> bool:
    return unit in facts.files.names(f"{UNITS}/{LOGIN}")


def enable(facts: Facts, chapter: str, unit: str, why: str) -> tuple[LiveAction, ...]:
    """Enable a unit of ours at boot, where it is not yet."""
    if is_enabled(facts, unit):
        return ()
    step = _systemctl(chapter, "boot", ("enable", unit), ("disable", unit), "before_files", why)
    return (LiveAction(step, order=40, reads=(f"{UNITS}/{LOGIN}/{unit}",)),)


def disable(facts: Facts, chapter: str, unit: str, why: str) -> tuple[LiveAction, ...]:
    """Disable a unit of ours, before its file is removed."""
    if not is_enabled(facts, unit):
        return ()
    step = _systemctl(chapter, "check", ("disable", unit), ("enable", unit), "after_files", why)
    return (LiveAction(step, order=10, reads=(f"{UNITS}/{LOGIN}/{unit}",)),)


def _systemctl(
    chapter: str, phase: Phase, words: tuple[str, ...], undo: tuple[str, ...], when: UndoWhen, why: str
) -> RunCommand:
    return RunCommand(
        chapters=(chapter,),
        phase=phase,
        argv=("systemctl", *words),
        why=(why,),
        undo=("systemctl", *undo),
        undo_when=when,
        deadline_s=60,
    )


def installed(path: str, content: str, why: str, mode: int = 0o644) -> FileEdit:
    """A file of ours, whole."""
    return FileEdit(path, why, lambda _: content.encode(), mode=mode)


def removed(path: str, why: str) -> FileEdit:
    """A file of ours that is no longer wanted."""
    return FileEdit(path, why, lambda _: None)

"""What is asked of a node's init system: restart a service, start something of ours at boot. The reading half is
`wizard/facts/init_systems.py`."""

from __future__ import annotations

from typing import Protocol

from wizard.facts.facts import Facts
from wizard.facts.init_systems import Init
from wizard.model.changes import Artifact, FileEdit, LiveAction
from wizard.model.steps import Phase, RunCommand, UndoWhen

UNITS = "/etc/systemd/system"
JOBS = "/etc/init"
LOGIN = "multi-user.target.wants"


class Starter(Protocol):
    """How one init system is told to start what is ours, and to restart what is not."""

    init_systems: tuple[Init, ...]
    installs: bool  # whether it can be told to start something at boot
    watches: bool  # whether what it starts goes on, and is started again
    form: str  # the ending of the assets that are for it

    def boot_file(self, name: str) -> str:
        """The path of the file that starts `name` at boot."""

    def is_enabled(self, facts: Facts, name: str) -> bool:
        """Whether that file takes effect at boot, once it is there."""

    def enable(self, facts: Facts, chapter: str, name: str, why: str) -> tuple[LiveAction, ...]:
        """What makes it take effect, besides being there."""

    def restart(self, service: str) -> tuple[str, ...]:
        """The words that restart a service."""


class Others:
    """Init systems that start nothing of ours."""

    init_systems: tuple[Init, ...] = ("sysvinit", "unknown")
    installs = False
    watches = False
    form = "service"

    def boot_file(self, name: str) -> str:
        return f"{UNITS}/{name}.service"

    def is_enabled(self, facts: Facts, name: str) -> bool:
        return is_enabled(facts, f"{name}.service")

    def enable(self, facts: Facts, chapter: str, name: str, why: str) -> tuple[LiveAction, ...]:
        return ()

    def restart(self, service: str) -> tuple[str, ...]:
        return ("service", service, "restart")


class Systemd(Others):
    init_systems: tuple[Init, ...] = ("systemd",)
    installs = True
    watches = True

    def enable(self, facts: Facts, chapter: str, name: str, why: str) -> tuple[LiveAction, ...]:
        return enable(facts, chapter, f"{name}.service", why)

    def restart(self, service: str) -> tuple[str, ...]:
        return ("systemctl", "restart", service)


class Upstart(Others):
    """A job takes effect by being there."""

    init_systems: tuple[Init, ...] = ("upstart",)
    installs = True
    form = "upstart"

    def boot_file(self, name: str) -> str:
        return f"{JOBS}/{name}.conf"

    def is_enabled(self, facts: Facts, name: str) -> bool:
        return True


STARTERS: tuple[Starter, ...] = (Systemd(), Upstart(), Others())
"""A test holds them against the init systems of `wizard/facts/init_systems.py`."""
_BY_NAME = {name: starter for starter in STARTERS for name in starter.init_systems}


def starter_of(facts: Facts) -> Starter:
    """The one for this node's init system."""
    return _BY_NAME[facts.system.init_system.name]


def find(facts: Facts, *names: str) -> str | None:
    """The first of these services that the node has: packages name them differently."""
    return next((name for name in names if name in facts.nova.services), None)


def restarted(
    facts: Facts, service: str, why: str, inputs: tuple[str, ...], *, due: bool = False, waits_for_reboot: bool = False
) -> Artifact:
    """A running service as a product of its configuration."""
    words = starter_of(facts).restart(service)
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
        id=f"{chapter}/{':'.join(words)}",
    )


def installed(path: str, content: str, why: str, mode: int = 0o644) -> FileEdit:
    """A file of ours, whole."""
    return FileEdit(path, why, lambda _: content.encode(), mode=mode)


def removed(path: str, why: str) -> FileEdit:
    """A file of ours that is no longer wanted."""
    return FileEdit(path, why, lambda _: None)

"""A config drive for each new guest: metadata that needs no network. One option of this node's nova.conf."""

from __future__ import annotations

from wizard.chapters.shared import foreign, init_system, nova_owner, nova_unknown
from wizard.chapters.shared.nova_owner import OwnerAnswers
from wizard.facts.facts import Facts
from wizard.facts.nova.nova import NovaSetting
from wizard.facts.processes import older
from wizard.formats import oslo_config
from wizard.model.changes import Artifact, Changes, FileEdit
from wizard.model.findings import Check, Finding, Remedy, Severity

CHAPTER = "metadata"
SECTION, OPTION = "DEFAULT", "force_config_drive"
TRUE = ("1", "yes", "true", "on", "always")  # oslo_config/types.py, Boolean; "always" is nova's own word until Liberty
WHAT = "Guests that are made from now on get a config drive"


def is_on(facts: Facts) -> bool | None:
    """Whether nova gives every new guest a config drive; None where its option's value cannot be said."""
    if facts.nova.unknown(SECTION, OPTION) is not None:
        return None
    return (facts.nova.last(SECTION, OPTION) or "").strip().lower() in TRUE


def path(facts: Facts) -> str:
    """The file that is edited: the main one, or one that is read after it and says something of the option."""
    files, main = facts.nova.config_files, facts.nova.main_file
    there = [setting.path for setting in facts.nova.all(SECTION, OPTION)]
    after = files[files.index(main) :] if main in files else (main,)
    return there[-1] if there and there[-1] in after else main


def ours(facts: Facts) -> bool:
    """Whether an earlier run of this tool set it."""
    lines = facts.history.file(path(facts)).lines
    return any(line.replace(" ", "").lower() == f"{OPTION}=true" for line in lines)


def changes(facts: Facts, wanted: bool) -> Changes:
    if wanted == is_on(facts) or (not wanted and not ours(facts)):
        return Changes(products=_restart(facts, path(facts))) if wanted else Changes()
    place = path(facts)
    why = "each new guest gets a config drive" if wanted else "config drives are no longer made for every guest"
    return Changes(
        edits=(FileEdit(place, why, lambda old: _edited(old, wanted), mode=0o640, secret=True),),
        products=_restart(facts, place),
    )


def _edited(content: bytes | None, wanted: bool) -> bytes | None:
    """nova.conf with the option, or without it; a node without nova.conf does not get one from us."""
    if content is None:
        return None
    if wanted:
        return oslo_config.set_value(content, SECTION, OPTION, "True")
    return oslo_config.unset(content, SECTION, OPTION)


def _restart(facts: Facts, place: str) -> tuple[Artifact, ...]:
    service = init_system.find(facts, "nova-compute", "openstack-nova-compute")
    if service is None:
        return ()
    why = "nova-compute reads its configuration only when it starts; guests that run are not touched"
    return (init_system.restarted(facts, service, why, (place,), waits_for_reboot=True),)


def findings(facts: Facts, wanted: bool | None, owner: OwnerAnswers | None) -> list[Finding]:
    """`wanted` is None where nothing is answered."""
    if wanted is None:
        return []
    told = facts.nova.unknown(SECTION, OPTION)
    if not wanted:
        return foreign.findings(CHAPTER, "config_drive = false", _elsewhere(facts))
    found = nova_unknown.findings(CHAPTER, "blocks", [told])
    found += _program(facts)
    if is_on(facts) or told is not None:
        return found
    place = path(facts)
    if not facts.nova.config_files and not facts.nova.managers:
        found.append(
            _finding(
                "METADATA-NO-NOVA-CONF",
                "blocks",
                f"{place or 'nova.conf'}: there is no such file",
                "force_config_drive is an option of the nova.conf that nova-compute reads.",
                "Install nova-compute first, or take config_drive out of the answers.",
            )
        )
    found += nova_owner.findings(
        facts,
        owner,
        code="METADATA-MANAGED",
        chapter=CHAPTER,
        path=place,
        fragment=(f"[{SECTION}]", f"{OPTION} = True"),
    )
    return found


def _elsewhere(facts: Facts) -> list[str]:
    if ours(facts) or not is_on(facts):
        return []
    every: tuple[NovaSetting, ...] = facts.nova.all(SECTION, OPTION)
    return foreign.nova(every[-1:], lambda _: False)


def _program(facts: Facts) -> list[Finding]:
    """Without it no guest with a config drive starts (nova/virt/configdrive.py: ProcessExecutionError, the guest goes to ERROR)."""
    name = facts.nova.config_drive_program
    if facts.nova.config_drive_ready is not False:
        return []
    return [
        _finding(
            "METADATA-NO-GENISOIMAGE",
            "warns" if is_on(facts) else "blocks",
            f"{name} is not on this node ({_why_that(facts)})",
            "nova-compute makes each config drive with it: every guest that is to have one would fail to start.",
            f"Install it (package {'dosfstools' if name == 'mkfs.vfat' else 'genisoimage or xorriso'}), or set mkisofs_cmd in "
            f"nova.conf "
            "to the program that is here.",
        )
    ]


def _why_that(facts: Facts) -> str:
    for option in ("config_drive_format", "mkisofs_cmd"):
        found = facts.nova.all("DEFAULT", option)
        if found and not found[-1].unknown:
            return f"{found[-1].place}: {option} = {found[-1].value}"
    return "nova's default of mkisofs_cmd"


def _finding(code: str, severity: Severity, seen: str, why: str, do: str) -> Finding:
    return Finding(code=code, severity=severity, chapter=CHAPTER, seen=seen, why=why, do=do)


def checks(facts: Facts, wanted: bool | None) -> list[Check]:
    if not wanted:
        return (
            foreign.checks(CHAPTER, "Config drives are forced by others", _elsewhere(facts)) if wanted is False else []
        )
    place = path(facts)
    if facts.hidden(place):
        return [Check(CHAPTER, WHAT, "unknown", f"{place} {facts.hidden(place)}", "Run verify as root.")]
    on = is_on(facts)
    if on is None:
        told = facts.nova.unknown(SECTION, OPTION)
        seen = f"{told.place}: {told.option} = {told.value}: {told.unknown}" if told else f"{place}"
        return [Check(CHAPTER, WHAT, "unknown", seen)]
    if not on:
        return [Check(CHAPTER, WHAT, "failed", f"{place} does not say {OPTION} = True", Remedy.RUN_PLAN)]
    return [_read_by_nova(facts), *_made(facts)]


def _read_by_nova(facts: Facts) -> Check:
    setting = facts.nova.all(SECTION, OPTION)[-1]
    snapshot = facts.files.get(setting.path)
    started = facts.nova.compute_started
    said = f"{setting.place}: {OPTION} = {setting.value}"
    if not facts.nova.compute_running:
        return Check(CHAPTER, WHAT, "held", f"{said}; nova-compute is not running here now")
    if started is None or snapshot is None:
        return Check(CHAPTER, WHAT, "unknown", f"{said}; since when nova-compute runs is not known", "Restart it.")
    if older(started, snapshot.modified):
        seen = f"{said}, and the file is newer than the running nova-compute"
        return Check(CHAPTER, WHAT, "pending", seen, "Restart nova-compute, or reboot.")
    return Check(CHAPTER, WHAT, "held", f"{said}, read by the running nova-compute")


def _made(facts: Facts) -> list[Check]:
    name, ready = facts.nova.config_drive_program, facts.nova.config_drive_ready
    what = "nova-compute can make config drives"
    if ready is None:
        return [Check(CHAPTER, what, "unknown", f"whether {name} is where nova-compute runs cannot be seen from here")]
    if ready:
        return [Check(CHAPTER, what, "held", f"{name} is here")]
    return [
        Check(CHAPTER, what, "failed", f"{name} is not on this node", "Install it: no such guest starts without it.")
    ]

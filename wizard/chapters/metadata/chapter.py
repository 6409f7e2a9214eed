"""Metadata: bring what guests send to 169.254.169.254 back into this node, past the router outside."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from wizard import asset_text
from wizard.chapters.metadata import config_drive, neutron, neutron_served, rules
from wizard.chapters.metadata import findings as metadata_findings
from wizard.chapters.metadata import service as metadata_service
from wizard.chapters.shared import advice, foreign, init_system
from wizard.chapters.shared.networks import NetworkAnswers, interface_name
from wizard.chapters.shared.nova_owner import OwnerAnswers
from wizard.facts.facts import Facts
from wizard.formats import ebtables
from wizard.model.answers import AllAnswers, AnswersModel
from wizard.model.changes import Artifact, Changes, FileEdit, LiveAction
from wizard.model.findings import Check, Finding, Remedy
from wizard.model.questions import Choice, Question, Table
from wizard.model.steps import RunCommand

NAME = "metadata"
TITLE = "Metadata redirect"
WHY = (
    "With a router outside, a guest's request to 169.254.169.254 is bridged past this node's IP stack and never reaches nova's "
    "metadata service. One bridge rule brings it back, after each boot, once, under libvirt's anti-spoofing; with Neutron a "
    "config drive does."
)
NEEDS: tuple[str, ...] = ()

CHAIN = metadata_findings.CHAIN
SCRIPT = "/usr/local/sbin/compute-wizard-metadata"
CONFIG = "/etc/compute-wizard/metadata.conf"
SERVICE = "compute-wizard-metadata"
UNIT = f"{SERVICE}.service"
UNIT_FILE = f"{init_system.UNITS}/{UNIT}"
JOB = f"{init_system.JOBS}/{SERVICE}.conf"
NOT_WATCHED = "nothing watches it in between: what `service ebtables restart` and the like take away comes back when nova starts again"


class Answers(AnswersModel):
    """`bridges`: "all" means those of every network answered or found. `uplinks`: ports that lead out of the node. `redirect` is
    nova-network's; `config_drive` (each new guest gets a config drive) is for any networking. None leaves either alone."""

    redirect: bool | None = Field(
        default=None,
        description="nova-network: redirect guests' metadata requests to this node; false: undo it",
    )
    bridges: Literal["all"] | list[str] = Field(
        default="all",
        description="on which bridges: all, or a list of names",
        json_schema_extra={"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    )
    target: Literal["continue", "accept"] = Field(
        default="continue", description="what becomes of a redirected frame: continue leaves it to iptables, too"
    )
    uplinks: Literal["auto"] | list[str] = Field(
        default="auto",
        description="ports that lead out of the node: auto, or a list of names",
        json_schema_extra={"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    )
    config_drive: bool | None = Field(
        default=None, description="each new guest gets a config drive, with any networking; false: undo it"
    )

    @model_validator(mode="after")
    def _something(self) -> Answers:
        if self.redirect is None and self.config_drive is None:
            raise ValueError("give redirect (nova-network), or config_drive: true or false")
        return self

    @field_validator("bridges", "uplinks", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        """A field of a form gives one text: "br1441, br1442"."""
        if isinstance(value, str) and value not in ("all", "auto"):
            return value.replace(",", " ").split()
        return value

    @field_validator("bridges", "uplinks")
    @classmethod
    def _names(cls, value: str | list[str]) -> str | list[str]:
        return value if isinstance(value, str) else [interface_name(name) for name in value]


def suggest(facts: Facts) -> Answers | None:
    """The redirect, where nothing stands in its way; what does is told by the findings."""
    if facts.nova.networking == "neutron" and facts.nova.installed:
        return Answers(config_drive=config_drive.is_on(facts) or False)
    if facts.nova.networking != "nova-network" or _hindered(facts):
        return None
    return Answers(redirect=True)


def _hindered(facts: Facts) -> list[Finding]:
    """What would block the redirect on this node as it is: it is not suggested then, else it would stop all that is."""
    mine = AllAnswers({NAME: Answers(redirect=True)})
    return [each for each in findings(facts, mine) if each.severity == "blocks"]


def questions(facts: Facts, answers: AllAnswers) -> list[Question | Table]:
    mine = answers.of(Answers)
    if facts.nova.networking == "neutron" and (mine is None or mine.redirect is None):
        return [_drive_question()]
    off = "" if facts.nova.networking != "neutron" else "Neutron has its own way to the metadata service"
    inner = off or ("" if mine is None or mine.redirect else "the redirect is off")
    targets = (
        Choice("continue", "CONTINUE: libvirt's anti-spoofing still judges the packet"),
        Choice("accept", "ACCEPT: the rule as published; one VM can fetch another's metadata"),
    )
    return [
        Question(("redirect",), "yesno", "Redirect metadata requests to this node", disabled=off),
        Question(("target",), "choice", "Target", choices=targets, disabled=inner),
        Question(
            ("bridges",),
            "text",
            "Bridges",
            help='"all" (those of every network answered or found), or names such as br1441 br1442',
            disabled=inner,
        ),
        Question(
            ("uplinks",),
            "text",
            "Uplinks",
            help='ports that lead out of the node, never redirected: "auto", or names such as vlan+',
            disabled=inner,
        ),
    ]


def _drive_question() -> Question:
    return Question(
        ("config_drive",),
        "yesno",
        "Give every new guest a config drive",
        help="force_config_drive in nova.conf: metadata that needs no network. No: guests get it from the network, as now",
    )


def bridges(facts: Facts, answers: AllAnswers) -> list[str]:
    """The bridges of the rule: a rule may precede its bridge."""
    mine = answers.of(Answers)
    if mine is not None and not isinstance(mine.bridges, str):
        return list(mine.bridges)
    networks = answers.of(NetworkAnswers)
    named = [network.bridge_name for network in networks.network] if networks else []
    found = [network.bridge for network in facts.nova.networks]
    return sorted(dict.fromkeys(name for name in [*named, *found] if name))


def uplinks(facts: Facts, answers: AllAnswers) -> list[str]:
    """Ports that lead out of the node: as answered, else by nova's network manager, else the ports that are seen."""
    mine = answers.of(Answers)
    if mine is not None and not isinstance(mine.uplinks, str):
        return list(mine.uplinks)
    manager = (
        facts.nova.for_network().last("DEFAULT", "network_manager") or "nova.network.manager.VlanManager"
    )  # nova's own default
    known = facts.nova.for_network().unknown("DEFAULT", "network_manager") is None
    if facts.nova.networking == "nova-network" and known and manager.endswith("VlanManager"):
        return ["vlan+"]
    ports = [
        link.name
        for link in facts.network.links
        if link.master in bridges(facts, answers) and link.kind in ("physical", "vlan", "bond")
    ]
    return sorted(ports)


def config(facts: Facts, answers: AllAnswers, mine: Answers) -> str:
    """The script's configuration."""
    return (
        "# Written by compute-wizard; read by compute-wizard-metadata, never sourced.\n"
        f'BRIDGES="{" ".join(bridges(facts, answers))}"\n'
        f'UPLINKS="{" ".join(uplinks(facts, answers))}"\n'
        f'TARGET="{mine.target.upper()}"\n'
    )


def changes(facts: Facts, answers: AllAnswers) -> Changes:
    mine = answers.of(Answers)
    if mine is None:
        return Changes()
    found = Changes() if mine.config_drive is None else config_drive.changes(facts, mine.config_drive)
    if mine.redirect is None:
        return found
    more = _installed(facts, answers, mine) if mine.redirect else _removed(facts)
    return Changes(
        edits=more.edits + found.edits, products=more.products + found.products, actions=more.actions + found.actions
    )


def _boot_files(facts: Facts) -> list[tuple[str, str]]:
    """What applies the rule at boot: (path, asset)."""
    starter = init_system.starter_of(facts)
    return [(starter.boot_file(SERVICE), f"{SERVICE}.{starter.form}")] if starter.installs else []


def _installed(facts: Facts, answers: AllAnswers, mine: Answers) -> Changes:
    edits = [
        init_system.installed(
            SCRIPT, asset_text.asset("compute-wizard-metadata"), "keeps the rule in a chain of its own", 0o755
        ),
        init_system.installed(CONFIG, config(facts, answers, mine), f"bridges {' '.join(bridges(facts, answers))}"),
    ]
    boot = _boot_files(facts)
    why = "the rule is there again after each boot, before nova starts"
    watched = init_system.starter_of(facts).watches
    more = "then watched" if watched else NOT_WATCHED
    edits += [init_system.installed(path, asset_text.asset(name), f"{why}; {more}") for path, name in boot]
    products: tuple[Artifact, ...] = ()
    actions: tuple[LiveAction, ...] = ()
    if watched:
        products = init_system.unit_list(facts, (UNIT_FILE,))
        actions = init_system.enable(facts, NAME, UNIT, why) + _watch(facts)
    state = _state(facts, answers, mine)
    reasons = ("the rule, now: no guest has to wait for a reboot",) if state is None else state.differences
    step = RunCommand(
        chapters=(NAME,),
        phase="live",
        argv=(SCRIPT, "apply"),
        why=tuple(reasons) or ("the rule follows its configuration",),
        undo=(SCRIPT, "apply" if _stood(facts) else "remove"),
        undo_when="after_files" if _stood(facts) else "before_files",
        deadline_s=_deadline(len(bridges(facts, answers))),
        id=f"{NAME}/rule",
    )
    right = state is not None and state.right
    actions += (LiveAction(step, inputs=(SCRIPT, CONFIG) if right else None, order=70),)
    return Changes(edits=tuple(edits), products=products, actions=actions)


def _deadline(count: int) -> int:
    """Seconds for the rules of so many bridges: each is a call of ebtables, and legacy ebtables replaces the whole table each time."""
    return 120 + 2 * count


def _watch(facts: Facts) -> tuple[LiveAction, ...]:
    """The unit's watch started with what is installed; taken back first of all, else it would put the rule back."""
    if facts.live and not facts.system.systemd_running:
        return ()
    stood = facts.content(UNIT_FILE) is not None
    step = RunCommand(
        chapters=(NAME,),
        phase="live",
        argv=("systemctl", "restart", UNIT),
        why=("from now on the rule is put back within seconds, whoever takes it away",),
        undo=("systemctl", "restart" if stood else "stop", UNIT),
        undo_when="after_files" if stood else "before_files",
        deadline_s=_deadline(len(facts.nova.networks)),
        id=f"{NAME}/watch",
    )
    return (LiveAction(step, inputs=None if facts.nova.redirect_watched is False else (UNIT_FILE, SCRIPT), order=75),)


def _stood(facts: Facts) -> bool:
    """Whether our chain and its script are there already: then taking back means the rule as it was, by the files as they were."""
    files = facts.content(SCRIPT) is not None and facts.content(CONFIG) is not None
    chains = facts.network.nat_chains
    return files and (chains is None or any(chain.name == CHAIN for chain in chains))


def _removed(facts: Facts) -> Changes:
    """Taken back as far as it is ours: our own files, and the chain that our script made."""
    paths = [path for path in (SCRIPT, CONFIG, UNIT_FILE, JOB) if facts.content(path) is not None]
    if not paths:
        return Changes()
    edits: list[FileEdit] = [init_system.removed(path, "the redirect is off") for path in paths]
    actions: tuple[LiveAction, ...] = init_system.disable(facts, NAME, UNIT, "before its file is removed")
    if UNIT_FILE in paths and not (facts.live and not facts.system.systemd_running):
        actions += (LiveAction(_stop(), order=15),)
    if SCRIPT in paths:
        step = RunCommand(
            chapters=(NAME,),
            phase="check",
            argv=(SCRIPT, "remove"),
            why=("the rule goes before the script that knows it",),
            undo=(SCRIPT, "apply"),
            undo_when="after_files",
            deadline_s=_deadline(len(facts.nova.networks)),
            id=f"{NAME}/rule:remove",
        )
        actions += (LiveAction(step, order=20),)
    units = tuple(path for path in paths if path.startswith(init_system.UNITS))
    return Changes(edits=tuple(edits), products=init_system.unit_list(facts, units), actions=actions)


def _stop() -> RunCommand:
    return RunCommand(
        chapters=(NAME,),
        phase="check",
        argv=("systemctl", "stop", UNIT),
        why=("what watches the rule would put it back",),
        undo=("systemctl", "start", UNIT),
        undo_when="after_files",
        deadline_s=60,
        id=f"{NAME}/watch:stop",
    )


def _state(facts: Facts, answers: AllAnswers, mine: Answers) -> ebtables.MetadataState | None:
    """The rule as it is now against what is wanted; None where the tables could not be read."""
    if facts.network.nat_chains is None:
        return None
    chains = {chain.name: chain for chain in facts.network.nat_chains}
    return ebtables.metadata_state(
        chains,
        chain=CHAIN,
        bridges=bridges(facts, answers),
        uplinks=uplinks(facts, answers),
        target=mine.target.upper(),
    )


def findings(facts: Facts, answers: AllAnswers) -> list[Finding]:
    mine = answers.of(Answers)
    if mine is None and facts.nova.networking == "nova-network":
        return [metadata_findings.not_suggested(each) for each in _hindered(facts)[:1]]
    found = config_drive.findings(facts, mine.config_drive if mine else None, answers.of(OwnerAnswers))
    if facts.nova.networking == "neutron":
        redirect, drive = (mine.redirect, mine.config_drive) if mine else (None, None)
        found = neutron.findings(facts, answers, bool(redirect), drive) + found
    return found + _of_redirect(facts, answers, mine)


def _of_redirect(facts: Facts, answers: AllAnswers, mine: Answers | None) -> list[Finding]:
    """What concerns the bridge rule alone."""
    if mine is None or not mine.redirect:
        off = mine is not None and mine.redirect is False
        elsewhere, doubts = (rules.metadata(facts), rules.doubts(facts)) if off else ([], [])
        return foreign.findings(NAME, "redirect = false", elsewhere, doubts)
    places = tuple(bridges(facts, answers)), tuple(uplinks(facts, answers))
    return metadata_findings.findings(facts, metadata_findings.Asked(*places, mine.target))


def checks(facts: Facts, answers: AllAnswers) -> list[Check]:
    mine = answers.of(Answers)
    if mine is None:
        return []
    found = config_drive.checks(facts, mine.config_drive)
    if facts.nova.networking == "neutron" and not mine.redirect:
        found += neutron_served.checks(facts)
    return _checks_of_redirect(facts, answers, mine) + found


def _checks_of_redirect(facts: Facts, answers: AllAnswers, mine: Answers) -> list[Check]:
    if mine.redirect is None:
        return []
    if mine.redirect and facts.nova.networking == "neutron":
        return [_neutron_check(facts)]
    if not mine.redirect:
        elsewhere = rules.metadata(facts)
        what = "Metadata is redirected by no rule of this tool"
        return foreign.checks(NAME, what, elsewhere, rules.doubts(facts))
    return [_now(facts, answers, mine), _at_boot(facts, answers, mine), *_watched(facts), _served(facts)]


def _neutron_check(facts: Facts) -> Check:
    finding = neutron.findings(facts, AllAnswers(), True, None)[0]
    do = f"Take [{NAME}] out of the answers. {finding.do}"
    return Check(NAME, "Metadata is redirected to this node", "failed", f"does not apply: {finding.seen}", do)


def _now(facts: Facts, answers: AllAnswers, mine: Answers) -> Check:
    what = f"Metadata of {', '.join(bridges(facts, answers)) or 'no bridge'} is redirected"
    state = _state(facts, answers, mine)
    if state is None:
        return Check(NAME, what, "unknown", "the bridge tables could not be read", advice.of_node(facts))
    if state.right:
        return Check(NAME, what, "held", f"chain {CHAIN}, one jump from PREROUTING")
    return Check(NAME, what, "failed", "; ".join(state.differences), Remedy.RUN_PLAN)


def _at_boot(facts: Facts, answers: AllAnswers, mine: Answers) -> Check:
    """Held for files that are ours to the byte: what somebody made of them is not known to do the same."""
    what = "The redirect is there again after each boot"
    boot = _boot_files(facts)
    if not boot:
        why = "this init system is not known, so nothing of ours is started by it"
        return Check(NAME, what, "unknown", why, f"Run `{SCRIPT} apply` at boot, before nova.")
    wanted = {SCRIPT: asset_text.asset("compute-wizard-metadata"), CONFIG: config(facts, answers, mine)}
    wanted |= {path: asset_text.asset(name) for path, name in boot}
    for path, content in wanted.items():
        if facts.hidden(path):
            return Check(NAME, what, "unknown", f"{path} {facts.hidden(path)}", "Run verify as root.")
        there = facts.content(path)
        if there != content.encode():
            how = "is not there" if there is None else "is not as this version writes it"
            return Check(NAME, what, "failed", f"{path} {how}", Remedy.RUN_PLAN)
    place = boot[0][0]
    if init_system.starter_of(facts).watches:
        if not init_system.is_enabled(facts, UNIT):
            return Check(NAME, what, "failed", f"{UNIT} is not enabled", Remedy.RUN_PLAN)
        changed = [f"{place}.d/{name}" for name in facts.files.names(f"{place}.d") if name.endswith(".conf")]
        if changed:
            why = f"{changed[0]} changes that unit: what it does then is not looked at"
            return Check(NAME, what, "unknown", why, f"See `systemctl cat {UNIT}`.")
        return Check(NAME, what, "held", place)
    return Check(NAME, what, "held", f"{place}; {NOT_WATCHED}")


def _watched(facts: Facts) -> list[Check]:
    """Whether the watch runs now; nothing where processes are not seen, or none is installed for this init system."""
    watched = facts.nova.redirect_watched
    if not init_system.starter_of(facts).watches or watched is None:
        return []
    what = "The redirect is put back when a packet filter is loaded anew"
    if watched:
        return [Check(NAME, what, "held", f"`{SCRIPT} watch` runs")]
    return [Check(NAME, what, "failed", f"`{SCRIPT} watch` does not run", Remedy.RUN_PLAN)]


def _served(facts: Facts) -> Check:
    """A socket says no more than that its program listens: what it answers is for the proof to see."""
    service = metadata_service.service(facts)
    states: dict[str, Literal["held", "failed"]] = {"listens": "held", "nothing": "failed"}
    what = "Something listens for metadata requests"
    return Check(NAME, what, states.get(service.state, "unknown"), service.seen, service.do)


def summary(facts: Facts) -> list[str]:
    if facts.nova.networking == "neutron":
        return neutron.summary(facts)
    value = facts.network.bridge_nf_call_iptables
    tables = ", ".join(facts.network.ebtables) or "not installed"
    service = metadata_service.service(facts)
    listens = {"listens": f"{service.place}: something listens", "nothing": service.seen}
    return [
        f"ebtables: {tables}; bridge-nf-call-iptables: {'not there' if value is None else value}",
        listens.get(service.state, f"who answers is not known: {service.seen}"),
    ]

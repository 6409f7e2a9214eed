"""Gateways: with nova-network, an external router for each VLAN, told to its guests by nova's dnsmasq."""

from __future__ import annotations

from pydantic import Field, field_validator

from wizard.chapters.gateways import findings as gateways_findings
from wizard.chapters.gateways import neutron, others
from wizard.chapters.gateways import suggestion as gateways_rows
from wizard.chapters.gateways.suggestion import Left, Odd
from wizard.chapters.shared import foreign, init_system
from wizard.chapters.shared.networks import Network, NetworkAnswers
from wizard.chapters.shared.nova_owner import OwnerAnswers
from wizard.errors import FormatError
from wizard.facts.facts import Facts
from wizard.facts.nova.nova import NovaNetwork
from wizard.facts.processes import older
from wizard.formats import dnsmasq, dnsmasq_tags, oslo_config
from wizard.model.answers import AllAnswers
from wizard.model.changes import Changes, FileEdit, LiveAction
from wizard.model.findings import Check, Finding, Remedy
from wizard.model.questions import Question, Table
from wizard.model.steps import RunCommand, StopByPidfile

NAME = "gateways"
TITLE = "Gateways"
WHY = (
    "nova-network tells guests that this node is their router. With a router outside for each VLAN, nova's dnsmasq has to "
    "name that one instead: one line a network, tagged with nova's label to the letter."
)
NEEDS: tuple[str, ...] = ()
OPTION = "dnsmasq_config_file"
DEFAULT_FILE = "/etc/dnsmasq-nova.conf"


class Answers(NetworkAnswers):
    """`config_file` is the file that nova's dnsmasq reads besides its command line."""

    config_file: str = Field(
        default=DEFAULT_FILE, description="the file that nova's dnsmasq reads besides its command line"
    )

    @field_validator("config_file")
    @classmethod
    def _path(cls, value: str) -> str:
        if not _is_plain(value):
            raise ValueError(f"type a whole path without blanks or quotes, such as {DEFAULT_FILE}")
        return value


def _is_plain(path: str) -> bool:
    """Whether a path is a whole one that can be written into nova.conf as it is."""
    plain = path.isprintable() and not any(c in path for c in " \"'$#;=\\`")
    return path.startswith("/") and plain and ".." not in path.split("/") and not path.endswith("/")


def suggest(facts: Facts) -> Answers | None:
    """The routers that are in the file already; for networks without one, the first address of the network."""
    if facts.nova.networking == "neutron" or (not facts.nova.networks and not _file(facts)):
        return None
    path = _path(facts)
    rows = [row for row in gateways_rows.rows(facts, path) if isinstance(row, Network)] if _is_plain(path) else []
    return Answers(network=rows, config_file=path) if rows else None


def _path(facts: Facts) -> str:
    return facts.nova.for_network().last("DEFAULT", OPTION) or DEFAULT_FILE


def _file(facts: Facts) -> bool:
    return facts.content(_path(facts)) is not None


def questions(facts: Facts, answers: AllAnswers) -> list[Question | Table]:
    columns = (
        Question(("label",), "text", "Label", help="nova's network label, to the letter: `nova network-list`"),
        Question(("router",), "text", "Router", help="the gateway outside, such as 10.44.1.1"),
        Question(("vlan",), "number", "VLAN", help="1 to 4094; may stay empty"),
        Question(("cidr",), "text", "Network", help="such as 10.44.1.0/24; may stay empty, then less is checked"),
    )
    bridge = Question(
        ("bridge",), "text", "Bridge", help="only where it is not br and the VLAN's number; may stay empty"
    )
    fresh = {"label": "new-net", "router": "10.0.0.1"}
    off = "" if facts.nova.networking != "neutron" else "Neutron has its own way"
    return [
        Question(
            ("config_file",),
            "text",
            "dnsmasq file",
            help="read by every dnsmasq that nova-network starts",
            disabled=off,
        ),
        Table(("network",), "Networks", columns, fresh, more=(bridge,)),
    ]


def changes(facts: Facts, answers: AllAnswers) -> Changes:
    mine = answers.of(Answers)
    if mine is None:
        return Changes()
    path, main = mine.config_file, facts.nova.for_network().main_file
    edits = [FileEdit(path, _why(mine), lambda old: _file_content(facts, mine, old))]
    try:
        after = edits[0].change(facts.content(path))
    except FormatError as error:
        raise error.at(path) from None
    option_due = _option_due(facts, path, after is not None)
    if option_due and main:
        why = f"nova starts dnsmasq with --conf-file={path}" if after is not None else "the file is gone"
        edits.append(FileEdit(main, why, lambda old: _option(old, path if after is not None else None), secret=True))
    test = RunCommand(
        chapters=(NAME,),
        phase="test",
        argv=("dnsmasq", "--test", f"--conf-file={path}"),
        why=("a mistake in this file would take DHCP away from every network of this node",),
        deadline_s=30,
        id=f"{NAME}/test",
    )
    behind = [network for network in facts.nova.networks if _behind(facts, network, path if after is not None else "")]
    actions = [LiveAction(test, inputs=None if behind else (path,))] if after is not None else []
    inputs = None if option_due else (path,)
    service = others.starter(facts)
    actions += [  # nothing is stopped that nobody starts again
        LiveAction(_stop(network), inputs=None if network in behind else inputs, order=60)
        for network in facts.nova.networks
        if network.dnsmasq_running and service
    ]
    why = "nova-network starts dnsmasq again, with the new file"
    due = option_due or bool(behind)
    products = (init_system.restarted(facts, service, why, (path,), due=due),) if service else ()
    return Changes(edits=tuple(edits), products=products, actions=tuple(actions))


def _behind(facts: Facts, network: NovaNetwork, path: str) -> bool:
    """Whether a dnsmasq runs that does not have the file as it is: it was given another, or was started before it.

    What is there is meant, not what this plan writes; `path` is empty where none is wanted.
    """
    if not network.dnsmasq_running or not path:
        return False
    snapshot = facts.files.get(path) if not facts.hidden(path) else None
    if snapshot is None:
        return False  # it is yet to be written, and then all are stopped
    if network.conf_file not in (path, None) and facts.nova.for_network().last("DEFAULT", OPTION) == path:
        return True
    return network.conf_file == path and older(network.started, snapshot.modified)


def _why(answers: Answers) -> str:
    return (
        f"the router of {len(answers.network)} network{'s' * (len(answers.network) != 1)}"
        if answers.network
        else "no more"
    )


def _file_content(facts: Facts, answers: Answers, content: bytes | None) -> bytes | None:
    """The file with a router for each network; labels that an earlier run put there and that are gone now are taken out."""
    wanted = {network.label: network.router for network in answers.network}
    own = facts.history.file(answers.config_file)
    ours = dnsmasq.router_options("".join(f"{line}\n" for line in own.lines).encode())
    result = content
    gone = {option.label for option in ours} - wanted.keys()
    if gone and result is not None:
        result = dnsmasq.remove_routers(result, gone, own.lines)
    if wanted:
        result = dnsmasq.set_routers(result, wanted)
    return None if result is not None and not result.strip() and own.created else result


def _option_due(facts: Facts, path: str, wanted: bool) -> bool:
    now = facts.nova.for_network().last("DEFAULT", OPTION)
    if wanted:
        return now != path
    lines = facts.history.file(facts.nova.for_network().main_file).lines
    return now == path and any(line.replace(" ", "") == f"{OPTION}={path}" for line in lines)


def _option(content: bytes | None, path: str | None) -> bytes | None:
    """nova.conf with the option; a node without nova.conf does not get one from us."""
    if content is None:
        return None
    if path is None:
        return oslo_config.unset(content, "DEFAULT", OPTION)
    return oslo_config.set_value(content, "DEFAULT", OPTION, path)


def _stop(network: NovaNetwork) -> StopByPidfile:
    return StopByPidfile(
        chapters=(NAME,),
        phase="services",
        pidfile=network.pid_file,
        must_contain=f"nova-{network.bridge}",
        why=("dnsmasq never reads this file again while it runs; nova-network starts it anew",),
        labels=("restarts-service",),
        undo_when="after_files",
        id=f"{NAME}/dnsmasq:{network.bridge}",
    )


def findings(facts: Facts, answers: AllAnswers) -> list[Finding]:
    mine = answers.of(Answers)
    if facts.nova.networking == "neutron":
        return [gateways_findings.neutron(facts, mine), *neutron.findings(facts, answers)]
    if mine is None:
        path = _path(facts)
        lines = others.general_lines(facts, path, facts.content(path) or b"")
        return [*_not_suggested(facts, None), *lines, *(others.listens_outside(facts) if facts.nova.networks else ())]
    try:
        content = _file_content(facts, mine, facts.content(mine.config_file))
    except FormatError:
        content = None  # the plan says it
    due = _option_due(facts, mine.config_file, content is not None)
    before = facts.content(mine.config_file)
    owner = answers.of(OwnerAnswers)
    more = others.owner(facts, owner, mine.config_file) if content != before else []
    stopped = [each for each in facts.nova.networks if each.dnsmasq_running]
    late = content != before or due or any(_behind(facts, each, mine.config_file) for each in stopped)
    more += others.no_starter(facts, stopped, due=late)
    asked = gateways_findings.Asked(mine, mine.config_file, f"{OPTION} = {mine.config_file}", content, due)
    return [
        *gateways_findings.findings(facts, asked, owner),
        *more,
        *others.labels_of_interfaces(facts, mine),
        *others.lines_that_win(facts, mine, mine.config_file, content or b""),
        *others.listens_outside(facts),
        *others.reader(facts, mine),
        *_not_suggested(facts, mine),
        *foreign.findings(NAME, "No answer names that network", _elsewhere(facts, mine), _doubts(facts, mine)),
    ]


def _elsewhere(facts: Facts, mine: Answers) -> list[str]:
    """Routers that guests are told by what others wrote: nova's option, where no network is answered, and lines of its file."""
    path = facts.nova.for_network().last("DEFAULT", OPTION)
    if path is None or _option_due(facts, path, wanted=bool(mine.network)):
        return []
    option = foreign.nova(facts.nova.for_network().all("DEFAULT", OPTION)[-1:], lambda _: bool(mine.network))
    content = facts.content(path) or b""
    try:
        kept = _file_content(facts, mine, content) if path == mine.config_file else content
    except FormatError:
        kept = content  # the plan says it
    stay = {each.label for each in dnsmasq.router_options(kept or b"")} - {each.label for each in mine.network}
    lines = [each for each in dnsmasq.router_options(content) if each.label in stay]
    return option + [f"{path} line {each.line}: the router of {each.label} is {each.router}" for each in lines]


def _doubts(facts: Facts, mine: Answers) -> list[str]:
    """What may tell guests a router, and cannot be read; only where none of ours is to be told."""
    if mine.network:
        return []  # its own findings and checks say it
    told = facts.nova.for_network().unknown("DEFAULT", OPTION)
    path = facts.nova.for_network().last("DEFAULT", OPTION)
    found = [f"{told.place}: {OPTION} = {told.value}: {told.unknown}"] if told is not None else []
    return found + ([f"{path}: {facts.hidden(path)}"] if path is not None and facts.hidden(path) else [])


def _not_suggested(facts: Facts, mine: Answers | None) -> list[Finding]:
    """What the node has and no suggestion can hold, where nothing else was answered for it."""
    path = _path(facts) if mine is None else mine.config_file
    if not _is_plain(path):
        return [gateways_findings.odd_path(facts.nova.for_network().all("DEFAULT", OPTION)[-1])]
    labels = {network.label for network in mine.network} if mine is not None else set()
    bridges = {network.bridge_name for network in mine.network} if mine is not None else set()
    found = []
    for row in gateways_rows.rows(facts, path):
        if isinstance(row, Odd) and row.label not in labels:
            found.append(gateways_findings.odd_router(row))
        if isinstance(row, Left) and not (row.label in labels if row.label else bridges.issuperset(row.bridges)):
            found.append(gateways_findings.not_suggested(row))
    return found


def checks(facts: Facts, answers: AllAnswers) -> list[Check]:
    mine = answers.of(Answers)
    if facts.nova.networking == "neutron":
        if mine is not None and mine.network:
            return [_neutron_check(facts, mine)]
        asked = mine is not None or answers.get("metadata") is not None
        return neutron.checks(facts) if asked else []
    if mine is None or not mine.network:
        elsewhere = _elsewhere(facts, mine) if mine is not None else []
        doubts = _doubts(facts, mine) if mine is not None else []
        return foreign.checks(NAME, "Guests are told no router by this tool", elsewhere, doubts)
    content = facts.content(mine.config_file) or b""
    found = [_router(facts, mine, network, content) for network in mine.network]
    option, told = facts.nova.for_network().last("DEFAULT", OPTION), facts.nova.for_network().unknown("DEFAULT", OPTION)
    what = f"nova-network gives {mine.config_file} to its dnsmasq"
    if option == mine.config_file:
        found.append(Check(NAME, what, "held", f"{OPTION} = {option}"))
    elif told is not None:
        found.append(Check(NAME, what, "unknown", f"{told.place}: {OPTION} = {told.value}: {told.unknown}"))
    elif facts.nova.for_network().main_file and facts.hidden(facts.nova.for_network().main_file):
        found.append(
            Check(
                NAME,
                what,
                "unknown",
                f"{facts.nova.for_network().main_file} {facts.hidden(facts.nova.for_network().main_file)}",
            )
        )
    else:
        found.append(Check(NAME, what, "failed", f"{OPTION} = {option or '(not set)'}", Remedy.RUN_PLAN))
    return found


def _neutron_check(facts: Facts, mine: Answers) -> Check:
    finding = gateways_findings.neutron(facts, mine)
    what = "The routers that were answered are told to guests"
    return Check(
        NAME, what, "failed", f"does not apply: {finding.seen}", f"Take [{NAME}] out of the answers. {finding.do}"
    )


def _router(facts: Facts, answers: Answers, network: Network, content: bytes) -> Check:
    what = f"Guests of {network.label} are told {network.router}"
    path = answers.config_file
    if facts.hidden(path):
        return Check(NAME, what, "unknown", f"{path} {facts.hidden(path)}")
    there = {option.label: option.router for option in dnsmasq.router_options(content)}.get(network.label)
    for bridge in others.bridges_of(facts, network) or [""]:
        told = dnsmasq_tags.told(content, network.label, bridge)
        if told.router not in (network.router, None) and network.router == there:
            seen = f"{path} says so, but line {told.line} ({told.tag}) wins: they are told {told.router or 'no router'}"
            return Check(NAME, what, "failed", seen, "Run check: it says what stands in the way.")
        if told.doubt:
            return Check(NAME, what, "unknown", f"{path}: {told.doubt}", "`compute-wizard verify --metadata` asks it.")
    if there != network.router:
        return Check(NAME, what, "failed", f"{path} says {there or 'nothing'}", Remedy.RUN_PLAN)
    single = facts.nova.for_network().last("DEFAULT", "use_single_default_gateway")
    if single is not None and single.strip().lower() in gateways_findings.TRUE:
        seen = f"{path} says so, but with use_single_default_gateway = {single} nova's own tag wins"
        return Check(NAME, what, "failed", seen, "Run check: it says what stands in the way.")
    served = [found for found in facts.nova.networks if found.label == network.label and found.dnsmasq_running]
    for found in served:
        if _behind(facts, found, path) or found.conf_file not in (path, None):
            seen = f"{path} says so, but the dnsmasq of {found.bridge} runs without it as it is"
            if others.starter(facts) is None:
                do = "End it and restart nova-network with what runs it: nothing here is known to."
                return Check(NAME, what, "failed", seen, do)
            return Check(NAME, what, "failed", seen, "Run plan, then apply: it has to be started anew.")
        if found.started is None:
            seen = (
                f"{path} says so; since when the dnsmasq of {found.bridge} runs, and so what it has read, is not known"
            )
            return Check(NAME, what, "unknown", seen, "`compute-wizard verify --metadata` asks it.")
    if served:
        return Check(NAME, what, "held", f"{path}; at their next DHCP renewal")
    return Check(NAME, what, "held", f"{path}; no dnsmasq serves that network here now, the next one is given it")


def summary(facts: Facts) -> list[str]:
    if facts.nova.networking == "neutron":
        return neutron.summary(facts)
    networks = [
        f"{network.label or '(label unknown)'}: {network.bridge}, {network.cidr or 'network unknown'}, "
        f"this node is {network.listen or 'unknown'}"
        for network in facts.nova.networks
    ]
    told = facts.nova.for_network().unknown("DEFAULT", OPTION)
    option = (
        f"{told.value}, which is not known: {told.unknown}"
        if told
        else facts.nova.for_network().last("DEFAULT", OPTION)
    )
    return [*(networks or ["no network of nova-network was found running here"]), f"{OPTION}: {option or 'not set'}"]

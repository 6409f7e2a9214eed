"""Passthrough: tell nova which devices it may hand to guests, and by what name flavors ask for them."""

from __future__ import annotations

from wizard.chapters.passthrough import (
    alias_findings,
    card_findings,
    existing,
    handout_findings,
    nova_conf,
    nova_options,
    pool_findings,
    reserved_memory,
    shared_vfs,
    sriov_agent,
    sriov_agent_findings,
)
from wizard.chapters.passthrough import controller as handover
from wizard.chapters.passthrough import findings as passthrough_findings
from wizard.chapters.passthrough import pools as passthrough_pools
from wizard.chapters.passthrough import questions as passthrough_questions
from wizard.chapters.passthrough import suggestion as passthrough_suggestion
from wizard.chapters.passthrough.pools import alias, due, file_of, for_node, fragment, release_of, specs
from wizard.chapters.shared import advice, foreign, init_system
from wizard.facts.facts import Facts
from wizard.model.answers import AllAnswers
from wizard.model.changes import Artifact, Changes, FileEdit
from wizard.model.findings import Check, Finding, Remedy

NAME = "passthrough"
TITLE = "Passthrough"
WHY = (
    "nova hands a device to a guest only if it is named in nova.conf here, if the scheduler looks at devices, and if a flavor "
    "or a port asks for it. What belongs on the controller is printed for you: this node cannot see it."
)
NEEDS: tuple[str, ...] = ("iommu", "vfs")
Answers = passthrough_pools.Answers


suggest = passthrough_suggestion.suggest
questions = passthrough_questions.questions


def changes(facts: Facts, answers: AllAnswers) -> Changes:
    mine = answers.of(Answers)
    release = release_of(facts, mine) if mine else None
    if mine is None or release is None:
        return Changes()
    path = file_of(facts, mine)
    wanted = for_node(facts, answers, mine, release)
    own = nova_conf.own_values(facts, mine)
    agent = sriov_agent.changes(facts, answers, mine)
    edit = FileEdit(path, _why(mine), lambda old: nova_conf.edited(old, wanted, own), mode=0o640, secret=True)
    return Changes(
        edits=(edit, *agent.edits),
        products=(*_restart(facts, path), *agent.products),
        controller=handover.steps(facts, release, _pools(facts, answers, mine, release)) if mine.pool else (),
    )


def _why(answers: Answers) -> str:
    names = ", ".join(pool.name for pool in answers.pool)
    return f"devices that nova may hand out: {names}" if names else "no device is to be handed out any more"


def _pools(facts: Facts, answers: AllAnswers, mine: Answers, release: str) -> list[handover.Pool]:
    return [
        handover.Pool(
            pool.name,
            tuple(alias(facts, answers, pool, release)),
            pool.flavor.name if pool.flavor else "",
            pool.flavor.count if pool.flavor else 1,
            pool.physical_network or "",
            bool(passthrough_pools.infiniband(facts, answers, pool)),
            pool.trusted is True,
            pool.numa_policy or "",
            bool(passthrough_pools.whole(facts, answers, pool)),
            tuple(passthrough_pools.kinds(facts, answers, pool)),
        )
        for pool in mine.pool
    ]


def _restart(facts: Facts, path: str) -> tuple[Artifact, ...]:
    service = init_system.find(facts, "nova-compute", "openstack-nova-compute")
    if service is None:
        return ()
    why = "nova-compute reads its devices only when it starts"
    return (init_system.restarted(facts, service, why, (path,), waits_for_reboot=True),)


def findings(facts: Facts, answers: AllAnswers) -> list[Finding]:
    mine = answers.of(Answers)
    if mine is None:
        return sriov_agent_findings.standing(facts)
    release = release_of(facts, mine)
    values = [value for pool in mine.pool for value in specs(facts, answers, pool)]
    lines = fragment(for_node(facts, answers, mine, release)) if release is not None else []
    question = passthrough_findings.Asked(release, file_of(facts, mine), mine, tuple(values), tuple(lines))
    asked = existing.asked(facts, answers, mine, release) if release is not None else None
    given = [row.device for row in asked.outlook.after.rows if row.spec is not None] if asked is not None else []
    found = [
        *passthrough_findings.findings(facts, question, frozenset(each.address for each in given if each.parent)),
        *pool_findings.findings(facts, answers, mine, release),
        *reserved_memory.findings(
            facts,
            [each.address for each in given if not each.coming],
            [each.address for each in given if each.coming],
        ),
        *foreign.findings(
            NAME,
            "No pool asks for these devices",
            _elsewhere(facts, mine, [*values, *_said_by_others(facts, answers, mine)]),
        ),
    ]
    of_agent = sriov_agent_findings.findings(facts, answers, mine)
    told = any(finding.code == "NEUTRON-OTHER-MAPPING" for finding in of_agent)
    found += of_agent if told else [*of_agent, *sriov_agent_findings.standing(facts)]
    if asked is not None:
        found += handout_findings.findings(asked) + shared_vfs.findings(asked)
        found += alias_findings.findings(asked) + card_findings.findings(asked)
    return found


def _said_by_others(facts: Facts, answers: AllAnswers, mine: Answers) -> list[str]:
    """Lines of others that say what a pool asks for."""
    own = nova_conf.own_values(facts, mine)
    served = [passthrough_pools.already(facts, answers, pool, own) for pool in mine.pool]
    return [value for each in served for values in each.values() for value in values]


def _elsewhere(facts: Facts, mine: Answers, values: list[str]) -> list[str]:
    """Devices that nova may hand out by what others wrote, in any release's words."""
    own, path = nova_conf.own_values(facts, mine), file_of(facts, mine)
    there = [each for place in passthrough_findings.OLD_NAMES for each in facts.nova.all(*place)]
    return foreign.nova(there, lambda each: each.value in values or (each.value in own and each.path == path))


def checks(facts: Facts, answers: AllAnswers) -> list[Check]:
    mine = answers.of(Answers)
    release = release_of(facts, mine) if mine else None
    if mine is None or release is None:
        return []
    option = nova_options.device_option(release)[1]
    path = file_of(facts, mine)
    found = []
    if not mine.pool:
        found += foreign.checks(NAME, "nova may hand out no device by this tool", _elsewhere(facts, mine, []))
    asked = existing.asked(facts, answers, mine, release)
    for pool in mine.pool:
        what = f"nova may hand out the devices of {pool.name}"
        values = specs(facts, answers, pool)
        needed = due(facts, answers, pool, nova_conf.own_values(facts, mine))
        there = {
            setting.value for place in nova_options.device_options_read(release) for setting in facts.nova.all(*place)
        }
        if facts.hidden(path):
            found.append(Check(NAME, what, "unknown", f"{path} {facts.hidden(path)}", advice.of_node(facts)))
        elif values and all(value.replace("$$", "$") in there for value in needed):
            found.append(handout_findings.check(asked, pool, what) or _loaded(facts, path, what, option))
        else:
            found.append(Check(NAME, what, "failed", f"{path} does not say so", Remedy.RUN_PLAN))
    return found + sriov_agent.checks(facts, answers, mine)


def _loaded(facts: Facts, path: str, what: str, option: str) -> Check:
    """nova-compute reads its configuration when it starts, and never again."""
    snapshot = facts.files.get(path)
    started = facts.nova.compute_started
    if not facts.nova.compute_running or snapshot is None or started is None:
        return Check(NAME, what, "held", f"{option} in {path}; nova-compute is not running here now")
    if started < snapshot.modified:
        return Check(NAME, what, "pending", f"{path} is newer than the running nova-compute", "Restart it, or reboot.")
    said, log = f"{option} in {path}, read by the running nova-compute", facts.nova.compute_log
    if log is None:
        return Check(NAME, what, "held", said)
    if log.unseen:
        return Check(
            NAME, what, "held", f"{said}; its log was not read: {f'{log.place}: ' if log.place else ''}{log.unseen}"
        )
    if log.errors:
        return Check(NAME, what, "unknown", f"{said}, which logged: {log.errors[-1]}", f"Read {log.place}.")
    # Nova warns of each device that is no NIC (nova/pci/utils.py): that is told, and contradicts nothing.
    warned = f"a warning: {log.warnings[-1]}" if log.warnings else "no error about PCI devices since its start"
    return Check(NAME, what, "held", f"{said}; it logged {warned}")


def summary(facts: Facts) -> list[str]:
    nova = facts.nova
    if not nova.installed:
        return ["nova is not installed on this node"]
    managers = ", ".join(f"{manager.name} ({manager.evidence})" for manager in nova.managers) or "nobody else"
    return [
        f"nova {nova.release or 'of unknown release'} ({nova.release_source})",
        f"configuration: {', '.join(nova.config_files) or 'none'}, from the {nova.config_source}; also written by: {managers}",
    ]

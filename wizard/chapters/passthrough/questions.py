"""What is asked about passthrough, as data."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from wizard.chapters.passthrough import nova_options
from wizard.chapters.shared.cards import CardAnswers
from wizard.chapters.shared.nova_owner import ManagerName
from wizard.facts.facts import Facts
from wizard.facts.nova.release import RELEASES
from wizard.model.answers import AllAnswers
from wizard.model.questions import Choice, Question, Table

Policy: TypeAlias = Literal["required", "legacy", "preferred", "socket"]


def questions(facts: Facts, answers: AllAnswers) -> list[Question | Table]:
    releases = (Choice("auto", f"auto ({facts.nova.release or 'unknown'})"), *(Choice(name, name) for name in RELEASES))
    columns = (
        Question(("name",), "text", "Alias", help="what flavors ask for, such as ib"),
        Question(("flavor", "name"), "text", "Flavor", help="made on the controller, such as m1.ib"),
        Question(("flavor", "count"), "number", "per VM", help="devices that one guest gets"),
        Question(
            ("physical_network",), "text", "physical network", help="for Neutron ports (vnic direct) only; else empty"
        ),
    )
    fresh = {"name": "pool", "cards": "all", "flavor": {"name": "m1.pool", "count": 1}}
    managers = tuple(Choice(name, name) for name in get_args(ManagerName))
    return [
        Question(("release",), "choice", "Release of nova", choices=releases),
        Question(("manager",), "choice", "Who writes nova.conf", choices=managers),
        Question(("config_file",), "text", "nova.conf", help='"auto" follows the running nova-compute'),
        *_agent(facts),
        Table(("pool",), "Pools", columns, fresh, more=_more_of_a_pool(facts, answers)),
    ]


def _agent(facts: Facts) -> list[Question]:
    agent = facts.neutron.agent("sriov")
    if agent is None:
        return []
    return [
        Question(
            ("sriov_agent",),
            "yesno",
            "Write the SR-IOV agent's mappings",
            help=f"of pools with a physical network, in {agent.own_file or 'its file'}; the agent is restarted",
        )
    ]


def _more_of_a_pool(facts: Facts, answers: AllAnswers) -> tuple[Question, ...]:
    asked = answers.of(CardAnswers)
    matches = [card.match for card in asked.card] if asked else []
    cards_ = (
        Choice("all", "all of them"),
        *(Choice(each.model_dump(exclude_none=True), str(each)) for each in matches),
    )
    policies = (Choice(None, "nova's own"), *(Choice(name, name) for name in get_args(Policy)))
    trusted = (Choice(None, "not said"), Choice(True, "yes"), Choice(False, "no"))
    return (
        Question(("cards",), "choice", "Cards", choices=cards_),
        Question(("numa_policy",), "choice", "NUMA policy", choices=policies),
        Question(("trusted",), "choice", "Trusted VFs", choices=trusted),
        *_migration(facts),
    )


def _migration(facts: Facts) -> tuple[Question, ...]:
    if facts.nova.release is None or not nova_options.knows_migration(facts.nova.release):
        return ()
    said = (Choice(None, "not said"), Choice(True, "yes"), Choice(False, "no"))
    return (
        Question(
            ("live_migratable",),
            "choice",
            "Live migration",
            help="of alias pools: needs the vendor's VFIO driver",
            choices=said,
        ),
        Question(
            ("managed",),
            "choice",
            "libvirt binds the driver",
            help="of alias pools; no: it is bound to VFIO by hand",
            choices=said,
        ),
    )

"""Words of others that wake at the reboot are asked for one by one in the IOMMU chapter, and nowhere where there are none."""

from __future__ import annotations

import pytest
from nodes import found, origin, planned

from wizard.answers import editing
from wizard.answers import files as answer_files
from wizard.chapters.iommu import chapter
from wizard.facts import facts
from wizard.model.answers import AllAnswers
from wizard.model.questions import Holds, Question
from wizard.node.recorded import MemoryNode
from wizard.planning.planner import make_plan

DEFAULT = "/etc/default/grub"


def waiting(words: str) -> MemoryNode:
    node = origin()
    running = node.entries["/proc/cmdline"].content.decode().split()
    node.write(DEFAULT, f'GRUB_CMDLINE_LINUX="{" ".join(running[3:])} {words}"\n')
    return node


def asked(node: MemoryNode, answers: AllAnswers) -> dict[str, Question]:
    """The questions for words, by word."""
    every = chapter.questions(facts.read(node), answers)
    return {str(each.key[1]): each for each in every if isinstance(each, Question) and each.key[0] == "accept"}


def answered(**iommu: object) -> AllAnswers:
    return answer_files.from_data({"iommu": {"enable": True, **iommu}})


@pytest.mark.parametrize("accepted", [[], ["net.ifnames=0"], ["long.gone=1"]])
@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("", {}),
        ("quiet console=ttyS1 mitigations=off", {}),  # told, and nothing to be accepted
        ("net.ifnames=0", {"net.ifnames=0": "network interfaces get other names"}),
        ("mem=4G quiet rd.break", {"mem=4G": "memory or processors", "rd.break": "another root"}),
        ("modprobe.blacklist=mlx4_core", {"modprobe.blacklist=mlx4_core": "a driver is not loaded"}),
    ],
)
def test_each_word_that_can_lose_the_node_is_a_question(
    words: str, wanted: dict[str, str], accepted: list[str]
) -> None:
    questions = asked(waiting(words), answered(accept=accepted))
    assert list(questions) == list(wanted)
    for word, danger in wanted.items():
        question = questions[word]
        assert question.kind == "yesno"
        assert word in question.text
        assert f"{DEFAULT} line 1" in question.group
        assert danger in question.group


def test_a_word_that_goes_away_is_asked_for_too() -> None:
    node = origin()
    node.write("/proc/cmdline", node.entries["/proc/cmdline"].content.decode().strip() + " net.ifnames=0\n")
    (question,) = asked(node, answered()).values()
    assert "is not on the next boot's line" in question.group


def test_yes_takes_that_word_alone_and_no_gives_it_back() -> None:
    node = waiting("net.ifnames=0 mem=4G")
    seen, answers = facts.read(node), answered(accept=["long.gone=1"])
    names, mem = (each.key for each in asked(node, answers).values())
    assert editing.value_at(answers, "iommu", names) is False
    for key, still in ((names, "mem=4G"), (mem, "")):
        answers = editing.change(answers, "iommu", key, True)
        assert editing.value_at(answers, "iommu", key) is True
        blocking = {
            f.seen.split(": ")[1].split()[0] for f in make_plan(seen, answers).findings if f.severity == "blocks"
        }
        assert blocking == ({still} if still else set())
    assert answers.to_data()["iommu"]["accept"] == ["long.gone=1", "net.ifnames=0", "mem=4G"]
    answers = editing.change(answers, "iommu", names, False)
    assert answers.to_data()["iommu"]["accept"] == ["long.gone=1", "mem=4G"]
    assert editing.change(answered(), "iommu", names, False) == answered()
    assert answer_files.from_text(answer_files.to_toml(answers), "x") == answers


def test_the_finding_names_the_wizard() -> None:
    assert "in the wizard" in found(planned(waiting("mem=4G")), "BOOT-PENDING-WORD").do


def test_a_list_that_was_never_answered_holds_nothing() -> None:
    key = ("accept", Holds("mem=4G"))
    assert editing.value_at(answered(), "iommu", key) is False
    assert editing.value_at(AllAnswers(), "iommu", key) is False


def test_a_word_with_a_secret_is_accepted_as_it_is_shown() -> None:
    node = waiting("rd.iscsi.password=Hunter2Hunter2")
    seen = facts.read(node)
    (question,) = asked(node, answered()).values()
    shown = "rd.iscsi.password=***"
    assert (question.key, question.text) == (("accept", Holds(shown)), f"Accept {shown}")
    findings = make_plan(seen, answered()).findings
    assert "Hunter2" not in f"{question}{findings}"
    assert [f.code for f in findings if f.severity == "blocks"] == ["BOOT-PENDING-WORD"]
    assert not [f for f in make_plan(seen, answered(accept=[shown])).findings if f.severity == "blocks"]

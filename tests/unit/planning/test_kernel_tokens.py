"""The next boot's command line, word by word: what is new, what goes, and where each word comes from."""

from __future__ import annotations

from pathlib import Path

from wizard.answers import suggestion
from wizard.facts import facts as fact_reader
from wizard.formats import kernel_arguments
from wizard.node.recorded import DirectoryNode
from wizard.planning.kernel_tokens import Token, tokens
from wizard.planning.planner import make_plan
from wizard.simulator.built_in import built_in, simulate

OURS = "/etc/default/grub.d/zz-compute-wizard.cfg"


def _tokens(root: Path) -> tuple[list[Token], str, str]:
    facts = fact_reader.read(simulate(built_in("demo"), root))
    plan = make_plan(facts, suggestion.suggest(facts))
    line = plan.kernel_command_line
    return tokens(facts, plan), line.now or "", line.after_reboot or ""


def test_the_words_are_those_of_both_lines_and_the_plan_s_own_come_from_its_file(tmp_path: Path) -> None:
    found, now, then = _tokens(tmp_path)
    assert [token.word for token in found if token.sign != "-"] == kernel_arguments.split(then)
    assert {token.word for token in found if token.sign != "+"} == set(kernel_arguments.split(now))
    new = [token for token in found if token.sign == "+"]
    assert {token.word for token in new} == {"intel_iommu=on", "iommu=pt"}
    assert all(token.origin.startswith(f"{OURS}:") and not token.foreign for token in new)


def test_what_somebody_else_has_written_and_takes_effect_too_is_marked(tmp_path: Path) -> None:
    simulate(built_in("demo"), tmp_path)
    other = tmp_path / "etc/default/grub.d/50-other.cfg"
    other.parent.mkdir(parents=True, exist_ok=True)
    other.write_text('GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT mitigations=off"\n')
    facts = fact_reader.read(DirectoryNode(tmp_path))
    found = tokens(facts, make_plan(facts, suggestion.suggest(facts)))
    (foreign,) = [token for token in found if token.foreign]
    assert (foreign.sign, foreign.word) == ("+", "mitigations=off")
    assert foreign.origin == "/etc/default/grub.d/50-other.cfg:1"

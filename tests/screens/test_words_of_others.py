"""Words of others that wake at the reboot, accepted one by one in both faces."""

from __future__ import annotations

import io
from pathlib import Path
from typing import cast

from driving import opened, planned, press, state, whole

from screens.plain.terminal_io import Talk
from screens.plain.walk import Walk
from screens.shared.session import NodeEngine
from screens.tui.widgets.fields import Field, Tick
from wizard.chapters.iommu.kernel_arguments import Answers
from wizard.model.questions import Holds
from wizard.simulator.built_in import built_in, simulate

WORDS = ("net.ifnames=0", "mem=64G")


def _engine(directory: Path) -> NodeEngine:
    node = simulate(built_in("demo"), directory)
    place = directory / "etc/default/grub"
    place.write_text(f'{place.read_text()}GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {" ".join(WORDS)}"\n')
    return NodeEngine(node, str(directory), True)


async def test_the_page_asks_for_each_word_and_takes_the_one_that_is_ticked(tmp_path: Path) -> None:
    async with opened(_engine(tmp_path)) as pilot:
        await press(pilot, "2")
        await planned(pilot)
        said = " ".join(whole(pilot).split())
        for word in WORDS:
            assert f"[ ] Accept {word}" in said
            assert f"{word} is set for the next boot (/etc/default/grub line " in said
        assert "BLOCKS BOOT-PENDING-WORD" in said
        for word in WORDS:
            field = next(f for f in pilot.app.screen.query(Field) if f.key == ("accept", Holds(word)))
            assert isinstance(field, Tick)
            field.query_one("Line").focus()
            await press(pilot, "space")
            await planned(pilot)
            assert f"[x] Accept {word}" in whole(pilot)
            assert ("BLOCKS BOOT-PENDING-WORD" in whole(pilot)) is (word == WORDS[0])
        answers = state(pilot).answers.of(Answers)
        assert answers is not None
        assert answers.accept == [*WORDS]
        await press(pilot, "space")
        await planned(pilot)
        assert "BLOCKS BOOT-PENDING-WORD" in whole(pilot)


class _Said(Talk):
    """Says y where `yes` is in the question, and Enter elsewhere, until the preview."""

    def __init__(self, yes: str) -> None:
        self.target, self._yes = io.StringIO(), yes
        super().__init__(cast("io.TextIOWrapper", io.StringIO()), self.target)

    def ask(self, prompt: str) -> str:
        self.target.write(f"{prompt}\n")
        return "y" if self._yes in prompt else "q" if prompt.startswith("7 Preview") else ""


def test_the_plain_face_asks_for_each_word(tmp_path: Path) -> None:
    talk = _Said(f"Accept {WORDS[0]}")
    walk = Walk(_engine(tmp_path), talk)
    assert walk.run() == 0
    said = " ".join(talk.target.getvalue().split())
    assert f"Accept {WORDS[1]}, yes or no [no]:" in said
    assert f"{WORDS[0]} is set for the next boot (/etc/default/grub line " in said
    answers = walk.state.answers.of(Answers)
    assert answers is not None
    assert answers.accept == [WORDS[0]]

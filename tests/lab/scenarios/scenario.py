"""What every scenario has."""

from __future__ import annotations

from typing import ClassVar

from lab.machine import Hardware
from lab.stage import Stage


class Scenario:
    """A story with checks, played on machines of its own."""

    NAME: ClassVar[str]
    TITLE: ClassVar[str]
    HARDWARE: ClassVar[tuple[Hardware, ...]]  # of every machine that it uses

    @classmethod
    def images(cls) -> set[str]:
        return {hardware.image for hardware in cls.HARDWARE}

    @classmethod
    def play(cls, stage: Stage) -> None:
        raise NotImplementedError

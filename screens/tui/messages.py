"""What threads tell the app: they never touch widgets nor the state, which its handlers own."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

from textual.message import Message

from wizard.errors import WizardError

if TYPE_CHECKING:
    from screens.shared.session import NodeEngine
    from screens.shared.state import State
    from wizard.facts.facts import Facts
    from wizard.model.answers import AllAnswers
    from wizard.model.findings import Check
    from wizard.model.plan import Plan


class Opened(Message):
    """The engine is there, and the node was read."""

    def __init__(self, engine: NodeEngine, state: State) -> None:
        super().__init__()
        self.engine, self.state = engine, state


class Looked(Message):
    """The node was read anew, for a page."""

    def __init__(self, facts: Facts, page: str) -> None:
        super().__init__()
        self.facts, self.page = facts, page


class Planned(Message):
    """There is a plan for these facts and answers."""

    def __init__(self, plan: Future[Plan], facts: Facts, answers: AllAnswers) -> None:
        super().__init__()
        self.plan, self.facts, self.answers = plan, facts, answers


class Told(Message):
    """A proof says what it does."""

    def __init__(self, line: str) -> None:
        super().__init__()
        self.line = line


class Proven(Message):
    """A proof was given: its checks, or what went wrong inside it."""

    def __init__(self, checks: list[Check], error: Exception | None) -> None:
        super().__init__()
        self.checks, self.error = checks, error


class WayBack(Message):
    """What taking a run back would do, or the problem that stands in its way."""

    def __init__(self, facts: Facts | None, plan: Plan | None, problem: str) -> None:
        super().__init__()
        self.facts, self.plan, self.problem = facts, plan, problem


class Failed(Message):
    """The node cannot be read."""

    def __init__(self, error: WizardError) -> None:
        super().__init__()
        self.error = error

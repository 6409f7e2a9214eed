"""What the faces ask of the engine, and the real one over a node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from screens.shared.page_order import PAGES
from wizard.answers import drafts, suggestion
from wizard.apply import launch
from wizard.errors import Exit, UsageError, WizardError
from wizard.export.script import script
from wizard.facts import facts as fact_reader
from wizard.facts import guests
from wizard.facts.facts import Facts
from wizard.model import plan as plans
from wizard.model import step_text
from wizard.model.answers import AllAnswers
from wizard.model.findings import Check
from wizard.model.guest_effects import touching
from wizard.model.plan import Plan
from wizard.model.steps import Step, WriteSysfs
from wizard.node.live import open_node
from wizard.node.node import Node
from wizard.node.recorded import DirectoryNode
from wizard.planning import guest_findings, kernel_tokens, reboot_advice
from wizard.planning.kernel_tokens import Token
from wizard.planning.later_changes import Choice
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.planning.verification import ToBe, exit_code, to_be, undone, verify
from wizard.probes.registry import Probe, proofs
from wizard.runs import journal as journals
from wizard.runs import store, verify_due
from wizard.runs.selection import to_go_on
from wizard.simulator.simulated_node import SimulatedNode
from wizard.user_files import write_private

CONTROLLER = "There is more to be done on the controller: the end of the preview ({}) lists it, and so does `compute-wizard plan`."


class NodeEngine:
    """The engine over one node: this machine, a recording, or a simulation."""

    def __init__(self, node: Node, root: str, simulated: bool) -> None:
        self.node, self.root, self.simulation = node, root, simulated
        self.label = node.name
        self._resumed: dict[str, int] = {}  # how many events a run's journal had when it was resumed from here

    @property
    def can_apply(self) -> str:
        """Empty where a plan can be applied from here; else why not."""
        if self.simulation or (self.node.live and self.node.privileged):
            return ""
        if self.node.live:
            return "applying needs root rights: save the plan, and run `compute-wizard apply PLAN` as root"
        if isinstance(self.node, DirectoryNode):
            return "this is a recorded node: `compute-wizard --root NODE apply PLAN --files-only` writes its files"
        return "a tar is read only: save the plan, or export it as a script"

    def look(self) -> Facts:
        """Read the node anew. Takes up to seconds."""
        if not self.simulation:
            self.node = open_node(self.root)
        return fact_reader.read(self.node)

    def suggest(self, facts: Facts) -> AllAnswers:
        return suggestion.suggest(facts)

    def plan(self, facts: Facts, answers: AllAnswers) -> Plan:
        return make_plan(facts, answers)

    def verify(self, facts: Facts, answers: AllAnswers) -> list[Check]:
        """The checks; where all that the runs were asked for has held, the notice at login is removed."""
        found = verify(facts, answers)
        asked = to_be(facts)
        held = exit_code([*found, *asked.unseen]) == Exit.DONE and bool(asked.runs) and answers == asked.answers
        waiting = bool(facts.history.waiting(facts.system.boot_id or ""))
        if isinstance(self.node, DirectoryNode) and verify_due.may_be_forgotten(held, waiting):
            with suppress(OSError):
                verify_due.forget(store.state_directory(self.node.directory))
        return found

    def all_undone(self, facts: Facts) -> bool:
        """Whether runs of this tool were undone here, and none stands."""
        return undone(facts) is not None

    def proofs(self) -> tuple[Probe, ...]:
        """What can be tried out, on demand."""
        return proofs()

    def to_be(self, facts: Facts) -> ToBe:
        """What the runs that stand were asked for: that is what has to be so."""
        return to_be(facts)

    def start(
        self, plan: Plan, accept: tuple[str, ...] = (), on_failure: str = "rollback", confirm_minutes: int = 0
    ) -> str:
        """Start the runner, a process of its own; gives the run's name. `on_failure`: rollback, or stop and be asked."""
        started = launch.start(
            self.root,
            plan,
            on_failure=on_failure,
            simulated=self.simulation,
            accept=accept,
            confirm_minutes=confirm_minutes,
        )
        return started.run

    def after_apply(self, plan: Plan) -> list[str]:
        """What is to be said of the reboot and of the controller, once the run has ended. Reads the node anew: takes up to seconds."""
        advice = reboot_advice.advise(self.look(), plan)
        return [*advice.following, *advice.without, *self._controller(plan)]

    def advise(self, plan: Plan) -> reboot_advice.Advice:
        """The same in its two parts: what comes next, and how to boot without it."""
        advice = reboot_advice.advise(self.look(), plan)
        return reboot_advice.Advice((*advice.following, *self._controller(plan)), advice.without)

    @staticmethod
    def _controller(plan: Plan) -> list[str]:
        return [CONTROLLER.format(PAGES.index("preview"))] if plan.controller and not plan.undoes else []

    def kernel_tokens(self, facts: Facts, plan: Plan) -> list[Token]:
        """The next boot's command line, word by word, with the place that each comes from."""
        return kernel_tokens.tokens(facts, plan)

    def vfs_there(self, step: Step) -> int | None:
        """How many VFs there are by now, of a step that makes or removes them; None for any other step."""
        if not isinstance(step, WriteSysfs) or not step.path.endswith("/sriov_numvfs"):
            return None
        names = self.node.names(step.path.rpartition("/")[0])
        return sum(name.startswith("virtfn") for name in names)

    def confirm(self, run: str) -> None:
        """Keep a run that waits for its confirmation."""
        launch.answer(self.root, run, keep=True)

    def word_to_go_on(self, run: str) -> tuple[str, str]:
        """What is to be typed before a run goes on, and why, as `compute-wizard resume` asks it: one-way where a step that cannot be
        taken back is still to come, guests where one may interrupt guests that run here now. Both empty where nothing is asked."""
        left = launch.still_to_do(self.root, run)
        names = (
            (guests.running_now(self.node if self.simulation else open_node(self.root)) or ()) if touching(left) else ()
        )
        told = [f"{guest_findings.named(names)}. What is still to be done may interrupt them."] if names else []
        one_way = next((step for step in left if "one-way" in step.labels), None)
        if one_way is not None:
            told.append(f"Still to come, and it cannot be taken back: {step_text.title(one_way)}.")
        return "one-way" if one_way is not None else "guests" if names else "", " ".join(told)

    def refuse_to_go_on(self, facts: Facts, run: str) -> None:
        """Raises Refused where another run is the one to go on with, as `compute-wizard resume` does."""
        to_go_on(facts.history, run)

    def resume(self, run: str, accept: Sequence[str] = ()) -> None:
        """Go on with a run that stopped on its way."""
        self._resumed[run] = launch.resume(self.root, run, accept).after

    def _started(self, run: str) -> launch.Started:
        return launch.Started(run, store.run_directory(Path(self.root).resolve(), run), self._resumed.get(run, 0))

    def plan_of(self, run: str) -> Plan:
        """The plan that a run carries out."""
        return plans.load(self._started(run).directory / "plan.json")

    def journal(self, run: str) -> list[str]:
        """The journal of a run so far, as lines for people; why it cannot be read, where it cannot."""
        try:
            events = launch.events(self.root, run, follow_it=False)
            return [line for event in events if (line := self.line_for(event))]
        except (OSError, WizardError) as error:
            return [f"its journal cannot be read: {error}"]

    def events(self, run: str) -> Iterator[Any]:
        """The journal of a run as it grows, to its end: from the first beginning, where it was resumed, too."""
        started = self._started(run)
        yield from journals.read(started.journal)[: started.after]
        yield from journals.follow(started.journal, started.after)

    def line_for(self, event: Any) -> str:
        """An event of a journal as a line for people; empty for those that say nothing to them."""
        return launch.line_for(event)

    def request_stop(self, run: str) -> None:
        launch.request_stop(self._started(run))

    def result(self, run: str) -> int:
        """How a run ended. Raises InputError where its runner is gone without a word."""
        return int(launch.result(self._started(run)))

    def undo_plan(self, facts: Facts, run: str | None, changed: Mapping[str, Choice] | None = None) -> Plan:
        """The plan that takes a run back; `changed` says what becomes of files that were changed since."""
        return undo_plan(facts, self.node, run, self.root, changed)

    def save_draft(self, answers: AllAnswers) -> None:
        if not self.simulation:
            drafts.save_draft(self.root, answers)

    def load_draft(self) -> AllAnswers | None:
        return None if self.simulation else drafts.load_draft(self.root)

    def forget_draft(self) -> None:
        if not self.simulation:
            drafts.forget_draft(self.root)

    def save_plan(self, plan: Plan, path: str) -> None:
        write_private(Path(path), plan.to_json().encode())

    def save_text(self, text: str, path: str) -> None:
        write_private(Path(path), text.encode())

    def proposed_path(self, name: str) -> str:
        """Where a file of this name may be saved: in the home directory."""
        return str(Path.home() / name)

    def export_script(self, facts: Facts, plan: Plan, path: str) -> None:
        write_private(Path(path), script(facts, plan).encode(), mode=0o700)

    def reboot(self) -> None:
        """Play the reboot of a simulated node."""
        if not isinstance(self.node, SimulatedNode):
            raise UsageError(
                "only the simulated node is rebooted from here", do="Reboot it when it suits you, then verify."
            )
        self.node.reboot()

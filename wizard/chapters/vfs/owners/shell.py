"""What a shell script writes into sriov_numvfs, followed with the values and conditions that can be known.

No script is run. A condition that cannot be judged makes what stands below it uncertain, never a certain yes.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from wizard.chapters.vfs.owners import shell_words
from wizard.chapters.vfs.owners.model import NO, UNKNOWN, YES, Verdict, any_of
from wizard.chapters.vfs.owners.shell_commands import (
    DONE,
    MENTION,
    Status,
    Write,
    is_tee,
    mentions,
    path_in,
    settled,
    worth,
)
from wizard.chapters.vfs.owners.shell_expansion import Value, base, fields, single
from wizard.chapters.vfs.owners.shell_run import SimpleCommands
from wizard.chapters.vfs.owners.shell_words import Command, Compound, NotUnderstood, Pipeline, Script, Simple
from wizard.chapters.vfs.owners.view import View

__all__ = ["Write", "command", "mentions", "settled", "worth", "writes"]

MOST_ROUNDS = 64


def writes(
    view: View,
    text: str,
    path: str = "",
    *,
    first: int = 1,
    variables: dict[str, Value] | None = None,
    arguments: Sequence[Value] | None = None,
) -> list[Write]:
    """All that a script writes. Where it cannot be followed, its lines that have to do with VFs are uncertain ones."""
    run = _Run(view, dict(variables or {}), 0)
    run.script_text(text, path, first, arguments, YES)
    return settled(run.found)


def command(view: View, words: Sequence[Value], path: str, line: int) -> list[Write]:
    """The same of one command, as a program starts it without a shell."""
    run = _Run(view, {}, 0)
    run.path = path
    run.argv(list(words), line, YES, Value("", False))
    return settled(run.found)


class _Run(SimpleCommands):
    # --- scripts
    def script_text(self, text: str, path: str, first: int, arguments: Sequence[Value] | None, live: Verdict) -> Status:
        before = (self.path, self.arguments)
        self.mentions = self.mentions or bool(MENTION.search(text))
        self.path, self.arguments = path, None if arguments is None else tuple(arguments)
        self.stops.append(("script", NO))
        try:
            if not self.view.shell_of(text):
                raise NotUnderstood
            return self.script(shell_words.parse(text, first), live)
        except (NotUnderstood, RecursionError):
            for number, line in enumerate(text.splitlines(), first):
                if MENTION.search(line) and not line.lstrip().startswith("#"):
                    self.found.append(Write(path, number, Value(path_in(line), False), None, UNKNOWN))
            return UNKNOWN, UNKNOWN
        finally:
            self.stops.pop()
            self.path, self.arguments = before

    def script(self, script: Script, live: Verdict) -> Status:
        status: Status = (YES, NO)
        for each in script:
            status = (YES, NO)
            for pipeline in each:
                now = live & ~any_of(verdict for _, verdict in self.stops)
                if pipeline.joined:
                    now = now & (status[0] if pipeline.joined == "&&" else status[1])
                if now is NO or (pipeline.joined == "||" and status == DONE and self._gives_up(pipeline)):
                    continue
                after = self.pipeline(pipeline, now)
                if pipeline.joined == "&&":
                    status = (status[0] & after[0], status[1] | after[1])
                elif pipeline.joined == "||":
                    status = (status[0] | after[0], status[1] & after[1])
                else:
                    status = after
        return status

    def _gives_up(self, pipeline: Pipeline) -> bool:
        """`modprobe x || exit 1`: what is taken to succeed goes on after it."""
        first = pipeline.commands[0]
        name = base(first.words[0]) if isinstance(first, Simple) and first.words else ""
        return name in ("exit", "return", "continue", "break") or name in self.functions

    def pipeline(self, pipeline: Pipeline, live: Verdict) -> Status:
        given, status = Value("", False), DONE
        for each in pipeline.commands:
            status = self.one(each, live, given)
            given = self._output(each)
        if len(pipeline.commands) > 1 and not is_tee(pipeline.commands[-1]):
            status = (UNKNOWN, UNKNOWN) if self._asks(pipeline.commands[-1]) else status
        return (status[1], status[0]) if pipeline.negated else status

    def one(self, each: Command, live: Verdict, given: Value) -> Status:
        if isinstance(each, Simple):
            return self.simple(each, live, given)
        for operator, to in each.redirects:
            self._redirect(operator, to, each.line, None, live)
        return self.compound(each, live)

    # --- compounds
    def compound(self, each: Compound, live: Verdict) -> Status:
        if each.kind == "function":
            self.functions[each.name] = each
            return DONE
        if each.kind == "group":
            return self.script(each.branches[0][1], live)
        if each.kind == "if":
            return self._if(each, live)
        if each.kind == "case":
            return self._case(each, live)
        self.stops.append(("loop", NO))
        try:
            if each.kind == "for":
                self._for(each, live)
            else:
                asked, body = each.branches[0]
                status = self.script(asked, live)
                holds = status[0] if each.kind == "while" else status[1]
                self.script(body, live & holds)
        finally:
            self.stops.pop()
        return DONE

    def _if(self, each: Compound, live: Verdict) -> Status:
        rest = live
        for asked, body in each.branches:
            status = self.script(asked, rest) if asked else (YES, NO)
            if rest & status[0] is not NO:
                self.script(body, rest & status[0])
            rest = rest & status[1]
        return DONE

    def _case(self, each: Compound, live: Verdict) -> Status:
        value, rest = single(each.words[0], self.scope()), live
        for patterns, (_, body) in zip(each.patterns, each.branches, strict=True):
            fits = any_of(self._fits(value, pattern) for pattern in patterns)
            if rest & fits is not NO:
                self.script(body, rest & fits)
            rest = rest & ~fits
        return DONE

    def _fits(self, value: Value, pattern: str) -> Verdict:
        wanted = single(pattern, self.scope())
        if wanted.text == "*" and wanted.known:
            return YES
        if not value.known or not wanted.known:
            return UNKNOWN
        return YES if fnmatch.fnmatchcase(value.text, wanted.text) else NO

    def _for(self, each: Compound, live: Verdict) -> None:
        values = [value for word in each.words for value in fields(word, self.scope())][:MOST_ROUNDS]
        for value in values:
            self.variables[each.name] = value
            self.stops.append(("round", NO))
            self.script(each.branches[0][1], live)
            self.stops.pop()

"""What a shell script writes into sriov_numvfs, followed with the values and conditions that can be known.

No script is run. A condition that cannot be judged makes what stands below it uncertain, never a certain yes.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass

from wizard.chapters.vfs.owners import shell_tests, shell_words
from wizard.chapters.vfs.owners.cards import NUMBER_FILES, is_number_file
from wizard.chapters.vfs.owners.model import NO, UNKNOWN, YES, Verdict, any_of
from wizard.chapters.vfs.owners.shell_expansion import Scope, Value, base, fields, single
from wizard.chapters.vfs.owners.shell_words import Command, Compound, NotUnderstood, Pipeline, Script, Simple
from wizard.chapters.vfs.owners.view import View
from wizard.integers import parse_int

DEEPEST = 4  # scripts that run scripts
MOST_ROUNDS = 64
_WRAPPERS = {
    "sudo",
    "exec",
    "nohup",
    "env",
    "time",
    "timeout",
    "nice",
    "ionice",
    "setsid",
    "command",
    "builtin",
    "chronic",
}
_SHELLS = ("sh", "bash", "dash", "ksh")
_READERS = {
    "cat",
    "ls",
    "head",
    "tail",
    "stat",
    "readlink",
    "grep",
    "egrep",
    "awk",
    "sed",
    "wc",
    "read",
    "find",
    "logger",
    "chmod",
    "chown",
}
_ASK = {
    "grep",
    "egrep",
    "fgrep",
    "lspci",
    "ip",
    "ethtool",
    "pgrep",
    "pidof",
    "which",
    "type",
    "hash",
    "diff",
    "cmp",
    "read",
    "ping",
} | {"mountpoint", "systemd-detect-virt", "expr", "let", "lsmod", "dmidecode", "hostname"}
_RUNS_A_FILE = re.compile(r"(?:^|[;&|\s(=@])\.?\s*/(?!dev/|proc/|sys/)[\w./-]+", re.MULTILINE)
_MENTION = re.compile("|".join(NUMBER_FILES))

Status = tuple[Verdict, Verdict]  # whether what follows && runs, and what follows ||
DONE: Status = (
    YES,
    UNKNOWN,
)  # a command that asks nothing is taken to succeed, and what is there for its failure may run as well


@dataclass(frozen=True, slots=True)
class Write:
    """A number that is written. `path` is the script, where it is another one than that which was asked about."""

    path: str
    line: int
    target: Value
    count: int | None
    certain: Verdict
    by: str = ""  # a program with a way of its own


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


def settled(found: list[Write]) -> list[Write]:
    """A 0 that is written on the way to another number is none of its own."""
    kept = []
    for index, each in enumerate(found):
        after = [later for later in found[index + 1 :] if later.target.text == each.target.text]
        if each.count == 0 and after:
            continue
        if each not in kept:
            kept.append(each)
    return kept


class _Run:
    def __init__(self, view: View, variables: dict[str, Value], depth: int) -> None:
        self.view = view
        self.variables = variables
        self.depth = depth
        self.found: list[Write] = []
        self.path = ""
        self.mentions = False
        self.arguments: tuple[Value, ...] | None = None
        self.functions: dict[str, Compound] = {}
        self.stops: list[
            tuple[str, Verdict]
        ] = []  # of each script, function, loop and round: whether it has ended before here

    # --- scripts
    def script_text(self, text: str, path: str, first: int, arguments: Sequence[Value] | None, live: Verdict) -> Status:
        before = (self.path, self.arguments)
        self.mentions = self.mentions or bool(_MENTION.search(text))
        self.path, self.arguments = path, None if arguments is None else tuple(arguments)
        self.stops.append(("script", NO))
        try:
            if not self.view.shell_of(text):
                raise NotUnderstood
            return self.script(shell_words.parse(text, first), live)
        except (NotUnderstood, RecursionError):
            for number, line in enumerate(text.splitlines(), first):
                if _MENTION.search(line) and not line.lstrip().startswith("#"):
                    self.found.append(Write(path, number, Value(_path_in(line), False), None, UNKNOWN))
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
        if len(pipeline.commands) > 1 and not _is_tee(pipeline.commands[-1]):
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

    # --- simple commands
    def scope(self) -> Scope:
        return Scope(self.variables, self.arguments, self._said)

    def simple(self, each: Simple, live: Verdict, given: Value) -> Status:
        scope = self.scope()
        for assign in each.assigns:
            name, _, word = assign.partition("=")
            value = single(word, scope)
            if not each.words:
                certain = live is YES and not name.endswith("+")
                self.variables[name.rstrip("+")] = value if certain else Value(value.text, False)
                scope = self.scope()
        words = [value for word in each.words for value in fields(word, scope)]
        said = _echoed(words)
        for operator, to in each.redirects:
            if operator == "<<<":
                given = single(to, scope)
            elif operator.startswith((">", "&>")):
                self._redirect(operator, to, each.line, said, live)
        return self.argv(words, each.line, live, given) if words else DONE

    def _redirect(self, operator: str, to: str, line: int, said: Value | None, live: Verdict) -> None:
        if operator.startswith((">", "&>")) and not operator.endswith("&"):
            self._write(single(to, self.scope()), said, line, live)

    def _write(self, target: Value, said: Value | None, line: int, live: Verdict) -> None:
        if not target.text.startswith(("/", "*")):
            here = self.variables.get("PWD", Value("*", False))
            target = Value(f"{here.text}/{target.text}", here.known and target.known)
        if is_number_file(target.text):
            count = parse_int(said.text.strip()) if said is not None and said.known else None
            self.found.append(Write(self.path, line, target, count, live))
        elif not target.known and "*" in target.text.rsplit("/", 1)[-1] and self.mentions:
            self.found.append(Write(self.path, line, Value("*", False), None, UNKNOWN))

    def argv(self, words: list[Value], line: int, live: Verdict, given: Value) -> Status:
        words = _unwrapped(words)
        if not words:
            return DONE
        name, rest = base(words[0].text), words[1:]
        if name in ("exit", "return", "break", "continue"):
            self._stop(name, live)
            return DONE
        if name in ("true", ":"):
            return YES, NO
        if name == "false":
            return NO, YES
        if name in ("[", "test", "[["):
            verdict = shell_tests.judged([each for each in rest if each.text not in ("]", "]]")], self.view)
            return verdict, ~verdict
        if name == "cd" and rest:
            self.variables["PWD"] = rest[0] if live is YES else Value(rest[0].text, False)
        elif name in ("export", "readonly", "local", "declare", "typeset"):
            for each in rest:
                variable, equals, text = each.text.partition("=")
                if equals:
                    self.variables[variable] = Value(text, each.known and live is YES)
        elif name == "tee":
            for each in rest:
                if not each.text.startswith("-"):
                    self._write(each, given, line, live)
        elif name == "os-net-config-sriov":
            self._os_net_config(rest, line, live)
        elif name in self.functions:
            self._call(name, rest, live)
        elif name in ("set", "shift", "trap", "umask", "sleep", "echo", "printf", "logger"):
            pass
        else:
            return self._program(name, words, line, live)
        return DONE

    def _stop(self, how: str, live: Verdict) -> None:
        """What comes after it in the script, the function, the loop or its round does not run."""
        ends = {
            "exit": ("script",),
            "return": ("function", "script"),
            "break": ("loop",),
            "continue": ("round", "loop"),
        }[how]
        for place in range(len(self.stops) - 1, -1, -1):
            kind, verdict = self.stops[place]
            if kind in ends:
                self.stops[place] = (kind, verdict | live)
                return

    def _call(self, name: str, rest: list[Value], live: Verdict) -> None:
        if len(self.stops) > 20:
            raise NotUnderstood
        before, self.arguments = self.arguments, tuple(rest)
        self.stops.append(("function", NO))
        self.script(self.functions[name].branches[0][1], live)
        self.stops.pop()
        self.arguments = before

    def _program(self, name: str, words: list[Value], line: int, live: Verdict) -> Status:
        rest = words[1:]
        if name == "eval":
            text = " ".join(each.text for each in rest)
            return self._inner(text, line, rest[1:], live) if all(each.known for each in rest) else (UNKNOWN, UNKNOWN)
        if name in _SHELLS:
            options = [each for each in rest if each.text.startswith("-")]
            others = [each for each in rest if not each.text.startswith("-")]
            if any("c" in each.text.lstrip("-") for each in options) and others:
                return self._inner(others[0].text, line, others[2:], live & (YES if others[0].known else UNKNOWN))
            return self._file(others[0], others[1:], live) if others else DONE
        if name in (".", "source") and rest:
            return self._file(rest[0], self.arguments or (), live)
        if name not in _READERS and any(_MENTION.search(each.text) for each in rest):
            target = next(each.text for each in rest if _MENTION.search(each.text))
            self.found.append(Write(self.path, line, Value(_path_in(target), False), None, UNKNOWN))
        if words[0].text.startswith("/") and words[0].known:
            return self._file(words[0], rest, live)
        asks = name in _ASK or (name == "systemctl" and any(each.text.startswith("is-") for each in rest))
        return (UNKNOWN, UNKNOWN) if asks else DONE

    def _inner(self, text: str, line: int, arguments: Sequence[Value], live: Verdict) -> Status:
        if self.depth >= DEEPEST:
            return UNKNOWN, UNKNOWN
        self.depth += 1
        try:
            return self.script_text(text, self.path, line, arguments, live)
        finally:
            self.depth -= 1

    def _file(self, path: Value, arguments: Sequence[Value], live: Verdict) -> Status:
        if self.depth >= DEEPEST or not path.known or path.text.startswith(("/dev/", "/proc/", "/sys/")):
            return DONE
        text = self.view.text(path.text)
        if text is None or not worth(text):
            return DONE
        self.depth += 1
        try:
            return self.script_text(text, path.text, 1, list(arguments), live)
        finally:
            self.depth -= 1

    def _os_net_config(self, rest: list[Value], line: int, live: Verdict) -> None:
        """`-n INTERFACE:NUMBER`, of os-net-config's own udev rules."""
        for option, each in zip(rest, rest[1:], strict=False):
            if option.text == "-n":
                name, _, number = each.text.partition(":")
                target = Value(f"/sys/class/net/{name}/device/{NUMBER_FILES[0]}", each.known)
                self.found.append(Write(self.path, line, target, parse_int(number), live, "os-net-config"))

    # --- what commands say
    def _output(self, each: Command) -> Value:
        if not isinstance(each, Simple):
            return Value("", False)
        said = _echoed([value for word in each.words for value in fields(word, self.scope())])
        return said or Value("", False)

    def _said(self, text: str) -> Value:
        """The output of $( ): of echo, basename, and of a look at the number of VFs, which is 0 when a node boots."""
        words = text.replace("<", " cat ", 1).split() if text.lstrip().startswith("<") else text.split()
        if len(words) == 2 and words[0] in ("cat", "basename", "dirname", "echo") and not set(text) & set("|;&"):
            value = single(words[1], self.scope())
            if words[0] == "cat":
                return Value("0", True) if is_number_file(value.text) else Value("*", False)
            if words[0] == "echo":
                return value
            return Value(
                base(value.text) if words[0] == "basename" else value.text.rstrip("/").rpartition("/")[0], value.known
            )
        numbers = re.fullmatch(r"\s*seq\s+(\d{1,3})(?:\s+(\d{1,3}))?\s*", text)
        if numbers:
            low, high = (int(numbers[1]), int(numbers[2])) if numbers[2] else (1, int(numbers[1]))
            return Value(" ".join(str(each) for each in range(low, high + 1)))
        return Value("*", False)

    def _asks(self, each: Command) -> bool:
        return isinstance(each, Simple) and bool(each.words) and base(each.words[0]) in _ASK


def mentions(text: str) -> bool:
    """Whether it names the file by which VFs are made."""
    return bool(_MENTION.search(text))


def worth(text: str) -> bool:
    """Whether a script may have to do with VFs: it says so, or it runs another file."""
    return bool(_MENTION.search(text)) or "os-net-config-sriov" in text or bool(_RUNS_A_FILE.search(text))


def _is_tee(each: Command) -> bool:
    return isinstance(each, Simple) and "tee" in [base(word) for word in each.words[:2]]


def _echoed(words: list[Value]) -> Value | None:
    words = _unwrapped(words)
    if not words or base(words[0].text) not in ("echo", "printf"):
        return None
    rest = [each for each in words[1:] if not re.fullmatch(r"-[neE]+", each.text)]
    if base(words[0].text) == "printf" and len(rest) == 2 and re.fullmatch(r"%[sdi](\\n)?", rest[0].text):
        rest = rest[1:]
    text = " ".join(each.text for each in rest)
    return Value(
        re.sub(r"(\\n|n)$", "", text) if re.fullmatch(r"\d+(\\n|n)", text) else text, all(each.known for each in rest)
    )


def _unwrapped(words: list[Value]) -> list[Value]:
    """Without sudo, timeout and their like, and the options of these."""
    while words and base(words[0].text) in _WRAPPERS:
        name, words = base(words[0].text), words[1:]
        while words and (words[0].text.startswith("-") or (name == "env" and "=" in words[0].text)):
            words = words[1:]
        if name == "timeout" and words:
            words = words[1:]
        while words and name in ("nice", "ionice") and words[0].text.lstrip("-").isdecimal():
            words = words[1:]
    return words


def _path_in(text: str) -> str:
    found = re.search(r"/sys/[^\s\"';)]*", text)
    return found[0] if found else text

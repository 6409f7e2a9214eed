"""The commands of the shell itself: whether they succeed, what they set, and when they end it.

An error in one of POSIX's special built-in utilities ends a shell that is no terminal's, whatever stands around it (POSIX.1,
Consequences of Shell Errors; dash, exec.c and error.c); `|| true` does not help. Other commands only fail.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from wizard.formats import shell_commands
from wizard.formats.shell_expansion import Status
from wizard.formats.shell_found import Assignment, DiesError, ReturnError
from wizard.formats.shell_lexer import NAME
from wizard.formats.shell_maybe import Maybe, plain_name
from wizard.formats.shell_parser import assignment
from wizard.formats.shell_tree import Simple, Word

HARMLESS_FLAGS = "vxahbm"  # of `set`: what they change is not in the variables, and does not end a shell


class Builtins(Maybe):
    """The special built-in utilities, and those that only answer."""

    def _special(self, name: str, command: Simple) -> Status:
        """One of POSIX's special built-in utilities; its redirections have been looked at."""
        arguments, line = command.words[1:], command.line
        if name in (":", "times"):
            return True
        if name in ("export", "readonly"):
            return self._export(name, arguments, line)
        if name in ("break", "continue", "return", "exit", "shift"):
            return self._counted(name, arguments, line)
        if name == "unset":
            return self._unset_all(arguments, line)
        if name == "set":
            return self._options(arguments, line)
        if name == "exec" and not arguments:
            return True
        if name == "exec":
            raise DiesError("the command exec", line)
        if name == "eval" and not arguments:
            return True
        if name == "." and len(arguments) == 1 and arguments[0].literal in shell_commands.EVERYWHERE:
            self._anything(line, "the command . may change it")
            return True
        self._anything(line, f"the command {name} may change it")
        self._perhaps_ends(line, f"the command {name} ends it where it fails")
        return None

    def _refused(self, line: int, reason: str) -> None:
        """An argument that a special built-in utility refuses: dash ends; of another shell that is not certain."""
        if self.dash:
            raise DiesError(reason, line)
        self._perhaps_ends(line, reason)

    def _counted(self, name: str, arguments: Sequence[Word], line: int) -> Status:
        """Those that take a number."""
        text = arguments[0].literal if arguments else ""
        if text is None:
            self._perhaps_ends(line, f"{name} ends it where its argument is no number")
        elif text and not re.fullmatch(r"[0-9]{1,9}", text):
            self._refused(line, f"{name} {text[:40]}: no number")
        elif text and name in ("break", "continue") and int(text) == 0:
            self._refused(line, f"{name} 0")
        number = int(text) if text and re.fullmatch(r"[0-9]{1,9}", text) else None
        if name == "exit":
            raise DiesError("the command exit", line, self.status if text == "" else _zero(number))
        if name == "return":
            raise ReturnError(line, self.status if text == "" else _zero(number))
        if name == "shift":
            return self._shift(1 if text == "" else number, line)
        return True

    def _shift(self, number: int | None, line: int) -> Status:
        if number == 0:
            return True
        if self.no_arguments and number is not None:
            self._refused(line, "there is nothing to shift")
            return False
        self._perhaps_ends(line, "shift ends it where there is nothing to shift")
        return None

    def _export(self, command: str, arguments: Sequence[Word], line: int) -> Status:
        if arguments and arguments[0].raw == "-p":
            return True
        for word in arguments:
            assigned = assignment(word)
            if assigned is not None:
                self._set(assigned, splits=True)
            elif not plain_name(word):
                self._no_name(command, word, line)
                return None
            if command == "readonly":
                self.read_only.add(assigned.name if assigned is not None else word.raw)
        return True

    def _no_name(self, command: str, word: Word, line: int) -> None:
        """A word of export, readonly or unset that is no plain NAME or NAME=value."""
        text = word.literal
        name = NAME.match(text) if text is not None else None
        if text is not None and (name is None or text[name.end() : name.end() + 1] not in ("", "=")):
            self._refused(line, f"{command} {text[:40]}: a bad variable name")
        self._anything(line, f"the command {command} may change it")
        self._perhaps_ends(line, f"{command} ends it where a name is refused")

    def _unset_all(self, arguments: Sequence[Word], line: int) -> Status:
        flag = arguments[0].raw if arguments and arguments[0].raw in ("-v", "-f") else ""
        for word in arguments[1:] if flag else arguments:
            if not plain_name(word):
                self._no_name("unset", word, line)
                return None
            if flag == "-f":
                self.functions.pop(word.raw, None)
            else:
                self._unset(word.raw, word.line)
        return True

    def _unset(self, name: str, line: int) -> None:
        self._writable(name, line)
        if self.maybe_left or self.any_unknown or self.may_end is not None:
            self._unknown(name, line, self.maybe_left or "it is unset here, or was a function")
            return
        self.functions.pop(name, None)
        self.values.pop(name, None)
        if name in shell_commands.SURROUNDINGS:
            self._unknown(name, line, "it is unset here")
        else:
            self.found.append(Assignment(name, "", self.path, line, line, ""))

    def _options(self, arguments: Sequence[Word], line: int) -> Status:
        """The command set."""
        words = [word.literal for word in arguments]
        while words and words[0] is not None and re.fullmatch(r"[-+][A-Za-z]+", words[0]):
            flags = words.pop(0) or ""
            for flag in flags[1:]:
                if flag == "e":
                    self.errexit = flags[0] == "-"
                elif flag == "o" and words and words[0] == "errexit":
                    words.pop(0)
                    self.errexit = flags[0] == "-"
                elif flag == "u" and flags[0] == "-":
                    self._perhaps_ends(line, "with set -u, any variable that is not set ends it")
                elif flag not in HARMLESS_FLAGS and not (flags[0] == "+" and flag in "unCf"):
                    self._perhaps_ends(line, f"the option {flags} of set changes how it goes on")
        if words:
            self.no_arguments = False
            if words[0] is None or words[0] in ("-", "+"):
                self._perhaps_ends(line, "the options of set are known to a running shell only")
        return True

    # those that only answer

    def _answers(self, name: str, arguments: Sequence[Word], line: int) -> Status:
        """Built-in utilities and programs that leave the variables alone."""
        if name == "printf":
            plain = arguments and re.fullmatch(r"(?:[^%\\]|%s|%%|\\n)*", arguments[0].literal or "%") is not None
            return True if plain and not arguments[0].raw.startswith("-") else None
        if name in ("pwd", "jobs", "hash", "wait", "type", "umask", "ulimit") and not arguments:
            return True
        if name == "umask" and re.fullmatch(r"0?[0-7]{3}", arguments[0].raw):
            return True
        return _reads_what_is_there(name, [word.literal for word in arguments]) if name in shell_commands.SURE else None

    def _test(self, words: list[Word], name: str) -> Status:
        """The few tests of text that need nothing but the values."""
        if name == "[" and (not words or words.pop().raw != "]"):
            return False
        texts: list[str] = []
        for word in words:
            text = self._effects(word.parts, word.line)
            if text is None or any(part.kind == "parameter" and not part.quoted for part in word.parts):
                return None
            texts.append(text)
        if len(texts) == 2 and texts[0] in ("-n", "-z"):
            return bool(texts[1]) == (texts[0] == "-n")
        if len(texts) == 3 and texts[1] in ("=", "!="):
            return (texts[0] == texts[2]) == (texts[1] == "=")
        return None


def _zero(number: int | None) -> Status:
    return None if number is None else number % 256 == 0


def _reads_what_is_there(name: str, words: Sequence[str | None]) -> Status:
    """Whether a program of SURE has only files to read that are everywhere, or none."""
    if any(word is None or (word.startswith("-f") and name in ("sed", "awk")) for word in words):
        return None
    given = [word for word in words if word and not word.startswith(("-", "+")) and re.search(r"[^\d]", word)]
    given = [word for word in given if len(word) > 1]  # the separator of `cut -d =`
    if name in ("sed", "awk"):
        given = given[1:]
    elif name not in ("base64", "cat", "cut", "fold", "head", "nl", "od", "sort", "tac", "tail", "uniq", "wc"):
        given = []  # they read no file
    return True if all(word in shell_commands.EVERYWHERE for word in given) else None

"""Words and operators of a shell script, cut as dash cuts them (parser.c, readtoken1)."""

from __future__ import annotations

import re

from wizard.formats.shell_tree import Part, Word
from wizard.regex import regex

OPERATORS = ("<<-", "&&", "||", ";;", "<<", ">>", "<&", ">&", "<>", ">|", ";", "&", "|", "(", ")", "<", ">", "\n")
NAME = regex(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_REDIRECTED = regex(r"\d+(?=[<>])", re.ASCII)  # the number of a file, before what is done with it
_SUM = regex(r"\s*(?:0|[1-9]\d{0,8})(?:\s*[-+*]\s*(?:0|[1-9]\d{0,8}))*\s*", re.ASCII)
_OPERATOR = regex(r":?[-+=?]")
_SPECIAL = "@*#?-$!0123456789"


class ShellSyntaxError(Exception):
    """A shell refuses the file here."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


class UnclearError(Exception):
    """Shells differ here, or this reader does not know how they cut it: nothing is certain from here on."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


class Lexer:
    """Tokens one after the other: a Word, an operator's text, or "" at the end. `dash` is false for another shell."""

    def __init__(self, text: str, dash: bool, line: int = 1) -> None:
        self.text, self.dash, self.place, self.line = text, dash, 0, line
        self.swallowed = (
            0  # the line of the first quote that holds what looks like the next assignment: its own end is missing
        )
        self.here_documents: list[tuple[str, bool, bool]] = []  # delimiter, tabs are taken away, quoted

    def peek(self, count: int = 1) -> str:
        return self.text[self.place : self.place + count]

    def token(self) -> Word | str:
        """The next word or operator."""
        self._blanks()
        if self.place >= len(self.text):
            return ""
        number = _REDIRECTED.match(self.text, self.place)
        if number:
            self.place = number.end()
        operator = next((each for each in OPERATORS if self.text.startswith(each, self.place)), None)
        if operator is None:
            return self._word()
        if not self.dash and (
            self.peek(2) in ("&>", "|&", "((") or self.peek(3) in ("<<<", ";;&") or self.peek(2) == ";&"
        ):
            raise UnclearError("an operator that only some shells know", self.line)
        self.place += len(operator)
        if operator == "\n":
            self.line += 1
            self._skip_here_documents()
        return operator

    def _blanks(self) -> None:
        while True:
            if self.peek() in (" ", "\t"):
                self.place += 1
            elif self.peek(2) == "\\\n":
                self.place += 2
                self.line += 1
            elif self.peek() == "#":
                end = self.text.find("\n", self.place)
                self.place = len(self.text) if end < 0 else end
            else:
                return

    def _word(self) -> Word:
        begin, line = self.place, self.line
        parts: list[Part] = []
        while self.place < len(self.text) and self.peek() not in " \t\n;&|()<>":
            parts += self._piece()
        return Word(_joined(parts), self.text[begin : self.place], line, self.line)

    def _piece(self) -> list[Part]:
        """The next unit of an unquoted word."""
        char = self.peek()
        if char == "'":
            end = self.text.find("'", self.place + 1)
            if end < 0:
                raise ShellSyntaxError("a quote that never ends", self.swallowed or self.line)
            inner = self.text[self.place + 1 : end]
            self._looks_swallowed(inner, self.line)
            self._pass(end + 1)
            return [Part("literal", inner, quoted=True)]
        if char == '"':
            return self._quoted()
        if char == "\\":
            return self._escaped()
        if char == "$" and self.text[self.place + 1 : self.place + 2] in ("'", '"') and not self.dash:
            raise UnclearError(f"${self.text[self.place + 1]} is a quote of its own to some shells", self.line)
        if char in "$`":
            return [self._dollar(quoted=False)]
        self.place += 1
        return [Part("literal", char)]

    def _pass(self, end: int) -> None:
        self.line += self.text.count("\n", self.place, end)
        self.place = end

    def _escaped(self) -> list[Part]:
        following = self.text[self.place + 1 : self.place + 2]
        self._pass(min(self.place + 2, len(self.text)))
        if following == "\n":
            return []
        return [Part("literal", following or "\\", quoted=True)]

    def _quoted(self) -> list[Part]:
        begun, start = self.line, self.place
        self.place += 1
        parts = [Part("literal", "", quoted=True)]
        while self.peek() != '"':
            if self.place >= len(self.text):
                raise ShellSyntaxError("a quote that never ends", self.swallowed or begun)
            parts += self._inside_quotes()
        self._looks_swallowed(self.text[start : self.place], begun)
        self.place += 1
        return parts

    def _looks_swallowed(self, inner: str, line: int) -> None:
        if not self.swallowed and re.search(r"\n[ \t]*(?:export[ \t]+)?[A-Za-z_]\w*=", inner, re.ASCII):
            self.swallowed = line

    def _inside_quotes(self) -> list[Part]:
        """The next unit between double quotes."""
        char = self.peek()
        if char == "\\":
            following = self.text[self.place + 1 : self.place + 2]
            if following == "\n":
                self._pass(self.place + 2)
                return []
            if following in ("$", "`", '"', "\\"):
                self.place += 2
                return [Part("literal", following, quoted=True)]
        elif char in "$`":
            return [self._dollar(quoted=True)]
        self._pass(self.place + 1)
        return [Part("literal", char, quoted=True)]

    def _dollar(self, quoted: bool) -> Part:
        if self.peek() == "`":
            return self._backquoted(quoted)
        if self.peek(3) == "$\\\n":
            raise UnclearError("a line that is continued behind $", self.line)
        if self.peek(3) == "$((":
            return self._arithmetic(quoted)
        if self.peek(2) == "$(":
            return self._substitution(quoted)
        if self.peek(2) == "${":
            return self._braced(quoted)
        if self.peek(2) == "$[" and not self.dash:
            raise UnclearError("$[ is arithmetic to some shells", self.line)
        self.place += 1
        name = NAME.match(self.text, self.place)
        if name:
            self.place = name.end()
            return Part("parameter", name[0], quoted)
        if self.peek() and self.peek() in _SPECIAL:
            self.place += 1
            return Part("unclear", f"${self.text[self.place - 1]} is known to a running shell only", quoted)
        return Part("literal", "$", quoted)

    def _arithmetic(self, quoted: bool) -> Part:
        """Without its own grammar: only where it ends, and whether it may set anything."""
        begin, depth, line = self.place + 3, 2, self.line
        end = begin
        while end < len(self.text) and depth:
            char = self.text[end]
            if char in "'\"`\\" or self.text.startswith(("$(", "${"), end):
                raise UnclearError("arithmetic that holds quotes or substitutions", line)
            depth += {"(": 1, ")": -1}.get(char, 0)
            end += 1
        if depth:
            raise ShellSyntaxError("arithmetic that never ends", line)
        if self.text[end - 2] != ")":
            raise UnclearError("a bracket that may be arithmetic or a subshell", line)
        inner = self.text[begin : end - 2]
        self._pass(end)
        sets = re.search(r"(?<![=!<>])=(?!=)|\+\+|--", inner) is not None
        sure = _SUM.fullmatch(inner) is not None
        return Part("arithmetic", "arithmetic", quoted, operator="=" * sets + "?" * (not sure))

    def _substitution(self, quoted: bool) -> Part:
        from wizard.formats.shell_parser import Parser  # a script inside of a word: each knows the other

        line = self.line
        if self.here_documents:
            raise UnclearError("$( ) on the line of a here-document", line)
        self.place += 2
        inner = Parser(self).until_bracket(line)
        return Part("substitution", "command substitution", quoted, inner=inner)

    def _backquoted(self, quoted: bool) -> Part:
        from wizard.formats.shell_parser import Parser

        line, end, inner = self.line, self.place + 1, ""
        while end < len(self.text) and self.text[end] != "`":
            if self.text[end] == "\\" and self.text[end + 1 : end + 2] in ("\\", "`", "$", '"' if quoted else "`"):
                end += 1
            inner += self.text[end]
            end += 1
        if end >= len(self.text):
            raise ShellSyntaxError("a backquote that never ends", line)
        try:
            commands = tuple(Parser(Lexer(inner, self.dash, line)).complete_commands())
        except ShellSyntaxError as error:
            if "unexpected" in error.reason:  # a bracket, or a word that ends a list, ends such a script in silence
                raise UnclearError(f"between backquotes {error.reason}", error.line) from None
            raise
        self._pass(end + 1)
        return Part("substitution", "command substitution", quoted, inner=commands)

    def _braced(self, quoted: bool) -> Part:
        """${name}, ${name:-word} and its kin; another form is unclear, or what dash calls a bad substitution."""
        line = self.line
        self.place += 2
        name = NAME.match(self.text, self.place)
        if name is None:
            return self._odd(quoted, line)
        self.place = name.end()
        operator = _OPERATOR.match(self.text, self.place)
        if self.peek() == "}":
            self.place += 1
            return Part("parameter", name[0], quoted)
        if operator is None:
            return self._odd(quoted, line)
        self.place = operator.end()
        return Part("parameter", name[0], quoted, operator[0], self._until_brace(quoted, line))

    def _until_brace(self, quoted: bool, line: int) -> tuple[Part, ...]:
        parts: list[Part] = []
        while self.peek() != "}":
            char = self.peek()
            if not char:
                raise ShellSyntaxError("${ that never ends", line)
            if char in "'\"\\" or (char in "\n~" and not quoted):
                raise UnclearError("quotes inside of ${ }", line)
            parts += [self._dollar(quoted)] if char in "$`" else self._inside_quotes()
        self.place += 1
        return _joined(parts)

    def _odd(self, quoted: bool, line: int) -> Part:
        """What is not evaluated here, up to its bracket."""
        begin = self.text.rindex("${", 0, self.place) + 2
        while self.peek() != "}":
            char = self.peek()
            if not char:
                raise ShellSyntaxError("${ that never ends", line)
            if char in "'\"\\":
                raise UnclearError("quotes inside of ${ }", line)
            if char in "$`":
                self._dollar(quoted)
            else:
                self._pass(self.place + 1)
        text = self.text[begin : self.place]
        self.place += 1
        known = re.fullmatch(
            r"[A-Za-z_]\w*(?:%%?|##?).*|#(?:[A-Za-z_]\w*)?|[@*#?$!0-9-]+|[@*#?$!0-9]+:?[-+=?].*",
            text,
            re.ASCII | re.DOTALL,
        )
        if known or not self.dash:
            sure = re.match(r"[@*#?$!0-9]+:?[?=]", text) is None  # ${1?}, ${1:=a}
            return Part("unclear", "an expansion that is not evaluated here", quoted, operator="" if sure else "?")
        return Part("bad", f"${{{text}}} is a bad substitution", quoted)

    def expect_here_document(self, operator: str, word: Word) -> None:
        """The text that begins on the next line belongs to this redirection."""
        delimiter = word.literal
        if delimiter is None:
            raise UnclearError("a here-document whose end is not plain", word.line)
        quoted = any(part.quoted for part in word.parts)
        self.here_documents.append((delimiter, operator == "<<-", quoted))

    def _skip_here_documents(self) -> None:
        for delimiter, tabs, quoted in self.here_documents:
            begun = self.line
            while True:
                if self.place >= len(self.text):
                    raise UnclearError("a here-document that never ends", begun)
                end = self.text.find("\n", self.place)
                end = len(self.text) if end < 0 else end
                line = self.text[self.place : end]
                self.place = min(end + 1, len(self.text))
                self.line += 1
                if (line.lstrip("\t") if tabs else line) == delimiter:
                    break
                if not quoted and ("$" in line or "`" in line or line.endswith("\\")):
                    raise UnclearError("a here-document that is expanded", self.line - 1)
        self.here_documents = []


def _joined(parts: list[Part]) -> tuple[Part, ...]:
    """Neighbouring literals of one kind as one."""
    found: list[Part] = []
    for part in parts:
        if found and part.kind == found[-1].kind == "literal" and part.quoted == found[-1].quoted:
            found[-1] = Part("literal", found[-1].text + part.text, part.quoted)
        else:
            found.append(part)
    return tuple(found)

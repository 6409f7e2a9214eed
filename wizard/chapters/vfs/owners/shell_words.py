"""The words and commands of a shell script, as far as they are needed to see what it writes, and under which conditions."""

from __future__ import annotations

from dataclasses import field

from wizard.dataclass import dataclass
from wizard.regex import regex

_OPERATOR = regex(r"&&|\|\||;;&?|;&|<<<|<<-?|>>|>&|<&|&>>?|>\||[;&|<>()\n]")
_REDIRECTS = ("<", ">", ">>", ">|", "<<<", ">&", "<&", "&>", "&>>")
_ASSIGNS = regex(r"[A-Za-z_]\w*\+?=")


class NotUnderstood(Exception):
    """The text is no script that can be followed here."""


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    line: int
    is_word: bool
    is_descriptor: bool = False  # digits that touch the redirection after them: `2>file`, not `echo 2 >file`


@dataclass(slots=True)
class Simple:
    """One command: its assignments, words and redirections, as they are written."""

    line: int
    assigns: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    redirects: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Compound:
    """if, for, while, until, case, a group or a function. `branches` are pairs of what is asked and what is done then."""

    kind: str
    line: int
    name: str = ""
    words: list[str] = field(default_factory=list)
    branches: list[tuple[Script, Script]] = field(default_factory=list)
    patterns: list[list[str]] = field(default_factory=list)
    redirects: list[tuple[str, str]] = field(default_factory=list)


Command = Simple | Compound


@dataclass(slots=True)
class Pipeline:
    commands: list[Command]
    negated: bool = False
    joined: str = ""  # how it hangs on the one before it: && or ||, or not at all


Script = list[list[Pipeline]]
"""Lists of pipelines: those of one list are joined by && and ||."""


def tokens(text: str, first: int = 1) -> list[Token]:
    """Words with their quotes, and operators. Raises NotUnderstood for a quote that is not closed."""
    found: list[Token] = []
    place, line, heredocs = 0, first, []
    while place < len(text):
        char = text[place]
        if text.startswith("\\\n", place):
            place, line = place + 2, line + 1
        elif char in " \t\r":
            place += 1
        elif char == "#":
            end = text.find("\n", place)
            place = len(text) if end < 0 else end
        elif match := _OPERATOR.match(text, place):
            operator = match[0]
            place = match.end()
            if operator in ("<<", "<<-"):
                word, place = _word(text, place + len(text[place:]) - len(text[place:].lstrip(" \t")))
                heredocs.append(word.strip("'\"\\"))
                continue
            found.append(Token(operator, line, False))
            if operator == "\n":
                line += 1
                for end_word in heredocs:
                    place, line = _after_heredoc(text, place, line, end_word)
                heredocs = []
        else:
            word, place = _word(text, place)
            found.append(Token(word, line, True, word.isdecimal() and text[place : place + 1] in ("<", ">")))
            line += word.count("\n")
    return found


def _after_heredoc(text: str, place: int, line: int, end_word: str) -> tuple[int, int]:
    while place < len(text):
        end = text.find("\n", place)
        end = len(text) if end < 0 else end
        done = text[place:end].strip("\t ") == end_word
        place, line = end + 1, line + 1
        if done:
            break
    return place, line


def _word(text: str, place: int) -> tuple[str, int]:
    start, depth, quote = place, 0, ""
    while place < len(text):
        char = text[place]
        if char == "\\" and quote != "'":
            place += 2
            continue
        if quote:
            if char == quote:
                quote = ""
        elif char in "'\"`":
            quote = char
        elif text.startswith(("$(", "${"), place):
            depth += 1
            place += 1
        elif depth and char in "({":
            depth += 1
        elif depth and char in ")}":
            depth -= 1
        elif not depth and (char in " \t\r" or _OPERATOR.match(text, place)):
            break
        place += 1
    if quote or depth:
        raise NotUnderstood
    return text[start:place], place


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0

    def _peek(self, *texts: str) -> bool:
        return self._at < len(self._tokens) and (not texts or self._tokens[self._at].text in texts)

    def _next(self) -> Token:
        if self._at >= len(self._tokens):
            raise NotUnderstood
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, *texts: str) -> None:
        if self._next().text not in texts:
            raise NotUnderstood

    def script(self, *ends: str) -> Script:
        found: Script = []
        while True:
            while self._peek(";", "\n", "&"):
                self._at += 1
            if not self._peek() or (ends and self._peek(*ends)):
                if ends and not self._peek():
                    raise NotUnderstood
                return found
            found.append(self._and_or())

    def _and_or(self) -> list[Pipeline]:
        found = [self._pipeline("")]
        while self._peek("&&", "||"):
            joined = self._next().text
            while self._peek("\n"):
                self._at += 1
            found.append(self._pipeline(joined))
        return found

    def _pipeline(self, joined: str) -> Pipeline:
        negated = False
        while self._peek("!"):
            self._at, negated = self._at + 1, not negated
        commands = [self._command()]
        while self._peek("|"):
            self._at += 1
            while self._peek("\n"):
                self._at += 1
            commands.append(self._command())
        return Pipeline(commands, negated, joined)

    def _command(self) -> Command:
        if not self._peek():
            raise NotUnderstood
        token = self._tokens[self._at]
        made = {"if": self._if, "for": self._for, "while": self._while, "until": self._while, "case": self._case}
        if token.text in made and token.is_word:
            return self._redirected(made[token.text](self._next()))
        if token.text == "{" and token.is_word:
            self._at += 1
            body = self.script("}")
            self._expect("}")
            return self._redirected(Compound("group", token.line, branches=[([], body)]))
        if token.text == "(":
            self._at += 1
            body = self.script(")")
            self._expect(")")
            return self._redirected(Compound("group", token.line, branches=[([], body)]))
        if token.text == "function" or (
            [each.text for each in self._tokens[self._at + 1 : self._at + 3]] == ["(", ")"] and token.is_word
        ):
            return self._function()
        return self._simple()

    def _redirected(self, made: Compound) -> Compound:
        while self._peek(*_REDIRECTS):
            made.redirects.append((self._next().text, self._next().text))
        return made

    def _function(self) -> Compound:
        if self._peek("function"):
            self._at += 1
        name = self._next()
        if self._peek("("):
            self._at += 2
        while self._peek("\n"):
            self._at += 1
        body = self._command()
        return Compound("function", name.line, name=name.text, branches=[([], [[Pipeline([body])]])])

    def _if(self, token: Token) -> Compound:
        made = Compound("if", token.line)
        while True:
            asked = self.script("then")
            self._expect("then")
            made.branches.append((asked, self.script("elif", "else", "fi")))
            end = self._next().text
            if end == "else":
                made.branches.append(([], self.script("fi")))
                self._expect("fi")
            if end != "elif":
                return made

    def _for(self, token: Token) -> Compound:
        made = Compound("for", token.line, name=self._next().text)
        if self._peek("in"):
            self._at += 1
            while self._peek() and not self._peek(";", "\n"):
                made.words.append(self._next().text)
        else:
            made.words.append('"$@"')
        return self._do(made, [])

    def _while(self, token: Token) -> Compound:
        return self._do(Compound(token.text, token.line), self.script("do"))

    def _do(self, made: Compound, asked: Script) -> Compound:
        while self._peek(";", "\n"):
            self._at += 1
        self._expect("do")
        made.branches.append((asked, self.script("done")))
        self._expect("done")
        return made

    def _case(self, token: Token) -> Compound:
        made = Compound("case", token.line, words=[self._next().text])
        while self._peek("\n"):
            self._at += 1
        self._expect("in")
        while True:
            while self._peek("\n", ";"):
                self._at += 1
            if self._peek("esac"):
                self._at += 1
                return made
            patterns = []
            while not self._peek(")"):
                each = self._next()
                if each.is_word:
                    patterns.append(each.text)
            self._at += 1
            made.patterns.append(patterns)
            made.branches.append(([], self.script(";;", "esac")))
            if self._peek(";;"):
                self._at += 1

    def _simple(self) -> Simple:
        made = Simple(self._tokens[self._at].line)
        if self._peek("[["):
            while not self._peek("]]"):
                made.words.append(self._next().text)
            self._at += 1
            return made
        while self._peek():
            token = self._tokens[self._at]
            if token.is_word:
                self._at += 1
                if not made.words and _ASSIGNS.match(token.text):
                    made.assigns.append(token.text)
                elif token.is_descriptor and self._peek(*_REDIRECTS):
                    operator, to = self._next().text, self._next().text
                    if token.text == "1":
                        made.redirects.append((operator, to))
                else:
                    made.words.append(token.text)
            elif token.text in _REDIRECTS:
                self._at += 1
                made.redirects.append((token.text, self._next().text))
            else:
                break
        if not (made.words or made.assigns or made.redirects):
            raise NotUnderstood
        return made


def parse(text: str, first: int = 1) -> Script:
    """The commands of a script; `first` is the number of its first line. Raises NotUnderstood."""
    return _Parser(tokens(text, first)).script()

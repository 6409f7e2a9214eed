"""The commands of a shell script, and where a shell would refuse it (POSIX.1, Shell Grammar; dash, parser.c)."""

from __future__ import annotations

from collections.abc import Iterator

from wizard.formats.shell_lexer import NAME, Lexer, ShellSyntaxError, UnclearError
from wizard.formats.shell_tree import AndOr, Assigned, Block, Command, Part, Pipeline, Redirect, Simple, Word

REDIRECTS = ("<", ">", ">>", "<<", "<<-", "<&", ">&", "<>", ">|")
CLOSING = frozenset({"then", "else", "elif", "fi", "do", "done", "esac", "}"})
Token = Word | str


class Parser:
    """One script, or a piece of one in $( )."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.waiting: Token | None = None
        self.depth = 0

    # tokens

    def peek(self) -> Token:
        if self.waiting is None:
            self.waiting = self.lexer.token()
        return self.waiting

    def next(self) -> Token:
        token, self.waiting = self.peek(), None
        return token

    def _reserved(self) -> str:
        """The reserved word that comes next, where one is looked for."""
        token = self.peek()
        return token.bare if isinstance(token, Word) else ""

    def _newlines(self) -> None:
        while self.peek() == "\n":
            self.next()

    def _unexpected(self, wanted: str = "") -> ShellSyntaxError:
        token = self.peek()
        expected = f" ({wanted} is expected)" if wanted else ""
        if isinstance(token, Word):
            return ShellSyntaxError(f"{token.raw[:40]} is unexpected{expected}", token.line)
        shown = {"": "the end of the file", "\n": "the end of the line"}.get(token, token)
        return ShellSyntaxError(f"{shown} is unexpected{expected}", self.lexer.line - (token == "\n"))

    def _take(self, word: str) -> None:
        if self._reserved() != word:
            raise self._unexpected(word)
        self.next()

    # lists

    def complete_commands(self) -> Iterator[AndOr]:
        """What a shell reads and runs before it reads on: a list up to the end of its line. Raises ShellSyntaxError and
        UnclearError where it comes to them."""
        while True:
            self._newlines()
            if self.peek() == "":
                return
            line = []
            while True:
                line.append(self._and_or())
                if self.peek() in (";", "&"):
                    self.next()
                elif self.peek() not in ("\n", ""):
                    raise self._unexpected()
                if self.peek() in ("\n", ""):
                    break
            if self.peek() == "\n":
                self.next()
            elif self.lexer.here_documents:
                raise UnclearError("a here-document that never ends", self.lexer.line)
            yield from line

    def until_bracket(self, line: int) -> tuple[AndOr, ...]:
        """The list inside of $( ), with its bracket."""
        commands = self._list(")")
        if self.peek() != ")":
            raise ShellSyntaxError("$( that never ends", line) if self.peek() == "" else self._unexpected(")")
        # the bracket was the last thing read: the lexer stands right behind it
        self.next()
        if self.lexer.here_documents:
            raise UnclearError("a here-document inside of $( )", line)
        return commands

    def _list(self, *ends: str) -> tuple[AndOr, ...]:
        """Commands up to a word or operator that ends them, which is left."""
        found: list[AndOr] = []
        self.depth += 1
        if self.depth > 40:
            raise UnclearError("commands that are nested too deep", self.lexer.line)
        while True:
            self._newlines()
            token = self.peek()
            if token == "" or token in ends or (isinstance(token, Word) and token.bare in ends):
                self.depth -= 1
                return tuple(found)
            found.append(self._and_or())
            token = self.peek()
            if token in (";", "&", "\n"):
                self.next()
            elif token not in ("", *ends) and not (isinstance(token, Word) and token.bare in ends):
                raise self._unexpected()

    def _and_or(self) -> AndOr:
        pipelines, operators = [self._pipeline()], []
        while self.peek() in ("&&", "||"):
            operators.append(str(self.next()))
            self._newlines()
            pipelines.append(self._pipeline())
        return AndOr(tuple(pipelines), tuple(operators), self.peek() == "&")

    def _pipeline(self) -> Pipeline:
        negated = False
        if self._reserved() == "!":
            self.next()
            negated = True
            if self._reserved() == "!":
                raise UnclearError("a second !", self.lexer.line)
        commands = [self._command()]
        while self.peek() == "|":
            self.next()
            self._newlines()
            commands.append(self._command())
        return Pipeline(negated, tuple(commands))

    # commands

    def _command(self) -> Command:
        token = self.peek()
        if token == "(":
            self.next()
            inner = self._list(")")
            if not inner or self.peek() != ")":
                raise self._unexpected(")")
            self.next()
            return self._with_redirects("subshell", (inner,), self.lexer.line)
        word = self._reserved()
        if word in ("if", "while", "until", "for", "case", "{"):
            return self._compound(word)
        if word in CLOSING:
            raise self._unexpected()
        if not self.lexer.dash and word in ("[[", "function", "select", "time", "coproc"):
            raise UnclearError(f"{word} is a word of some shells only", self.lexer.line)
        return self._simple()

    def _compound(self, word: str) -> Block:
        line = self.lexer.line
        self.next()
        if word == "{":
            return self._closed("group", (self._body("}"),), "}", line)
        if word == "if":
            return self._if(line)
        if word == "case":
            return self._case(line)
        if word == "for":
            return self._for(line)
        condition = self._body("do")
        self._take("do")
        return self._closed("while", (condition, self._body("done")), "done", line)

    def _body(self, *ends: str) -> tuple[AndOr, ...]:
        found = self._list(*ends)
        if not found:
            raise self._unexpected()
        return found

    def _closed(self, kind: str, lists: tuple[tuple[AndOr, ...], ...], end: str, line: int, **more: object) -> Block:
        self._take(end)
        return self._with_redirects(kind, lists, line, **more)

    def _with_redirects(self, kind: str, lists: tuple[tuple[AndOr, ...], ...], line: int, **more: object) -> Block:
        redirects: list[Redirect] = []
        while (found := self._redirect()) is not None:
            redirects.append(found)
        if isinstance(self.peek(), Word) and self._reserved() not in CLOSING:
            raise self._unexpected()
        return Block(kind, lists, line, redirects=tuple(redirects), **more)  # type: ignore[arg-type]

    def _if(self, line: int) -> Block:
        lists = [self._body("then")]
        self._take("then")
        lists.append(self._body("elif", "else", "fi"))
        while self._reserved() == "elif":
            self.next()
            lists.append(self._body("then"))
            self._take("then")
            lists.append(self._body("elif", "else", "fi"))
        if self._reserved() == "else":
            self.next()
            lists.append(self._body("fi"))
        return self._closed("if", tuple(lists), "fi", line)

    def _for(self, line: int) -> Block:
        name = self.peek()
        if not isinstance(name, Word) or not NAME.fullmatch(name.raw):
            raise ShellSyntaxError("a loop over a variable that has no name", line)
        self.next()
        words: list[Word] = []
        self._newlines()
        if self._reserved() == "in":
            self.next()
            while isinstance(word := self.peek(), Word):
                words.append(word)
                self.next()
            if self.peek() not in (";", "\n"):
                raise self._unexpected()
            self.next()
        elif self.peek() == ";":
            self.next()
        self._newlines()
        self._take("do")
        return self._closed("for", (self._body("done"),), "done", line, name=name.raw, words=tuple(words))

    def _case(self, line: int) -> Block:
        subject = self.next()
        if not isinstance(subject, Word):
            raise ShellSyntaxError("a case without a word", line)
        self._newlines()
        self._take("in")
        self._newlines()
        bodies: list[tuple[AndOr, ...]] = []
        patterns = [subject]
        while self._reserved() != "esac":
            if self.peek() == "(":
                self.next()
            while True:
                pattern = self.next()
                if not isinstance(pattern, Word):
                    self.waiting = pattern
                    raise self._unexpected()
                patterns.append(pattern)
                if self.peek() != "|":
                    break
                self.next()
            if self.peek() != ")":
                raise self._unexpected(")")
            self.next()
            bodies.append(self._list(";;", "esac"))
            if self.peek() == ";;":
                self.next()
                self._newlines()
            elif self._reserved() != "esac":
                raise self._unexpected("esac")
        return self._closed("case", tuple(bodies), "esac", line, words=tuple(patterns))

    def _redirect(self) -> Redirect | None:
        token = self.peek()
        if not isinstance(token, str) or token not in REDIRECTS:
            return None
        self.next()
        target = self.peek()
        if not isinstance(target, Word):
            raise self._unexpected()
        if token in ("<<", "<<-"):
            self.lexer.expect_here_document(token, target)
        self.next()
        return Redirect(token, target)

    def _simple(self) -> Command:
        assignments: list[Assigned] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        line = self.lexer.line
        while True:
            found = self._redirect()
            if found is not None:
                redirects.append(found)
                continue
            token = self.peek()
            if token == "(" and len(words) == 1 and not assignments and not redirects:
                return self._function(words[0])
            if not isinstance(token, Word):
                break
            self.next()
            line = line if words or assignments or redirects else token.line
            assigned = None if words else assignment(token)
            if assigned is None:
                words.append(token)
            else:
                assignments.append(assigned)
        if not words and not assignments and not redirects:
            raise self._unexpected()
        if self.peek() == "(":
            if not self.lexer.dash:
                raise UnclearError("brackets that only some shells know here", self.lexer.line)
            raise self._unexpected()
        return Simple(tuple(assignments), tuple(words), tuple(redirects), line)

    def _function(self, name: Word) -> Block:
        self.next()
        if self.peek() != ")":
            if not self.lexer.dash:
                raise UnclearError("brackets that only some shells know here", self.lexer.line)
            raise self._unexpected(")")
        self.next()
        if not NAME.fullmatch(name.raw):
            raise ShellSyntaxError("a function without a plain name", name.line)
        self._newlines()
        body = self._command()
        return Block("function", ((AndOr((Pipeline(False, (body,)),), (), False),),), name.line, name=name.raw)


def assignment(word: Word) -> Assigned | None:
    """A word that is NAME=value, its name and = unquoted; None for another one."""
    first = word.parts[0] if word.parts else None
    match = NAME.match(first.text) if first is not None and first.kind == "literal" and not first.quoted else None
    if first is None or match is None or first.text[match.end() : match.end() + 1] != "=":
        return None
    rest = first.text[match.end() + 1 :]
    value = ((Part("literal", rest),) if rest else ()) + word.parts[1:]
    return Assigned(match[0], value, word.line, word.last_line)

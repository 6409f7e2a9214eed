"""Files that were changed after a run: three versions of each, and what may be done about it when the run is taken back.

before: as the run found it; left: as the run left it; now: as it is. Nobody's later work is overwritten unasked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal, get_args

from wizard.dataclass import dataclass
from wizard.errors import FormatError, UsageError
from wizard.formats.oslo_config import effective_difference
from wizard.formats.three_way_merge import merged
from wizard.hashing import attributes_digest, digest
from wizard.model.findings import Finding
from wizard.model.plan import LaterWork
from wizard.model.steps import FileState
from wizard.planning.diff import unified

Choice = Literal["keep", "restore", "merge"]
CHOICES: tuple[Choice, ...] = get_args(Choice)


@dataclass(frozen=True, slots=True)
class Version:
    """A file as it is or was: its bytes, its state, and its extended attributes; None where those are not known."""

    content: bytes
    state: FileState
    attributes: Mapping[str, bytes] | None = None

    def attributes_differ(self, other: Version) -> bool:
        """Whether both are known to have other ones. ACLs are such."""
        if self.attributes is None or other.attributes is None:
            return False
        return attributes_digest(self.attributes) != attributes_digest(other.attributes)


@dataclass(frozen=True, slots=True)
class Versions:
    """One path, three times; None where there was or is no file. `secret`: it is shown masked."""

    path: str
    before: Version | None
    left: Version | None
    now: Version | None
    secret: bool
    exact: bool = False
    """`left` is what the run wrote down of its file; else what it was to be: it could not always give a file away."""

    @property
    def same(self) -> bool:
        """It is as it was before the run already."""
        if self.now is None or self.before is None:
            return self.now is self.before
        same = self.now.content == self.before.content and self.now.state == self.before.state
        return same and not self.now.attributes_differ(self.before)

    @property
    def untouched(self) -> bool:
        """Nobody changed it after the run. An owner, mode or attribute is changed if it is neither the old nor the run's."""
        if self.now is None or self.left is None:
            return self.now is self.left
        if self.now.content != self.left.content:
            return False
        versions = [version for version in (self.left, self.before) if version is not None]
        if all(self.now.attributes_differ(version) for version in versions):
            return False
        known = [version.state for version in versions]
        return (self.before is None and not self.exact) or (
            self.now.state.mode in {state.mode for state in known}
            and self.now.state.owner in {state.owner for state in known}
        )

    def merge(self) -> Version | None:
        """The file now, without what the run did; None where that is not clean. Empty where nothing else is in it."""
        if self.now is None or self.left is None:
            return None
        before = self.before.content if self.before else b""
        content = merged(self.left.content, self.now.content, before)
        if content is None or not self._means_the_same(before, content):
            return None
        kept, old = self.now.state, (self.before or self.now).state
        kept_attributes = self.now.attributes
        state = FileState(
            sha256=digest(content),
            mode=old.mode if kept.mode == self.left.state.mode else kept.mode,
            owner=old.owner if kept.owner == self.left.state.owner else kept.owner,
        )
        return Version(content, state, kept_attributes)

    def _means_the_same(self, before: bytes, content: bytes) -> bool:
        """In nova.conf's dialect a line belongs to the section above it: the options that go and come are the run's."""
        if not self.secret or self.now is None or self.left is None:
            return True
        try:
            came, went = effective_difference(self.now.content, content)
            may_come, may_go = effective_difference(self.left.content, before)
        except FormatError:
            return False
        return Counter(came) <= Counter(may_come) and Counter(went) <= Counter(may_go)

    def shown(self, choice: Choice | None) -> LaterWork:
        """The versions as differences, for people."""
        merge = self.merge()
        return LaterWork(
            path=self.path,
            run_changed=self._difference(self.before, self.left),
            changed_since=self._difference(self.left, self.now),
            merge=self._difference(self.now, merge) if merge else None,
            choice=choice,
        )

    def _difference(self, one: Version | None, other: Version | None) -> str:
        contents = [version.content if version else None for version in (one, other)]
        text = unified(self.path, contents[0], contents[1], self.secret)
        if one and other and one.content == other.content:
            more = ", its extended attributes or ACL changed" if one.attributes_differ(other) else ""
            return (
                f"mode {one.state.mode} -> {other.state.mode}, owner {one.state.owner} -> {other.state.owner}{more}\n"
            )
        return text or "only what is masked here\n"


def choices(words: list[str]) -> dict[str, Choice]:
    """What was said on the command line: keep, restore or merge, or PATH=keep for one file. "" stands for the others."""
    found: dict[str, Choice] = {}
    for word in words:
        path, _, name = word.rpartition("=")
        fitting = [choice for choice in CHOICES if choice == name]
        if not fitting or (path and not path.startswith("/")):
            raise UsageError(
                f"{word}: --changed takes keep, restore or merge, or PATH=keep for one file",
                do="`compute-wizard undo` without it shows what was changed.",
            )
        if found.setdefault(path, fitting[0]) != fitting[0]:
            raise UsageError(
                f"--changed says {found[path]} and {fitting[0]} for {path or 'all files that are not named'}",
                do="Say one of them; PATH=keep, PATH=restore or PATH=merge is for one file.",
            )
    return found


def choice_for(path: str, said: Mapping[str, Choice]) -> Choice | None:
    """What was chosen for a path; None where nothing was."""
    return said.get(path, said.get(""))


def finding(path: str, choice: Choice | None, mergeable: bool) -> Finding:
    """What the choice means for one file: nothing chosen, or no clean merge, blocks."""
    severity: Literal["blocks", "warns", "tells"] = "blocks"
    why = "Putting the old content back would take somebody's later work away."
    do = "Say --changed keep (leave it as it is), restore (as before the run, later work lost)"
    do += ", or merge (take out only what the run put in)." if mergeable else "; a merge is not clean here."
    if choice == "keep":
        severity, why, do = "tells", "It stays as it is now, with what the run did.", "Look through it once more."
    elif choice == "restore":
        severity, why, do = "warns", "It becomes what it was before the run.", "What was changed since is lost."
    elif choice == "merge" and mergeable:
        severity, why, do = (
            "tells",
            "Only what the run did is taken out; later work stays.",
            "Look through it once more.",
        )
    return Finding(
        code="UNDO-CHANGED-SINCE",
        severity=severity,
        chapter="undo",
        seen=f"{path} is not as the run left it",
        why=why,
        do=do,
    )

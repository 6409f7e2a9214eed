"""A plan as one POSIX shell script, for a node that cannot run this tool: it does exactly the plan, or stops.

No secret leaves the node: a file that is there is described by line ranges of itself and the lines that are new, and what comes
out is compared with the planned sha256 before it is put in place.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Iterator

from wizard.asset_text import asset_text, with_fragments
from wizard.errors import InputError, NodeError
from wizard.export.script_permission import guests, numbered, permission, say, title, undoing_guests
from wizard.facts.facts import Facts
from wizard.facts.system import MACHINE_ID
from wizard.model import step_text
from wizard.model.expectations import ExpectAttribute, ExpectFile, ExpectLink, ExpectValue
from wizard.model.plan import Plan
from wizard.model.steps import RemoveFile, RunCommand, StopByPidfile, WriteFile, WriteSysfs
from wizard.model.undo_order import Undo, needed_by, undo_order
from wizard.report import text as report
from wizard.safe_text import safe_text

END = "COMPUTE_WIZARD_END"
NOTHING = "Nothing is to be changed on this node."


def _asset(name: str) -> str:
    return asset_text(f"export/{name}")


def script(facts: Facts, plan: Plan) -> str:
    """The script. Its backup directory holds an undo.sh once it has begun; without a step there is neither."""
    return "\n".join(
        [
            "#!/bin/sh",
            _comment(f"compute-wizard: a plan for {plan.node.hostname or 'a node'} ({plan.node.os}), as a script."),
            "# It checks that the node is as it was when the plan was made, backs up what it changes, and stops at the first failure.",
            "# Run it as root: sh THIS-SCRIPT [--dry-run] [--accept one-way] [--accept guests]",
            "#   --dry-run         says what would be done, checks the same, and changes nothing; its exit status is that of the check",
            "#   --accept one-way  has the steps done that cannot be taken back; without it a script that has one refuses",
            "#   --accept guests   has steps done that may interrupt guests; without it they are listed, and a script refuses",
            "# Exit status: 0 done; 1 an error; 4 refused, and nothing was changed; 64 wrong usage.",
            "#",
            *(_comment(numbered(number, step)) for number, step in enumerate(plan.steps, 1)),
            *([] if plan.steps else [_comment(NOTHING)]),
            with_fragments(_asset("prologue.sh")),
            *_start(plan),
            *_expectations(plan),
            *permission(plan),
            *(_begin(plan) if plan.steps else ()),
            *(line for number in range(1, len(plan.steps) + 1) for line in _step(facts, plan, number)),
            *_ending(plan),
            "",
        ]
    )


def _start(plan: Plan) -> Iterator[str]:
    yield '[ -n "$ROOT" ] || [ "$(id -u)" = 0 ] || { echo "this needs root rights" >&2; exit 1; }'
    if plan.steps:
        yield 'if [ "$DRY" = yes ]; then'
        yield from ("\t" + say(numbered(number, step)) for number, step in enumerate(plan.steps, 1))
        yield "fi"


def _expectations(plan: Plan) -> Iterator[str]:
    yield "\n# --- the node has to be as it was when the plan was made"
    for expected in plan.expects:
        if isinstance(expected, ExpectFile):
            place = expected.real or expected.path
            if expected.sha256 is None:
                yield _call("expect_absent", place)
            else:
                yield _call("expect_file", place, expected.sha256, expected.mode or "", expected.owner or "")
        elif isinstance(expected, ExpectLink):
            yield _call("expect_link", expected.path, expected.target)
        elif isinstance(expected, ExpectAttribute):
            yield f'[ -n "$ROOT" ] || {_call("expect_value", expected.path, expected.value or "")}'
        elif isinstance(expected, ExpectValue) and expected.kind == "machine_id":
            yield f'[ -n "$ROOT" ] || {_call("expect_machine", expected.value, *MACHINE_ID)}'
    written = {step.path for step in plan.steps if isinstance(step, WriteFile)}
    for name in dict.fromkeys(step.argv[0] for step in plan.steps if isinstance(step, RunCommand)):
        if name not in written:
            yield f'[ -n "$ROOT" ] || {_call("expect_command", name)}'
    yield '[ "$PROBLEMS" = 0 ] || { echo "Nothing was changed. Make the plan anew." >&2; exit 4; }'


def _real(plan: Plan, path: str) -> str:
    """Where a path leads, as the plan found it: a link of the node's own stays, and the file behind it is changed."""
    found = (each.real for each in plan.expects if isinstance(each, ExpectFile) and each.path == path)
    return next(found, None) or path


def _begin(plan: Plan) -> Iterator[str]:
    yield "\n# --- backup and the way back"
    yield 'mkdir -p "$ROOT/var/lib/compute-wizard" && chmod 0700 "$ROOT/var/lib/compute-wizard" && mkdir -m 0700 "$BACKUP" ||'
    yield '\tdie "$BACKUP cannot be made"'
    yield from _document('cat >"$BACKUP/undo.sh"', _undo(plan))


def _undo(plan: Plan) -> str:
    """The text of undo.sh: commands that need the new files, then files and attributes, then what is made of them."""
    lines = [with_fragments(_asset("undo.sh"))]
    order = undo_order(plan.steps)
    touched = undoing_guests(order)
    lines += [_call("touching", safe_text(guests(plan)), *touched)] if touched else []
    lines += [_back(plan, undo, order) for undo in order]
    lines.append("directories_back")
    lines.append(_call("finish", "What was made for the next boot leaves with it." if plan.needs_reboot else ""))
    return "\n".join(lines) + "\n"


def _back(plan: Plan, undo: Undo, order: list[Undo]) -> str:
    """The call for one thing that undoes steps."""
    step, number = undo.step, str(undo.numbers[0])
    if isinstance(step, WriteFile | RemoveFile):
        commands = [
            each for each in order if each.kind == "before" and undo.numbers[0] in needed_by(each.step, plan.steps)
        ]
        return _call("file_back", number, _real(plan, step.path), *(str(each.numbers[0]) for each in commands))
    if isinstance(step, WriteSysfs):
        return _call("value_back", number, step.path, step.before)
    if isinstance(step, StopByPidfile):
        return _call("stop_back", number, step.pidfile, step.must_contain)
    return _call("last_back" if undo.kind == "last" else "command_back", number, *(step.undo or ()))


def _step(facts: Facts, plan: Plan, number: int) -> Iterator[str]:
    step = plan.steps[number - 1]
    yield ""
    for why in step.why:
        yield _comment(why)
    yield _call("step", str(number), title(step))
    if isinstance(step, WriteFile):
        old = _old(facts, step)
        if step.secret and re.search(rb"\r(?!\n)", old):  # lines to who reads it, and one line to the script's tools
            raise InputError(
                "the file has a carriage return that is not part of a line end: a script cannot change it without holding its secrets",
                where=step.path,
                do="Fix its line ends, or apply the plan with this tool.",
            )
        yield _call("begin_write", _real(plan, step.path), *_before(step))
        yield from _content(old, step.after.data())
        yield _call("finish_write", _real(plan, step.path), step.after.sha256, step.after.mode, step.after.owner)
    elif isinstance(step, RemoveFile):
        yield _call("remove", _real(plan, step.path), *_before(step))
    elif isinstance(step, WriteSysfs):
        yield _call("attribute", step.path, step.after)
    elif isinstance(step, StopByPidfile):
        yield _call("stop", step.pidfile, step.must_contain)
    else:
        if "one-way" in step.labels:
            yield _call("one_way", safe_text(step_text.title(step)))
        yield _call("run", *step.argv)


def _before(step: WriteFile | RemoveFile) -> tuple[str, ...]:
    """What the script has to find when the step has its turn."""
    return (step.before.sha256, step.before.mode, step.before.owner) if step.before is not None else ("-",)


def _old(facts: Facts, step: WriteFile) -> bytes:
    if step.before is None:
        return b""
    content = facts.content(step.path)
    if content is None:
        raise NodeError("cannot be read any more", where=step.path)
    return content


def _content(old: bytes, new: bytes) -> Iterator[str]:
    """Commands that put the new content together: ranges of the old file's lines, and new lines as they are."""
    before, after = old.split(b"\n"), new.split(b"\n")
    before, after = _kept_ends(before), _kept_ends(after)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag == "equal":
            yield f"lines {first + 1} {last}"
        elif start < end:
            yield from _new_lines(before, after[start:end])


def _new_lines(before: list[bytes], lines: list[bytes]) -> Iterator[str]:
    """Commands for lines that stand elsewhere now: what the old file holds is taken from there, never written out; so is its
    last line where only the line end is new."""
    places = {line: number for number, line in enumerate(before, 1)}
    new: list[bytes] = []
    for line in lines:
        bare = line.removesuffix(b"\n")
        number = places.get(line) or (places.get(bare) if bare else None) or places.get(bare + b"\n")
        if number is None or not line.strip():
            new.append(line)
            continue
        yield from _literal(new) if new else ()
        new = []
        if before[number - 1] == line:
            yield f"lines {number} {number}"
        elif line.endswith(b"\n"):
            yield from (f"lines {number} {number}", "printf '\\n' >>\"$NEW\"")
        else:
            yield f"bare_line {number}"
    if new:
        yield from _literal(new)


def _kept_ends(lines: list[bytes]) -> list[bytes]:
    """Lines with their line end; the last one without, where the file has none."""
    found = [line + b"\n" for line in lines[:-1]]
    return [*found, lines[-1]] if lines[-1] else found


def _literal(lines: list[bytes]) -> Iterator[str]:
    """Commands that write these bytes: a here-document where they are plain text, octal escapes elsewhere."""
    text: list[str] = []
    for line in lines:
        plain = _plain(line)
        if plain is None:
            yield from _document('cat >>"$NEW"', "".join(text)) if text else ()
            text = []
            octal = "".join(f"\\{byte:03o}" for byte in line)
            yield f"printf '{octal}' >>\"$NEW\""
        else:
            text.append(plain)
    if text:
        yield from _document('cat >>"$NEW"', "".join(text))


def _plain(line: bytes) -> str | None:
    """A line that a here-document carries unchanged; None for others."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return None
    if not text.endswith("\n") or END in text:
        return None
    return text if all(char.isprintable() or char == "\t" for char in text[:-1]) else None


def _document(command: str, text: str) -> Iterator[str]:
    yield f"{command} <<'{END}'"
    yield text.removesuffix("\n")
    yield END


def _ending(plan: Plan) -> Iterator[str]:
    yield "\n# --- done"
    if plan.steps:
        yield "printf 'Done. `compute-wizard history` does not know of it: all that is kept of it lies in %s\\n' \"$BACKUP\""
        yield "way_back It"
    else:
        yield say(NOTHING)
    if plan.needs_reboot:
        line = plan.kernel_command_line
        added = [word for word in (line.after_reboot or "").split() if word not in (line.now or "").split()]
        off = f"take {' '.join(added)} off the line that begins with linux"
        yield say(
            "A reboot is needed." + (f" If it does not come up: press e in the boot menu, and {off}." if added else "")
        )
    if plan.controller:
        yield say("To be done on the controller:")
        yield from (say(line) for line in report.controller(plan.controller))


def _comment(text: str) -> str:
    """One line that a shell skips, whatever the text holds."""
    return "# " + safe_text(text).replace("\n", " ")


def _call(name: str, *words: Iterable[str] | str) -> str:
    return shlex.join([name, *(str(word) for word in words)])

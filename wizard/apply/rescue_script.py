"""The way back without this tool: each run's undo.sh, and what it reads of each file that was backed up.

The script lies in the run's directory before the first change. It holds the plan; how far the run came it reads from the
backups and the journal, so it is right at every moment of the run. Paths are those without links, owners are numbers: in a
rescue shell neither the node's links nor its names would be resolved.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from wizard.apply.extended_attributes import ACL, acl_entries
from wizard.apply.file_writer import Found
from wizard.asset_text import asset_text, with_fragments
from wizard.errors import NodeError
from wizard.model.plan import Plan
from wizard.model.step_text import words
from wizard.model.steps import RemoveFile, RunCommand, Step, StopByPidfile, WriteFile, WriteSysfs
from wizard.model.undo_order import Undo, undo_order
from wizard.safe_text import safe_text

NAME = "undo.sh"
_ACL_TAGS = {
    0x01: "u::",
    0x02: "u:{}:",
    0x04: "g::",
    0x08: "g:{}:",
    0x10: "m::",
    0x20: "o::",
}  # include/uapi/linux/posix_acl.h


def _asset() -> str:
    return asset_text(f"rescue/{NAME}")


def script(plan: Plan) -> str:
    """The text of undo.sh for a plan."""
    order = undo_order(plan.steps)
    lines = [with_fragments(_asset()).rstrip("\n")]
    lines += [line for undo in order if undo.kind in ("before", "file") for line in _line(undo)]
    lines += [_call("unit_links", unit) for unit in dict.fromkeys(_units(plan.steps))]
    lines.append("directories")
    lines += [line for undo in order if undo.kind not in ("before", "file") for line in _line(undo)]
    lines.append("finish")
    return "\n".join(lines) + "\n"


def _units(steps: Iterable[Step]) -> Iterator[str]:
    """Units that the run enabled: `systemctl enable` makes links, which go with their unit."""
    for step in steps:
        if isinstance(step, RunCommand) and step.argv[:2] == ("systemctl", "enable"):
            yield from (word for word in step.argv[2:] if not word.startswith("-"))


def _line(undo: Undo) -> Iterator[str]:
    """The call for one thing that undoes steps. Commands are not run but listed: boot says that one makes sense in a chroot,
    too, live that it does on a running node only."""
    step, number = undo.step, undo.numbers[0]
    if isinstance(step, WriteFile | RemoveFile):
        yield _call("file", f"{number:04}", step.after.sha256 if isinstance(step, WriteFile) else "-")
    elif isinstance(step, WriteSysfs):
        yield _call("later", str(number), "live", f"echo {shlex.quote(step.before)} >{shlex.quote(step.path)}")
    elif isinstance(step, StopByPidfile):
        kill = f'kill "$(cat {shlex.quote(step.pidfile)})"   (if its command line holds {step.must_contain})'
        yield _call("later", str(number), "live", kill)
    elif step.undo is None:
        return
    elif undo.kind == "before":
        if step.undo[0] != "systemctl":  # the links of a unit go with it
            yield _call("until_boot", str(number), f"what `{words(step.argv)}` did")
    elif undo.kind == "last":
        yield _call("last", str(number), words(step.undo))
    else:
        offline = step.undo[0] != "systemctl" if step.phase == "boot" else step.undo[:2] == ("systemctl", "enable")
        yield _call("later", str(number), "boot" if offline else "live", words(step.undo))


def _call(name: str, *arguments: str) -> str:
    return shlex.join([name, *(safe_text(argument) for argument in arguments)])


def state(
    found: Found | None, real: str, made: Iterable[str], left_mode: str = "", left_ids: tuple[int, int] | None = None
) -> bytes:
    """What undo.sh has to know of a file before it is touched; `made` are the directories that will be made for it, `left_mode`
    and `left_ids` what the step gives it.

    Lines of a word and its value: real, made, sha256 (or none), mode, owner (numbers), xattr (name and hex), acl (text);
    left-mode and left-owner.
    Raises NodeError for a path that holds a line break.
    """
    lines = [f"real {real}", *(f"made {path}" for path in made)]
    lines += [f"left-mode {left_mode}"] if left_mode else []
    lines += ["left-owner {}:{}".format(*left_ids)] if left_ids is not None else []
    if any(character in line for line in lines for character in "\n\r\0"):
        raise NodeError("has a line break in its name, or in that of a directory above it", where=repr(real))
    if found is None:
        return _encoded([*lines, "sha256 none"])
    uid, gid = found.ids
    lines += [f"sha256 {found.state.sha256}", f"mode {found.mode:04o}", f"owner {uid}:{gid}"]
    lines += [f"xattr {name} 0x{value.hex()}" for name, value in sorted(found.attributes.items()) if _plain(name)]
    if ACL in found.attributes:
        lines.append(f"acl {acl_text(found.attributes[ACL])}")
    return _encoded(lines)


def _plain(name: str) -> bool:
    return name.isprintable() and " " not in name


def _encoded(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def acl_text(value: bytes) -> str:
    """An ACL as the kernel keeps it, in setfacl's words."""
    entries = []
    for tag, permissions, number in acl_entries(value):
        letters = "".join(letter if permissions & bit else "-" for letter, bit in (("r", 4), ("w", 2), ("x", 1)))
        entries.append(_ACL_TAGS.get(tag, "o::").format(number) + letters)
    return ",".join(entries)

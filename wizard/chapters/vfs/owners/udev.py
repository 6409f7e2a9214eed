"""udev: rules that write sriov_numvfs, or run what does, for the devices of each card as they appear at boot."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator
from dataclasses import replace

from wizard.chapters.vfs.owners import scripts, shell
from wizard.chapters.vfs.owners.cards import is_number_file
from wizard.chapters.vfs.owners.model import NO, UNKNOWN, YES, Owner, Verdict
from wizard.chapters.vfs.owners.shell_expansion import Value
from wizard.chapters.vfs.owners.udev_events import Device, Event, devices
from wizard.chapters.vfs.owners.udev_rules import Rule, rules
from wizard.chapters.vfs.owners.view import View
from wizard.integers import parse_int

__all__ = ["DIRECTORIES", "Event", "devices", "read", "rules"]
DIRECTORIES = ("/etc/udev/rules.d", "/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d")
"""Not /run: it is gone at the next boot."""
_PROGRAMS = ("/usr/lib/udev", "/lib/udev")


def read(view: View) -> Iterator[Owner]:
    for path in view.layered(DIRECTORIES, ".rules"):
        text = view.text(path)
        own = path.startswith(("/etc/", "/usr/local/"))
        if text is None or not (shell.mentions(text) or ("RUN" in text and own)) or "compute-wizard" in path:
            continue
        yield from _file(view, path, rules(text))


def _file(view: View, path: str, found: list[Rule]) -> Iterator[Owner]:
    owners: dict[tuple[str, int, int | None, str], Owner] = {}
    for function in view.cards.functions:
        for device in devices(view, function):
            for owner in _walk(view, device, path, found):
                key = (owner.path, owner.line, owner.count, owner.program)
                if key in owners:
                    aim = {address: verdict | owners[key].aim[address] for address, verdict in owner.aim.items()}
                    owners[key] = replace(owner, aim=aim)
                else:
                    owners[key] = owner
    yield from owners.values()


def _walk(view: View, device: Device, path: str, found: list[Rule]) -> Iterator[Owner]:
    event, here, until = Event(view, device), YES, ""
    doubtful_until = ""
    for rule in found:
        labels = {key.value for key in rule.keys if key.name == "LABEL"}
        if until:
            if until not in labels:
                continue
            until = ""
        if doubtful_until in labels:
            here, doubtful_until = YES, ""
        verdict = event.rule(rule) & here
        if verdict is NO:
            continue
        event.assign(rule, verdict)
        yield from _assignments(view, event, path, rule, verdict)
        goto = next((key.value for key in rule.keys if key.name == "GOTO"), "")
        if goto and verdict is YES:
            until = goto
        elif goto:
            here, doubtful_until = UNKNOWN, goto


def _assignments(view: View, event: Event, path: str, rule: Rule, verdict: Verdict) -> Iterator[Owner]:
    for key in rule.keys:
        if key.matches:
            continue
        if key.name == "ATTR" and is_number_file(key.attribute):
            target = _written(event, key.attribute)
            if target is None:
                continue
            said = event.text(key.value)
            aim = view.cards.target(target.text, doubtful=not target.known)
            put = f'{key.name}{{{{{key.attribute}}}}}="{{count}}"'
            count = parse_int(said.text) if said.known else None
            certain = {address: each & verdict for address, each in aim.items()}
            yield Owner("udev", path, rule.line, rule.text[:80], count, certain, put)
        elif key.name == "RUN" and key.attribute in ("", "program", "fail_event_on_error"):
            for write in shell.command(view, _argv(view, event, key.value), path, rule.line):
                for owner in scripts.owners(view, scripts.Source("udev", path), [write]):
                    aim = {address: each & verdict for address, each in owner.aim.items()}
                    text = rule.text[:80] if owner.path == path else owner.text
                    yield replace(owner, aim=aim, text=text)


def _written(event: Event, attribute: str) -> Value | None:
    """The file that an assignment writes; None where the device has none of that name."""
    device = event.device
    if attribute.startswith("["):
        kind, _, rest = attribute[1:].partition("/")
        name, _, tail = rest.partition("]")
        named = event.text(name)
        place = f"/sys/bus/pci/devices/{named.text}" if kind == "pci" else f"/sys/class/{kind}/{named.text}"
        return Value(f"{place}/{tail.lstrip('/')}", named.known)
    inner = attribute.startswith("device/")
    if inner == (device.subsystem == "pci") or attribute.count("/") > 1:
        return None
    return Value(f"/sys/bus/pci/devices/{device.function.address}/{posixpath.basename(attribute)}")


def _argv(view: View, event: Event, command: str) -> list[Value]:
    """The words of a program as udev cuts them, before it puts values into them; a bare name is one of its own directory."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    found = [event.text(word) for word in words]
    if found and "/" not in found[0].text:
        place = next((each for each in _PROGRAMS if view.exists(f"{each}/{found[0].text}")), _PROGRAMS[0])
        found[0] = Value(f"{place}/{found[0].text}")
    return found

"""From what a script writes to who is meant by it; and the scripts that run by their place: rc.local, dispatchers, cron."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from wizard.chapters.vfs.owners import shell
from wizard.chapters.vfs.owners.model import NO, RUNS, UNKNOWN, YES, Owner, Runs
from wizard.chapters.vfs.owners.shell_expansion import Value
from wizard.chapters.vfs.owners.view import View
from wizard.dataclass import dataclass
from wizard.regex import regex

PUT = "echo {count}"
_RUN_PARTS = regex(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Source:
    """Who runs a text, and where it stands."""

    program: str
    path: str
    runs: Runs = RUNS
    put: str = PUT


def owners(view: View, source: Source, found: Iterable[shell.Write]) -> Iterator[Owner]:
    """What was written, with the functions that are meant. A line that writes for many interfaces is one."""
    result: dict[tuple[str, int, int | None, str], Owner] = {}
    for write in found:
        aim = view.cards.target(write.target.text, doubtful=not write.target.known)
        by = write.by or source.program
        key = (write.path or source.path, write.line, write.count, by)
        certain = {address: verdict & write.certain for address, verdict in aim.items()}
        before = result.get(key)
        if before is not None:
            certain = {address: verdict | before.aim[address] for address, verdict in certain.items()}
        result[key] = Owner(
            program=by,
            path=key[0],
            line=key[1],
            text=_line(view, key[0], key[1]),
            count=write.count,
            aim=certain,
            put="numvfs: {count}" if write.by == "os-net-config" else source.put,
            certain=YES if write.certain is not NO else NO,
            runs=source.runs,
        )
    yield from result.values()


def _line(view: View, path: str, number: int) -> str:
    lines = (view.text(path) or "").splitlines()
    return lines[number - 1].strip()[:80] if 0 < number <= len(lines) else ""


def of_file(
    view: View, source: Source, situations: Iterable[tuple[dict[str, Value], Sequence[Value] | None]] = (({}, None),)
) -> Iterator[Owner]:
    """A script that is run once in each situation: with these variables and arguments."""
    text = view.text(source.path)
    if text is None or not shell.worth(text):
        return
    found: list[shell.Write] = []
    for variables, arguments in situations:
        found += shell.writes(view, text, source.path, variables=variables, arguments=arguments)
    yield from owners(view, source, found)


def interfaces(view: View) -> list[str]:
    """All that a dispatcher may run its scripts for, as far as they are known."""
    return [device.name for function in view.cards.functions for device in function.netdevs]


def _started(view: View, path: str, *units: str) -> Runs:
    runs = view.executable(path)
    return runs if runs.verdict is not YES else view.service(*units)


def rc_local(view: View) -> Iterator[Owner]:
    """rc.local(8): systemd's generator and init take it only where it is executable. RHEL and SUSE keep theirs elsewhere."""
    places = ["/etc/rc.local", "/etc/rc.d/rc.local", "/etc/init.d/boot.local", "/etc/init.d/after.local"]
    seen = set()
    for path in places:
        real = view.facts.files.destination(path) or path
        if real in seen or view.text(path) is None:
            continue
        seen.add(real)
        runs = _started(view, path)
        if view.unit_masked("rc-local.service"):
            runs = Runs(NO, "rc-local.service is masked, so that nothing runs it")
        yield from of_file(view, Source("rc.local", path, runs), [({}, (Value("start"),))])


def init_scripts(view: View) -> Iterator[Owner]:
    """Scripts of /etc/init.d, with `start`, where a link of a runlevel starts them and no unit of that name stands in for them."""
    for name in view.names("/etc/init.d"):
        path = f"/etc/init.d/{name}"
        if name in ("boot.local", "after.local", "README", "rc", "rcS", "functions") or not shell.worth(
            view.text(path) or ""
        ):
            continue
        if view.facts.system.init_system.runs_units and view.unit(f"{name}.service"):
            continue
        runs = view.executable(path)
        if runs.verdict is YES:
            runs = started_in_runlevel(view, name)
        yield from of_file(view, Source(name, path, runs), [({}, (Value("start"),))])


def started_in_runlevel(view: View, name: str) -> Runs:
    levels = [directory for level in "S12345" for directory in (f"/etc/rc{level}.d", f"/etc/rc.d/rc{level}.d")]
    links = [link for directory in levels for link in view.names(directory)]
    if any(re.fullmatch(rf"S\d+{re.escape(name)}", link) for link in links):
        return RUNS
    if links:
        return Runs(NO, f"no runlevel starts /etc/init.d/{name}, so that nothing runs it")
    return Runs(
        UNKNOWN, f"whether /etc/init.d/{name} is started at boot cannot be determined: there are no links of runlevels"
    )


def networkd_dispatcher(view: View) -> Iterator[Owner]:
    """networkd-dispatcher(8): the scripts of the directory of each state that an interface goes through, $IFACE being its name."""
    for directory in ("/etc/networkd-dispatcher", "/usr/lib/networkd-dispatcher"):
        for state in (
            "configuring",
            "configured",
            "carrier",
            "degraded",
            "routable",
            "initialized",
            "off",
            "no-carrier",
            "dormant",
        ):
            for name in view.names(f"{directory}/{state}.d"):
                path = f"{directory}/{state}.d/{name}"
                runs = _started(view, path, "networkd-dispatcher.service")
                if runs is RUNS and state in ("off", "no-carrier", "dormant"):
                    runs = Runs(UNKNOWN, f"whether an interface is {state} at boot cannot be determined")
                situations = [({"IFACE": Value(each)}, ()) for each in interfaces(view)]
                yield from of_file(view, Source("networkd-dispatcher", path, runs), situations or [({}, None)])


def nm_dispatcher(view: View) -> Iterator[Owner]:
    """NetworkManager-dispatcher(8): owned by root, executable, and not to be written by others."""
    for base in ("/etc/NetworkManager/dispatcher.d", "/usr/lib/NetworkManager/dispatcher.d"):
        for below, action in (("", "up"), ("/pre-up.d", "pre-up"), ("/no-wait.d", "up")):
            for name in view.names(base + below):
                path = f"{base}{below}/{name}"
                runs = _started(view, path, "NetworkManager.service")
                mode = view.mode(path) or 0
                if runs.verdict is YES and mode & 0o022:
                    runs = Runs(
                        NO, f"{path} may be written by others than root, so that NetworkManager does not run it"
                    )
                situations = [
                    (
                        {
                            "DEVICE_IFACE": Value(each),
                            "DEVICE_IP_IFACE": Value(each),
                            "NM_DISPATCHER_ACTION": Value(action),
                        },
                        (Value(each), Value(action)),
                    )
                    for each in interfaces(view)
                ]
                yield from of_file(view, Source("NetworkManager", path, runs), situations or [({}, None)])


def upstart(view: View) -> Iterator[Owner]:
    """Jobs of upstart, which start on an event; `manual`, in the job or its override, keeps them from it."""
    if not view.facts.system.init_system.runs_jobs:
        return
    for name in view.names("/etc/init"):
        if not name.endswith(".conf") or name.startswith("compute-wizard-"):
            continue
        path = f"/etc/init/{name}"
        text = view.text(path) or ""
        override = view.text(path.removesuffix(".conf") + ".override") or ""
        runs = RUNS
        if not re.search(r"^\s*start\s+on\b", text, re.MULTILINE) or re.search(
            r"^\s*manual\s*$", f"{text}\n{override}", re.MULTILINE
        ):
            runs = Runs(NO, f"nothing starts the job {name}")
        found: list[shell.Write] = []
        for first, body in _stanzas(text.splitlines()):
            found += shell.writes(view, body, path, first=first)
        yield from owners(view, Source("upstart", path, runs), found)


def _stanzas(lines: list[str]) -> Iterator[tuple[int, str]]:
    """The scripts of an upstart job, with the number of their first line."""
    start, kind = 0, ""
    for number, line in enumerate(lines, 1):
        if kind:
            if line.strip() == "end script":
                if kind != "stop":
                    yield start, "\n".join(lines[start - 1 : number - 1])
                kind = ""
        elif match := re.match(r"\s*(?:(pre|post)-(start|stop)\s+)?(script|exec)\b(.*)", line):
            stops = "stop" if match[2] == "stop" else "start"
            if match[3] == "script":
                start, kind = number + 1, stops
            elif stops == "start":
                yield number, match[4]


def cron(view: View) -> Iterator[Owner]:
    """crontab(5). Only @reboot is a certain moment; a file of cron.d with a dot in its name is passed over by Debian's cron."""
    places = [("/etc/crontab", True), *((f"/etc/cron.d/{name}", True) for name in view.names("/etc/cron.d"))]
    places += [
        (f"{place}/root", False) for place in ("/var/spool/cron/crontabs", "/var/spool/cron", "/var/spool/cron/tabs")
    ]
    for path, has_user in places:
        text = view.text(path)
        if text is None or not shell.worth(text):
            continue
        runs = view.service("cron.service", "crond.service")
        name = path.rsplit("/", 1)[1]
        if (
            runs.verdict is YES
            and path.startswith("/etc/cron.d/")
            and view.facts.system.is_debian
            and not _RUN_PARTS.fullmatch(name)
        ):
            runs = Runs(NO, f"cron passes over files of /etc/cron.d with such a name as {name}")
        if runs.verdict is YES and (view.mode(path) or 0) & 0o022:
            runs = Runs(NO, f"{path} may be written by others than root, so that cron does not read it")
        for number, line in enumerate(text.splitlines(), 1):
            if line.lstrip().startswith("#") or not (match := re.match(r"\s*(@\w+|(?:\S+\s+){4}\S+)\s+(.*)", line)):
                continue
            body = match[2].split(None, 1)[-1] if has_user else match[2]
            often = runs
            if runs is RUNS and match[1] != "@reboot":
                often = Runs(UNKNOWN, f"cron runs it at {match[1].strip()}, and not at boot")
            found = shell.writes(view, body, path, first=number)
            yield from owners(view, Source("cron", path, often), found)

"""tuned: the [sysfs] section and the scripts of the profile that is active, and of those that it includes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wizard.chapters.vfs.owners import ini, scripts
from wizard.chapters.vfs.owners.cards import is_number_file
from wizard.chapters.vfs.owners.model import NO, YES, Owner, Runs
from wizard.chapters.vfs.owners.shell_expansion import Value
from wizard.chapters.vfs.owners.view import View
from wizard.integers import parse_int

_PROFILES = ("/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned")
_SERVICE = "tuned.service"


def read(view: View) -> Iterator[Owner]:
    active = (view.text("/etc/tuned/active_profile") or "").split()
    active += (view.text("/etc/tuned/post_loaded_profile") or "").split()
    if not active:
        return
    runs = view.service(_SERVICE)
    if runs.verdict is YES and _SERVICE not in view.started_by() and view.facts.system.init_system.runs_units:
        runs = Runs(NO, f"{_SERVICE} is not enabled, so that nothing reads it")
    files: list[tuple[str, list[ini.Section]]] = []
    for name in active:
        _load(view, name, files)
    last: dict[str, Owner] = {}
    for path, found in files:
        for section in found:
            kind = section.last("type") or section.name
            if kind == "sysfs":
                for key, value, line in section.entries:
                    if is_number_file(key):
                        known = "$" not in key
                        target = re.sub(r"\$\{[^}]*\}", "*", key)
                        aim = view.cards.target(target, doubtful=not known)
                        last[target] = Owner(
                            "tuned",
                            path,
                            line,
                            f"{key}={value}",
                            parse_int(value.strip("\"'")),
                            aim,
                            f"{key}={{count}}",
                            runs=runs,
                        )
            elif kind == "script":
                yield from _script(view, path, section.last("script") or "", runs)
    yield from last.values()


def _load(view: View, name: str, files: list[tuple[str, list[ini.Section]]], depth: int = 0) -> None:
    """A profile after those that it includes: its own values go before theirs."""
    path = next(
        (f"{place}/{name}/tuned.conf" for place in _PROFILES if view.text(f"{place}/{name}/tuned.conf") is not None),
        None,
    )
    if path is None or depth > 8 or any(path == each for each, _ in files):
        return
    found = ini.sections(view.text(path) or "")
    for section in found:
        if section.name == "main":
            for each in re.split(r"[\s,;]+", section.last("include") or ""):
                _load(view, each.lstrip("-"), files, depth + 1)
    files.append((path, found))


def _script(view: View, profile: str, script: str, runs: Runs) -> Iterator[Owner]:
    path = re.sub(r"\$\{i:PROFILE_DIR\}", profile.rpartition("/")[0], script)
    if path and not path.startswith("/"):
        path = f"{profile.rpartition('/')[0]}/{path}"
    if path:
        own = runs if runs.verdict is not YES else view.executable(path)
        yield from scripts.of_file(view, scripts.Source("tuned", path, own), [({}, (Value("start"),))])

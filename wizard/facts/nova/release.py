"""Which release of Nova is here: by package, Python distribution, a container's image, or by asking Nova itself."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator

from wizard.facts import packages
from wizard.facts.processes import Process
from wizard.node import best_effort
from wizard.node.node import Node
from wizard.regex import regex

RELEASES = (
    *(
        "kilo",
        "liberty",
        "mitaka",
        "newton",
        "ocata",
        "pike",
        "queens",
        "rocky",
        "stein",
        "train",
        "ussuri",
        "victoria",
    ),
    *("wallaby", "xena", "yoga", "zed", "2023.1", "2023.2", "2024.1", "2024.2", "2025.1", "2025.2", "2026.1", "2026.2"),
)
"""The releases that are known, oldest first. Kilo is version 2015.1; Liberty is version 12, the next ones count on."""

PACKAGES = ("nova-compute", "nova-common", "python3-nova", "python-nova", "nova-network", "nova-api-metadata")
_FIRST_MAJOR = 12  # Liberty
_VERSION = regex(r"(?:\d+:)?(\d+)\.(\d+)")
_DISTRIBUTION = regex(r"nova-(\d[^-]*)(?:-py[\d.]+)?\.(?:dist|egg)-info")
_CONTAINER_ID = regex(r"docker[-/]([0-9a-f]{64})")
_IMAGE_RELEASE = regex(r"(?<![a-z0-9.])(" + "|".join(map(re.escape, RELEASES)) + r")(?![a-z0-9.])")


def at_least(release: str, other: str) -> bool:
    """Whether a release is `other` or a later one. Raises ValueError for a name that is not in :data:`RELEASES`."""
    for name in (release, other):
        if name not in RELEASES:
            raise ValueError(f"{name!r} is not a release from {RELEASES[0]} to {RELEASES[-1]}")
    return RELEASES.index(release) >= RELEASES.index(other)


def release_of(version: str) -> str | None:
    """The release of a version such as '1:2015.1.4-0ubuntu2', '2:12.0.6' or '34.0.0'; None where it is not known."""
    match = _VERSION.match(version.strip())
    if match is None:
        return None
    major, minor = int(match[1]), int(match[2])
    if (major, minor) == (2015, 1):
        return "kilo"
    index = major - _FIRST_MAJOR + 1
    return RELEASES[index] if 1 <= index < len(RELEASES) else None


def read(node: Node, process: Process | None, contained: bool) -> tuple[str | None, str, bool]:
    """The release or None, where that is known from or why it is not, and whether any trace of Nova was found.

    `process` is the running nova-compute; where it is `contained`, what the node itself has installed tells nothing.
    """
    if contained and process is not None:
        return *_by_image(node, process), True
    for what, version in (*_by_package(node), *_by_distribution(node, process), *_by_asking(node)):
        release = release_of(version)
        why = "" if release else f", which is not a release from {RELEASES[0]} to {RELEASES[-1]}"
        return release, f"{what} {version}{why}", True
    return None, "no package, Python distribution or command of nova tells its version here", False


def _by_package(node: Node) -> Iterator[tuple[str, str]]:
    found = packages.dpkg(node)
    yield from ((f"package {name}", found[name]) for name in PACKAGES if name in found)


def _by_distribution(node: Node, process: Process | None) -> Iterator[tuple[str, str]]:
    for prefix in _prefixes(node, process):
        for library in (f"{prefix}/lib", f"{prefix}/lib64"):
            for python in best_effort.names(node, library):
                if not python.startswith("python"):
                    continue
                for directory in ("site-packages", "dist-packages"):
                    place = f"{library}/{python}/{directory}"
                    for name in best_effort.names(node, place):
                        match = _DISTRIBUTION.fullmatch(name)
                        if match:
                            yield place, match[1]


def _prefixes(node: Node, process: Process | None) -> Iterator[str]:
    """Where Python packages may lie, the running nova-compute's own environment first."""
    if process is not None:
        for program in (process.path, process.argv[0]):
            place, directory = posixpath.split(posixpath.dirname(program))
            if program.startswith("/") and directory == "bin":
                yield place
    environments = [name for name in best_effort.names(node, "/openstack/venvs") if name.startswith("nova-")]
    yield from (f"/openstack/venvs/{name}" for name in reversed(environments))
    yield from ("/usr", "/usr/local", "/snap/openstack-hypervisor/current/usr", "/snap/openstack-hypervisor/current")


def _by_asking(node: Node) -> Iterator[tuple[str, str]]:
    for name in ("nova-compute", "nova-manage"):
        if node.live and node.command(name) is None:
            continue
        said = best_effort.ask(node, (name, "--version"), timeout=30.0)
        if said is not None and said.status == 0:
            # Python 2's argparse prints the version on stderr
            for line in (said.stdout + "\n" + said.stderr).splitlines():
                if re.fullmatch(r"\d+\.\d+\S*", line.strip()):
                    yield f"{name} --version:", line.strip()


def _by_image(node: Node, process: Process) -> tuple[str | None, str]:
    identifier = _CONTAINER_ID.search(process.cgroup)
    if identifier:
        text = node.text(f"/var/lib/docker/containers/{identifier[1]}/config.v2.json")
        try:
            image = str(json.loads(text or "{}")["Config"]["Image"])
        except (ValueError, KeyError, TypeError, RecursionError):
            image = ""
        match = _IMAGE_RELEASE.search(image)
        if match:
            return match[1], f"container image {image}"
    return None, f"nova-compute (pid {process.pid}) runs in a container, whose packages cannot be seen from here"

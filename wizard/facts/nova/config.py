"""Which configuration files nova-compute reads, in which order, and what they say.

The order is oslo.config's own (oslo_config/cfg.py, `_parse_config_files`): the default files unless there is a
--config-file, then the default directories unless there is a --config-dir, then what the command line names, in that
order. Later overrides earlier. So where a package passes --config-file and no --config-dir, as those of Debian and
Ubuntu do, nova.conf.d is read first and nova.conf overrides it. The default directories are known since Ocata
(oslo.config 3.21). A service user's home is searched by oslo.config too, but no package puts a configuration there,
so it is not looked at.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from wizard.dataclass import dataclass
from wizard.errors import FormatError, NodeError, NotThere
from wizard.facts.nova.managers import KOLLA, RHOSO, TRIPLEO
from wizard.facts.nova.release import at_least
from wizard.facts.processes import Process
from wizard.formats import oslo_config, oslo_interpolation
from wizard.formats.oslo_masking import masked
from wizard.formats.oslo_reading import Line, split_lines
from wizard.node import best_effort
from wizard.node.node import Node, Unseen
from wizard.regex import regex

MAIN = "/etc/nova/nova.conf"
DISTRIBUTED = "/usr/share/nova/nova-dist.conf"  # RDO's patched oslo.config reads it before the default files
_OPTION = regex(r"--config-(file|dir)(?:=|\s+)[\"']?([^\s\"'$;)]+)")
_DEFINITIONS = (
    *(
        f"{place}/{name}.service"
        for place in ("/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system")
        for name in ("nova-compute", "openstack-nova-compute", "devstack@n-cpu")
    ),
    "/etc/init/nova-compute.conf",
)
_NETWORK_DEFINITIONS = (
    *(
        f"{place}/{name}.service"
        for place in ("/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system")
        for name in ("nova-network", "openstack-nova-network", "devstack@n-net")
    ),
    "/etc/init/nova-network.conf",
)

# The options whose values may be shown: all that this tool reads or writes. nova.conf holds secrets everywhere else.
SHOWN_OPTIONS = frozenset(
    """pci_passthrough_whitelist passthrough_whitelist device_spec pci_alias alias scheduler_default_filters
    enabled_filters scheduler_available_filters available_filters report_in_placement pci_in_placement
    network_api_class use_neutron network_manager multi_host vlan_interface vlan_start flat_interface
    flat_network_bridge public_interface my_ip metadata_host metadata_port metadata_listen
    metadata_listen_port enabled_apis networks_path state_path dnsmasq_config_file use_single_default_gateway
    share_dhcp_address force_snat_range dhcp_domain dhcpbridge_flagfile service_metadata_proxy enable
    compute_driver force_config_drive config_drive_format mkisofs_cmd log_file log_dir""".split()
)


# Options that a value may refer to: plain text, so that what is put in is what is written. Never one that may hold a secret.
REFERABLE = frozenset(
    """my_ip my_block_storage_ip host bindir pybasedir state_path networks_path instances_path dhcpbridge_flagfile
    dnsmasq_config_file metadata_host metadata_listen public_interface vlan_interface flat_interface flat_network_bridge
    dhcp_domain routing_source_ip""".split()
)
STATE_PATH = "/var/lib/nova"  # as every package sets it
DEFAULTS = {"state_path": STATE_PATH}


@dataclass(frozen=True, slots=True)
class NovaSetting:
    """One option of one configuration file, only of :data:`SHOWN_OPTIONS`. `section` is as oslo.config compares it: in
    lower case, but for DEFAULT. `value` is what nova gets, every $name in it replaced; where that cannot be said, it is as it is
    written, and `unknown` says why."""

    path: str
    line: int
    section: str
    option: str
    value: str
    unknown: str = ""

    @property
    def place(self) -> str:
        return f"{self.path} line {self.line}"


@dataclass(frozen=True, slots=True)
class Sources:
    """The files in the order in which they are read, why these, and the one to edit. What is not there is left out."""

    files: tuple[str, ...]
    source: str
    main_file: str


@dataclass(frozen=True, slots=True)
class Content:
    """What the files say. `problem` is what oslo.config would refuse, the main file's first; empty where it is content.
    `complete` is False where a file could not be read."""

    settings: tuple[NovaSetting, ...]
    problem: str
    complete: bool
    unseen: tuple[Unseen, ...]


def sources(node: Node, process: Process | None, container: str, owner: str, release: str | None) -> Sources:
    """The files of nova-compute. `process` is the running one, `container` the one it runs in, and `owner` a directory
    of the node from which a container gets its configuration; all may be empty."""
    if owner and (container or (process is None and not _is_there(node, MAIN))):
        return _of_container(node, owner)
    if process is not None and container:
        return Sources((), f"unknown: nova-compute (pid {process.pid}) reads files inside its container", MAIN)
    if process is not None:
        named = files_named(process.argv[1:])
        why = f"command line of nova-compute (pid {process.pid})"
        if not named:
            why += ", which names none: the defaults of oslo.config"
        return _sources(node, named, why, release)
    return _of_service(node, release)


def network_sources(node: Node, process: Process | None, release: str | None, compute: Sources) -> Sources | None:
    """The files of nova-network, where they are others than nova-compute's: by its process, else by its unit or job."""
    if process is not None:
        named = files_named(process.argv[1:])
        why = f"command line of nova-network (pid {process.pid})"
    else:
        named, why = _in_definitions(node, _NETWORK_DEFINITIONS, "nova-network")
    if not named:
        return None
    found = _sources(node, named, why, release)
    return found if found.files and found.files != compute.files else None


def read(
    node: Node, where: Sources, shown: frozenset[str] = SHOWN_OPTIONS, defaults: Mapping[str, str] = DEFAULTS
) -> Content:
    """Parse every file. Secrets never enter: only the options that are `shown` are kept. `defaults` are the values of what a
    value may refer to and the files do not say."""
    settings: list[NovaSetting] = []
    values: dict[tuple[str, str], list[str]] = {}
    problems: dict[str, str] = {}
    unseen: list[Unseen] = []
    for path in where.files:
        try:
            content = node.read(path)
            settings += _settings(path, content, shown)
            for found in oslo_config.parse(content):
                if found.option in REFERABLE:
                    values.setdefault((found.section, found.option), []).append(found.value)
        except FormatError as error:
            problems[path] = f"{path} {error.where}: {error.what}" + (f"; {error.do}" if error.do else "")
        except NodeError as error:
            unseen.append(Unseen(path, error.what))
    problem = problems.get(where.main_file) or next(iter(problems.values()), "")
    complete = not unseen and not problem and bool(where.files)
    settings = [_resolved(setting, values, defaults) for setting in settings]
    unseen += [Unseen(f"{each.place}: {each.option}", each.unknown) for each in settings if each.unknown]
    return Content(tuple(settings), problem, complete, tuple(unseen))


def _resolved(setting: NovaSetting, values: oslo_interpolation.Values, defaults: Mapping[str, str]) -> NovaSetting:
    """The setting as nova gets it."""
    hidden = [name for name in oslo_interpolation.names(setting.value) if name.rpartition(".")[2] not in REFERABLE]
    if hidden:
        return replace(setting, unknown=f"${hidden[0]} is none of the options that are looked at")
    try:
        value = oslo_interpolation.resolved(setting.value, setting.section, values, defaults)
    except oslo_interpolation.Unknown as error:
        return replace(setting, unknown=str(error))
    return replace(setting, value=value)


def last(settings: Iterable[NovaSetting], section: str, option: str) -> str | None:
    """The value that counts for a single-valued option; None where it is not set, or cannot be said."""
    found = [each for each in settings if (each.section, each.option) == (section, option)]
    return found[-1].value if found and not found[-1].unknown else None


def _settings(path: str, content: bytes, shown: frozenset[str]) -> list[NovaSetting]:
    lines = split_lines(content.decode("utf-8", "replace"))
    return [
        NovaSetting(path, found.line, found.section, found.option, _shown(lines, found, shown))
        for found in oslo_config.parse(content)
        if found.option in shown
    ]


def _shown(lines: list[Line], found: oslo_config.Setting, shown: frozenset[str]) -> str:
    """The value; an option that was indented by mistake continues the one above it, and may hold a secret."""
    if found.last_line == found.line:
        return found.value
    block = "".join(line.text + line.eol for line in lines[found.line - 1 : found.last_line])
    return oslo_config.parse(b"[DEFAULT]\n" + masked(block.encode("utf-8"), shown))[0].value


def _is_there(node: Node, path: str) -> bool:
    """Also where it may not be seen: then it has to be named as unseen, not passed over."""
    try:
        return node.status(path) is not None
    except NotThere:
        return False
    except NodeError:
        return True


def files_named(words: Sequence[str]) -> list[tuple[str, str]]:
    """The ("file" or "dir", path) that a command line names, in order."""
    found: list[tuple[str, str]] = []
    for index, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in ("--config-file", "--config-dir"):
            path = value if equals else next(iter(words[index + 1 :]), "")
            if path:  # a daemon's relative path starts at /
                found.append((option.removeprefix("--config-"), posixpath.normpath(f"/{path.lstrip('/')}")))
    return found


def _of_container(node: Node, owner: str) -> Sources:
    if owner == KOLLA:
        main = f"{KOLLA}/nova.conf"
        return Sources(_there(node, [main]), "copied into the container at each start", main)
    if owner == TRIPLEO:
        main = f"{TRIPLEO}/etc/nova/nova.conf"
        return Sources(_there(node, [main]), "copied into the container at each start", main)
    files = _in_directory(node, RHOSO)
    return Sources(tuple(files), "mounted into the container", files[0] if files else f"{RHOSO}/01-nova.conf")


def _of_service(node: Node, release: str | None) -> Sources:
    named, why = _in_definitions(node, _DEFINITIONS, "nova-compute")
    if named:
        return _sources(node, named, why, release)
    if node.exists("/var/lib/dpkg/status"):
        named = [("file", path) for path in (MAIN, "/etc/nova/nova-compute.conf")]
        return _sources(node, named, "default of the package", release)
    return _sources(node, [], "default of oslo.config", release)


def _in_definitions(node: Node, paths: Sequence[str], program: str) -> tuple[list[tuple[str, str]], str]:
    """What the first unit or job that names configuration files for a program names, and where that is."""
    for path in paths:
        text = node.text(path) or ""
        lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", ";"))]
        named: list[tuple[str, str]] = _OPTION.findall("\n".join(lines))
        if named and program in text:
            return named, f"arguments in {path}"
    return [], ""


def _sources(node: Node, named: Sequence[tuple[str, str]], why: str, release: str | None) -> Sources:
    kinds = {kind for kind, _ in named}
    files: list[str] = []
    plain: list[str] = []
    if "file" not in kinds:
        plain = [path for name in ("nova.conf", "nova-compute.conf") if (path := _first(node, name, "file"))]
        files += [*_there(node, [DISTRIBUTED]), *plain]
    if "dir" not in kinds and (release is None or at_least(release, "ocata")):
        for name in ("nova.conf.d", "nova-compute.conf.d"):
            directory = _first(node, name, "directory")
            files += _in_directory(node, directory) if directory else []
    for kind, path in named:
        if kind == "file":
            plain.append(path)
            files += _there(node, [path])
        else:
            files += _in_directory(node, path)
    return Sources(tuple(files), why, _main(plain))


def _main(plain: Sequence[str]) -> str:
    """The file that is edited: nova.conf by its name, else the first that is named one by one."""
    named = [path for path in plain if posixpath.basename(path) == "nova.conf"]
    others = [path for path in plain if path != DISTRIBUTED]
    return next(iter([*named, *others]), MAIN)


def _first(node: Node, name: str, kind: str) -> str:
    for place in ("/etc/nova", "/etc"):
        path = f"{place}/{name}"
        if best_effort.is_directory(node, path) if kind == "directory" else _is_there(node, path):
            return path
    return ""


def _there(node: Node, paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(path for path in paths if _is_there(node, path))


def _in_directory(node: Node, directory: str) -> list[str]:
    directory = directory.rstrip("/")
    return [f"{directory}/{name}" for name in best_effort.names(node, directory) if name.endswith(".conf")]

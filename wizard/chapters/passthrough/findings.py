"""What is wrong, or will go wrong, with what nova is told."""

from __future__ import annotations

from wizard.chapters.passthrough import device_spec, nova_options
from wizard.chapters.passthrough.device_spec import Spec
from wizard.chapters.passthrough.handout_findings import POOL_KEYS
from wizard.chapters.shared import nova_owner, nova_unknown
from wizard.chapters.shared.nova_owner import OwnerAnswers
from wizard.dataclass import dataclass
from wizard.errors import FormatError, NodeError
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.model.findings import Finding, Severity

CHAPTER = "passthrough"
OLD_NAMES = (("DEFAULT", "pci_passthrough_whitelist"), ("pci", "passthrough_whitelist"), ("pci", "device_spec"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the answers come to: the file, the values, and the lines as a fragment for another place."""

    release: str | None
    path: str
    owner: OwnerAnswers
    values: tuple[str, ...]
    fragment: tuple[str, ...]


def findings(facts: Facts, asked: Asked, handed_out: frozenset[str] = frozenset()) -> list[Finding]:
    """`handed_out` are the addresses of the VFs that guests may get."""
    found = [*_release(facts, asked), *_owned(facts, asked), *_file(facts, asked)]
    found += _own_devices(facts, asked.values, "blocks", "the values that are asked for", asked.release)
    if asked.release is not None:
        found += _existing(facts, asked)
    return found + _readable(facts, asked) + _groups(facts, handed_out)


def _finding(code: str, severity: Severity, seen: str, why: str, do: str) -> Finding:
    return Finding(code=code, severity=severity, chapter=CHAPTER, seen=seen, why=why, do=do)


def _release(facts: Facts, asked: Asked) -> list[Finding]:
    if asked.release is not None:
        return []
    return [
        _finding(
            "PASSTHROUGH-RELEASE",
            "blocks",
            facts.nova.release_source or "nova's release could not be found out",
            "The options are called differently from release to release, and nova ignores a wrong name in silence.",
            'Answer release = "kilo" … "2026.2", as `nova-compute --version` says.',
        )
    ]


def _owned(facts: Facts, asked: Asked) -> list[Finding]:
    return nova_owner.findings(
        facts,
        asked.owner,
        code="PASSTHROUGH-MANAGED",
        chapter=CHAPTER,
        path=asked.path,
        fragment=asked.fragment if asked.release is not None else None,
        nothing="the pools name no device of this node",
    )


def _file(facts: Facts, asked: Asked) -> list[Finding]:
    if facts.nova.problem and asked.path == facts.nova.main_file:
        return [
            _finding(
                "PASSTHROUGH-NOVA-CONF",
                "blocks",
                facts.nova.problem,
                "nova would refuse to start with this file as it is; it is not edited before that is fixed.",
                "Fix that line, then run check again.",
            )
        ]
    if asked.path and not facts.hidden(asked.path) and facts.content(asked.path) is not None:
        return []
    hidden = facts.hidden(asked.path) if asked.path else ""
    if hidden:
        return []  # said once for all chapters, where the plan is made
    return [
        _finding(
            "PASSTHROUGH-NO-NOVA-CONF",
            "blocks",
            f"{asked.path or 'nova.conf'}: there is no such file",
            "nova is not set up on this node, or reads another file.",
            'Install nova-compute first, or answer config_file = "/path/of/nova.conf".',
        )
    ]


def _own_devices(
    facts: Facts, values: tuple[str, ...], severity: Severity, whose: str, release: str | None
) -> list[Finding]:
    """A value that would hand out what the node itself lives on: its network card, its disk controller. A value of others that
    nova refuses is told of where all lines are held against each other."""
    found = []
    for value in values:
        try:
            specs = device_spec.parse(value, release or device_spec.NEWEST)
        except FormatError as error:
            found += [_unreadable(value, error, severity)] if severity == "blocks" else []
            continue
        for spec in specs:
            if spec.unknown():
                found.append(_unknown_key(value, spec, severity))
        hit = [f for f in device_spec.matched(specs, facts.pci.functions) if facts.guests.roles_of(f.address)]
        if hit:
            found.append(own_directory(facts, value, hit, severity, whose))
    return found


def _unreadable(value: str, error: FormatError, severity: Severity) -> Finding:
    return _finding(
        "PASSTHROUGH-BAD-SPEC",
        severity,
        f"{value}: {error.what}",
        "nova-compute would not start with it.",
        error.do or "Fix it.",
    )


def _unknown_key(value: str, spec: Spec, severity: Severity) -> Finding:
    names = ", ".join(spec.unknown())
    places = [key for key in spec.unknown() if key in POOL_KEYS]
    why = "An unknown key is taken as a tag, and the key that was meant matches everything: a slip hands out the whole machine."
    do = "Write vendor_id, product_id and address exactly so."
    if spec.is_narrow:
        why = "An unknown key is taken as a tag. The ids or the address that are there hold, so no other device is handed out"
        why += "; but what the key was meant for is not done."
        do = "Take it out, or write it as nova knows it."
    if places:
        why = f"The tag {', '.join(places)} takes the place of the device's own: an alias that asks for what the device is gets none. "
        why += (
            "The ids or the address that are there hold, so nothing else is handed out."
            if spec.is_narrow
            else "It narrows nothing."
        )
        do = f"Take {', '.join(places)} out: nova finds it out itself."
    return _finding("PASSTHROUGH-UNKNOWN-KEY", severity, f"{value}: nova does not know {names}", why, do)


def own_directory(facts: Facts, value: str, hit: list[PciFunction], severity: Severity, whose: str) -> Finding:
    what = "; ".join(
        f"{function.address} {function.model} ({', '.join(role.role for role in facts.guests.roles_of(function.address))})"
        for function in hit[:4]
    )
    return _finding(
        "PASSTHROUGH-OWN-DEVICE",
        severity,
        f"{whose}: {value} matches {what}",
        "nova may give that device to a guest, and the node loses it.",
        "Name the VFs by their own product id, or one card by its address.",
    )


def _existing(facts: Facts, asked: Asked) -> list[Finding]:
    """What is in nova.conf already: read together with ours, also under older names."""
    found = []
    for section, option in OLD_NAMES:
        settings = [setting for setting in facts.nova.all(section, option) if setting.value not in asked.values]
        found += nova_unknown.findings(CHAPTER, "warns", settings)
        for setting in settings:
            if not setting.unknown:
                found += _own_devices(facts, (setting.value,), "warns", setting.place, asked.release)
        if settings and (section, option) != nova_options.device_option(asked.release or ""):
            found.append(
                _finding(
                    "PASSTHROUGH-OTHER-NAME",
                    "warns",
                    f"{settings[0].place}: [{section}] {option}",
                    "nova of this release reads its own name for it: other names are joined to it, or ignored in silence.",
                    f"Move what is meant to {' '.join(nova_options.device_option(asked.release or ''))} by hand.",
                )
            )
    return found


def _readable(facts: Facts, asked: Asked) -> list[Finding]:
    """A file that only root may read, as `install -m 600` or a careless umask leaves it. nova's packages run it as the user nova; in
    a container it gets a copy. Owners in a directory or a recording that was unpacked by root may not be the node's own."""
    if asked.path not in facts.nova.config_files or any(manager.inert for manager in facts.nova.managers):
        return []
    try:
        snapshot = facts.files.get(asked.path)
    except NodeError:
        return []
    if snapshot is None:
        return []
    user, _, group = snapshot.owner.partition(":")
    closed = not snapshot.mode & 0o077 or (facts.live and group in ("root", "0") and not snapshot.mode & 0o004)
    if user not in ("root", "0") or not closed:
        return []
    return [
        _finding(
            "PASSTHROUGH-UNREADABLE",
            "warns",
            f"{asked.path} is {snapshot.owner}, mode {snapshot.mode:04o}",
            "nova-compute runs as the user nova and cannot read it: it does not start the next time, or goes without this file. This "
            "tool keeps owner and mode of a file.",
            f"`chown root:nova {asked.path}` and `chmod 0640 {asked.path}`, unless nova-compute runs as root here.",
        )
    ]


def _groups(facts: Facts, handed_out: frozenset[str]) -> list[Finding]:
    """A VF that shares its IOMMU group with another function cannot be given away alone, of whatever vendor it is."""
    for function in facts.pci.functions:
        if not function.is_vf or function.iommu_group is None:
            continue
        members = next((members for number, members in facts.iommu.groups if number == function.iommu_group), ())
        others = [address for address in members if address != function.address]
        if others and (function.card_family.for_guests or function.address in handed_out):
            return [
                _finding(
                    "PASSTHROUGH-SHARED-GROUP",
                    "blocks",
                    f"IOMMU group {function.iommu_group} holds {function.address} and {', '.join(others[:4])}",
                    "vfio gives a group away whole or not at all: a guest with this VF would not start (group is not viable).",
                    "Use another slot, or enable ACS in the BIOS. The kernel's pcie_acs_override only pretends, and is not safe.",
                )
            ]
    return []

"""What is answered as off, and kept on by others: this tool takes back what it put there itself, so the rest stays, and is shown.

Each function says where, in words: file and line, or the table of the kernel. What it is given is the node as it will be once our own
part is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from wizard import kernel_line, mlx4, other_owners
from wizard.cards import Request
from wizard.formats import ebtables, kernel_arguments, modprobe
from wizard.node.facts import Facts
from wizard.node.nova import NovaSetting
from wizard.node.pci import PciFunction
from wizard.plan import Finding
from wizard.questions import Check

MOST = 4  # places that are named
IOMMU = ("intel_iommu", "amd_iommu")


def findings(chapter: str, answered: str, places: Sequence[str]) -> list[Finding]:
    """One for all the places where it is kept on; none where there is none. `answered` is what the answers say."""
    if not places:
        return []
    return [
        Finding(
            code="NODE-SET-ELSEWHERE",
            severity="tells",
            chapter=chapter,
            seen=_seen(places),
            why=f"{answered}: this tool takes back only what it put there itself. What others set stays, and stays in force.",
            do="Take it away where it is set, if it is to be off. If it is meant so: nothing, or answer what it says.",
        )
    ]


def checks(chapter: str, what: str, places: Sequence[str]) -> list[Check]:
    """The same for verify: nothing of it is ours to be done, so it has not failed; but nobody is to think that it is off."""
    return [Check(chapter, what, "held", _seen(places))] if places else []


def _seen(places: Sequence[str]) -> str:
    more = f"; and {len(places) - MOST} more" if len(places) > MOST else ""
    return f"set elsewhere: {'; '.join(places[:MOST])}{more}"


def iommu(facts: Facts, overlay: Mapping[str, bytes | None]) -> list[str]:
    """Kernel arguments that switch it on. grubby keeps no layers: whose argument it is cannot be said after a run of ours."""
    if facts.boot.way == "grubby":
        ours = any("iommu" in run.chapters and not run.undone_by for run in facts.history.runs)
        lines = zip(facts.boot.grubby_kernels, facts.boot.grubby_arguments or (), strict=False)
        found = [f"the boot entry of {kernel}: {word}" for kernel, line in lines for word in _words(line, _switches_on)]
        return [] if ours else found
    return _layers(facts, overlay, _switches_on)


def _switches_on(word: str) -> bool:
    name, _, value = word.partition("=")
    return word in kernel_line.OURS or (name in IOMMU and value.split(",")[0] in ("on", "force", "force_enable"))


def _words(line: str, wanted: Callable[[str], bool]) -> list[str]:
    return [word for word in kernel_arguments.split(line) if wanted(word)]


def _layers(facts: Facts, overlay: Mapping[str, bytes | None], wanted: Callable[[str], bool]) -> list[str]:
    """Where such an argument of the next boot's line is set: the assignment that brought it, not those that carry it on."""
    line = kernel_line.next_boot(facts, overlay)
    standing = _words(line.arguments or "", wanted)
    before: dict[str, list[str]] = {}
    found = []
    for path, number, name, value in line.layers:
        words = _words(value, wanted)
        fresh = [word for word in words if word not in before.get(name, []) and word in standing]
        before[name] = words
        found += [f"{path} line {number}: {' '.join(fresh)}"] if fresh else []
    return found


def vfs_of(facts: Facts, request: Request) -> list[str]:
    """For a card whose count is 0: options of mlx4_core, which count for every card of it; else another owner of its number."""
    if request.count:
        return []
    if request.function.family != "mlx4":
        return _owners(facts, request.function)
    edits = mlx4.wants(facts, [request]).edits
    return mlx4_options(facts, {edit.path: edit.change(facts.content(edit.path)) for edit in edits})


def mlx4_options(facts: Facts, overlay: Mapping[str, bytes | None]) -> list[str]:
    """num_vfs as mlx4_core will be loaded with it, unless that is 0. On the kernel's line it goes before every file."""
    name = f"{mlx4.MODULE}.num_vfs"
    found = _layers(facts, {}, lambda word: word.startswith(f"{name}=") and word != f"{name}=0")
    places = modprobe.places(mlx4.files(facts, overlay), mlx4.MODULE, "num_vfs")
    if places and places[-1][2].partition("=")[2] != "0":
        path, number, word = places[-1]
        found.append(f"{path} line {number}: options {mlx4.MODULE} {word}")
    return found


def _owners(facts: Facts, function: PciFunction) -> list[str]:
    return [str(owner) for owner in other_owners.of(facts, function) if owner.count != 0]


def vfs_unnamed(facts: Facts, requests: Sequence[Request]) -> list[str]:
    """For cards that the answers do not name, beside those that they do."""
    asked = {request.function.address for request in requests}
    shared = any(request.function.family == "mlx4" for request in requests)  # one line of options: told with those
    found: list[str] = []
    for function in facts.pci.functions:
        if function.is_vf or function.offer == "none" or function.address in asked:
            continue
        if function.family != "mlx4":
            found += _owners(facts, function)
        elif not shared:
            found += mlx4_options(facts, {})
    told = {str(owner) for request in requests for owner in other_owners.of(facts, request.function)}
    return [place for place in dict.fromkeys(found) if place not in told]


def nova(settings: Iterable[NovaSetting], ours: Callable[[NovaSetting], bool]) -> list[str]:
    """Values of nova.conf that others wrote."""
    return [
        f"{setting.place}: {setting.option} = {setting.value}"
        for setting in settings
        if setting.value.strip() and not ours(setting)
    ]


def metadata(facts: Facts, chain: str) -> list[str]:
    """Rules outside our chain. The kernel does not know which file they came from."""
    chains = [*(facts.network.nat_chains or ()), *facts.network.other_nat_chains]
    rules = [rule for each in chains for rule in ebtables.foreign_metadata_rules({each.name: each}, chain=chain)]
    return [f"ebtables -t nat, {rule.chain}: {' '.join(rule.words)}" for rule in dict.fromkeys(rules)]

"""The kernel's command line at the next boot: computed from all sources of the boot loader, not grepped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments, shell_variables

ALWAYS, NORMAL = "GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"
GRUB_DIRECTORY = "/etc/default/grub.d/"
OURS = ("intel_iommu=on", "iommu=pt", "iommu.passthrough=1")
"""All arguments that this tool ever adds."""


@dataclass(frozen=True, slots=True)
class NextLine:
    """`arguments` are what comes after the kernel's image and root; None where unknown, and then `why` says it.

    `layers` are the assignments that made it: path, line, variable, value."""

    arguments: str | None
    why: str
    layers: tuple[tuple[str, int, str, str], ...]
    broken: bool = False  # a source is so that grub-mkconfig itself would fail


def sources(facts: Facts, overlay: Mapping[str, bytes | None]) -> list[shell_variables.Source]:
    """GRUB's sources in the order in which grub-mkconfig reads them, with `overlay` in place of what is on the node."""
    paths = [path for path in facts.boot.sources if not path.startswith(GRUB_DIRECTORY)]
    drop_ins = {path for path in (*facts.boot.sources, *overlay) if path.startswith(GRUB_DIRECTORY)}
    found = []
    for path in [*paths, *sorted(drop_ins)]:
        content = overlay[path] if path in overlay else facts.content(path)
        if content is not None:
            found.append(shell_variables.Source(path, content))
    return found


def next_boot(
    facts: Facts, overlay: Mapping[str, bytes | None] | None = None, commands: Iterable[Sequence[str]] = ()
) -> NextLine:
    """What the next boot's line would be if the files of `overlay` were as they are there (None: removed), and once
    `commands` have run: grubby's arguments are in no file that could be computed here."""
    overlay = overlay or {}
    if facts.boot.way in ("grub-dropin", "grub-inplace"):
        return _grub(facts, overlay)
    if facts.boot.way == "grubby":
        lines = facts.boot.grubby_arguments
        if not lines:
            why = "grubby --info=ALL names no kernel" if lines is not None else "grubby could not be asked: run as root"
            return NextLine(None, why, ())
        return NextLine(after_grubby(lines[0], facts.boot.grubby_kernels[0], commands), "", ())
    return NextLine(None, facts.boot.because, ())


def after_grubby(line: str, kernel: str, commands: Iterable[Sequence[str]]) -> str:
    """A kernel's line once these commands have run. grubby takes arguments of the same key away and appends its own; what
    it is told to remove with a value goes with that value only."""
    tokens = kernel_arguments.split(line)
    for argv in commands:
        if argv[0] != "grubby" or not {"--update-kernel=ALL", f"--update-kernel={kernel}"} & set(argv):
            continue
        options = dict(word.partition("=")[::2] for word in argv[1:])
        given = kernel_arguments.split(options.get("--args", ""))
        gone = kernel_arguments.split(options.get("--remove-args", ""))
        keys = {kernel_arguments.key(word) for word in (*given, *(word for word in gone if "=" not in word))}
        kept = [token for token in tokens if token not in gone and kernel_arguments.key(token) not in keys]
        tokens = [*kept, *given]
    return kernel_arguments.join(tokens)


def _grub(facts: Facts, overlay: Mapping[str, bytes | None]) -> NextLine:
    hidden = [
        f"{path}: {facts.hidden(path)}" for path in facts.boot.sources if path not in overlay and facts.hidden(path)
    ]
    if hidden:
        return NextLine(None, hidden[0], (), broken=facts.privileged)  # nothing is hidden from root but what is no file
    evaluation = shell_variables.evaluate(sources(facts, overlay))
    layers = tuple(
        (layer.path, layer.line, name, layer.value if layer.value is not None else "?")
        for name in (ALWAYS, NORMAL)
        for layer in evaluation.layers(name)
    )
    values = []
    for name in (ALWAYS, NORMAL):
        if evaluation.is_set(name) and not evaluation.known(name):
            why = evaluation.why_unknown(name)
            return NextLine(None, why, layers, broken=why.endswith(shell_variables.REFUSED))
        values.append(evaluation.value(name) or "")
    return NextLine(kernel_arguments.join(kernel_arguments.split(" ".join(values))), "", layers)


def whole(facts: Facts, line: NextLine) -> str | None:
    """The whole line as /proc/cmdline would show it after the reboot; None where it is not known."""
    if line.arguments is None:
        return None
    image = _image(facts)
    if facts.boot.way == "grubby":  # what it says holds ro or rw already
        there = kernel_arguments.split(line.arguments)
        image = kernel_arguments.join(word for word in kernel_arguments.split(image) if word not in there)
    return " ".join(part for part in (image, line.arguments) if part)


def _image(facts: Facts) -> str:
    normal = [entry for entry in facts.boot.entries or () if not entry.recovery]
    if normal:
        image = normal[0].image.split()
        return " ".join([f"BOOT_IMAGE={image[0]}", *image[1:]]) if image else ""
    kept = [
        word
        for word in kernel_arguments.split(facts.iommu.command_line)
        if word in ("ro", "rw") or kernel_arguments.key(word) in ("BOOT_IMAGE", "root")
    ]
    return kernel_arguments.join(kept)


def _layers(facts: Facts, overlay: Mapping[str, bytes | None], wanted: Callable[[str], bool]) -> list[str]:
    """Where such an argument of the next boot's line is set: the assignment that brought it, not those that carry it on."""
    line = next_boot(facts, overlay)
    standing = _words(line.arguments or "", wanted)
    before: dict[str, list[str]] = {}
    found = []
    for path, number, name, value in line.layers:
        words = _words(value, wanted)
        fresh = [word for word in words if word not in before.get(name, []) and word in standing]
        before[name] = words
        found += [f"{path} line {number}: {' '.join(fresh)}"] if fresh else []
    return found


def _words(line: str, wanted: Callable[[str], bool]) -> list[str]:
    return [word for word in kernel_arguments.split(line) if wanted(word)]

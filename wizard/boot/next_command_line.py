"""The kernel's command line at the next boot: computed from all sources of the boot loader, not grepped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments, shell_variables

ALWAYS, NORMAL = "GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"
GRUB_DIRECTORY = "/etc/default/grub.d/"
OURS = ("intel_iommu=on", "iommu=pt", "iommu.passthrough=1")
"""All arguments that this tool ever adds."""


@dataclass(frozen=True, slots=True)
class NextLine:
    """`arguments` are what comes after the kernel's image and root; None where unknown, and then `why` says it.

    `layers` are the assignments that made it: path, line, variable, value. `resolved` are the arguments with GRUB's own variables
    in place of `$tuned_params` and its kin, `brought` what those brought: place, value."""

    arguments: str | None
    why: str
    layers: tuple[tuple[str, int, str, str], ...]
    broken: bool = False  # a source is so that grub-mkconfig itself would fail
    resolved: str | None = None
    brought: tuple[tuple[str, str], ...] = ()


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
    return _resolved(facts, _next_boot(facts, overlay or {}, commands))


def _next_boot(facts: Facts, overlay: Mapping[str, bytes | None], commands: Iterable[Sequence[str]]) -> NextLine:
    if facts.boot.loader.from_sources:
        return _grub(facts, overlay)
    loader = facts.boot.loader
    if loader.line_file:
        return _of_one_file(facts, overlay, loader.line_file)
    if loader.in_entries:
        lines = facts.boot.grubby_arguments
        if not lines:
            why = f"{loader.asked} names no kernel"
            return NextLine(None, why if lines is not None else f"{loader.asked} could not be asked: run as root", ())
        return NextLine(after_commands(lines[0], facts.boot.grubby_kernels[0], commands), "", ())
    return NextLine(None, facts.boot.because, ())


def _resolved(facts: Facts, line: NextLine) -> NextLine:
    """GRUB puts its variables in when it boots an entry. Those of its environment block and of tuned's part of the menu are known;
    others stay as they are written."""
    if line.arguments is None:
        return line
    known = {name: (value, place) for name, value, place in facts.boot.environment}
    brought: list[tuple[str, str]] = []

    def put_in(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in known:
            return match[0]
        value, place = known[name]
        brought.append((f"{place}: {name}", value))
        return value

    text = re.sub(r"\$(?:\{(\w+)\}|(\w+))", put_in, line.arguments, flags=re.ASCII)
    return replace(line, resolved=kernel_arguments.join(kernel_arguments.split(text)), brought=tuple(brought))


def _of_one_file(facts: Facts, overlay: Mapping[str, bytes | None], path: str) -> NextLine:
    """kernel-install takes the words of the whole file, and knows no quotes."""
    content = overlay[path] if path in overlay else facts.content(path)
    if content is None:
        return NextLine(None, f"{path}: {facts.hidden(path) or 'is not there'}", ())
    lines = content.decode("utf-8", "surrogateescape").splitlines()
    layers = tuple((path, number, "the line", line) for number, line in enumerate(lines, 1) if line.strip())
    return NextLine(kernel_arguments.join(kernel_arguments.split(" ".join(lines))), "", layers)


def after_commands(line: str, kernel: str, commands: Iterable[Sequence[str]]) -> str:
    """A kernel's line once these commands of grubby or rpm-ostree have run; `kernel` is one of grubby's paths."""
    tokens = kernel_arguments.split(line)
    for argv in commands:
        if argv[0] == "grubby" and {"--update-kernel=ALL", f"--update-kernel={kernel}"} & set(argv):
            tokens = _after_grubby(tokens, argv)
        elif argv[:2] == ("rpm-ostree", "kargs"):
            tokens = _after_rpm_ostree(tokens, argv)
    return kernel_arguments.join(tokens)


def _after_grubby(tokens: list[str], argv: Sequence[str]) -> list[str]:
    """grubby takes arguments of the same key away and appends its own; what it is told to remove with a value goes with that value
    only."""
    options = dict(word.partition("=")[::2] for word in argv[1:])
    given = kernel_arguments.split(options.get("--args", ""))
    gone = kernel_arguments.split(options.get("--remove-args", ""))
    keys = {kernel_arguments.key(word) for word in (*given, *(word for word in gone if "=" not in word))}
    return [*(token for token in tokens if token not in gone and kernel_arguments.key(token) not in keys), *given]


def _after_rpm_ostree(tokens: list[str], argv: Sequence[str]) -> list[str]:
    """rpm-ostree compares whole arguments: another value of the same key stays."""
    for word in argv[2:]:
        option, _, value = word.partition("=")
        if option == "--append-if-missing" and value not in tokens:
            tokens = [*tokens, value]
        elif option == "--delete-if-present":
            tokens = [token for token in tokens if token != value]
    return tokens


def _grub(facts: Facts, overlay: Mapping[str, bytes | None]) -> NextLine:
    hidden = [
        f"{path}: {facts.hidden(path)}" for path in facts.boot.sources if path not in overlay and facts.hidden(path)
    ]
    if hidden:
        return NextLine(None, hidden[0], (), broken=facts.privileged)  # nothing is hidden from root but what is no file
    if facts.boot.refused and overlay.get(facts.boot.refused.partition(":")[0], b"") is not None:
        return NextLine(None, facts.boot.refused, (), broken=True)
    evaluation = shell_variables.evaluate(sources(facts, overlay), dash=facts.boot.dash, programs=facts.boot.programs)
    layers = tuple(
        (layer.path, layer.line, name, layer.value if layer.value is not None else "?")
        for name in (ALWAYS, NORMAL)
        for layer in evaluation.layers(name)
    )
    if evaluation.fatal is not None:
        return NextLine(None, str(evaluation.fatal), layers, broken=True)
    values = []
    for name in (ALWAYS, NORMAL):
        if evaluation.is_set(name) and not evaluation.known(name):
            return NextLine(None, evaluation.why_unknown(name), layers)
        value = evaluation.value(name) or ""
        odd = re.search(r"[\0-\x08\n-\x1f\x7f]", value.removesuffix("\r"))
        if odd:
            last = evaluation.layers(name)[-1]
            why = f"{last.path} line {last.line}: {name} holds a line break or another control character"
            return NextLine(None, why, layers)
        values.append(value)
    return NextLine(kernel_arguments.join(kernel_arguments.split(" ".join(values))), "", layers)


def whole(facts: Facts, line: NextLine) -> str | None:
    """The whole line as /proc/cmdline would show it after the reboot; None where it is not known."""
    arguments = line.resolved if line.resolved is not None else line.arguments
    if arguments is None:
        return None
    image = _image(facts)
    if facts.boot.loader.in_entries:  # what it says holds ro or rw already, and may hold the root
        there = kernel_arguments.split(arguments)
        keys = {kernel_arguments.key(word) for word in there}
        words = [word for word in kernel_arguments.split(image) if kernel_arguments.key(word) not in keys]
        image = kernel_arguments.join(words)
    return " ".join(part for part in (image, arguments) if part)


def _image(facts: Facts) -> str:
    normal = [entry for entry in facts.boot.entries or () if entry.made and not entry.recovery]
    if normal:
        image = normal[0].image.split()
        return " ".join([f"BOOT_IMAGE={image[0]}", *image[1:]]) if image else ""
    running = kernel_arguments.split(facts.iommu.command_line)
    kept = [word for word in running if word in ("ro", "rw") or kernel_arguments.key(word) in ("BOOT_IMAGE", "root")]
    root = next((root for root in facts.boot.roots if root), "")
    if root:
        kept = [word for word in kept if kernel_arguments.key(word) != "root"]
        at = 1 if kept and kept[0].startswith("BOOT_IMAGE=") else 0
        kept.insert(at, f"root={root}")
    return kernel_arguments.join(kept)


def layers_with(facts: Facts, overlay: Mapping[str, bytes | None], wanted: Callable[[str], bool]) -> list[str]:
    """Where such an argument of the next boot's line is set: the assignment that brought it, not those that carry it on."""
    line = next_boot(facts, overlay)
    standing = words_of(line.arguments or "", wanted)
    before: dict[str, list[str]] = {}
    found = []
    for path, number, name, value in line.layers:
        words = words_of(value, wanted)
        fresh = [word for word in words if word not in before.get(name, []) and word in standing]
        before[name] = words
        found += [f"{path} line {number}: {' '.join(fresh)}"] if fresh else []
    return found


def words_of(line: str, wanted: Callable[[str], bool]) -> list[str]:
    return [word for word in kernel_arguments.split(line) if wanted(word)]

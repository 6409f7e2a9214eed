"""The kernel's command line as tokens, and what the kernel does with those that rule the IOMMU."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from wizard.dataclass import dataclass

Vendor = Literal["intel", "amd", "arm", "other"]


def split(line: str) -> list[str]:
    """Tokens as the kernel's next_arg() cuts them: at blanks that are not inside double quotes (lib/cmdline.c)."""
    tokens: list[str] = []
    current, quoted = "", False
    for char in line:
        if char == '"':
            quoted = not quoted
        if char.isspace() and not quoted:
            if current:
                tokens.append(current)
            current = ""
        else:
            current += char
    return [*tokens, current] if current else tokens


def join(tokens: Iterable[str]) -> str:
    return " ".join(tokens)


def key(token: str) -> str:
    """The parameter's name; '-' and '_' are equal to the kernel (kernel/params.c, parameq)."""
    return token.partition("=")[0].replace("-", "_")


def values(line: str, name: str) -> list[str]:
    """All values of a parameter in their order; '' for a bare word."""
    wanted = key(name)
    return [token.partition("=")[2].strip('"') for token in split(line) if key(token) == wanted]


def missing(line: str, wanted: Sequence[str]) -> list[str]:
    """Those of the wanted tokens that the line does not hold. `intel_iommu=on` is held by `intel_iommu=on,sm_on` too."""
    there = split(line)
    return [token for token in wanted if not any(_holds(own, token) for own in there)]


def _holds(own: str, wanted: str) -> bool:
    if own == wanted:
        return True
    value = wanted.partition("=")[2]
    return bool(value) and key(own) == key(wanted) and set(value.split(",")) <= set(own.partition("=")[2].split(","))


@dataclass(frozen=True, slots=True)
class IommuVerdict:
    """What the kernel will do: None where its default is not known. `conflicts` are tokens that stand against it, `idle` are
    those that this kernel does not know."""

    on: bool | None
    because: str
    passthrough: bool | None
    conflicts: tuple[str, ...]
    idle: tuple[str, ...] = ()


def iommu_verdict(
    line: str, vendor: Vendor, kernel_default_on: bool | None, kernel_default_passthrough: bool | None
) -> IommuVerdict:
    """Read the line as drivers/iommu and arch/x86 do: the last word on a matter counts.

    AMD's driver and ARM's need no argument: their default is False for a kernel that was built without them alone."""
    on, because = _default(vendor, kernel_default_on)
    passthrough = kernel_default_passthrough
    conflicts: list[str] = []
    idle: list[str] = []
    killed = ""
    for token in split(line):
        name, value = key(token), token.partition("=")[2]
        words = value.split(",")
        if name == "intel_iommu":
            if vendor == "intel" and {"on", "off"} & set(words):
                on = [word for word in words if word in ("on", "off")][-1] == "on"
                because = token
            if "off" in words or words == ["igfx_off"]:
                conflicts.append(token)
        elif name == "amd_iommu" and "off" in words:
            conflicts.append(token)
            if vendor == "amd":
                on, because = False, token
        elif (name == "amd_iommu" and words == ["on"]) or (name == "iommu" and vendor == "arm"):
            idle.append(token)  # "AMD-Vi: Unknown option - 'on'"; iommu= is read by arch/x86 only
        elif name == "iommu":
            for word in words:
                if word in ("off", "soft") and vendor in ("intel", "amd"):
                    killed = token
                if word in ("off", "soft", "nopt"):
                    conflicts.append(token)
                if word in ("pt", "nopt"):
                    passthrough = word == "pt"
        elif name == "iommu.passthrough" and value:
            passthrough = value in ("1", "y", "Y", "on")
        elif name == "pci" and {"noari", "nomsi", "nommconf"} & set(words):
            conflicts.append(token)
    if killed:
        on, because = False, killed
    return IommuVerdict(on, because, passthrough, tuple(dict.fromkeys(conflicts)), tuple(dict.fromkeys(idle)))


def _default(vendor: Vendor, kernel_default_on: bool | None) -> tuple[bool | None, str]:
    if vendor not in ("amd", "arm"):
        words = {True: "the kernel has it on anyway", False: "the kernel has it off unless told", None: "unknown"}
        return kernel_default_on, words[kernel_default_on]
    if kernel_default_on is None:
        return True, "on by itself, if this kernel has the driver"
    return kernel_default_on, "the kernel has it on anyway" if kernel_default_on else "the kernel has no driver for it"

"""The dnsmasq file that nova-network hands to its dnsmasq processes: the routers of its networks, edited with every other byte kept.

nova starts dnsmasq with ``--dhcp-range=set:LABEL,…`` and an options file that holds an untagged ``3,ADDRESS``. A line
``dhcp-option=tag:LABEL,option:router,IP`` wins over that one by its tag (dnsmasq src/dhcp-common.c, option_filter()); of several
lines with one tag the last wins.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from ipaddress import AddressValueError, IPv4Address

from wizard.dataclass import dataclass
from wizard.errors import FormatError
from wizard.formats.dnsmasq_problems import Problem, problems, router_problem
from wizard.formats.dnsmasq_reading import LONGEST, DhcpOption, Line, dhcp_options, lines
from wizard.formats.dnsmasq_tags import SET_BY_ITSELF

__all__ = [
    "Problem",
    "RouterOption",
    "label_problem",
    "problems",
    "remove_router",
    "remove_routers",
    "router_options",
    "router_problem",
    "set_router",
    "set_routers",
]


@dataclass(frozen=True, slots=True)
class RouterOption:
    """A line that sets the router of one network. `router` is the value as it stands: empty, or several addresses with commas, too.

    `line` counts from 1. Of several with one label the last counts.
    """

    label: str
    router: str
    line: int


def label_problem(label: str) -> str | None:
    """None for a label that can be written as a tag, else one sentence that says what is wrong.

    It holds no word about what to type: the label is nova's, which cannot rename a network.
    """
    if not label:
        return "The label is empty: type nova's network label to the letter."
    if "," in label:
        return "The label holds a comma: dnsmasq splits it there, and nova's own dnsmasq does not start with it."
    if label[0] in "!#":
        return f"The label begins with a '{label[0]}': as a tag it means every network but that one."
    if label != label.strip():
        return "The label has a blank at an end: dnsmasq drops it, so that no tag is that label to the letter."
    odd = next((character for character in label if not character.isprintable()), None)
    if odd is not None:
        return f"The label holds the character {odd!a}, which dnsmasq drops or changes."
    if label in SET_BY_ITSELF:
        return (
            f"The label is {label!r}, a tag that dnsmasq sets itself, {SET_BY_ITSELF[label]}: a router for it would be told to "
            "guests of other networks."
        )
    return None


def router_options(content: bytes) -> list[RouterOption]:
    """The lines that set one network's router, in the order of the file. Never raises.

    Found are ``tag:LABEL`` and the old spellings ``net:LABEL``, ``set:LABEL`` and a bare ``LABEL``, with ``option:router`` or ``3``.
    Not found are lines without a tag, with several different ones, or with a negated one: they belong to no one network.
    """
    return [_router_option(option, label) for option, label in _routers(content)]


def _routers(content: bytes) -> list[tuple[DhcpOption, str]]:
    return [(option, option.label) for option in dhcp_options(content) if option.is_router and option.label is not None]


def _router_option(option: DhcpOption, label: str) -> RouterOption:
    value = option.values.text if option.values is not None else ""
    return RouterOption(label, ",".join(part.strip() for part in value.split(",")), option.line.number)


def set_router(content: bytes | None, label: str, router: str) -> bytes:
    """Make `router` the router that one network is told: see :func:`set_routers`."""
    return set_routers(content, {label: router})


def set_routers(content: bytes | None, wanted: Mapping[str, str]) -> bytes:
    """Make each network of `wanted` (label: IPv4 address) be told its router, by the smallest change.

    The line that counts is changed in place; other lines for the router of the same network have no effect, and stay: they are
    nobody's but the one's who wrote them. For a network without one a line is added at the end. Nothing is done where that is so
    already. `content` is None for a file that does not exist yet. Raises FormatError for a label or an address that cannot be
    written, and for a file with a line that dnsmasq reads as several.
    """
    for label, router in wanted.items():
        _refuse_unwritable(label, router)
    before = content or b""
    _refuse_overlong(before)
    present: dict[str, list[DhcpOption]] = {}
    for option, label in _routers(before):
        if label in wanted:
            present.setdefault(label, []).append(option)
    edits: list[_Edit] = []
    for label, options in present.items():
        edits += _changed(before, options[-1], _text(label, wanted[label]), wanted[label])
    fresh = [_text(label, router) for label, router in wanted.items() if label not in present]
    after = _appended(_edited(before, edits), fresh)
    _refuse_overlong(after)
    _refuse_misread(after, wanted, present)
    return after


def _text(label: str, router: str) -> bytes:
    return f"dhcp-option=tag:{_written(label)},option:router,{router}".encode()


def _written(label: str) -> str:
    """The label as it stands in a file: in quotes where dnsmasq would else take a part of it for its own."""
    if '"' not in label and not re.search(r"\s[#\s]", label):
        return label
    return '"' + label.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _refuse_unwritable(label: str, router: str) -> None:
    wrong = label_problem(label)
    if wrong is not None:
        raise FormatError(wrong.rstrip("."), where=repr(label))
    wrong = router_problem(router)
    if wrong is not None:
        raise FormatError(wrong.rstrip("."), where=f"router of {label}", do="give one IPv4 address, as in 10.44.1.1")


def _refuse_misread(after: bytes, wanted: Mapping[str, str], present: Mapping[str, list[DhcpOption]]) -> None:
    read: dict[str, list[str]] = {}
    for option in router_options(after):
        read.setdefault(option.label, []).append(option.router)
    for label, router in wanted.items():
        if read.get(label, [""])[-1] != router:
            raise FormatError(
                f"the router of {label} cannot be set: dnsmasq would not read the changed line as meant",
                where=f"line {present[label][-1].line.number}" if label in present else "end of the file",
                do="remove that line by hand",
            )


def remove_router(content: bytes, label: str) -> bytes:
    """Take out every line that sets the router of one network. Raises FormatError as :func:`set_routers` does for the file."""
    return remove_routers(content, {label})


def remove_routers(content: bytes, labels: Collection[str], only: Collection[str] | None = None) -> bytes:
    """Take out the lines that set the router of these networks; with `only`, none but those that stand there to the letter.

    Raises FormatError as :func:`set_routers` does for the file.
    """
    _refuse_overlong(content)
    fitting = [option for option, name in _routers(content) if name in labels]
    return _edited(content, [_cut(each) for each in fitting if only is None or _whole_line(content, each) in only])


def _whole_line(content: bytes, option: DhcpOption) -> str:
    return content[option.line.start : option.line.end].decode(errors="replace").rstrip("\r\n")


def _refuse_overlong(content: bytes) -> None:
    long = next((line for line in lines(content) if not line.whole), None)
    if long is not None:
        raise FormatError(
            f"the line is longer than {LONGEST} bytes: dnsmasq takes the rest as a line of its own",
            where=f"line {long.number}",
            do="break it into shorter lines",
        )


_Edit = tuple[int, int, bytes]


def _cut(option: DhcpOption) -> _Edit:
    return option.line.start, option.line.end, b""


def _changed(content: bytes, option: DhcpOption, text: bytes, router: str) -> list[_Edit]:
    """The edit that makes one line say `router`: only its address is replaced where that is possible."""
    if _says(option, router):
        return []
    line = option.line
    if not line.quoted and option.values is not None and option.values.span is not None:
        return [(*option.values.span, router.encode())]
    return [(_body_start(line), line.rest, text + (b" " if content[line.rest : line.rest + 1] == b"#" else b""))]


def _says(option: DhcpOption, router: str) -> bool:
    """Whether dnsmasq sends this very address for the line: it takes no quoted one."""
    try:
        return option.values is not None and str(IPv4Address(option.values.codes.decode("latin-1"))) == router
    except AddressValueError:
        return False


def _body_start(line: Line) -> int:
    return line.body.span[0] if line.body.span is not None else line.start


def _edited(content: bytes, edits: list[_Edit]) -> bytes:
    parts: list[bytes] = []
    done = 0
    for start, end, replacement in sorted(edits):
        parts += (content[done:start], replacement)
        done = end
    return b"".join([*parts, content[done:]])


def _appended(content: bytes, texts: list[bytes]) -> bytes:
    """More lines, with the line end that the file's last line has, or its first where the last has none."""
    if not texts:
        return content
    ends = re.findall(rb"\r?\n", content)
    end: bytes = ends[-1] if ends else b"\n"
    if content and not content.endswith(b"\n"):
        content += end
    return content + b"".join(text + end for text in texts)

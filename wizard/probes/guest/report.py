"""What a guest said on its serial line about the devices that it has. Pure: any text is borne."""

from __future__ import annotations

from collections.abc import Iterable

from wizard.dataclass import dataclass

KEPT = 12  # lines of the console that are kept to explain a guest that did not boot


@dataclass(frozen=True, slots=True)
class Device:
    """A PCI function as a guest sees it. Ids are four hex digits, the class six; `driver` is "" where it has none."""

    address: str
    class_code: str
    vendor: str
    device: str
    driver: str


@dataclass(frozen=True, slots=True)
class Report:
    """`whole` where the guest came to its end. `links` are lines such as "eth0 fa:16:… link up"; `console` the last lines
    that were not ours."""

    whole: bool
    kernel: str
    devices: tuple[Device, ...]
    links: tuple[str, ...]
    problems: tuple[str, ...]
    console: tuple[str, ...]

    def device(self, address: str) -> Device | None:
        return next((each for each in self.devices if each.address == address), None)


_CARRIER = {"1": "link up", "0": "no link"}


def ended(line: str, mark: str) -> bool:
    """Whether this line is the guest's last."""
    return line.split() == [mark, "end"]


def read(lines: Iterable[str], mark: str) -> Report:
    """The report in what came over the serial line. `mark` begins each line of the guest's own, and no other."""
    devices: list[Device] = []
    links: list[str] = []
    problems: list[str] = []
    console: list[str] = []
    kernel, whole = "", False
    for line in lines:
        words = line.split()
        if words[:1] != [mark]:
            console.append(line.rstrip())
            continue
        match words[1:]:
            case ["kernel", release]:
                kernel = release
            case ["pci", address, class_code, vendor, device, driver]:
                found = Device(
                    address, _bare(class_code), _bare(vendor), _bare(device), "" if driver == "none" else driver
                )
                devices.append(found)
            case ["net", name, mac, carrier]:
                links.append(f"{name} {mac} {_CARRIER.get(carrier, 'link unknown')}")
            case ["port", number, *state]:
                links.append(f"port {number} {' '.join(state)}")
            case ["problem", *rest]:
                problems.append(" ".join(rest))
            case ["end"]:
                whole = True
    last = [line for line in console if line.strip()][-KEPT:]
    return Report(whole, kernel, tuple(devices), tuple(links), tuple(problems), tuple(last))


def _bare(number: str) -> str:
    return number.removeprefix("0x")

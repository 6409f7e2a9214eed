"""What a card's firmware offers: now, from the next boot on, or after the step that the answers ask for."""

from __future__ import annotations

from typing import Literal

from wizard.chapters.shared import cards
from wizard.chapters.shared.cards import Request
from wizard.chapters.vfs import next_driver
from wizard.chapters.vfs.mlx4_findings import finding
from wizard.facts.facts import Facts
from wizard.facts.firmware import CardFirmware
from wizard.facts.pci.functions import NoVfs, PciFunction
from wizard.integers import parse_int
from wizard.model.findings import Finding

Wait = Literal["", "step", "boot"]  # for nothing; for this plan's firmware step; for a boot that reads what is set
_NAMES = ("SRIOV_EN", "NUM_OF_VFS")
_FIRMWARE = (NoVfs.FIRMWARE, NoVfs.FIRMWARE_OF_OTHERS)


def words(facts: Facts, request: Request) -> list[str]:
    """What mstconfig would have to set, so that the firmware offers what is asked for; none where it does, or is not known."""
    card = facts.firmware.card(request.function.address)
    if card is None or not request.count:
        return []
    found = []
    if card.value("SRIOV_EN") == "0":
        found.append("SRIOV_EN=1")
    number = parse_int(card.value("NUM_OF_VFS") or "")
    if number is not None and number < request.count:
        found.append(f"NUM_OF_VFS={request.count}")
    return found


def code_of(function: PciFunction) -> str:
    """Firmware is only one of the reasons why a card that could have VFs has none to offer."""
    if function.no_vfs is NoVfs.RECOVERY:
        return "VFS-FLASH-RECOVERY"
    return "VFS-FIRMWARE-OFF" if function.no_vfs in _FIRMWARE else "VFS-NOT-OFFERED"


def is_dpu(facts: Facts, function: PciFunction) -> bool:
    card = facts.firmware.card(function.address)
    return card is not None and card.dpu_mode


def advice(facts: Facts, function: PciFunction) -> str:
    """What switches VFs on, or heals the card, by the reason why it offers none."""
    address = function.address
    if function.no_vfs is NoVfs.RECOVERY:
        return (
            f"Burn its firmware: mstflint -d {address} -i IMAGE burn, with the image of its PSID (on its label, or by mstflint "
            f"-d {address} query; with -nofs where the flash holds no image to fail over to), then switch the node off and on. "
            "mstconfig cannot set such a card."
        )
    if function.no_vfs is NoVfs.FIRMWARE and is_dpu(facts, function):
        return FROM_THE_DPU
    if function.no_vfs is NoVfs.FIRMWARE:
        return (
            f"mstconfig -d {address} set SRIOV_EN=1 NUM_OF_VFS=16, or the card's page in the BIOS set-up; then reboot."
        )
    if function.no_vfs is NoVfs.FIRMWARE_OF_OTHERS:
        return (
            "Switch SR-IOV on in the card's page of the BIOS set-up, or by its maker's own tool (mstconfig is for Mellanox's cards "
            "alone); then reboot, and run check again."
        )
    return "Fix that, then run check again."


FROM_THE_DPU = (
    "Set it from the DPU's own side (mlxconfig on its Arm system: SRIOV_EN=1 and NUM_OF_VFS), then switch the node's power off and on: "
    "a reboot of the host does not load it. Or put the card into NIC mode."
)


def waits(facts: Facts, request: Request) -> Wait:
    """What more VFs than the card offers now wait for; nothing where it offers as many, or no boot would bring them."""
    function = request.function
    if not request.count or cards.above_driver(function, request.count):
        return ""
    if function.offer == "offered":
        if request.limit is None or request.count <= request.limit:
            return ""
    elif function.no_vfs is not NoVfs.FIRMWARE:
        return ""
    if is_dpu(facts, function):
        return ""  # no reboot of the host loads it
    if words(facts, request):
        return "step" if request.card.firmware == "set" and facts.firmware.tool else ""
    card = facts.firmware.card(function.address)
    return "boot" if card is not None and _is_set(card, request) and _is_new(card, request) else ""


def _is_set(card: CardFirmware, request: Request) -> bool:
    """Whether the next boot is to offer as many."""
    number = parse_int(card.value("NUM_OF_VFS") or "")
    return number is not None and number >= request.count


def _is_new(card: CardFirmware, request: Request) -> bool:
    """Whether that is not in force yet.

    A ConnectX-3 does not tell what is in force. Fewer VFs than are set say it; none at all may be the BIOS's doing as well, unless
    the answers had them set.
    """
    if card.current is None:
        return request.function.offer == "offered" or request.card.firmware == "set"
    return _changes(card)


def _changes(card: CardFirmware) -> bool:
    """Whether the next boot brings other settings than those in force, of a card that tells both."""
    return any(dict(card.current or ()).get(name) != dict(card.next_boot).get(name) for name in _NAMES)


def of_one(facts: Facts, request: Request) -> list[Finding]:
    """Where the card offers fewer VFs than are asked for: that they wait, or why they will never come."""
    function, waiting = request.function, waits(facts, request)
    if waiting:
        return [_waits(request, waiting)]
    if _needs_the_dpu(facts, request):
        return [_dpu(facts, request)]
    if request.count and function.offer in ("off", "none"):
        return [_off(facts, request)]
    if request.limit is not None and request.count > request.limit:
        return [_above(facts, request)]
    return [_lowers(request)] if _is_lowered(facts, request) else []


def _needs_the_dpu(facts: Facts, request: Request) -> bool:
    """Whether more is asked for than a card offers whose firmware is the DPU's to set."""
    function = request.function
    more = function.no_vfs is NoVfs.FIRMWARE or (request.limit is not None and request.count > request.limit)
    return bool(request.count) and more and is_dpu(facts, function)


def _dpu(facts: Facts, request: Request) -> Finding:
    function = request.function
    card = facts.firmware.card(function.address)
    said = f"its firmware is set to {card.value('NUM_OF_VFS') or 'no'} VFs" if card is not None else ""
    return finding(
        "VFS-DPU-MODE",
        "blocks",
        f"{function.address} ({function.model}) is in DPU mode (EMBEDDED_CPU, ECPF): it offers {function.total_vfs or 0} VFs, {said}, "
        f"and {request.count} are asked for",
        "The card's own processor owns its firmware settings: what the host sets is not loaded by a reboot of the host, so that no "
        "step of this tool would bring these VFs.",
        FROM_THE_DPU,
    )


def steps(facts: Facts, requests: list[Request]) -> list[tuple[PciFunction, list[str], int]]:
    """What is to be set, one step a card: its ports share NUM_OF_VFS, so that it is the largest of their numbers.

    The function by which the card is asked, the words, and the largest number of VFs.
    """
    if not facts.firmware.tool:
        return []
    together: dict[str, list[Request]] = {}
    for request in requests:
        if request.card.firmware == "set" and not is_dpu(facts, request.function) and words(facts, request):
            together.setdefault(_card(facts, request.function), []).append(request)
    found = []
    for group in together.values():
        largest = max(group, key=lambda request: request.count)
        every = list(dict.fromkeys(word for request in group for word in words(facts, request)))
        switches = [word for word in every if not word.startswith("NUM_OF_VFS=")]
        numbers = [word for word in words(facts, largest) if word.startswith("NUM_OF_VFS=")]
        found.append((group[0].function, [*switches, *numbers], largest.count))
    return found


def _card(facts: Facts, function: PciFunction) -> str:
    """What the functions of one card have in common: its slot, unless each has settings of its own (PF_NUM_OF_VF_VALID)."""
    own = [card for card in facts.firmware.cards if card.address == function.address]
    if own and own[0].per_function:
        return function.address
    return function.address.partition(".")[0]


def _waits(request: Request, waiting: Wait) -> Finding:
    function = request.function
    now = f"{function.address} offers {function.total_vfs or 0} VFs now, {request.count} are asked for"
    by = {"step": "the last step of this plan sets its firmware", "boot": "its firmware is set to as many already"}
    return finding(
        "VFS-AFTER-REBOOT",
        "tells",
        f"{now}; {by[waiting]}",
        "A card reads such a setting when it is reset: until then its driver can make no more, and its VFs stay as they are.",
        "Reboot: its VFs are made then. Where mstconfig asked for a power cycle, or a reboot did not bring them, switch the node off "
        "and on.",
    )


def _is_lowered(facts: Facts, request: Request) -> bool:
    """Whether somebody set the firmware to fewer VFs than it offers now, and this plan leaves it so."""
    card = facts.firmware.card(request.function.address)
    if card is None or request.function.offer != "offered" or (request.card.firmware == "set" and facts.firmware.tool):
        return False
    return (card.current is None or _changes(card)) and bool(words(facts, request))


def _lowers(request: Request) -> Finding:
    function = request.function
    return finding(
        "VFS-FIRMWARE-LOWERS",
        "warns",
        f"{function.address} offers {function.total_vfs} VFs now; its firmware is set to fewer than {request.count} at its next reset",
        "The VFs are there now, and after the next reboot the card refuses so many: it gets none at all.",
        'Answer firmware = "set" for this card, or ask for as many as the firmware is set to.',
    )


def _off(facts: Facts, request: Request) -> Finding:
    function = request.function
    code = code_of(function)
    if function.no_vfs is NoVfs.FIRMWARE and request.card.firmware == "keep":
        do = 'Answer firmware = "set" for this card, or use its page in the BIOS set-up; then reboot.'
    elif function.no_vfs is NoVfs.FIRMWARE:
        do = f"{_no_step(facts, request)} Or use the card's page in the BIOS set-up; then reboot, and plan again."
    elif function.no_vfs in (*_FIRMWARE, NoVfs.RECOVERY):
        do = advice(facts, function)
    else:
        do = next_driver.advice(facts, function) or "Fix what is said above, or take this card out of the answers."
    why = "The card offers no VFs as it is: the driver cannot make any."
    return finding(code, "blocks", f"{function.address} ({function.model}): {function.why_no_vfs}", why, do)


def _no_step(facts: Facts, request: Request) -> str:
    """Why firmware = "set" comes to nothing, and what to do."""
    address = request.function.address
    if facts.firmware.tool is None:
        return 'firmware = "set" needs mstconfig, which is not here: install the package mstflint, and plan again.'
    if facts.firmware.card(address) is None:
        said = facts.firmware.why_untold(address)
        return f"{facts.firmware.tool} did not tell how the firmware is set{f': {said}' if said else ''}. Fix that, and plan again."
    return "The firmware is set to as many already, so it is not what stands in the way: look at SR-IOV in the BIOS set-up."


def _above(facts: Facts, request: Request) -> Finding:
    function, total = request.function, request.function.total_vfs
    family, driver = function.card_family, cards.above_driver(function, request.count)
    why = (
        f"{family.driver} refuses to start a card with more than {family.most_vfs} VFs: the card itself would be gone after the reboot."
        if driver
        else "The firmware offers no more: the driver would make none at all."
    )
    do = f"Ask for at most {request.limit}"
    if driver or not family.mstconfig:
        do += "."
    elif request.card.firmware == "keep":
        do += ', or answer firmware = "set" to raise NUM_OF_VFS.'
    else:
        do += f". {_no_step(facts, request)}"
    seen = f"{request.count} VFs asked of {function.address}; its firmware allows {total}"
    return finding("VFS-ABOVE-LIMIT", "blocks", seen, why, do)

"""What nova would do with the devices of this node after the plan, and is not meant to: lines that it refuses, lines that stand
above ours, and lines of ours that take what others have."""

from __future__ import annotations

from wizard.chapters.passthrough import nova_options
from wizard.chapters.passthrough.existing import Asked
from wizard.chapters.passthrough.matching.handout import Row, port_gets
from wizard.chapters.passthrough.pools import Pool
from wizard.facts.nova.nova import NovaSetting
from wizard.model.findings import Check, Finding, Severity

CHAPTER = "passthrough"
POOL_KEYS = ("dev_type", "numa_node")
"""Tags by which nova's pools tell devices apart: one in a line takes the place of what the device is."""


def findings(asked: Asked) -> list[Finding]:
    found = _refused(asked)
    for pool in asked.mine.pool:
        found += _not_for(asked, pool)
    return found + _taken_from_ports(asked)


def _finding(code: str, severity: Severity, seen: str, why: str, do: str) -> Finding:
    return Finding(code=code, severity=severity, chapter=CHAPTER, seen=seen, why=why, do=do)


def _refused(asked: Asked) -> list[Finding]:
    """Device lines that are there, and at which this release does not start or reports nothing."""
    at_start = asked.outlook.after.rules.has("list read at start")
    dies = (
        "nova-compute does not start with it"
        if at_start
        else "nova-compute reports no device at all with it, and logs why"
    )
    restarted = ", and this plan would restart it." if asked.changes and at_start else "."
    return [
        _finding(
            "PASSTHROUGH-BAD-SPEC",
            "blocks" if asked.changes and at_start else "warns",
            f"{refusal.setting.place}: {refusal.setting.value}: {refusal.why}",
            f"{dies} (nova {asked.release}){restarted}",
            refusal.do or "Fix that line, or take it out.",
        )
        for refusal in asked.outlook.after.refused
    ]


def served(asked: Asked, pool: Pool, row: Row) -> bool:
    """Whether a device goes to whom the pool is made for."""
    if pool.physical_network is None:
        return pool.name in row.aliases
    trusted = pool.trusted if nova_options.knows_trusted(asked.release) else None
    whole = row.device.kind == "type-PF"
    return port_gets(row, pool.physical_network, trusted, asked.outlook.after.rules, whole=whole)


def missed(asked: Asked, pool: Pool, rows: list[Row]) -> dict[NovaSetting | None, list[Row]]:
    """The devices of a pool that go elsewhere, by the line that decides it."""
    found: dict[NovaSetting | None, list[Row]] = {}
    for row in rows:
        if not served(asked, pool, row):
            found.setdefault(row.setting, []).append(row)
    return found


def check(asked: Asked, pool: Pool, what: str) -> Check | None:
    """What stands against it that the lines of a pool, which are there, do what they are for; None where nothing does."""
    here = asked.outlook.before
    refused = here.refused or (here.refused_aliases if here.rules.has("aliases read at start") else ())
    if refused:
        line = refused[0]
        seen = f"{line.setting.place}: {line.setting.value}: {line.why}; nova {asked.release} refuses its list"
        return Check(CHAPTER, what, "failed", seen, line.do or "Fix that line, or take it out.")
    rows = asked.meant(pool, here.rows)
    # an alias that is read on the controller alone is not in these files
    read_here = pool.physical_network is not None or nova_options.alias_on_compute(asked.release)
    missing = [row for row in rows if not (served(asked, pool, row) if read_here else row.spec is not None)]
    certain = [row for row in missing if not row.doubt]
    if certain:
        line_above = next((row for row in certain if row.setting is not None), certain[0])
        seen = f"{said(certain)}: {line_above.place} decides, and they go to {line_above.to}"
        if line_above.setting is not None:
            seen = f"{said(certain)}: {line_above.place} ({line_above.setting.value}) decides, and they go to {line_above.to}"
        return Check(
            CHAPTER, what, "failed", seen, "Take that line out or narrow it: the first line that matches decides."
        )
    unsure = next((row for row in rows if row.doubt), None)
    if unsure is not None:
        return Check(
            CHAPTER,
            what,
            "unknown",
            f"{unsure.doubt}: which line nova takes cannot be determined",
            "Look at that file.",
        )
    return None


def said(rows: list[Row]) -> str:
    """Devices for the admin's eyes: how many, and of which cards."""
    number = sum(row.device.number for row in rows)
    parents = list(dict.fromkeys(row.device.parent or row.device.address for row in rows))
    what = f"VF{'s' if number > 1 else ''} of " if all(row.device.parent for row in rows) else ""
    return f"{number} {what}{', '.join(parents[:4])}" + (f" and {len(parents) - 4} more" if len(parents) > 4 else "")


def _not_for(asked: Asked, pool: Pool) -> list[Finding]:
    """Devices of a pool that its flavors or ports never get, since another line decides."""
    meant = asked.meant(pool)
    who = f"ports on {pool.physical_network}" if pool.physical_network else f"the alias {pool.name}"
    found = []
    for setting, rows in missed(asked, pool, meant).items():
        certain = not any(row.doubt for row in rows)
        everything = sum(row.device.number for row in meant) == sum(row.device.number for row in rows)
        get = "get none of them" if everything else "get the others alone"
        other = _other_pool(asked, pool, setting)
        if other is not None:
            found.append(_two_pools(asked, pool, other, rows))
            continue
        if setting is None:
            found.append(_nobodys(asked, pool, rows, certain))
            continue
        found.append(
            _finding(
                "PASSTHROUGH-SHADOWED",
                "blocks" if certain else "warns",
                f"{setting.place}: {setting.value} matches {said(rows)} of the pool {pool.name}: they go to {rows[0].to}",
                f"The first line that matches a device gives it its tags, in the order in which nova reads them: {who} {get}."
                + _by_tags(rows[0])
                + ("" if certain else f" For certain that cannot be told: {_doubt(rows)}."),
                "Take that line out, or narrow it to other devices by their ids or address; or answer what it says.",
            )
        )
    return found + _maybe_not_for(
        asked, pool, [row for row in meant if served(asked, pool, row) and row.maybe is not None]
    )


def _maybe_not_for(asked: Asked, pool: Pool, rows: list[Row]) -> list[Finding]:
    """A line before ours that takes VFs which are not there yet, or does not: their addresses decide."""
    lines = dict.fromkeys(row.maybe for row in rows if row.maybe is not None and row.maybe in asked.devices)
    return [
        _finding(
            "PASSTHROUGH-SHADOWED",
            "warns",
            f"{line.place}: {line.value} may match VFs of the pool {pool.name}: {said([row for row in rows if row.maybe == line])}",
            "The first line that matches a device decides, and these VFs are not there yet: which addresses they get, and so whether "
            "that line takes them, cannot be determined.",
            "Narrow that line by ids, or take it out; or run check again once the VFs are there.",
        )
        for line in lines
    ]


def _by_tags(row: Row) -> str:
    """Why the alias gets none where a tag is in the way."""
    tags = row.spec.tags() if row.spec is not None else {}
    taken = [f"{key} = {tags[key]}" for key in POOL_KEYS if key in tags]
    return (
        f" Its tag {', '.join(taken)} takes the place of what the device itself is ({row.device.kind})."
        if taken
        else ""
    )


def _doubt(rows: list[Row]) -> str:
    return next(row.doubt for row in rows if row.doubt)


def _other_pool(asked: Asked, pool: Pool, setting: NovaSetting | None) -> Pool | None:
    """Another pool whose line it is."""
    if setting is None or setting in asked.devices:
        return None
    own = {line.setting for line in asked.outlook.after.rows if served(asked, pool, line)}
    others = [each for each in asked.mine.pool if each is not pool]
    return next(
        (
            each
            for each in others
            if setting not in own
            and any(row.setting == setting and served(asked, each, row) for row in asked.meant(each))
        ),
        None,
    )


def _two_pools(asked: Asked, pool: Pool, other: Pool, rows: list[Row]) -> Finding:
    return _finding(
        "PASSTHROUGH-NOT-APART",
        "blocks",
        f"{said(rows)} {'are' if len(rows) > 1 or rows[0].device.number > 1 else 'is'} in two pools: {other.name} and {pool.name}",
        f"The first line that matches a device decides: all of them go to {rows[0].to}, and {pool.name} gets none of them; "
        "guests are in a network, or on a cable, that was not meant for them. "
        "Where two ports of a card are one PCI function (ConnectX-3), nova knows its address alone, and no port.",
        "Give each pool cards of its own. VFs of a ConnectX-3 are told apart by their own addresses, as devices of the pool.",
    )


def _nobodys(asked: Asked, pool: Pool, rows: list[Row], certain: bool) -> Finding:
    whole = not asked.outlook.after.rules.has("card with its vfs") and any(row.device.is_card for row in rows)
    why = (
        f"nova {asked.release} takes the address of a PF for its VFs alone, and never for the card."
        if whole
        else "No line of nova.conf, as this release reads it, matches them."
    )
    return _finding(
        "PASSTHROUGH-SHADOWED",
        "warns",
        f"the pool {pool.name}: {said(rows)} would be handed out by no line",
        why if certain else f"{why} For certain that cannot be told: {_doubt(rows)}.",
        "Name the card by its ids alone, without an address."
        if whole
        else "See which file nova-compute reads, and who else writes it.",
    )


def _taken_from_ports(asked: Asked) -> list[Finding]:
    """Devices that Neutron's ports have by a line of others, and that a line of ours takes from them."""
    found: dict[tuple[NovaSetting, NovaSetting | None], list[tuple[Row, Row]]] = {}
    for row in asked.outlook.before.rows:
        new = asked.outlook.after.of(row.device)
        loses = new.setting != row.setting and (not new.for_ports or new.network != row.network)
        if row.setting in asked.devices and row.setting is not None and row.for_ports and loses:
            found.setdefault((row.setting, new.setting), []).append((row, new))
    return [
        _finding(
            "PASSTHROUGH-NOT-APART",
            "blocks",
            f"{theirs.place}: {theirs.value} gives {said([row for row, _ in rows])} to {rows[0][0].to.split(',')[0]}",
            f"Our line would be read before it ({rows[0][1].place if ours is None else ours.path}), and the first line that matches "
            f"decides: these ports get none of them any more, and the devices go to {rows[0][1].to}.",
            f"Answer a pool with that physical_network, or leave these cards out of the pool; or move the line to the top of "
            f"{ours.path if ours else 'the file'}.",
        )
        for (theirs, ours), rows in found.items()
    ]

"""Room in /boot, looked at before anything is written there: a rebuild that runs out of it half-way leaves no bootable image."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.facts.bootloader import KEPT
from wizard.facts.facts import Facts
from wizard.model.changes import LiveAction
from wizard.model.findings import Finding
from wizard.model.steps import RunCommand

MENU_BYTES = 1_000_000  # a boot menu is written beside the old one, and is smaller than this with a hundred entries
ENTRY_BYTES = (
    4_000_000  # kernel-install replaces kernel and initramfs of an entry in place: what a new one may be larger by
)


def kept(facts: Facts) -> tuple[str, ...]:
    """The images to be kept as they are before they are rebuilt: of the running kernel, and of the newest one.

    Where a copy is there and the node has not come up with what was made since, or was about to be made when a run failed,
    the copy is the one that is known to boot.
    """
    images, copies = facts.boot.initramfs_images, _whole_copies(facts)
    if not images or (
        copies and (facts.history.rebooted_since("vfs", facts.system.boot_id) is False or _fresh(facts, copies))
    ):
        return ()
    running = [
        image for image in images if facts.system.kernel and image.removesuffix(".img").endswith(facts.system.kernel)
    ]
    return tuple(dict.fromkeys([*running, images[-1]]))


def _whole_copies(facts: Facts) -> list[str]:
    """The copies that are there, without one that a run was cut short in: that may be a part, and what it is of is as it was."""
    images = (copy.removesuffix(KEPT) for copy in facts.boot.kept_images)
    return [image for image in images if not any(run.left(_copy("vfs", image)) for run in facts.history.runs)]


def _fresh(facts: Facts, copies: Sequence[str]) -> bool:
    """Whether one of them was made in this boot, by a run that was not taken back."""
    made = [_copy("vfs", image) for image in copies]
    return any(
        run.boot_id == facts.system.boot_id and any(run.has_run(step) for step in made)
        for run in facts.history.runs
        if not run.undone_by
    )


def _copy(chapter: str, image: str) -> RunCommand:
    return RunCommand(
        chapters=(chapter,),
        phase="boot",
        argv=("cp", "-p", image, image + KEPT),
        why=(
            "the image as it is, if the new one does not boot: press e in the boot menu and name it on the initrd "
            "line; it may be removed once verify has held after the reboot",
        ),
        undo=("rm", "-f", image + KEPT),
        undo_when="last",
        deadline_s=300,
        id=f"{chapter}/keep:{image}",
    )


def keep(chapter: str, images: Sequence[str]) -> tuple[LiveAction, ...]:
    """Steps that copy these images, before they are rebuilt. The copies go when the run is taken back, last of all."""
    return tuple(LiveAction(_copy(chapter, image), order=15) for image in images)


def needed(facts: Facts) -> int:
    """Bytes that rebuilding the images takes for a while: the kept copies, and the biggest one beside the old one."""
    sizes = dict(zip(facts.boot.initramfs_images, facts.boot.initramfs_sizes, strict=True))
    biggest = max(sizes.values(), default=0)
    copies = sum(sizes.get(image, 0) for image in kept(facts))
    return max(2 * biggest, copies + biggest)


def finding(facts: Facts, chapter: str, what: str, bytes_needed: int) -> list[Finding]:
    """A finding that blocks where /boot has not this much room; none where its room is not known."""
    return _lacking(chapter, "/boot", facts.system.boot_free, what, bytes_needed)


def of_menu(facts: Facts, chapter: str) -> list[Finding]:
    """The same for what a boot menu takes, where its entries are."""
    if facts.boot.loader.line_file:
        return _lacking(chapter, facts.boot.generated, facts.boot.entries_free, "a boot entry", ENTRY_BYTES)
    return finding(facts, chapter, "a new boot menu", MENU_BYTES)


def _lacking(chapter: str, place: str, free: int | None, what: str, bytes_needed: int) -> list[Finding]:
    if free is None or free >= bytes_needed:
        return []
    return [
        Finding(
            code="BOOT-NO-ROOM",
            severity="blocks",
            chapter=chapter,
            seen=f"{place} has {_megabytes(free)} free, {what} takes {_megabytes(bytes_needed)} for a while",
            why="A boot menu or an initramfs that runs out of room half-way may leave this node without one that boots.",
            do="Remove kernels that are not used any more (apt-get autoremove --purge, or dnf remove), then run check again.",
        )
    ]


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"

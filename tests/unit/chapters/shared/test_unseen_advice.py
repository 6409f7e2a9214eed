"""verify names root rights where they were what was lacking, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from nodes import answered, origin

from wizard.chapters.shared import advice as unseen_advice
from wizard.facts import facts
from wizard.planning.verification import verify


def advice(privileged: bool, grub: bytes | None = None) -> dict[str, str]:
    """What is to be done, by what is unknown. The node is one whose boot menu, images and tables cannot be read."""
    node = origin()
    if grub is not None:
        node.entries["/etc/default/grub"].content += grub
    seen = facts.read(node)
    boot = replace(seen.boot, entries=None)
    network = replace(seen.network, nat_chains=None)
    seen = replace(seen, privileged=privileged, boot=boot, network=network, initramfs_copies=None)
    return {check.what: check.do for check in verify(seen, answered(seen)) if check.state == "unknown"}


@pytest.mark.parametrize("privileged", [True, False])
def test_a_line_that_only_a_shell_could_compute_is_no_matter_of_rights(privileged: bool) -> None:
    found = advice(privileged, b'GRUB_CMDLINE_LINUX="$(cat /etc/words)"\n')
    (said,) = [do for what, do in found.items() if "next boot" in what]
    assert "as root" not in said
    assert "/proc/cmdline" in said


def test_root_is_told_where_to_look_and_anybody_else_to_be_root() -> None:
    assert {do for do in advice(True).values() if do} == {unseen_advice.LOOK}
    assert {do for do in advice(False).values() if do} == {unseen_advice.AS_ROOT}
    assert len(advice(False)) > 2

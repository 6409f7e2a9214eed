"""Boot loaders whose line this tool does not change: the words to do it by hand, exactly."""

from __future__ import annotations

from wizard.chapters.iommu.line_editor import LineEditor
from wizard.facts.bootloaders.loader import HandWay, Way

_WHOLE_LINE = "/etc/kernel/cmdline, which has to hold the whole line, root= too"
HOW: dict[Way, str] = {
    "systemd-boot": f"Add {{words}} to {_WHOLE_LINE}; make each kernel's entry again (`kernel-install add VERSION IMAGE`)",
    "unified-image": f"Add {{words}} to {_WHOLE_LINE}; make the unified image again (`kernel-install add VERSION IMAGE`, or "
    "`dracut --uefi`), signed anew where Secure Boot is on",
    "proxmox-boot-tool": "Add {words} to the one line of /etc/kernel/cmdline (started by UEFI), or to GRUB_CMDLINE_LINUX_DEFAULT in "
    "/etc/default/grub (by BIOS); run `proxmox-boot-tool refresh`",
    "update-bootloader": "Run {options}, then `update-bootloader --config`",
    "sdbootutil": "Add {words} to the line in /etc/kernel/cmdline; run `sdbootutil update-all-entries`",
    "kernelstub": 'Run `kernelstub -a "{words}"`',
    "extlinux": "Add {words} to EXTLINUX_PARAMETERS in /etc/default/extlinux and run `extlinux-update`; without that program, to each "
    "`append` line of /boot/extlinux/extlinux.conf",
    "u-boot-menu": "Add {words} to U_BOOT_PARAMETERS in /etc/default/u-boot; run `u-boot-update`",
    "zipl": 'Add {words} to `parameters=` in /etc/zipl.conf, or run `grubby --update-kernel=ALL --args="{words}"`; run `zipl`',
    "bootc": "Add `kargs = [{quoted}]` as a file of /usr/lib/bootc/kargs.d to the image of this node, and update the node to it",
}
"""What to do, by the way the next boot's line is made; each is followed by the reboot."""


class ByHand(LineEditor):
    by_tool = False

    def __init__(self, loader: HandWay) -> None:
        self.loader = loader

    def by_hand(self, words: list[str]) -> str:
        if not words:
            how = "Take what keeps the IOMMU off from the kernel's command line by this boot loader's own way"
        else:
            how = HOW.get(self.loader, "Add {words} to the kernel's command line by this boot loader's own way").format(
                words=" ".join(words),
                quoted=", ".join(f'"{word}"' for word in words),
                options=" and ".join(f'`update-bootloader --add-option "{word}"`' for word in words),
            )
        return f"{how}, reboot, then run check again."

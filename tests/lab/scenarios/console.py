"""The wizard at the machine's own screen and keyboard: in the framebuffer, and in VGA's text mode, which has fewer colours."""

from __future__ import annotations

from lab.machine import PROMPT, Hardware, Machine
from lab.scenarios.scenario import Scenario
from lab.stage import Stage
from lab.vt import Vt

DRAWN = 300.0  # seconds that a page may take: emulated, on a busy host
TEXT_MODE = """\
cat > /etc/default/grub.d/90-text-mode.cfg <<'END'
GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT nomodeset modprobe.blacklist=bochs"
GRUB_GFXPAYLOAD_LINUX=text
END
update-grub && sync
"""


class Console(Scenario):
    NAME = "console"
    TITLE = "the wizard at the machine's own screen and keyboard: in the framebuffer and in VGA's text mode"
    HARDWARE = (Hardware(look="connectx-3-pro"),)

    @classmethod
    def play(cls, stage: Stage) -> None:
        with stage.machine(cls.HARDWARE[0]) as machine:
            stage.ready(machine)
            stage.hold("the console is a framebuffer", "bochs" in machine.must("cat /proc/fb"))
            _look_around(stage, machine, "framebuffer")
            machine.must(TEXT_MODE)
            stage.reboot(machine)
            stage.hold("the console is VGA's text mode", machine.must("cat /proc/fb").strip() == "")
            _look_around(stage, machine, "text")


def _look_around(stage: Stage, machine: Machine, mode: str) -> None:
    """Welcome, VFs with a number typed, help, preview; nothing is applied."""
    vt = Vt(machine)
    vt.wait(PROMPT, DRAWN)
    vt.type("clear\r")
    vt.type("compute-wizard\r")
    vt.wait(r"\| To do\b", DRAWN)
    shown = vt.wait(r"Enter next", DRAWN)  # the last that is drawn
    stage.hold("the wizard opens without a question, and names the card", "ConnectX-3" in "\n".join(shown), shown)
    _take(stage, machine, f"{mode}-welcome")
    vt.type("3")
    vt.wait(r">3 VFs", DRAWN)
    machine.press("tab", "end", "backspace", "backspace")
    vt.type("4")
    vt.wait(r"num_vfs=4\b", DRAWN)
    _take(stage, machine, f"{mode}-vfs")
    machine.press("esc")
    vt.wait(r"Esc back +Enter next", DRAWN)
    machine.press("f1")
    vt.wait(r"Help \| VFs", DRAWN)
    _take(stage, machine, f"{mode}-help")
    machine.press("esc")
    vt.wait(r">3 VFs", DRAWN)
    vt.type("7")
    vt.wait(r">7 Preview", DRAWN)
    _take(stage, machine, f"{mode}-preview")
    vt.type("q")
    shown = vt.wait(PROMPT, DRAWN)
    stage.hold("the screen is clear after the wizard", "Preview" not in "\n".join(shown), shown)


def _take(stage: Stage, machine: Machine, name: str) -> None:
    """A picture of the screen, on which every character has to be visible."""
    stage.console_picture(machine, name)
    unseen = Vt(machine).unseen(stage.directory / "seen.ppm")
    stage.hold(f"{name}: no character is invisible, or missing in the font", not unseen, "\n".join(unseen))

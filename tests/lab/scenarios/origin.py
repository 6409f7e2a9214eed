"""The origin in today's clothes: the wizard itself, at a serial console, from welcome to apply; reboot; verify; and back again."""

from __future__ import annotations

from lab.machine import Hardware, Machine
from lab.scenarios.scenario import Scenario
from lab.stage import Stage, differences, manifest

CARD = "0000:01:00.0"
PAGES = ("Devices", "IOMMU", "VFs", "Passthrough", "Gateways", "Metadata", "Preview", "Apply")
DRAWN = 400.0  # seconds that a page may take: emulated, on a busy host
APPLIED = 3600.0  # seconds for a run: update-initramfs is slow here
VFS = 4
VERIFY_IS_DUE = b"has not been verified since the reboot: compute-wizard verify"
MENU = r"grep -E '^\s+linux' /boot/grub/grub.cfg"


class Origin(Scenario):
    NAME = "origin"
    TITLE = (
        "ConnectX-3 Pro, BIOS GRUB under a cloud image's drop-in, IOMMU off: the wizard on the serial console, and back"
    )
    HARDWARE = (Hardware(look="connectx-3-pro"),)

    @classmethod
    def play(cls, stage: Stage) -> None:
        with stage.machine(cls.HARDWARE[0]) as machine:
            stage.ready(machine)
            _as_it_was(stage, machine)
            before = manifest(machine, "/etc")
            menu, boot = machine.must(MENU), machine.must("ls /boot")
            _through_the_wizard(stage, machine)
            stage.hold("verify waits for the reboot", "pending" in stage.checks(machine, 2).values())
            stage.reboot(machine)
            stage.hold("at login a line says that verify is due", VERIFY_IS_DUE in machine.line.said)
            _as_it_should_be(stage, machine)
            stage.hold(
                "nothing is left to plan",
                "Nothing is to be changed" in _shell(stage, machine, "compute-wizard plan", 0),
            )
            _shell(stage, machine, "compute-wizard undo --yes", 0)
            stage.reboot(machine)
            _as_it_was(stage, machine)
            after = manifest(machine, "/etc")
            stage.hold("/etc is as it was, to the byte", before == after, differences(before, after))
            stage.hold("the boot menu's kernel lines are as they were", menu == (again := machine.must(MENU)), again)
            stage.hold("no file is left in /boot", boot == (now := machine.must("ls /boot")), now)


def _shell(stage: Stage, machine: Machine, command: str, *codes: int) -> str:
    """A command typed at the console, so that it is in the transcript."""
    code, said = machine.shell(command, APPLIED)
    stage.note(f"# {command}\n{said}[exit {code}]")
    if codes:
        stage.hold(f"{command}: exit {code}", code in codes, said)
    return said


def _as_it_was(stage: Stage, machine: Machine) -> None:
    line = _shell(stage, machine, "cat /proc/cmdline", 0)
    stage.hold("the kernel was started without intel_iommu=on", "intel_iommu=on" not in line, line)
    groups = _shell(stage, machine, "ls /sys/kernel/iommu_groups | wc -l", 0)
    stage.hold("there are no IOMMU groups", groups.strip() == "0", groups)
    stage.hold("the card has no VFs", _vfs(stage, machine) == 0)


def _vfs(stage: Stage, machine: Machine) -> int:
    listed = _shell(stage, machine, "lspci -Dnn -d 15b3:", 0)
    return listed.count("[15b3:1004]")


def _through_the_wizard(stage: Stage, machine: Machine) -> None:
    line = machine.line
    machine.shell("clear")
    line.type("compute-wizard\r")
    shown = line.wait_screen(r"1, 2, 3 or q", DRAWN)
    stage.picture(machine, "face")
    stage.hold("on a serial line it asks which face, and found out its size", "80x24" in shown, shown)
    line.type("2\r")
    line.wait_screen(r"\| To do\b", DRAWN)
    shown = line.wait_screen(r"Enter next", DRAWN)  # the last that is drawn
    line.settle()
    stage.picture(machine, "welcome")
    stage.hold("the welcome page names the card", "ConnectX-3" in shown, shown)
    for number, page in enumerate(PAGES, 1):
        line.type("\r")
        line.wait_screen(rf">{number} {page}", DRAWN)
        line.settle()
        if page == "VFs":
            _ask_for_vfs(stage, machine)
        stage.picture(machine, page.lower())
    asked = line.terminal.text()
    stage.hold("the apply page asks for a yes", "yes to start" in asked or "Type yes" in asked, asked)
    line.type("yes\r")
    shown = line.wait_screen(r"Enter to Verify|r retry", APPLIED)
    line.settle()
    stage.picture(machine, "applied")
    stage.hold("the run ended well", "Done." in shown, shown)
    line.type("\r")
    line.wait_screen(r">9 Verify", DRAWN)
    line.wait_screen(r"(?i)pending", DRAWN)
    line.settle()
    stage.picture(machine, "verify")
    line.type("q")
    line.wait(r"root@[^\r\n]*# ", DRAWN)
    stage.hold("the terminal is sane after the wizard", machine.shell("stty -a | grep -c ' echo '")[1].strip() == "1")


def _ask_for_vfs(stage: Stage, machine: Machine) -> None:
    """The number of VFs is typed into its field, the first of the page."""
    line = machine.line
    line.type("\t")
    line.settle()
    for keys in ("\x1b[F", "\x7f", "\x7f", str(VFS)):  # at a person's pace
        line.type(keys)
        line.settle(0.5)
    line.wait_screen(rf"VFs: +{VFS}\b", DRAWN)
    line.settle()
    shown = line.wait_screen(rf"num_vfs={VFS}\b", DRAWN)
    stage.hold("what will change is shown while typing", "mlx4_core.conf" in shown, shown)
    line.type("\x1b")  # leaves the field
    line.settle()


def _as_it_should_be(stage: Stage, machine: Machine) -> None:
    line = _shell(stage, machine, "cat /proc/cmdline", 0)
    stage.hold(
        "intel_iommu=on and iommu=pt are on the kernel's line",
        {"intel_iommu=on", "iommu=pt"} <= set(line.split()),
        line,
    )
    groups = int(_shell(stage, machine, "ls /sys/kernel/iommu_groups | wc -l", 0))
    stage.hold(f"there are {groups} IOMMU groups", groups > 0)
    options = _shell(stage, machine, "cat /sys/module/mlx4_core/parameters/num_vfs", 0)
    stage.hold("mlx4_core took its options from the initramfs", options.startswith(f"{VFS}"), options)
    stage.hold(f"lspci lists {VFS} VFs", (count := _vfs(stage, machine)) == VFS, count)
    _shell(stage, machine, "compute-wizard verify", 0)
    states = stage.checks(machine, 0)
    stage.hold("every check of verify is held", set(states.values()) == {"held"}, states)
    for chapter in ("iommu", "vfs", "passthrough"):
        stage.hold(f"verify looked at {chapter}", any(name.startswith(f"{chapter}:") for name in states), states)

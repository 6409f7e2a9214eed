"""One virtual machine: its hardware, its power switch, its console, its serial line, and commands run in it over ssh."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lab import emulator, guest_image, host
from lab.line import Line

PROMPT = rf"root@{guest_image.NAME}:[^\r\n]*# "
INTEL = "EPYC,-svm,vendor=GenuineIntel,family=6,model=28,stepping=2,model-id=Intel(R) CPU of the lab"
"""Intel to the kernel, of a model without speculation: no page-table isolation, and emulated a third quicker."""
SCREEN = (640, 480)  # of the graphical console: 80x30 characters
NOT_YET = re.compile(r"^(kex_exchange_identification|Connection (closed|reset|refused)|ssh: connect)", re.MULTILINE)
"""How ssh says that nobody answers yet; the command was not run then."""
PANIC = r"end Kernel panic - not syncing: (?P<why>[^\r\n]*)"
TIMER_MISSED = "timer doesn't work through Interrupt-remapped IO-APIC"
"""A kernel waits for a few ticks in its first milliseconds, and an emulator that gets no processor in time does not bring them."""
GAVE_UP = re.compile(r"[^\n]*Assertion `[^\n]*' failed")
RESETS = 4
PATIENCE = 600.0  # seconds for a boot: emulated on a busy host it may take minutes


@dataclass(frozen=True)
class Hardware:
    """What a machine is built of. `look`: what its cards pretend to be; None: what they are, Intel 82576."""

    image: str = "trixie"
    look: Literal["connectx-3-pro", "connectx-5"] | None = None
    iommu: Literal["intel", "amd", "none"] = "intel"
    firmware: Literal["bios", "uefi"] = "bios"
    cards: int = 1
    memory: int = 1536  # MiB


class Machine:
    """A machine with a disk of its own over the image's. Use as a context: at its end the power is off."""

    def __init__(self, hardware: Hardware, directory: Path, over: Path | None = None) -> None:
        """`over`: a disk that was made from the image's, to start from instead of the image's own."""
        self.hardware, self.directory = hardware, directory
        directory.mkdir(parents=True, exist_ok=True)
        self._emulator = emulator.get()
        self._image = guest_image.get(hardware.image)
        self._disk = directory / "disk.qcow2"
        self._disk.unlink(missing_ok=True)
        self._emulator.image("create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", over or self._image.path, self._disk)
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Line | None = None
        self._logged = 0  # bytes of qemu.log before this power on

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        self.off()
        self._disk.unlink(missing_ok=True)

    @property
    def line(self) -> Line:
        if self._line is None:
            raise RuntimeError("the machine is off")
        return self._line

    def on(self) -> None:
        """Power on."""
        for name in ("serial.sock", "control.sock"):
            (self.directory / name).unlink(missing_ok=True)
        words = self._emulator.command(self._emulator.system(self.hardware.look), self._arguments())
        log = self.directory / "qemu.log"
        self._logged = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                words,
                env=self._emulator.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        end = time.monotonic() + 60
        while self._line is None:
            if self._process.poll() is not None:
                raise RuntimeError(f"QEMU ended: {(self.directory / 'qemu.log').read_text(errors='replace')[-2000:]}")
            try:
                self._line = Line(self.directory / "serial.sock", self.directory / "serial.log")
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _arguments(self) -> list[str | Path]:
        kvm = host.hardware_virtualisation()
        cpu = "host" if kvm else "EPYC" if self.hardware.iommu == "amd" else INTEL
        split = ",kernel-irqchip=split" if kvm else ""
        words: list[str | Path] = [
            *("-accel", "kvm" if kvm else "tcg,thread=multi,tb-size=512", "-machine", f"q35{split}", "-cpu", cpu),
            *(
                "-smp",
                "2"
                if kvm
                else "1",  # machines play side by side: emulated, a second processor is one that the others lack
                "-m",
                str(self.hardware.memory),
                *self._emulator.firmware(),
                "-nodefaults",
                "-no-user-config",
            ),
            *(
                "-rtc",
                "base=utc",
                "-object",
                "rng-random,id=rng,filename=/dev/urandom",
                "-device",
                "virtio-rng-pci,rng=rng",
            ),
        ]
        units = {"intel": "intel-iommu,intremap=on,caching-mode=on", "amd": "amd-iommu,intremap=on"}
        if self.hardware.iommu in units:
            words += ["-device", units[self.hardware.iommu]]
        if self.hardware.firmware == "uefi":
            words += self._uefi()
        words += [
            *("-drive", f"file={self._disk},if=none,id=disk,cache=writeback,discard=unmap"),
            *("-device", "virtio-blk-pci,drive=disk,bootindex=0"),
            *("-netdev", f"user,id=management,restrict=on,hostfwd=tcp:127.0.0.1:{self._port}-:22"),
            *("-device", "virtio-net-pci,netdev=management,romfile="),
        ]
        for number in range(1, self.hardware.cards + 1):
            words += [
                *("-device", f"pcie-root-port,id=port{number},chassis={number},slot={number}"),
                *("-netdev", f"user,id=card{number},restrict=on"),
                *("-device", f"igb,bus=port{number},netdev=card{number},mac=52:54:00:aa:00:{number:02x},romfile="),
            ]
        serial = self.directory / "serial.sock"
        return [
            *words,
            *(
                "-device",
                f"VGA,edid=on,xres={SCREEN[0]},yres={SCREEN[1]}",
                "-display",
                "none",
                "-serial",
                "chardev:serial",
            ),
            *("-chardev", f"socket,id=serial,path={serial},server=on,wait=off"),
            *("-qmp", f"unix:{self.directory / 'control.sock'},server=on,wait=off"),
        ]

    def _uefi(self) -> list[str]:
        share = self._emulator.directory / "usr" / "share" / "OVMF"
        variables = self.directory / "variables.fd"
        if not variables.exists():
            variables.write_bytes((share / "OVMF_VARS_4M.fd").read_bytes())
        return [
            *("-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={share / 'OVMF_CODE_4M.fd'}"),
            *("-drive", f"if=pflash,format=raw,unit=1,file={variables}"),
        ]

    # power

    def boot(self) -> float:
        """Power on and wait for root's shell on the serial line; gives the seconds that took."""
        begun = time.monotonic()
        self.on()
        self.wait_for_shell()
        return time.monotonic() - begun

    def wait_for_shell(self) -> None:
        for _ in range(RESETS):
            try:
                said = self.line.wait(rf"login: root \(automatic login\)|{PANIC}", PATIENCE)
            except EOFError:
                self._after_a_defect_of_the_emulator()
                continue
            if not said["why"]:
                self.line.wait(PROMPT, PATIENCE)
                return
            why = said["why"].decode("ascii", "replace")
            if TIMER_MISSED not in why:
                raise RuntimeError(f"the machine's kernel panicked: {why}")
            print(f"lab: reset, since this host was too busy for the machine's timer: {why}", flush=True)
            self.control("system_reset")
        raise RuntimeError(f"no boot in {RESETS} attempts: this host is too busy, or its emulator gives up")

    def _after_a_defect_of_the_emulator(self) -> None:
        """Power on again, where QEMU 10 gave up by itself: its TCG has been seen to, while a kernel set up its IOMMU."""
        said = (self.directory / "qemu.log").read_bytes()[self._logged :].decode("utf-8", "replace")
        gave_up = GAVE_UP.search(said)
        if gave_up is None:
            raise EOFError(f"QEMU ended: {said[-2000:]}")
        print(f"lab: powered on again, since the emulator gave up by itself: {gave_up[0]}", flush=True)
        self.cut_power()
        self.on()

    def reboot(self) -> float:
        """Reboot by systemd; gives the seconds until root's shell is back."""
        begun = time.monotonic()
        self.line.type("systemctl reboot\r")
        self.line.wait(r"reboot: Restarting system", PATIENCE)
        self.wait_for_shell()
        return time.monotonic() - begun

    def cut_power(self) -> None:
        """As if the plug were pulled. What the guest had not written is lost."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._line is not None:
            self._line.close()
        self._process = self._line = None

    def shut_down(self) -> Path:
        """Have systemd switch it off; gives the disk, which is the caller's from now on until the end of the context."""
        if self._process is None:
            raise RuntimeError("the machine is off")
        self.line.type("systemctl poweroff\r")
        self.line.wait(r"reboot: Power down", PATIENCE)
        self._process.wait(PATIENCE)
        return self._disk

    def off(self) -> None:
        """Switch off, in whatever state it is."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(Exception):
                self.control("quit")
                self._process.wait(20)
        self.cut_power()

    # commands

    def shell(self, command: str, seconds: float = 300) -> tuple[int, str]:
        """Type a command on the serial line; gives its exit code, which the prompt tells, and what it printed."""
        self.line.type(f"{command}\r")
        match = self.line.wait(rf"(?s)(?P<said>.*?)root@{guest_image.NAME}:\S* \[(?P<code>\d+)\]# ", seconds)
        said = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", match["said"].decode("utf-8", "replace")).replace("\r", "")
        return int(match["code"]), said.partition("\n")[2]

    def run(self, command: str, seconds: float = 600, stdin: str | None = None) -> tuple[int, str]:
        """Run a command over ssh; gives its exit code and what it printed. The shell on the serial line may come before sshd."""
        end = time.monotonic() + PATIENCE
        while True:
            done = subprocess.run(
                [*self._ssh(), command],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                input=stdin,
                check=False,
            )
            if done.returncode != 255 or not NOT_YET.search(done.stderr) or time.monotonic() > end:
                return done.returncode, done.stdout + done.stderr
            time.sleep(1)

    def must(self, command: str, seconds: float = 600, stdin: str | None = None) -> str:
        """Run a command that has to succeed."""
        code, said = self.run(command, seconds, stdin)
        if code:
            raise RuntimeError(f"{command}: exit {code}\n{said}")
        return said

    def bring(self, path: Path, directory: str) -> None:
        """Copy a file or a directory into a directory of the machine."""
        with subprocess.Popen(["tar", "-C", path.parent, "-c", path.name], stdout=subprocess.PIPE) as packed:
            unpack = f"mkdir -p {shlex.quote(directory)} && tar -C {shlex.quote(directory)} -x --no-same-owner"
            subprocess.run([*self._ssh(), unpack], stdin=packed.stdout, check=True)

    def _ssh(self) -> list[str]:
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=60", "LogLevel=ERROR")
        asked = [word for option in options for word in ("-o", option)]
        return ["ssh", "-F", "none", "-i", str(self._image.ssh_key), "-p", str(self._port), *asked, "root@127.0.0.1"]

    # the emulator's own control

    def control(self, command: str, **arguments: Any) -> Any:
        """One command of QEMU's machine protocol. Raises RuntimeError with its error."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(120)
            connection.connect(str(self.directory / "control.sock"))
            with connection.makefile("rw") as stream:
                answers = _answers(stream)
                next(answers)
                for name, given in (("qmp_capabilities", {}), (command, arguments)):
                    stream.write(json.dumps({"execute": name, "arguments": given}) + "\n")
                    stream.flush()
                    answer = next(each for each in answers if "return" in each or "error" in each)
                    if "error" in answer:
                        raise RuntimeError(f"{name}: {answer['error']}")
        return answer["return"]

    def press(self, *keys: str) -> None:
        """Press keys of the machine's own keyboard, by QEMU's names for them, one after the other."""
        for key in keys:
            self.control("send-key", keys=[{"type": "qcode", "data": key}])

    def console(self, path: Path) -> None:
        """A picture of the machine's graphical console: PNG, or PPM where the name ends so."""
        self.control("screendump", filename=str(path), format=path.suffix[1:])


def _answers(stream: Any) -> Iterator[Any]:
    for line in stream:
        yield json.loads(line)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""A recorded node that also obeys: its commands, its kernel attributes and its reboot follow what was really written.

Files are real files in a throw-away directory. What a command would do to them is done to them; the kernel line after the
reboot comes from grub.cfg, the VFs from the initramfs or from sriov_numvfs, the bridge rules from the commands.
"""

from __future__ import annotations

import posixpath
import shutil
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from wizard.errors import NodeError
from wizard.node.node import Output
from wizard.simulator import boot as simulated_boot
from wizard.simulator import pci as simulated_pci
from wizard.simulator.state import PlayedNode

CHAIN = "cw-metadata"
WATCH, WATCH_PID = "compute-wizard-metadata", 4990


class SimulatedNode(PlayedNode):
    """A directory that plays a node. `obey`, `set_attribute`, `kill` and `reboot` change it; all else only reads."""

    simulated = True

    def __init__(self, directory: Path, name: str = "simulated node") -> None:
        super().__init__(directory, name)
        self.privileged = True

    # what it is asked

    def run(self, argv: Sequence[str], *, timeout: float = 15.0, stdin: bytes | None = None) -> Output:
        if posixpath.basename(argv[0]).startswith("ebtables") and "-L" in argv:
            return _said(argv, self._listing())
        return super().run(argv, timeout=timeout, stdin=stdin)

    def free(self, path: str) -> int | None:
        free: int | None = self.state().get("boot_free") if path == "/boot" else None
        return free

    # what it is told

    def obey(self, argv: Sequence[str]) -> Output:
        """Do what a command would do. Status 127 for a command that this node does not have."""
        name = posixpath.basename(argv[0])
        handlers: dict[str, Callable[[list[str]], str]] = {
            "update-grub": lambda _: simulated_boot.update_grub(self),
            "update-initramfs": lambda _: simulated_boot.update_initramfs(self),
            "kernel-install": lambda words: simulated_boot.kernel_install(self, words),
            "grubby": lambda words: simulated_boot.arguments(self, ["grubby", *words]),
            "rpm-ostree": lambda words: simulated_boot.arguments(self, ["rpm-ostree", *words]),
            "systemctl": self._systemctl,
            "service": lambda words: self._restart(words[0]) if words[1:] == ["restart"] else "",
            "dnsmasq": self._dnsmasq,
            "compute-wizard-metadata": self._metadata,
            "compute-wizard-vfs": lambda words: simulated_boot.set_guids(self, words),
            "mstconfig": self._firmware,
            "cp": lambda words: self._copy(*words[-2:]),
            "rm": lambda words: self._remove(words[-1]),
        }
        if name not in handlers or (argv[0].startswith("/") and not self.exists(argv[0])):
            return Output(tuple(argv), 127, "", f"{argv[0]}: not found\n")
        try:
            return _said(argv, handlers[name](list(argv[1:])))
        except NodeError as error:
            return Output(tuple(argv), 1, "", f"{error}\n")

    def set_attribute(self, path: str, value: str) -> None:
        """Write a kernel attribute as the kernel would take it. Raises NodeError where it would refuse."""
        if posixpath.basename(path) == "sriov_numvfs":
            simulated_pci.set_numvfs(self, posixpath.dirname(path), int(value))
        else:
            self.put(path, f"{value}\n")

    def kill(self, pid: int) -> None:
        """End a process."""
        place = self.place(f"/proc/{pid}")
        if place.is_dir():
            keep = self.place(f"/.compute-wizard/ended/{pid}")
            shutil.rmtree(keep, ignore_errors=True)
            keep.parent.mkdir(parents=True, exist_ok=True)
            place.rename(keep)

    def reboot(self) -> None:
        """Start again from what the files say."""
        simulated_boot.boot(self)
        self.remember(rules=[])
        if self.enabled(WATCH) and self.exists("/usr/local/sbin/compute-wizard-metadata"):
            self._metadata(["apply"])
        self._watch(self.enabled(WATCH))
        for ended in self.names("/.compute-wizard/ended"):
            self._start(ended)
        self.put("/proc/sys/kernel/random/boot_id", f"{uuid.uuid4()}\n")
        simulated_boot.touch_processes(self)
        simulated_boot.start_all_dnsmasq(self)

    # how

    def by_hand(self, rule: str) -> None:
        """A bridge rule that somebody put into PREROUTING."""
        self.remember(by_hand=[*self.state().get("by_hand", []), rule])

    def _listing(self) -> str:
        rules: list[str] = self.state()["rules"]
        jump = "-p IPv4 --ip-dst 169.254.169.254 --ip-proto tcp --ip-dport 80 -j " + CHAIN
        by_hand: list[str] = self.state().get("by_hand", [])
        chains = [
            ("PREROUTING", "ACCEPT", [*by_hand, *([jump] if rules else [])]),
            ("OUTPUT", "ACCEPT", []),
            ("POSTROUTING", "ACCEPT", []),
        ]
        chains += [(CHAIN, "RETURN", rules)] if rules else []
        lines = ["Bridge table: nat"]
        for name, policy, words in chains:
            lines += [
                "",
                f"Bridge chain: {name}, entries: {len(words)}, policy: {policy}",
                *(f"{each} " for each in words),
            ]
        return "\n".join(lines) + "\n"

    def _metadata(self, words: list[str]) -> str:
        if words == ["remove"]:
            self.remember(rules=[])
            return "removed\n"
        config = dict(
            line.split("=", 1)
            for line in (self.text("/etc/compute-wizard/metadata.conf") or "").splitlines()
            if "=" in line and not line.startswith("#")
        )
        values = {name: value.strip('"').split() for name, value in config.items()}
        rules = [f"-i {uplink} -j RETURN" for uplink in values.get("UPLINKS", [])]
        target = (values.get("TARGET") or ["CONTINUE"])[0]
        ending = "redirect" if target == "ACCEPT" else f"redirect --redirect-target {target}"
        rules += [f"--logical-in {bridge} -j {ending}" for bridge in values.get("BRIDGES", [])]
        self.remember(rules=rules)
        return f"the chain {CHAIN} is in place\n"

    def _systemctl(self, words: list[str]) -> str:
        verb, names = words[0], words[1:]
        for name in names:
            changes = self.place("/etc/systemd/system/multi-user.target.wants")
            link = changes / name
            if verb == "enable":
                if not self.exists(f"/etc/systemd/system/{name}"):
                    raise NodeError(f"Unit file {name} does not exist")
                changes.mkdir(parents=True, exist_ok=True)
                link.unlink(missing_ok=True)
                link.symlink_to(f"/etc/systemd/system/{name}")
                return f"Created symlink /etc/systemd/system/multi-user.target.wants/{name}\n"
            if verb == "disable":
                link.unlink(missing_ok=True)
                return f"Removed /etc/systemd/system/multi-user.target.wants/{name}\n"
            if name == f"{WATCH}.service":
                self._watch(verb in ("start", "restart"))
            elif verb == "restart":
                return self._restart(name)
        return ""

    def _watch(self, runs: bool) -> None:
        """Our unit's process: it runs as long as its unit's file says that it watches."""
        place = self.place(f"/proc/{WATCH_PID}")
        shutil.rmtree(place, ignore_errors=True)
        if runs and f"{WATCH} watch" in (self.text(f"/etc/systemd/system/{WATCH}.service") or ""):
            place.mkdir()
            (place / "cmdline").write_bytes(f"/bin/sh\0/usr/local/sbin/{WATCH}\0watch\0".encode())

    def _restart(self, service: str) -> str:
        if service.endswith("nova-network"):
            for ended in self.names("/.compute-wizard/ended"):
                self._start(ended)
        simulated_boot.touch_processes(self, service.removeprefix("openstack-"))
        return f"{service} restarted\n"

    def _start(self, pid: str) -> None:
        ended, place = self.place(f"/.compute-wizard/ended/{pid}"), self.place(f"/proc/{pid}")
        if ended.is_dir() and not place.exists():
            simulated_boot.start_dnsmasq(self, f"/.compute-wizard/ended/{pid}")
            ended.rename(place)

    def _dnsmasq(self, words: list[str]) -> str:
        path = next((word.partition("=")[2] for word in words if word.startswith("--conf-file=")), "")
        content = self.read(path).decode("utf-8", "replace")
        for number, line in enumerate(content.splitlines(), 1):
            bare = line.strip()
            if bare and not bare.startswith("#") and not bare.partition("=")[0].strip().replace("-", "").isalnum():
                raise NodeError(f"dnsmasq: bad option at line {number} of {path}")
        return "dnsmasq: syntax check OK.\n"

    def _copy(self, source: str, target: str) -> str:
        copy = self.target(target)
        copy.write_bytes(self.read(source))  # in place, as cp does: one that is killed leaves a part of its copy
        shutil.copymode(self.target(source), copy)
        return ""

    def _remove(self, path: str) -> str:
        self.place(path).unlink(missing_ok=True)
        return ""

    def _firmware(self, words: list[str]) -> str:
        address = words[words.index("-d") + 1]
        changes = dict(word.split("=", 1) for word in words[words.index("set") + 1 :])
        kept = self.state().get("firmware", {})
        self.remember(firmware={**kept, address: {**kept.get(address, {}), **changes}})
        return "Applying... Done!\n-I- Please reboot machine to load new configurations.\n"


def _said(argv: Sequence[str], text: str) -> Output:
    return Output(tuple(argv), 0, text, "")

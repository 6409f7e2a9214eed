"""What a simulated node's boot loader, initramfs and boot do with the files that are really there."""

from __future__ import annotations

import re
import time

from wizard.boot import next_command_line
from wizard.facts import bootloader, facts, initramfs, system
from wizard.facts.bootloaders.kernel_install import CMDLINE
from wizard.facts.nova import nova
from wizard.formats import kernel_arguments, mlx4_options, modprobe, shell_variables
from wizard.node.recorded import COMMANDS
from wizard.simulator import pci as simulated_pci
from wizard.simulator.state import PlayedNode

COPIED = ("/etc/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d")
PARAMETERS = "/sys/module/mlx4_core/parameters"
TICKS = 100  # USER_HZ


def update_grub(node: PlayedNode) -> str:
    """Make the linux lines of the generated file anew, from the sources as they are now."""
    seen = facts.read(node)
    found = shell_variables.evaluate(next_command_line.sources(seen, {}))
    # 10_linux joins the two with a blank, also where the first is empty
    arguments = f"{found.value(next_command_line.ALWAYS) or ''} {found.value(next_command_line.NORMAL) or ''}"
    content = node.read(seen.boot.generated).decode("utf-8", "surrogateescape").split("\n")
    for entry in seen.boot.entries or ():
        if (
            entry.recovery or not entry.made
        ):  # of GRUB_CMDLINE_LINUX alone, which nothing here changes; or somebody else's
            continue
        old = content[entry.line - 1].rstrip()
        kept = old.removesuffix(entry.arguments).rstrip()
        content[entry.line - 1] = f"{kept} {arguments}".rstrip()
    node.put(seen.boot.generated, "\n".join(content).encode("utf-8", "surrogateescape"))
    return "Generating grub configuration file ...\ndone\n"


def kernel_install(node: PlayedNode, words: list[str]) -> str:
    """Write one kernel's entry anew from /etc/kernel/cmdline, as 90-loaderentry does; `words` are `add VERSION IMAGE [INITRD]`."""
    line = " ".join((node.text(CMDLINE) or "").split())
    for entry in bootloader.read(node, system.read(node)).entries or ():
        if entry.path.endswith(f"-{words[1]}.conf"):
            lines = (node.text(entry.path) or "").splitlines()
            token = next((each.split()[1] for each in lines if each.startswith("machine-id ")), "")
            lines[entry.line - 1] = f"options    {line}" + (f" systemd.machine_id={token}" if token else "")
            node.put(entry.path, "\n".join(lines) + "\n")
    return ""


def arguments(node: PlayedNode, argv: list[str]) -> str:
    """What grubby or rpm-ostree does to the arguments that it keeps: the next time it is asked, it says so."""
    seen = bootloader.read(node, system.read(node))
    after = [
        next_command_line.after_commands(line, kernel, [tuple(argv)])
        for kernel, line in zip(seen.grubby_kernels, seen.grubby_arguments or (), strict=True)
    ]
    asked = seen.loader.asked.split()
    place = next(path for path in _commands(node) if (node.text(f"{path}/argv") or "").split() == asked)
    said = node.read(f"{place}/stdout").decode("utf-8", "surrogateescape")
    if asked[0] == "grubby":
        lines = iter(after)
        said = re.sub(r"^args=.*$", lambda _: f'args="{next(lines)}"', said, flags=re.MULTILINE)
    else:
        said = f"{after[0]}\n"
    node.put(f"{place}/stdout", said)
    return ""


def _commands(node: PlayedNode) -> list[str]:
    return [f"{COMMANDS}/{name}" for name in node.names(COMMANDS)]


def update_initramfs(node: PlayedNode) -> str:
    """Make every initramfs anew: what counts here are the modprobe.d files that are copied into it."""
    files = _files(node)
    said = ""
    for image in bootloader.read(node, system.read(node)).initramfs_images:
        node.put(image, archive(files))
        said += f"update-initramfs: Generating {image}\n"
    return said


def _files(node: PlayedNode) -> dict[str, bytes]:
    """What mkinitramfs copies: of /etc and /lib, not of /run and /usr/local."""
    paths = (f"{place}/{name}" for place in COPIED if node.exists(place) for name in node.names(place))
    return {path.lstrip("/"): node.read(path) for path in paths}


def archive(files: dict[str, bytes]) -> bytes:
    """A cpio archive of the kind that the kernel takes (newc), not compressed."""
    entries = [("etc", 0o040755, b""), ("etc/modprobe.d", 0o040755, b"")]
    entries += [(name, 0o100644, content) for name, content in sorted(files.items())]
    result = b""
    for number, (name, mode, content) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        encoded = name.encode() + b"\0"
        values = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
        head = b"070701" + b"".join(b"%08X" % value for value in values) + encoded
        result += head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)
    return result


def boot(node: PlayedNode) -> None:
    """The kernel comes up with the line of the first entry; then drivers, then the units that are enabled."""
    seen = facts.read(node)
    normal = [entry for entry in seen.boot.entries or () if not entry.recovery]
    if normal:
        image = normal[0].image.split()
        words = [f"BOOT_IMAGE={image[0]}", *image[1:]] if image else []
        node.put("/proc/cmdline", " ".join([*words, normal[0].arguments]).strip() + "\n")
    elif seen.boot.grubby_arguments:
        booted = [word for word in seen.iommu.command_line.split() if word.startswith(("BOOT_IMAGE=", "root="))]
        there = kernel_arguments.split(seen.boot.grubby_arguments[0])
        kept = [word for word in booted if kernel_arguments.key(word) not in map(kernel_arguments.key, there)]
        node.put("/proc/cmdline", " ".join([*kept, *there]) + "\n")
    seen = facts.read(node)
    verdict = kernel_arguments.iommu_verdict(
        seen.iommu.command_line, seen.iommu.vendor, seen.iommu.kernel_default_on, seen.iommu.kernel_default_passthrough
    )
    for function in seen.pci.functions:
        if function.num_vfs:
            simulated_pci.make_vfs(node, function.address, 0)
    simulated_pci.set_groups(node, bool(seen.iommu.table) and verdict.on is not False)
    for address, values in node.firmware().items():
        if values.get("NUM_OF_VFS"):
            node.put(f"{simulated_pci.DEVICES}/{address}/sriov_totalvfs", f"{values['NUM_OF_VFS']}\n")
    for function in seen.pci.functions:
        if not function.is_vf and function.total_vfs is not None:
            _make_at_boot(node, function.address, bool(function.card_family.option_module))


def _make_at_boot(node: PlayedNode, address: str, by_option: bool) -> None:
    total = simulated_pci.number(node, f"{simulated_pci.DEVICES}/{address}/sriov_totalvfs")
    if by_option:
        options = _options(node)
        text = options.get("num_vfs", "0")
        count = sum(mlx4_options.by_port(text) or (0,))
        if node.exists(PARAMETERS):
            node.put(f"{PARAMETERS}/num_vfs", f"{text}\n" if count else "\n")
            node.put(f"{PARAMETERS}/port_type_array", f"{options.get('port_type_array', '0,0')}\n")
        simulated_pci.set_ports(node, address, options.get("port_type_array", "").split(","))
    else:
        count = _by_unit(node, address)
    if 0 < count <= total:  # mlx4_core goes on without SR-IOV when it is asked for more than there are
        simulated_pci.make_vfs(node, address, count)
        _guids_by_unit(node, address)


def _options(node: PlayedNode) -> dict[str, str]:
    """mlx4_core's options as it sees them when it loads: from the initramfs, where that holds a copy of modprobe.d."""
    images = bootloader.read(node, system.read(node)).initramfs_images
    held, _ = initramfs.modprobe_files(node, images[-1]) if images else (None, "")
    if not held:
        held = _files(node)
    files = [(f"/{path.lstrip('/')}", content) for path, content in held.items()]
    order = modprobe.order([path for path, _ in files])
    return modprobe.effective([(path, dict(files)[path]) for path in order]).get("mlx4_core", {})


def _by_unit(node: PlayedNode, address: str) -> int:
    name = "compute-wizard-vfs-" + re.sub(r"[:.]", "-", address)
    if not node.enabled(name):
        return 0
    for path in (f"/etc/systemd/system/{name}.service", f"/etc/init/{name}.conf"):
        words = re.search(r"compute-wizard-vfs \S+ \S+ \S+ \S+ (\d+)", node.text(path) or "")
        if words:
            return int(words[1])
    return 0


def _guids_by_unit(node: PlayedNode, address: str) -> None:
    name = "compute-wizard-vfs-" + re.sub(r"[:.]", "-", address)
    for path in (f"/etc/systemd/system/{name}.service", f"/etc/init/{name}.conf"):
        words = re.search(r"compute-wizard-vfs (\S+ \S+ \S+ \S+ \d+ .*guids=.*)", node.text(path) or "")
        if words and node.enabled(name):
            set_guids(node, words[1].split())


def set_guids(node: PlayedNode, words: list[str]) -> str:
    """What the boot script does about GUIDs; `words` are what it is called with."""
    told = dict(word.split("=", 1) for word in words[5:] if "=" in word)
    place = node.resolve(f"{simulated_pci.DEVICES}/{words[0]}")
    for number, guid in enumerate(told.get("guids", "").split(",") if told.get("guids") else []):
        for name, value in (("node", guid), ("port", guid), ("policy", told["policy"].capitalize())):
            node.place(f"{place}/sriov/{number}").mkdir(parents=True, exist_ok=True)
            node.put(f"{place}/sriov/{number}/{name}", f"{value}\n")
    return f"{words[0]}: GUIDs are set\n"


def start_dnsmasq(node: PlayedNode, process: str) -> None:
    """A dnsmasq that nova-network starts again gets the file that nova.conf names then; `process` is its directory."""
    told = nova.read(node).last("DEFAULT", "dnsmasq_config_file") or ""
    line = node.read(f"{process}/cmdline").decode("utf-8", "surrogateescape")
    words = [f"--conf-file={told}" if word.startswith("--conf-file=") else word for word in line.split("\0")]
    node.put(f"{process}/cmdline", "\0".join(words).encode("utf-8", "surrogateescape"))
    _touch(node, process)


def start_all_dnsmasq(node: PlayedNode) -> None:
    """After a boot each of them is new."""
    for process in _processes(node):
        if "--conf-file=" in (node.text(f"{process}/cmdline") or ""):
            start_dnsmasq(node, process)


def touch_processes(node: PlayedNode, name: str = "") -> None:
    """Let processes (all, or those of one service) have started just now."""
    for process in _processes(node):
        if name in (node.text(f"{process}/cmdline") or ""):
            _touch(node, process)


def _processes(node: PlayedNode) -> list[str]:
    return [f"/proc/{name}" for name in node.names("/proc") if name.isdigit()]


def _touch(node: PlayedNode, process: str) -> None:
    """The start of a process is counted from the boot."""
    booted = re.search(r"^btime (\d+)", node.text("/proc/stat") or "", re.MULTILINE)
    ticks = int((time.time() - int(booted[1] if booted else 0)) * TICKS)
    head, _, rest = (node.text(f"{process}/stat") or "").rpartition(")")
    fields = rest.split()
    if len(fields) > 19:
        fields[19] = str(max(ticks, 0))
        node.put(f"{process}/stat", f"{head}) {' '.join(fields)}\n")

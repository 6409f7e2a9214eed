"""NetworkManager: profiles in its own files and as ifcfg, and sriov-num-vfs of its configuration."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator

from wizard.chapters.vfs.owners import ini
from wizard.chapters.vfs.owners.cards import by_driver, by_mac
from wizard.chapters.vfs.owners.model import NO, RUNS, UNKNOWN, YES, Aim, Owner, Runs, Verdict, all_of, any_of, of_bool
from wizard.chapters.vfs.owners.view import View
from wizard.facts.pci.functions import PciFunction
from wizard.integers import parse_int

PROFILES = ("/etc/NetworkManager/system-connections", "/usr/lib/NetworkManager/system-connections")
IFCFG = "/etc/sysconfig/network-scripts"
_SERVICE = "NetworkManager.service"


def _runs(view: View) -> Runs:
    runs = view.has_program("NetworkManager", "nmcli")
    return runs if runs.verdict is not YES else view.service(_SERVICE)


def profiles(view: View) -> Iterator[Owner]:
    """A profile is read where only root can read it, and comes up by itself unless autoconnect says no."""
    for directory in PROFILES:
        for name in view.names(directory):
            path = f"{directory}/{name}"
            text = view.text(path)
            if name.endswith("~") or name.startswith(".") or text is None:
                continue
            found = {section.name: section for section in ini.sections(text)}
            entry = _entry(found.get("sriov"), "total-vfs")
            if entry is None:
                continue
            runs = _runs(view)
            if runs.verdict is YES and directory.startswith("/etc/") and (view.mode(path) or 0) & 0o077:
                runs = Runs(NO, f"{path} can be read by others than root, and NetworkManager takes no such profile")
            connection = found.get("connection", ini.Section("connection", 0))
            if runs is RUNS and connection.last("autoconnect") in ("false", "0", "no"):
                runs = Runs(
                    UNKNOWN,
                    "the profile does not come up by itself (autoconnect), so that somebody else would have to start it",
                )
            count = parse_int(entry[0])
            yield Owner(
                "NetworkManager",
                path,
                entry[1],
                f"total-vfs={entry[0]}",
                count,
                _profile_aim(view, found),
                "sriov.total-vfs {count}",
                runs=runs,
            )


def _entry(section: ini.Section | None, key: str) -> tuple[str, int] | None:
    found = [(value, line) for name, value, line in section.entries if name == key] if section else []
    return found[-1] if found else None


def _profile_aim(view: View, found: dict[str, ini.Section]) -> Aim:
    def one(function: PciFunction) -> Verdict:
        said = []
        name = found["connection"].last("interface-name") if "connection" in found else None
        if name:
            said.append(view.cards.named(function, name))
        for kind in ("ethernet", "802-3-ethernet", "infiniband"):
            mac = found[kind].last("mac-address") if kind in found else None
            if mac:
                said.append(by_mac(function, mac, view.cards.functions))
        match = found.get("match", ini.Section("match", 0))
        for key, value, _ in match.entries:
            words = [word for word in re.split(r"[;,\s]+", value) if word]
            if key == "interface-name":
                said.append(any_of(view.cards.named(function, word) for word in words))
            elif key == "driver":
                said.append(by_driver(function, words))
            elif key == "path":
                said.append(any_of(of_bool(fnmatch.fnmatchcase(f"pci-{function.address}", word)) for word in words))
            else:
                said.append(UNKNOWN)
        return all_of(said) if said else UNKNOWN

    return view.cards.aim(one)


def ifcfg(view: View) -> Iterator[Owner]:
    """SRIOV_TOTAL_VFS, which NetworkManager alone reads; ONBOOT=no leaves it to somebody to start, NM_CONTROLLED=no to the scripts."""
    for name in view.names(IFCFG):
        path = f"{IFCFG}/{name}"
        text = (
            view.text(path)
            if name.startswith("ifcfg-") and not name.endswith(("~", ".bak", ".orig", ".rpmsave", ".rpmnew"))
            else None
        )
        values = _shell_values(text or "")
        if "SRIOV_TOTAL_VFS" not in values:
            continue
        value, line = values["SRIOV_TOTAL_VFS"]
        runs = _runs(view)
        if runs.verdict is YES and _off(values, "NM_CONTROLLED"):
            runs = Runs(NO, f"{path} has NM_CONTROLLED=no, and the network scripts do not know SRIOV_TOTAL_VFS")
        elif runs is RUNS and _off(values, "ONBOOT"):
            runs = Runs(UNKNOWN, f"{path} has ONBOOT=no, so that somebody else would have to start it")
        aim = view.cards.aim(lambda function, values=values, name=name: _ifcfg_one(view, function, values, name))  # type: ignore[misc]
        yield Owner(
            "NetworkManager",
            path,
            line,
            f"SRIOV_TOTAL_VFS={value}",
            parse_int(value),
            aim,
            "SRIOV_TOTAL_VFS={count}",
            runs=runs,
        )


def _ifcfg_one(view: View, function: PciFunction, values: dict[str, tuple[str, int]], name: str) -> Verdict:
    said = []
    if "HWADDR" in values:
        said.append(by_mac(function, values["HWADDR"][0], view.cards.functions))
    if "DEVICE" in values or not said:
        said.append(view.cards.named(function, values.get("DEVICE", (name.removeprefix("ifcfg-"), 0))[0]))
    return all_of(said)


def _shell_values(text: str) -> dict[str, tuple[str, int]]:
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"\s*([A-Z_0-9]+)=(.*)", line)
        if match:
            found[match[1]] = (match[2].split(" #")[0].strip().strip("\"'"), number)
    return found


def _off(values: dict[str, tuple[str, int]], key: str) -> bool:
    return values.get(key, ("", 0))[0].lower() in ("no", "false", "0")


def configuration(view: View) -> Iterator[Owner]:
    """sriov-num-vfs in a [device…] section; of several that match a device the last file's counts (NetworkManager.conf(5))."""
    paths = ["/etc/NetworkManager/NetworkManager.conf"]
    paths += view.layered(("/etc/NetworkManager/conf.d", "/usr/lib/NetworkManager/conf.d"), ".conf")
    for path in paths:
        for section in ini.sections(view.text(path) or ""):
            entry = _entry(section, "sriov-num-vfs")
            if entry is None or not section.name.startswith("device"):
                continue
            spec = section.last("match-device") or "*"
            aim = view.cards.aim(lambda function, spec=spec: _device_spec(view, function, spec))  # type: ignore[misc]
            yield Owner(
                "NetworkManager",
                path,
                entry[1],
                f"sriov-num-vfs={entry[0]}",
                parse_int(entry[0]),
                aim,
                "sriov-num-vfs={count}",
                runs=_runs(view),
            )


def _device_spec(view: View, function: PciFunction, spec: str) -> Verdict:
    """The device list format: words parted by commas or semicolons, any of which may match; except: takes away."""
    found, excepted = NO, NO
    words = [word.strip() for word in re.split(r"[,;]", spec) if word.strip()]
    for word in words:
        inverted, text = word.startswith("except:"), word.removeprefix("except:")
        verdict = _device_word(view, function, text)
        found, excepted = (found, excepted | verdict) if inverted else (found | verdict, excepted)
    if all(word.startswith("except:") for word in words):
        found = YES
    return found & ~excepted


def _device_word(view: View, function: PciFunction, text: str) -> Verdict:
    kind, colon, value = text.partition(":")
    if text == "*":
        return YES
    if re.fullmatch(r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}", text):
        return by_mac(function, text, view.cards.functions)
    if not colon:
        return view.cards.named(function, text)
    if kind == "interface-name":
        return view.cards.named(function, value.removeprefix("=").removeprefix("~"))
    if kind == "mac":
        return by_mac(function, value, view.cards.functions)
    if kind == "driver":
        return by_driver(function, [value.partition("/")[0]])
    if kind == "type":
        return of_bool(value == ("infiniband" if function.is_infiniband else "ethernet"))
    return UNKNOWN

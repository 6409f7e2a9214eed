"""What differs between nova's releases where devices are matched, as data: since when, and where that was read (tag, file, line)."""

from __future__ import annotations

from wizard.dataclass import dataclass
from wizard.facts.nova.release import RELEASES, at_least

NEWEST = RELEASES[-1]

SINCE: dict[str, tuple[str, str]] = {
    # An address may be an object of regular expressions; numbers are read by int(), as a Python literal "0x" + text before.
    "regex addresses": ("ocata", "15.1.5:nova/pci/devspec.py:31,155"),
    # A whole address or a devname that is a PF matches that PF too; only its VFs before.
    "card with its vfs": ("newton", "14.1.0:nova/pci/devspec.py:108-131"),
    # A devname that is no interface matches nothing; before, nova does not take the whole list.
    "absent devname": ("newton", "14.1.0:nova/pci/devspec.py:159,168-172"),
    # PFs are counted like other devices; before, one with VFs is left out where devices are read, and a pool knows no type.
    "counts cards": ("mitaka", "13.1.4:nova/pci/manager.py:100-110; kilo-eol:nova/compute/resource_tracker.py:421"),
    # A PF is one whose sriov_totalvfs is above 0; before, one that has VFs (a link virtfn0) when nova-compute starts.
    "card by totalvfs": ("mitaka", "13.1.4:nova/pci/utils.py:73-110; kilo-eol:nova/pci/utils.py:70-107"),
    # type-PCI, type-PF and type-VF in an alias; NIC, ACCEL and GPU before, held against a tag of the list.
    "types in aliases": ("mitaka", "13.1.4:nova/pci/request.py:55; kilo-eol:nova/pci/request.py:50"),
    # What an alias or a port asks for is held against ids and tags without regard to case.
    "any case": ("rocky", "18.3.0:nova/pci/utils.py:63-72"),
    "alias name stripped": ("newton", "14.1.0:nova/pci/request.py:104"),
    # A bad list ends nova-compute where it starts; before, devices are not reported, and the log says why.
    "list read at start": ("newton", "14.1.0:nova/compute/manager.py, init_host"),
    "vdpa": ("wallaby", "23.2.2:nova/pci/stats.py, _filter_pools_for_unrequested_vdpa_devices"),
    "remote_managed": ("yoga", "25.3.0:nova/pci/devspec.py:294-350"),
    "classes and traits": ("zed", "26.3.0:nova/pci/stats.py:75"),
    # With report_in_placement a devname is refused (nova/compute/pci_placement_translator.py).
    "placement": ("zed", "26.3.0:nova/compute/pci_placement_translator.py"),
    "alias by class": ("2023.1", "27.5.1:nova/pci/request.py"),
    "managed": ("2025.1", "31.3.1:nova/pci/devspec.py:320"),
    "live_migratable": ("2025.1", "31.3.1:nova/pci/devspec.py:321"),
    "one line a name in placement": ("2025.1", "31.3.1:nova/pci/request.py:124-135"),
    # Every alias has both ids (or, with pci_in_placement, a class), and is read where nova-compute starts: from 31.3.1 on.
    "aliases read at start": ("2025.1", "31.3.1:nova/pci/request.py:122-170"),
    "one_time_use": ("2025.2", "32.2.1:nova/pci/devspec.py:325-332"),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """How one release matches. `reported` is its [pci] report_in_placement, `in_placement` [filter_scheduler] pci_in_placement,
    as the configuration of this node says them."""

    release: str = NEWEST
    reported: bool = False
    in_placement: bool = False

    def has(self, what: str) -> bool:
        """Whether this release has a thing of :data:`SINCE`."""
        return at_least(self.release, SINCE[what][0])

    @property
    def switches(self) -> tuple[str, ...]:
        """The tags of a device that have to read as yes or no."""
        return tuple(tag for tag in ("managed", "live_migratable", "one_time_use") if self.has(tag))

    @property
    def ignored_tags(self) -> frozenset[str]:
        """Tags that are Placement's alone."""
        return frozenset({"resource_class", "traits"}) if self.has("classes and traits") else frozenset()

    def same(self, one: object, other: object) -> bool:
        """Whether nova takes two values of a property for the same."""
        if self.has("any case") and isinstance(one, str) and isinstance(other, str):
            return one.lower() == other.lower()
        return one == other

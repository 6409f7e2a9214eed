"""The table of pitfalls in docs/pitfalls.md is made here: what can go wrong, what is done about it, and the test that holds it.

UPDATE_GOLDEN=1 writes it anew. A code has to have its page, and a test has to be there under its name.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from places import REPOSITORY

PAGE = REPOSITORY / "docs/pitfalls.md"


@dataclass(frozen=True)
class Pitfall:
    """`done` says what is done where no finding tells it; "" where the codes do. `not_done` is what is left to the reader."""

    what: str
    codes: tuple[str, ...]
    tests: tuple[str, ...]
    done: str = ""
    not_done: str = ""


NOVA = (
    Pitfall(
        "A mistyped key, or {}, in device_spec hands out every device of the host",
        ("PASSTHROUGH-UNKNOWN-KEY", "PASSTHROUGH-OWN-DEVICE"),
        ("test_keys_that_nova_does_not_know_are_named", "test_a_spec_that_matches_the_node_s_own_card_blocks"),
    ),
    Pitfall(
        "The PF's product id in place of the VF's, or the vendor alone: the card itself is handed out",
        ("PASSTHROUGH-WHOLE-CARD",),
        (
            "test_a_line_of_nova_conf_that_matches_whole_cards_is_told_of",
            "test_a_card_and_its_vfs_in_one_pool_are_refused",
        ),
    ),
    Pitfall(
        "An option by another release's name is ignored in silence; old and new name together are joined",
        ("PASSTHROUGH-OTHER-NAME",),
        (
            "test_devices_under_another_release_s_name_are_told",
            "test_the_older_name_of_the_option_counts_too_and_so_does_another_file",
        ),
    ),
    Pitfall(
        "PciPassthroughFilter is missing, misspelt, or in a list that is not read",
        (),
        ("test_before_train_a_named_host_skips_the_filters_so_a_second_vm_asks_them",),
        "The controller's list names the option of the release and appends to what is there; the test VM shows it.",
        "This node cannot see the scheduler.",
    ),
    Pitfall(
        "The alias is on the compute node alone, or on nova-api alone",
        (),
        (
            "test_the_fragment_holds_the_alias_where_compute_nodes_read_it",
            "test_kilo_reads_aliases_on_the_controller_alone",
        ),
        "It is written here where the release reads it, and printed for nova-api.",
        "This node cannot see nova-api.",
    ),
    Pitfall(
        "device_type that the release does not know, or that is not what the device is",
        ("PASSTHROUGH-ALIAS", "PASSTHROUGH-SHADOWED"),
        ("test_an_alias_for_a_whole_card_asks_for_it", "test_a_tag_in_place_of_the_device_s_own_type"),
    ),
    Pitfall(
        "Upper case or 0x in an alias' ids",
        ("PASSTHROUGH-ALIAS",),
        (
            "test_our_own_values_are_one_line_of_strict_json_and_match_what_is_meant",
            "test_an_alias_that_a_release_does_not_take",
        ),
    ),
    Pitfall(
        "Single quotes, a trailing comma, a comment in the line, a list in an alias, an indented line",
        ("PASSTHROUGH-BAD-SPEC", "PASSTHROUGH-NOVA-CONF"),
        ("test_what_nova_would_refuse_is_refused", "test_a_nova_conf_that_nova_would_refuse_is_not_touched"),
    ),
    Pitfall(
        "VFs are not there when nova-compute starts, or change under guests",
        ("VFS-IN-USE", "VFS-DRIVER-AT-BOOT"),
        ("test_systemd_has_nothing_to_say_against_the_units", "test_vfs_that_a_guest_may_have_are_left_alone"),
    ),
    Pitfall(
        "The IOMMU is off, or a device shares its group",
        ("IOMMU-NO-EFFECT", "PASSTHROUGH-SHARED-GROUP"),
        ("test_a_vf_that_shares_its_iommu_group_blocks",),
    ),
    Pitfall(
        "devname in a line: it changes with a reboot, and report_in_placement refuses it",
        ("PASSTHROUGH-BAD-SPEC",),
        (
            "test_our_own_values_are_one_line_of_strict_json_and_match_what_is_meant",
            "test_what_a_release_does_not_take",
        ),
    ),
    Pitfall(
        "report_in_placement cannot be taken back; a PF and its VFs both listed",
        ("PASSTHROUGH-WHOLE-CARD",),
        ("test_placement_takes_a_card_or_its_vfs",),
        "The option is never written.",
    ),
    Pitfall(
        "The device's NUMA node is not the guest's",
        ("PASSTHROUGH-NOT-OF-PORTS",),
        ("test_a_pool_of_ports_says_what_it_cannot_have_and_asks_ports_for_the_rest",),
        "numa_policy of a pool is written for the releases that know it.",
        "Flavors cannot be seen from here.",
    ),
    Pitfall(
        "The service is not restarted, the wrong file edited, or nova may not read it any more",
        ("PASSTHROUGH-MANAGED", "PASSTHROUGH-UNREADABLE"),
        (
            "test_nova_conf_that_is_managed_elsewhere_blocks_and_prints_the_fragment",
            "test_a_file_that_only_root_may_read_is_not_nova_s",
        ),
    ),
    Pitfall(
        "dnsmasq's file: another label, no tag, a line that dnsmasq refuses, HUP in place of a start",
        ("GATEWAYS-FILE", "GATEWAYS-UNKNOWN-LABEL", "GATEWAYS-SINGLE-DEFAULT", "GATEWAYS-ROUTER"),
        ("test_a_line_that_dnsmasq_refuses_blocks", "test_a_label_that_no_dnsmasq_serves_is_warned_of"),
    ),
    Pitfall(
        "Nobody listens for metadata, or elsewhere; the rule is lost, or there twice",
        ("METADATA-NO-LISTENER", "METADATA-LISTENER-UNKNOWN", "METADATA-FOREIGN-RULE"),
        ("test_nobody_listens_on_the_metadata_port", "test_who_flushes_the_tables_does_not_keep_the_redirect_away"),
    ),
    Pitfall(
        "Stale rows in nova's database after devices were taken out",
        (),
        (),
        "",
        "The database is the controller's: `select address, status from nova.pci_devices where deleted = 0`.",
    ),
)
NETWORK = (
    Pitfall(
        "Metadata is reachable because iptables sees bridged packets, and the rule does nothing",
        ("METADATA-BRIDGE-NF",),
        ("test_bridge_firewall_does_the_work", "test_what_the_bridge_firewall_means_is_told"),
    ),
    Pitfall(
        "ACCEPT in front of libvirt's filters: one VM fetches another's metadata",
        ("METADATA-ACCEPT",),
        ("test_the_published_rule_is_found_and_the_accept_target_warned_of",),
    ),
    Pitfall(
        "A rule without uplinks answers VMs of other nodes",
        ("METADATA-UPLINKS-UNKNOWN",),
        ("test_unknown_uplinks_block",),
    ),
    Pitfall(
        "A rule pasted from a page: wrong dashes, no address",
        ("METADATA-FOREIGN-RULE",),
        ("test_the_redirect_in_a_network_of_its_own",),
        "The rule is made by a script of ours, its words given as arguments.",
    ),
    Pitfall(
        "-I at each boot makes the rule again and again",
        (),
        ("test_two_at_once_make_one_chain",),
        "One chain, one jump.",
    ),
    Pitfall(
        "HUP in place of a new start of dnsmasq",
        (),
        ("test_what_guests_are_told_is_held_where_their_dnsmasq_has_the_file",),
        "dnsmasq is ended by its pid file and started again by nova-network; verify knows since when it runs.",
    ),
    Pitfall(
        "An option without a tag, a label in another case, a prefix behind the router",
        ("GATEWAYS-FILE", "GATEWAYS-LABEL-TAKEN", "GATEWAYS-OVERRIDDEN"),
        ("test_a_line_that_dnsmasq_takes_for_something_else_is_told",),
    ),
    Pitfall(
        "`nft list ruleset` and ebtables-translate show another rule",
        (),
        ("test_one_spelling",),
        "Rules are read by ebtables itself.",
    ),
    Pitfall(
        "MAC addresses stored at one time and used at another",
        (),
        ("test_all_is_well",),
        "They are read when they are needed.",
    ),
    Pitfall(
        "A probe's port changes the bridge's MAC or MTU",
        (),
        ("test_all_is_well",),
        "The proof compares both before and after.",
    ),
    Pitfall(
        "`service ebtables restart` takes libvirt's filters away",
        (),
        ("test_who_flushes_the_tables_does_not_keep_the_redirect_away",),
        "It is never done; where somebody does it, our rule comes back.",
        "libvirt's own chains are libvirt's to put back.",
    ),
    Pitfall("Two worlds of ebtables", ("METADATA-TWO-EBTABLES",), ("test_two_ebtables_are_told",)),
    Pitfall(
        "Exit codes differ by variant",
        (),
        ("test_the_redirect_in_a_network_of_its_own",),
        "What is there is decided by a listing.",
    ),
    Pitfall(
        "SNAT towards another metadata host loses who asked",
        ("METADATA-SINGLE-HOST", "METADATA-NOVA-RULE"),
        ("test_another_host_cannot_be_seen_from_here",),
    ),
    Pitfall(
        "A chain of ebtables-legacy lets all through by default",
        (),
        ("test_every_difference_is_named",),
        "Its policy is set, and looked at.",
    ),
    Pitfall(
        "A host without a kernel's bridge filter proves nothing",
        (),
        (),
        "The [lab](lab.md) boots machines that have it.",
    ),
)
NEUTRON = (
    Pitfall(
        "Guests behind a router outside are told no route to the metadata service",
        ("METADATA-NO-ROUTE", "METADATA-DHCP-ELSEWHERE"),
        ("test_a_guest_without_a_route_is_named",),
    ),
    Pitfall("haproxy or the namespace of a network is gone", ("METADATA-NO-NAMESPACE",), ("test_nobody_answers",)),
    Pitfall(
        "force_metadata on one DHCP agent of several",
        ("METADATA-DHCP-HERE",),
        ("test_the_dhcp_agents_option_is_printed_for_all_and_never_written",),
    ),
    Pitfall(
        "Guests of VFs get no metadata",
        ("METADATA-VFS-NEED-A-DRIVE",),
        ("test_vf_guests_are_named_by_how_they_get_their_vfs",),
    ),
    Pitfall(
        "Config drives are forced, and the program that makes them is missing",
        ("METADATA-NO-GENISOIMAGE",),
        ("test_without_its_program_it_is_blocked",),
    ),
    Pitfall("A mapping leads nowhere", ("NEUTRON-NO-MAPPING",), ("test_what_leads_nowhere_is_found",)),
    Pitfall(
        "`ovs-vsctl set` replaces a whole list",
        ("NEUTRON-NO-MAPPING",),
        (
            "test_a_printed_list_is_whole_and_its_way_back_the_old_one",
            "test_no_line_is_printed_where_the_list_could_not_be_read",
        ),
    ),
    Pitfall(
        "External ports on the node whose PF carries the bridge",
        ("NEUTRON-MAPPING-IS-A-PF-WITH-VFS",),
        ("test_external_ports_over_a_pf_with_vfs",),
    ),
    Pitfall(
        "An alias over VFs that are Neutron's ports",
        ("PASSTHROUGH-NOT-APART",),
        (
            "test_what_the_agent_maps_is_never_an_alias",
            "test_an_alias_over_neutron_s_devices_is_told_and_never_suggested",
        ),
    ),
    Pitfall(
        "The SR-IOV agent maps another network, or none",
        ("NEUTRON-OTHER-MAPPING", "NEUTRON-NOT-MAPPED", "NEUTRON-NO-SRIOV-AGENT"),
        ("test_another_network_for_the_same_card_is_told_and_kept",),
    ),
    Pitfall(
        "The SR-IOV agent ends over a device that it does not map",
        ("NEUTRON-AGENT-EXITS",),
        ("test_the_agent_is_never_restarted_onto_its_end", "test_it_starts_or_ends_as_the_agent_does"),
    ),
    Pitfall("VFs of a card in switchdev mode", ("VFS-SWITCHDEV",), ("test_switchdev_is_left_alone",)),
)
HEAD = """# Pitfalls

What goes wrong with passthrough, gateways and metadata, what this tool does about it, and the test that holds it to that.
Made by `tests/unit/test_pitfalls.py`.
"""


@cache
def every_test() -> dict[str, str]:
    """The file of each test, by its name."""
    found: dict[str, str] = {}
    for path in sorted(Path(REPOSITORY / "tests").rglob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found.setdefault(node.name, str(path.relative_to(REPOSITORY)))
    return found


def row(number: int, each: Pitfall) -> str:
    codes = ", ".join(f"[{code}](findings/{code}.md)" for code in each.codes)
    said = " ".join(
        part for part in (codes, each.done, f"Not seen from here: {each.not_done}" if each.not_done else "") if part
    )
    held = ", ".join(f"`{name}`" for name in each.tests)
    return f"| {number} | {each.what} | {said} | {held} |\n"


def table(title: str, every: Iterable[Pitfall]) -> str:
    head = f"\n## {title}\n\n| | pitfall | what is done | held by |\n|---|---|---|---|\n"
    return head + "".join(row(number, each) for number, each in enumerate(every, 1))


def test_the_page_is_what_the_table_says() -> None:
    text = HEAD + table("Nova", NOVA) + table("nova-network, bridges and metadata", NETWORK) + table("Neutron", NEUTRON)
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text


def test_every_code_and_every_test_is_there() -> None:
    for each in (*NOVA, *NETWORK, *NEUTRON):
        assert all((REPOSITORY / f"docs/findings/{code}.md").is_file() for code in each.codes), each
        assert set(each.tests) <= every_test().keys(), each
        assert each.codes or each.done or each.not_done
    assert (len(NOVA), len(NETWORK)) == (17, 16)

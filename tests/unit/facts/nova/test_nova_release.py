"""Nova on a node: which release it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodes import holding
from nova_nodes import Hidden, install, run, ubuntu

from wizard.facts.nova import nova
from wizard.facts.nova.release import RELEASES, at_least, release_of
from wizard.facts.processes import Process
from wizard.facts.processes import read as read_processes
from wizard.node.recorded import Entry, MemoryNode


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("1:2015.1.4-0ubuntu2", "kilo"),
        ("2015.1.0", "kilo"),
        ("2:12.0.6-0ubuntu0.14.04.1", "liberty"),
        ("2:18.0.0~b1-0ubuntu1", "rocky"),
        ("2:26.2.2-1~deb12u3", "zed"),
        ("27.5.1", "2023.1"),
        ("34.0.0", "2026.2"),
        ("1:2014.2.3-0ubuntu1", None),
        ("35.0.0", None),
        ("11.0.0", None),
        ("kilo", None),
        ("", None),
    ],
)
def test_version_to_release(version: str, release: str | None) -> None:
    assert release_of(version) == release


def test_releases_are_ordered() -> None:
    assert len(RELEASES) == len(set(RELEASES)) == 24
    assert at_least("zed", "yoga") and at_least("2023.1", "zed") and at_least("kilo", "kilo")
    assert not at_least("newton", "ocata")
    with pytest.raises(ValueError, match="juno"):
        at_least("juno", "kilo")


def test_nothing_of_nova() -> None:
    facts = nova.read(MemoryNode())
    assert (facts.installed, facts.release, facts.compute_running, facts.networking) == (False, None, False, "unknown")
    assert facts.config_files == () and facts.main_file == "/etc/nova/nova.conf" and facts.problem == ""
    assert "nova" in facts.release_source and "not installed" in facts.networking_source


def test_release_from_package_ignores_one_that_was_removed() -> None:
    facts = nova.read(ubuntu())
    assert (facts.release, facts.release_source) == ("kilo", "package nova-compute 1:2015.1.4-0ubuntu2")
    node = MemoryNode()
    install(node, "2:26.2.2-1", status="deinstall ok config-files")
    facts = nova.read(node)
    assert facts.release is None and not facts.installed


def test_unknown_release_says_why() -> None:
    facts = nova.read(ubuntu("1:2014.2.3-0ubuntu1"))
    assert facts.installed and facts.release is None
    assert "1:2014.2.3-0ubuntu1" in facts.release_source and "kilo" in facts.release_source


@pytest.mark.parametrize(
    "place",
    [
        "/usr/lib/python2.7/site-packages/nova-2015.1.4-py2.7.egg-info",
        "/usr/lib/python3/dist-packages/nova-2015.1.4.egg-info",
        "/openstack/venvs/nova-11.2.0/lib/python2.7/site-packages/nova-2015.1.4.dist-info",
        "/opt/nova/lib/python3.12/site-packages/nova-2015.1.4.dist-info",
    ],
)
def test_release_from_distribution(place: str) -> None:
    node = MemoryNode()
    node.write(f"{place}/METADATA", "x")
    node.add("/usr/lib/python3/dist-packages/nova_lxd-29.0.0.egg-info", Entry("directory"))
    run(node, 7, "/opt/nova/bin/python3", "/opt/nova/bin/nova-compute")
    facts = nova.read(node)
    assert facts.release == "kilo"
    assert place.rpartition("/")[0] in facts.release_source


def test_release_by_asking_reads_stderr_too() -> None:
    node = MemoryNode()
    node.commands = {}
    place = "/.compute-wizard/commands/0"
    for name, text in {"argv": "nova-manage\n--version\n", "stdout": "", "stderr": "12.0.6\n", "status": "0\n"}.items():
        node.write(f"{place}/{name}", text)
    assert nova.read(node).release == "liberty"


def test_process_names() -> None:
    for argv, program in {
        ("nova-compute",): "nova-compute",
        ("/usr/bin/python3", "-I", "-W", "ignore", "/usr/bin/nova-compute", "--x"): "nova-compute",
        ("python3", "-m", "nova.cmd"): "nova.cmd",
        ("python3", "-c", "nova-compute"): "python3",
        ("python3",): "python3",
        ("/bin/sh", "nova-compute"): "sh",
    }.items():
        assert Process(1, argv, "", None).program == program


def test_processes_that_cannot_be_seen() -> None:
    node = Hidden()
    assert read_processes(node).hidden
    run(node, 3, "sleep")
    assert not read_processes(node).hidden
    node.write("/proc/mounts", "proc /proc proc rw,nosuid,hidepid=2 0 0\n")
    assert "hidepid" in read_processes(node).hidden
    node.write("/proc/mounts", "proc /proc proc rw,nosuid,hidepid=0 0 0\n")
    assert not read_processes(node).hidden


ANYTHING = st.one_of(st.binary(max_size=200), st.text("[]=:pcialas\n \0#-{}\"'$0123.", max_size=200).map(str.encode))


PLACES = (
    *("/proc/5/cmdline", "/proc/5/stat", "/proc/5/cgroup", "/proc/stat", "/proc/mounts", "/etc/nova/nova.conf"),
    *("/etc/nova/nova.conf.d/x.conf", "/var/lib/dpkg/status", "/etc/init/nova-compute.conf"),
    *("/var/lib/puppet/state/classes.txt", "/etc/kolla/nova-compute/nova.conf"),
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(PLACES), ANYTHING))
def test_any_content_is_survived(contents: dict[str, bytes]) -> None:
    node = holding(contents)
    facts = nova.read(node)
    assert facts == nova.read(node)
    assert facts.main_file and facts.release_source and facts.networking_source

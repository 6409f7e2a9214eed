"""Nova on a node: release, configuration files, managers, networking, networks, services."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oslo_config import cfg

from wizard.errors import Denied
from wizard.node import nova
from wizard.node.nova_release import RELEASES, at_least, release_of
from wizard.node.processes import Process
from wizard.node.processes import read as read_processes
from wizard.node.recorded import DirectoryNode, Entry, MemoryNode

COMPUTE = ("/usr/bin/python", "/usr/bin/nova-compute")
DEBIAN = ("--config-file=/etc/nova/nova.conf", "--config-file=/etc/nova/nova-compute.conf")
DOCKER = "0::/system.slice/docker-" + "5f" * 32 + ".scope"


def run(node: MemoryNode, pid: int, *argv: str, cgroup: str = "0::/", ticks: int = 1000) -> None:
    node.write(f"/proc/{pid}/cmdline", "\0".join(argv) + "\0")
    node.write(f"/proc/{pid}/cgroup", cgroup + "\n")
    node.write(f"/proc/{pid}/stat", f"{pid} (a (b) c) S 1 " + "0 " * 17 + f"{ticks} 0 0\n")
    node.write("/proc/stat", "cpu  1 2 3\nbtime 1700000000\n")


def install(
    node: MemoryNode, version: str, package: str = "nova-compute", status: str = "install ok installed"
) -> None:
    node.write(
        "/var/lib/dpkg/status",
        "Package: bash\nStatus: install ok installed\nVersion: 5.1\n\n"
        f"Package: {package}\nStatus: {status}\nArchitecture: all\nVersion: {version}\nDescription: x\n y\n\n",
    )


def ubuntu(version: str = "1:2015.1.4-0ubuntu2", conf: str = "[DEFAULT]\n") -> MemoryNode:
    node = MemoryNode()
    install(node, version)
    node.write("/etc/nova/nova.conf", conf, 0o640, "root:nova")
    return node


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


def test_running_compute_decides_the_files() -> None:
    node = ubuntu(conf="[DEFAULT]\nmy_ip = 1.1.1.1\n")
    node.write("/etc/nova/nova-compute.conf", "[DEFAULT]\nmy_ip = 2.2.2.2\n")
    node.write("/srv/nova.conf", "[DEFAULT]\nmy_ip = 3.3.3.3\n")
    assert nova.read(node).last("DEFAULT", "my_ip") == "2.2.2.2"
    run(node, 2211, *COMPUTE, "--config-file", "/srv/nova.conf", "--config-file=/gone.conf", ticks=250)
    facts = nova.read(node)
    assert facts.config_files == ("/srv/nova.conf",) and facts.main_file == "/srv/nova.conf"
    assert facts.config_source == "command line of nova-compute (pid 2211)"
    assert facts.compute_running and facts.compute_started == 1700000002.5
    assert facts.last("DEFAULT", "my_ip") == "3.3.3.3"


def test_service_definition_counts_where_nothing_runs() -> None:
    node = ubuntu()
    node.write("/etc/nova/nova-cpu.conf", "[DEFAULT]\n")
    node.write(
        "/etc/systemd/system/devstack@n-cpu.service",
        "[Service]\n# --config-file /no\nExecStart = /opt/bin/nova-compute --config-file /etc/nova/nova-cpu.conf\n",
    )
    facts = nova.read(node)
    assert facts.config_files == ("/etc/nova/nova-cpu.conf",) and facts.main_file == "/etc/nova/nova-cpu.conf"


def test_rdo_reads_its_own_defaults_first() -> None:
    node = MemoryNode()
    for path in ("/usr/share/nova/nova-dist.conf", "/etc/nova/nova.conf", "/etc/nova/nova.conf.d/1.conf"):
        node.write(path, "[DEFAULT]\n")
    node.write("/usr/lib/python2.7/site-packages/nova-15.1.5-py2.7.egg-info/PKG-INFO", "x")
    run(node, 9, *COMPUTE)
    facts = nova.read(node)
    assert facts.config_files == (
        "/usr/share/nova/nova-dist.conf",
        "/etc/nova/nova.conf",
        "/etc/nova/nova.conf.d/1.conf",
    )
    assert facts.main_file == "/etc/nova/nova.conf"


def test_kilo_knows_no_directories() -> None:
    node = ubuntu()
    node.write("/etc/nova/nova.conf.d/1.conf", "[DEFAULT]\n")
    assert nova.read(node).config_files == ("/etc/nova/nova.conf",)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--config-file={}/etc/nova/nova.conf"],
        ["--config-file", "{}/etc/nova/nova.conf", "--config-file", "{}/etc/nova/nova-compute.conf"],
        ["--config-dir={}/etc/nova/nova.conf.d"],
        ["--config-file={}/etc/nova/nova.conf", "--config-dir", "{}/etc/nova/nova.conf.d"],
        ["--config-dir={}/etc/nova/nova.conf.d", "--config-file={}/etc/nova/nova-compute.conf"],
    ],
)
def test_order_is_that_of_oslo_config(words: list[str], tmp_path: Path) -> None:
    """Judge: oslo.config itself, given the same arguments and the default places below the directory."""
    place = tmp_path / "etc/nova"
    files = {
        "nova.conf": "[DEFAULT]\nmy_ip = main\nmetadata_host = main\npublic_interface = main\n[pci]\nalias = main\n",
        "nova-compute.conf": "[DEFAULT]\nmy_ip = compute\nmetadata_port = compute\n[PCI]\nalias = compute\n",
        "nova.conf.d/20.conf": "[DEFAULT]\nmy_ip = d20\nmetadata_host = d20\n[pci]\nalias = d20\nalias = d20 again\n",
        "nova.conf.d/10.conf": "[DEFAULT]\nmy_ip = d10\nvlan_interface = d10\n[pci]\nalias = d10\n",
        "nova.conf.d/30.txt": "[DEFAULT]\nmy_ip = no\n",
        "nova-compute.conf.d/1.conf": "[DEFAULT]\nmetadata_host = compute.d\n[pci]\nalias = compute.d\n",
    }
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    process = tmp_path / "proc/77"
    process.mkdir(parents=True)
    process.joinpath("cmdline").write_bytes(
        b"\0".join(word.encode() for word in (*COMPUTE, *(word.format("") for word in words)))
    )
    facts = nova.read(DirectoryNode(tmp_path))

    judge = cfg.ConfigOpts()
    judge.register_opt(cfg.MultiStrOpt("alias", default=[]), group="pci")
    single = ["my_ip", "metadata_host", "metadata_port", "public_interface", "vlan_interface"]
    judge.register_opts([cfg.StrOpt(name) for name in single])
    judge(
        [word.format(tmp_path) for word in words],
        default_config_files=[str(place / "nova.conf"), str(place / "nova-compute.conf")],
        default_config_dirs=[str(place / "nova.conf.d"), str(place / "nova-compute.conf.d")],
    )
    assert {name: facts.last("DEFAULT", name) for name in single} == {name: judge[name] for name in single}
    assert [setting.value for setting in facts.all("pci", "alias")] == judge.pci.alias


def test_secrets_never_enter() -> None:
    node = ubuntu(
        conf="[DEFAULT]\nmy_ip = 10.0.0.1\ntransport_url = rabbit://u:TOPSECRET@h\n"
        "metadata_host = 10.0.0.2\n  connection = mysql://u:TOPSECRET@h\n[neutron]\npassword = TOPSECRET\n"
        'service_metadata_proxy = True\n[pci]\nalias = {"a":\n   "b"}\n'
    )
    facts = nova.read(node)
    assert "TOPSECRET" not in repr(facts)
    assert facts.last("pci", "alias") == '{"a":\n"b"}'
    assert [(s.section, s.option, s.line) for s in facts.settings] == [
        ("DEFAULT", "my_ip", 2),
        ("DEFAULT", "metadata_host", 4),
        ("neutron", "service_metadata_proxy", 8),
        ("pci", "alias", 10),
    ]


def test_problem_names_file_and_line() -> None:
    facts = nova.read(ubuntu(conf="[DEFAULT]\nmy_ip = 1\n\n  stray\n"))
    assert facts.problem.startswith("/etc/nova/nova.conf line 4")
    assert facts.networking == "unknown"


class Hidden(MemoryNode):
    """A node seen without root rights."""

    privileged = False
    closed = ("/etc/nova/nova.conf", "/var/lib/nova/networks", "/var/lib/puppet/state/classes.txt")

    def _read(self, path: str) -> bytes:
        self._check(path)
        return super()._read(path)

    def _names(self, path: str) -> list[str]:
        self._check(path)
        return super()._names(path)

    def _check(self, path: str) -> None:
        if path in self.closed:
            raise Denied("may not be read without root rights", where=path)


def test_what_may_not_be_read_is_unseen() -> None:
    node = Hidden()
    install(node, "2:14.1.0-0ubuntu1")
    node.write("/etc/nova/nova.conf", "[DEFAULT]\nuse_neutron = True\n")
    node.write("/var/lib/puppet/state/classes.txt", "nova\n")
    node.add("/var/lib/nova/networks", Entry("directory"))
    facts = nova.read(node)
    assert facts.config_files == ("/etc/nova/nova.conf",) and facts.settings == ()
    assert facts.networking == "unknown" and "could not be read" in facts.networking_source
    assert {unseen.what for unseen in facts.unseen} == {
        "whether nova-compute runs",
        "/etc/nova/nova.conf",
        "whether puppet writes nova.conf",
        "/var/lib/nova/networks",
    }


@pytest.mark.parametrize(
    ("version", "conf", "expected"),
    [
        ("1:2015.1.4", "", "nova-network"),
        ("2:12.0.6", "network_api_class = nova.network.neutronv2.api.API\n", "neutron"),
        ("1:2015.1.4", "network_api_class = nova.network.api.API\n", "nova-network"),
        ("1:2015.1.4", "network_api_class = my.own.API\n", "unknown"),
        ("2:13.1.4", "", "nova-network"),
        ("2:13.1.4", "use_neutron = true\n", "neutron"),
        ("2:13.1.4", "use_neutron = True\nuse_neutron = False\n", "nova-network"),
        ("2:13.1.4", "network_api_class = nova.network.neutronv2.api.API\n", "neutron"),
        ("2:15.1.5", "", "neutron"),
        ("2:15.1.5", "use_neutron = False\n", "unknown"),
        ("2:15.1.5", "use_neutron = False\n[cells]\nenable = True\n", "nova-network"),
        ("2:20.6.1", "use_neutron = False\n[cells]\nenable = True\n", "unknown"),
        ("2:21.0.0", "use_neutron = False\n", "neutron"),
        ("9:99.0.0", "use_neutron = False\n", "nova-network"),
        ("9:99.0.0", "", "unknown"),
    ],
)
def test_networking_by_the_rules_of_the_release(version: str, conf: str, expected: str) -> None:
    facts = nova.read(ubuntu(version, "[DEFAULT]\n" + conf))
    assert facts.networking == expected, facts.networking_source
    assert facts.networking_source


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("/usr/bin/python2.7", "/usr/bin/nova-network", "--config-file=/etc/nova/nova.conf"), "nova-network"),
        (("dnsmasq", "--pid-file=/var/lib/nova/networks/nova-br5.pid"), "nova-network"),
        (("dnsmasq", "--pid-file=/var/lib/neutron/dhcp/ab/pid"), "unknown"),
        (("python3", "/usr/bin/neutron-openvswitch-agent"), "neutron"),
        (("ovn-controller", "unix:/x"), "neutron"),
        (("vi", "/usr/bin/nova-network"), "unknown"),
        (("tail", "--pid-file=/var/lib/nova/networks/nova-br5.pid"), "unknown"),
    ],
)
def test_networking_by_what_runs(argv: tuple[str, ...], expected: str) -> None:
    node = ubuntu("9:99.0.0")
    run(node, 5, *argv)
    assert nova.read(node).networking == expected


def dnsmasq(label: str, bridge: str, listen: str, start: str) -> tuple[str, ...]:
    state = f"/var/lib/nova/networks/nova-{bridge}"
    return (
        "/usr/sbin/dnsmasq",
        *("--strict-order", "--bind-interfaces", "--conf-file=/etc/dnsmasq-nova.conf", f"--pid-file={state}.pid"),
        *(f"--dhcp-optsfile={state}.opts", f"--listen-address={listen}", "--except-interface=lo"),
        f"--dhcp-range=set:{label},{start},static,255.255.255.0,86400s",
        f"--dhcp-hostsfile={state}.conf",
    )


def test_networks_from_dnsmasq_and_state_files() -> None:
    node = ubuntu()
    for pid in (100, 101):  # nova's dnsmasq is a pair
        run(node, pid, *dnsmasq("demo-net", "br1441", "10.44.1.2", "10.44.1.3"))
    run(node, 102, *dnsmasq("Demo2 Net", "br200", "10.44.2.2", "10.44.2.3"))
    run(node, 103, "/usr/sbin/dnsmasq", "--conf-file=/var/lib/libvirt/dnsmasq/default.conf")
    for name in ("nova-br1441.conf", "nova-br300.conf", "nova-br300.opts", "nova-ra-br300.conf", "other"):
        node.write(f"/var/lib/nova/networks/{name}", "")
    networks = nova.read(node).networks
    assert [(n.label, n.bridge, n.vlan, n.listen, n.cidr, n.dnsmasq_running) for n in networks] == [
        ("Demo2 Net", "br200", 200, "10.44.2.2", "10.44.2.0/24", True),
        ("", "br300", 300, "", "", False),
        ("demo-net", "br1441", 1441, "10.44.1.2", "10.44.1.0/24", True),
    ]
    assert networks[0].pid_file == "/var/lib/nova/networks/nova-br200.pid"


def test_networks_of_a_flat_manager_and_another_place() -> None:
    node = ubuntu(
        conf="[DEFAULT]\nnetwork_manager = nova.network.manager.FlatDHCPManager\n"
        "state_path = /srv/nova\nnetworks_path = $state_path/net\n"
    )
    node.write("/srv/nova/net/nova-br100.conf", "")
    facts = nova.read(node)
    assert facts.networks_path == "/srv/nova/net"
    assert [(n.bridge, n.vlan) for n in facts.networks] == [("br100", None)]


def test_services_of_every_init_system() -> None:
    node = MemoryNode()
    node.write("/etc/init/nova-compute.conf", "")
    node.write("/etc/init/libvirt-bin.conf", "")
    node.write("/usr/lib/systemd/system/openstack-nova-network.service", "")
    node.symlink("/lib", "usr/lib")
    node.write("/etc/init.d/nova-api", "")
    node.symlink("/etc/systemd/system/libvirtd.service", "/dev/null")
    node.write("/usr/lib/systemd/system/libvirtd.service", "")
    node.write("/etc/init/cron.conf", "")
    assert nova.read(node).services == ("nova-compute", "nova-api", "openstack-nova-network", "libvirt-bin")


def managers(node: MemoryNode) -> list[tuple[str, bool]]:
    found = nova.read(node).managers
    assert all(manager.evidence and manager.place for manager in found)
    return [(manager.name, manager.inert) for manager in found]


def test_kolla() -> None:
    node = MemoryNode()
    node.write("/etc/kolla/nova-compute/nova.conf", "[pci]\nalias = x\n")
    run(node, 50, "/var/lib/kolla/venv/bin/python3", "/var/lib/kolla/venv/bin/nova-compute", cgroup=DOCKER)
    node.write(
        f"/var/lib/docker/containers/{'5f' * 32}/config.v2.json",
        '{"Config": {"Image": "quay.io/openstack.kolla/nova-compute:2024.1-ubuntu-jammy"}}',
    )
    facts = nova.read(node)
    assert managers(node) == [("kolla", True)]
    assert facts.config_files == ("/etc/kolla/nova-compute/nova.conf",) == (facts.main_file,)
    assert facts.last("pci", "alias") == "x" and facts.release == "2024.1"


def test_kolla_left_over_beside_a_native_service() -> None:
    node = ubuntu()
    node.write("/etc/kolla/nova-compute/nova.conf", "")
    run(node, 50, *COMPUTE, *DEBIAN)
    assert managers(node) == []
    assert nova.read(node).main_file == "/etc/nova/nova.conf"


def test_unknown_container_hides_files_and_release() -> None:
    node = ubuntu()
    run(node, 50, *COMPUTE, cgroup="12:pids:/kubepods/burstable/pod1/abc\n1:name=systemd:/kubepods/x")
    facts = nova.read(node)
    assert managers(node) == [("container", True)]
    assert facts.config_files == () and facts.release is None and facts.compute_running
    assert "container" in facts.config_source and "container" in facts.release_source


def test_container_that_this_tool_runs_in_too_is_none() -> None:
    node = ubuntu()
    run(node, 1, "/sbin/init", cgroup="0::/lxc.payload.compute1/init.scope")
    run(node, 50, *COMPUTE, *DEBIAN, cgroup="0::/lxc.payload.compute1/system.slice/nova-compute.service")
    assert managers(node) == []


@pytest.mark.parametrize(
    ("path", "content", "name"),
    [
        ("/var/lib/juju/agents/unit-nova-compute-3/agent.conf", "", "juju"),
        ("/openstack/venvs/nova-29.1.0/bin/python", "", "osa"),
        ("/var/lib/puppet/state/classes.txt", "settings\nnova::compute\n", "puppet"),
        ("/opt/puppetlabs/puppet/cache/state/resources.txt", "file[/x]\nnova_config[default/my_ip]\n", "puppet"),
        ("/etc/nova/nova.conf", "# This file is managed by Puppet!\n[DEFAULT]\n", "puppet"),
        ("/etc/nova/nova.conf", "####\n# [ WARNING ]\n# Configuration file maintained by Juju. Local\n", "juju"),
        ("/etc/nova/nova.conf", "# Ansible managed\n\n[DEFAULT]\n", "ansible"),
        ("/etc/nova/nova.conf", "# Dynamically generated by Chef\n[DEFAULT]\n", "chef"),
        ("/etc/nova/nova-compute.conf", "; MANAGED BY SALTSTACK, do not edit\n", "salt"),
    ],
)
def test_managers_that_do_not_make_it_inert(path: str, content: str, name: str) -> None:
    node = ubuntu()
    node.write(path, content)
    assert managers(node) == [(name, False)]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/var/lib/puppet/state/classes.txt", "settings\nnovatel\n"),
        ("/etc/nova/nova.conf", "[DEFAULT]\n# this file was once managed by puppet\n"),
        ("/etc/nova/nova.conf", "# see ansible's documentation\n# the agent is managed elsewhere\n[DEFAULT]\n"),
    ],
)
def test_managers_that_are_none(path: str, content: str) -> None:
    node = ubuntu()
    node.write(path, content)
    assert managers(node) == []


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
    node = MemoryNode()
    for path, content in contents.items():
        node.write(path, content)
    facts = nova.read(node)
    assert facts == nova.read(node)
    assert facts.main_file and facts.release_source and facts.networking_source

"""Nova on a node: which configuration files it reads, in which order, and what of them is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from nova_nodes import COMPUTE, Hidden, install, run, ubuntu
from oslo_config import cfg

from wizard.facts.nova import nova
from wizard.node.recorded import DirectoryNode, Entry, MemoryNode


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

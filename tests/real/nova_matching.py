"""Nova's own matching, asked about many cases at once: run by the Python that has nova's dependencies, never imported by a test.

Its text is a program for nova_process.py, with one argument or none: the directory of an unpacked release of nova, else the one that
is installed. A question is {"cases": [...], "files": [...]}; the answer, what nova makes of each case.
"""

from __future__ import annotations

import hashlib
import os
import sys
import types
from unittest import mock

if len(sys.argv) > 2:
    sys.path.insert(0, sys.argv[2])
os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "1"
try:  # nova up to 30 imports it, and asks it for addresses of its host only
    import netifaces  # noqa: F401
except ImportError:
    sys.modules["netifaces"] = types.ModuleType("netifaces")
from oslo_utils import secretutils

if not hasattr(secretutils, "md5"):  # gone from oslo.utils since
    secretutils.md5 = hashlib.md5

import contextlib

import nova.conf
from nova import exception, objects
from nova.pci import devspec, request, stats, whitelist
from oslo_config import cfg

CONF = nova.conf.CONF


def answer(asked):
    CONF([], project="nova", default_config_files=[], default_config_dirs=[])
    return {"from": devspec.__file__, "said": [case(each) for each in asked["cases"]]} | order(asked["files"])


def order(files):
    """The values of device_spec and alias as oslo.config joins them over files."""
    if not files:
        return {}
    CONF([word for path in files for word in ("--config-file", path)], project="nova", default_config_dirs=[])
    return {"device_spec": CONF.pci.device_spec, "alias": CONF.pci.alias}


def case(asked):
    devices = asked["devices"]
    cards = {each["address"]: each for each in devices if each["card"]}
    names = {name: each["address"] for each in devices for name in each["names"]}
    vfs = {each["parent_addr"]: each["product_id"] for each in devices if each["parent_addr"]}
    override("pci", "report_in_placement", asked["reported"])
    override("filter_scheduler", "pci_in_placement", asked["in_placement"])
    override("pci", "alias", asked["aliases"])
    override("pci", "device_spec", asked["lines"])
    with (
        mock.patch("nova.pci.utils.is_physical_function", lambda *a: "{}:{}:{}.{}".format(*a) in cards),
        mock.patch("nova.pci.utils.get_function_by_ifname", lambda n: (names.get(n), names.get(n) in cards)),
        mock.patch("nova.pci.utils.get_vf_product_id_by_pf_addr", vfs.get),
        mock.patch("nova.pci.utils.get_pci_ids_by_pci_addr", lambda a: (cards[a]["vendor_id"], cards[a]["product_id"])),
        mock.patch("nova.pci.utils.get_mac_by_pci_address", side_effect=exception.PciDeviceNotFoundById(id="x")),
    ):
        try:
            found = whitelist.Whitelist(list(asked["lines"]))
        except Exception as error:
            return {"refused": type(error).__name__, "aliases": aliases()[1]}
        return matched(found, devices, asked)


def override(group, option, value):
    with contextlib.suppress(cfg.NoSuchOptError):
        CONF.set_override(option, value, group=group)


def aliases():
    reader = getattr(request, "get_alias_from_config", None) or request._get_alias_from_config
    getattr(reader, "cache_clear", lambda: None)()
    try:
        return reader(), ""
    except exception.PciInvalidAlias as error:
        return {}, str(error)


def matched(found, devices, asked):
    pools = stats.PciDeviceStats(objects.NUMATopology(cells=[]), dev_filter=found)
    winners = {}
    for each in devices:
        serial = {"capabilities": '{"vpd": {"card_serial_number": "X"}}'}
        device = objects.PciDevice(
            dev_type=each["dev_type"],
            numa_node=None,
            extra_info=serial,
            status="available",
            **{key: each[key] for key in ("vendor_id", "product_id", "address", "parent_addr")},
        )
        spec = found.get_devspec(device)
        winners[each["address"]] = spec.dev_spec_conf if spec is not None else None
        pools.add_device(device)
    known, refused = aliases()
    given = {}
    for name in known:
        (wanted,) = request._translate_alias_to_requests(name + ":1")
        given[name] = taken(pools, wanted)
    ports = {}
    for network in asked["networks"]:
        for trusted in (False, True):
            spec = {"physical_network": network, "remote_managed": "False"} | ({"trusted": "true"} if trusted else {})
            ports[f"{network} {trusted}"] = taken(pools, objects.InstancePCIRequest(count=1, spec=[spec]))
    return {"refused": "", "winners": winners, "aliases": refused, "given": given, "ports": ports}


def taken(pools, wanted):
    found = pools._filter_pools(pools.pools, wanted, None, []) or []
    return sorted(device.address for pool in found for device in pool["devices"])


objects.register_all()
serve(answer)  # noqa: F821 - nova_process.py puts it before this

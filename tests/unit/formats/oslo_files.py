"""Files in nova.conf's dialect, by hand and of any kind."""

from __future__ import annotations

from hypothesis import strategies as st

from wizard.formats import oslo_config as oslo

ALIAS = '{"vendor_id": "15b3", "product_id": "1004", "name": "ib"}'


OTHER = '{"vendor_id": "8086", "product_id": "154c", "name": "net"}'


NOVA = b"""\
# nova.conf
[DEFAULT]
my_ip = 10.0.0.7
#pci_alias = <None>
transport_url=rabbit://openstack:hunter2@10.0.0.1

[pci]
# a comment
alias = {"name": "gpu",
   "vendor_id": "10de",
   "product_id": "1eb8"}
device_spec: {"vendor_id": "10de"}

[libvirt]
virt_type\t= kvm
"""


def read(content: bytes) -> list[tuple[str, str, str]]:
    return [(s.section, s.option, s.value) for s in oslo.parse(content)]


SECTIONS = ["DEFAULT", "default", "pci", "PCI", "Pci", " pci ", "filter_scheduler", "libvirt"]


OPTIONS = ["alias", "device_spec", "my_ip", "ALIAS", "a b"]


VALUES = ["", "1", "ib", ALIAS, "'ib'", '"ib"', '"', "a = b", "x # c", "$my_ip", "é", "\x1cq\x1c", "\x0b"]


GOOD_LINES = st.one_of(
    st.sampled_from(["", "", "  ", "\t", "# alias = x", "#", "; c", "#alias=ib"]),
    st.sampled_from(SECTIONS).map("[{}]".format),
    st.tuples(st.sampled_from(OPTIONS), st.sampled_from(["=", " = ", ":", "\t= "]), st.sampled_from(VALUES)).map(
        "".join
    ),
)


BLOCKS = st.one_of(
    GOOD_LINES.map(lambda line: [line]),
    st.tuples(
        st.sampled_from(OPTIONS), st.lists(st.sampled_from(["  {", "\t}", " # c", '  "a": "b",']), max_size=3)
    ).map(lambda parts: [f"{parts[0]} = {{", *parts[1]]),
)


HOSTILE_LINES = st.one_of(
    st.sampled_from(
        ["[x] # c", "[", "[]", "junk", " indented", "= 1", "\ufeff[a]", "\x85a=1", "a\u2028b=1", "{% if %}"]
    ),
    st.text(max_size=12),
)


ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def any_files() -> st.SearchStrategy[bytes]:
    lines = st.lists(st.one_of(BLOCKS, HOSTILE_LINES.map(lambda line: [line])), max_size=10)
    text = st.tuples(lines, ENDS).map(lambda parts: parts[1].join(line for block in parts[0] for line in block))
    encoded = text.map(lambda t: t.encode("utf-8", "replace"))
    return st.one_of(encoded, encoded.map(lambda content: b"[DEFAULT]\n" + content), st.binary(max_size=40))

"""nova.conf's dialect: what is read, and what is refused."""

from __future__ import annotations

import pytest
from oslo_files import NOVA, read

from wizard.errors import FormatError
from wizard.formats import oslo_config as oslo


def test_reads_sections_options_values_and_lines() -> None:
    found = oslo.parse(NOVA)
    assert found[0] == oslo.Setting("DEFAULT", "my_ip", "10.0.0.7", 3, 3)
    assert found[2] == oslo.Setting(
        "pci", "alias", '{"name": "gpu",\n"vendor_id": "10de",\n"product_id": "1eb8"}', 9, 11
    )
    assert found[3] == oslo.Setting("pci", "device_spec", '{"vendor_id": "10de"}', 12, 12)
    assert found[4] == oslo.Setting("libvirt", "virt_type", "kvm", 15, 15)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("o = 'x'", "x"),
        ('o = "x"', "x"),
        ("o = 'x\"", "'x\""),
        ("o = ' x '", " x "),
        ('o = "', ""),
        ("o =", ""),
        ("o = 1 # c", "1 # c"),
        ("o : a=b", "a=b"),
        ("o = a:b", "a:b"),
        ("o=\xa0x\xa0", "x"),
        ("o = 'a\n  b'", "'a\nb'"),
        ("o =\n\t{}\n # not a comment", "\n{}\n# not a comment"),
    ],
)
def test_value_as_oslo_delivers_it(line: str, value: str) -> None:
    assert read(f"[s]\n{line}\n".encode()) == [("s", "o", value)]


def test_sections_are_compared_as_oslo_does() -> None:
    content = b"[DEFAULT]\na=1\n[default]\na=2\n[PCI]\na=3\n[pci]\na=4\n[ pci ]\na=5\n[Default]\na=6\n"
    assert [(s, v) for s, _, v in read(content)] == [
        ("DEFAULT", "1"), ("default", "2"), ("pci", "3"), ("pci", "4"), (" pci ", "5"), ("default", "6"),
    ]  # fmt: skip
    found = oslo.parse(content)
    assert oslo.values(found, "PCI", "a") == ["3", "4"]
    assert oslo.last(found, "pci", "a") == "4"
    assert oslo.last(found, "DEFAULT", "a") == "1"
    assert oslo.last(found, "pci", "A") is None


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"\xef\xbb\xbf[DEFAULT]\n", 1),
        (b"\xef\xbb\xbf", 1),
        (b"[DEFAULT]\na = 1\n# caf\xe9\n", 3),
        (b"[DEFAULT]\r\na = 1\r\xff", 3),
        (b"\xff", 1),
        (b"\n\xff", 2),
        (b"# c\na = 1\n[DEFAULT]\n", 2),
        (b"[DEFAULT]\njunk\n", 2),
        (b"[DEFAULT]\n--verbose\n", 2),
        (b"[DEFAULT]\n= 1\n", 2),
        (b"[DEFAULT] # c\n", 1),
        (b"[DEFAULT\n", 1),
        (b"[\n", 1),
        (b"[]\n", 1),
        (b"[DEFAULT]\n a = 1\n", 2),
        (b" a = 1\n", 1),
        (b"[DEFAULT]\na = {\n\n  }\n", 4),
        (b"[DEFAULT]\na = {\n# c\n  }\n", 4),
        (b"[DEFAULT]\na = {\n  1\n}\n", 4),
    ],
)
def test_refuses_with_the_line(content: bytes, line: int) -> None:
    with pytest.raises(FormatError) as refusal:
        oslo.parse(content)
    assert refusal.value.where == f"line {line}"
    assert refusal.value.do


def test_a_byte_order_mark_is_named() -> None:
    with pytest.raises(FormatError, match="byte order mark"):
        oslo.parse(b"\xef\xbb\xbf[DEFAULT]\n")


def test_a_refusal_does_not_show_the_line() -> None:
    with pytest.raises(FormatError) as refusal:
        oslo.parse(b"[DEFAULT]\nhunter2\n")
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"# only\n", b"[a]", b"[a]\n[a]\n", b"[a]b]\n", b"[a]   \n", b"; c"])
def test_nothing_set(content: bytes) -> None:
    assert oslo.parse(content) == []


def test_effective_difference() -> None:
    before, after = b"[s]\na = 1\na = 1\n# c\nb = 2\n", b"[S]\nb: '2'\na = 1\nc = 3\n"
    assert oslo.effective_difference(before, after) == ([("s", "c", "3")], [("s", "a", "1")])
    assert oslo.effective_difference(None, b"[s]\na=1\na=1\n") == ([("s", "a", "1")] * 2, [])
    assert oslo.effective_difference(NOVA, NOVA) == ([], [])

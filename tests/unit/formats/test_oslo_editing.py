"""nova.conf's dialect: an edit changes one option and no other byte."""

from __future__ import annotations

import pytest
from oslo_files import ALIAS, NOVA, OTHER

from wizard.errors import FormatError
from wizard.formats import oslo_config as oslo


def test_append_stands_below_the_last_of_its_name_with_its_continuation() -> None:
    after = oslo.append_value(NOVA, "pci", "alias", ALIAS)
    assert after == NOVA.replace(b'1eb8"}\n', b'1eb8"}\nalias = ' + ALIAS.encode() + b"\n")


def test_append_stands_below_the_header_and_leaves_samples_alone() -> None:
    after = oslo.append_value(NOVA, "DEFAULT", "pci_alias", ALIAS)
    assert after == NOVA.replace(b"[DEFAULT]\n", b"[DEFAULT]\npci_alias = " + ALIAS.encode() + b"\n")


def test_append_finds_a_section_whatever_its_case() -> None:
    assert oslo.append_value(b"[PCI]\n# c\n", "pci", "alias", "x") == b"[PCI]\nalias = x\n# c\n"
    assert oslo.append_value(b"[default]\n# c\n", "DEFAULT", "a", "x") == b"[default]\n# c\n\n[DEFAULT]\na = x\n"


def test_append_makes_the_section() -> None:
    assert oslo.append_value(b"[a]\nb=1\n", "pci", "alias", "x") == b"[a]\nb=1\n\n[pci]\nalias = x\n"
    assert oslo.append_value(b"", "DEFAULT", "o", "x") == b"[DEFAULT]\no = x\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"[s]\r\na = 1\r\n", b"[s]\r\na = 1\r\na = 2\r\n"),
        (b"[s]\r\na = 1", b"[s]\r\na = 1\r\na = 2"),
        (b"[s]\na = 1", b"[s]\na = 1\na = 2"),
        (b"[t]\r\nb = 1", b"[t]\r\nb = 1\r\n\r\n[s]\r\na = 2"),
        (b"# c", b"# c\n\n[s]\na = 2"),
        (b"[s]", b"[s]\n\na = 2"),
        (b"[t]\n\n[s]\n", b"[t]\n\n[s]\n\na = 2\n"),
        (b"[t]\n[s]\n", b"[t]\n[s]\na = 2\n"),
        (b"[t]\r[s]\r", b"[t]\r[s]\ra = 2\r"),
    ],
)
def test_line_ends_are_kept_and_appending_can_be_taken_back(before: bytes, after: bytes) -> None:
    assert oslo.append_value(before, "s", "a", "2") == after
    assert oslo.remove_value(after, "s", "a", "2") == before
    assert oslo.set_value(before, "s", "b", "2") == oslo.append_value(before, "s", "b", "2")
    assert oslo.unset(oslo.set_value(before, "s", "b", "2"), "s", "b") == before


def test_two_values_can_be_taken_back_in_any_order() -> None:
    for before in (b"[a]\nb=1\n", b"[a]\nb=1", b"", b"[a]\n\n[pci]\n", NOVA):
        one = oslo.append_value(before, "pci", "alias", ALIAS)
        both = oslo.append_value(one, "pci", "device_spec", OTHER)
        assert oslo.remove_value(oslo.remove_value(both, "pci", "alias", ALIAS), "pci", "device_spec", OTHER) == before
        assert oslo.remove_value(oslo.remove_value(both, "pci", "device_spec", OTHER), "pci", "alias", ALIAS) == before


def test_remove_takes_the_whole_block_and_only_it() -> None:
    gpu = oslo.values(oslo.parse(NOVA), "pci", "alias")[0]
    after = oslo.remove_value(NOVA, "pci", "alias", gpu)
    assert after.splitlines() == NOVA.splitlines()[:8] + NOVA.splitlines()[11:]


def test_remove_compares_what_is_read_not_how_it_is_written() -> None:
    content = b"[pci]\nalias = 'x'\nalias: x\n#alias = x\nalias = y\n"
    assert oslo.remove_value(content, "PCI", "alias", "x") == b"[pci]\n#alias = x\nalias = y\n"


def test_remove_leaves_a_section_that_it_may_not_have_made() -> None:
    assert oslo.remove_value(b"[a]\n[s]\no = x\n", "s", "o", "x") == b"[a]\n[s]\n"
    assert oslo.remove_value(b"[a]\n\n# mine\n[s]\no = x\n", "s", "o", "x") == b"[a]\n\n# mine\n[s]\n"
    assert oslo.remove_value(b"[a]\n\n[s]\no=x\n", "s", "o", "x") == b"[a]\n\n[s]\n"
    assert oslo.remove_value(b"[a]\n\n[s]\no = x\n\n", "s", "o", "x") == b"[a]\n\n[s]\n\n"


def test_remove_at_the_end_keeps_blank_lines() -> None:
    assert oslo.remove_value(b"[s]\na = 1\n\nb = 2", "s", "b", "2") == b"[s]\na = 1\n\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 1", "a = new"),
        ("a=1", "a=new"),
        ("a   :\t1", "a   :\tnew"),
        ("a = '1'", "a = new"),
        ("a =", "a = new"),
        ("a=", "a=new"),
        ("a = 1  ", "a = new  "),
        ("a = {\n  1\n  }\nb = 2", "a = new\nb = 2"),
        ("a =\n  1", "a = new"),
        ("a = 1\nb = 2\na = 3", "a = 1\nb = 2\na = new"),
        ("a = new\na = 3", "a = new\na = new"),
        ("b = 2", "a = new\nb = 2"),
        ("#a = 1", "a = new\n#a = 1"),
    ],
)
@pytest.mark.parametrize("end", ["", "\n"])
def test_set_changes_the_last_in_place(before: str, after: str, end: str) -> None:
    assert oslo.set_value(f"[s]\n{before}{end}".encode(), "s", "a", "new") == f"[s]\n{after}{end}".encode()


def test_set_to_nothing() -> None:
    assert oslo.set_value(b"[s]\na = 1\n", "s", "a", "") == b"[s]\na =\n"
    assert oslo.set_value(b"[s]\n#\n", "s", "a", "") == b"[s]\na =\n#\n"


def test_set_counts_every_spelling_of_the_section() -> None:
    assert oslo.set_value(b"[S]\na = 1\n[s]\na = 2\n[S]\n", "s", "a", "3") == b"[S]\na = 1\n[s]\na = 3\n[S]\n"


def test_unset_takes_every_occurrence() -> None:
    content = b"[s]\na = 1\n[t]\na = 9\n[S]\n#a\na = {\n  }\nb = 1\na = 3"
    assert oslo.unset(content, "s", "a") == b"[s]\n[t]\na = 9\n[S]\n#a\nb = 1"
    assert oslo.unset(content, "s", "c") is content


@pytest.mark.parametrize(
    "value",
    [
        "a\nb",
        "a\r",
        "a\rb",
        " a",
        "a ",
        "\xa0a",
        "'a'",
        '"a"',
        '"',
        "'",
        "$my_ip",
        "${my_ip}",
        "a$pci.alias",
        "$$$x",
        "\ud800",
    ],
)
def test_refuses_a_value_that_would_be_read_otherwise(value: str) -> None:
    for edit in (oslo.append_value, oslo.set_value):
        with pytest.raises(FormatError) as refusal:
            edit(NOVA, "pci", "alias", value)
        assert refusal.value.where == "[pci] alias"


@pytest.mark.parametrize("value", ["$$x", r"\$x", "a$", "$ x", "$1", "${", "'a\"", "a'b'", "#x", "; x", "[x]", "a = b"])
def test_takes_a_value_that_is_read_as_given(value: str) -> None:
    assert oslo.values(oslo.parse(oslo.append_value(NOVA, "pci", "alias", value)), "pci", "alias")[-1] == value


@pytest.mark.parametrize(
    ("section", "option"),
    [("", "a"), ("p\nq", "a"), ("pci", ""), ("pci", "a=b"), ("pci", "a:b"), ("pci", " a"), ("pci", "a\nb"),
     ("pci", "#a"), ("pci", ";a"), ("pci", "[a"), ("pci", "\ud800"), ("\ud800", "a")],
)  # fmt: skip
def test_refuses_names_that_cannot_be_written(section: str, option: str) -> None:
    for edit in (oslo.append_value, oslo.set_value):
        with pytest.raises(FormatError):
            edit(NOVA, section, option, "x")


def test_edits_refuse_a_file_that_oslo_refuses() -> None:
    for edit in (oslo.append_value, oslo.set_value, oslo.remove_value):
        with pytest.raises(FormatError):
            edit(b"a = 1\n", "pci", "alias", "x")
    with pytest.raises(FormatError):
        oslo.unset(b"a = 1\n", "pci", "alias")


def test_an_edit_that_went_wrong_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oslo, "_joined", lambda lines: b"[pci]\nalias = x\n  y = 1\n")
    for edit in (oslo.append_value, oslo.set_value):
        with pytest.raises(FormatError, match="not used"):
            edit(b"[pci]\ny = 1\n", "pci", "alias", "x")
    with pytest.raises(FormatError, match="not used"):
        oslo.unset(b"[pci]\ny = 1\n", "pci", "y")

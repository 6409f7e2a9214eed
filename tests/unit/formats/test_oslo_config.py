"""nova.conf's dialect: what is read, what is refused, and that an edit changes one option and no other byte."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wizard.errors import FormatError
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


# Reading


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


# Editing, by example


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


def test_effective_difference() -> None:
    before, after = b"[s]\na = 1\na = 1\n# c\nb = 2\n", b"[S]\nb: '2'\na = 1\nc = 3\n"
    assert oslo.effective_difference(before, after) == ([("s", "c", "3")], [("s", "a", "1")])
    assert oslo.effective_difference(None, b"[s]\na=1\na=1\n") == ([("s", "a", "1")] * 2, [])
    assert oslo.effective_difference(NOVA, NOVA) == ([], [])


# Masking


def test_masked_shows_what_is_listed_and_nothing_else() -> None:
    content = b"""\
# transport_url = rabbit://u:hunter2@h
#
[DEFAULT]
transport_url = rabbit://u:hunter2@h
 more hunter2
my_ip = 10.0.0.7

[pci]\r
alias = {"name": "a",
    "vendor_id": "15b3"}
  rabbit_password = hunter2
  # hunter2
  rabbit://u:hunter2@h
  password: hunter2
  hunter2=
  "rabbit://u:hunter2@h"
admin_password = hunter2
  hunter2
"""
    assert (
        oslo.masked(content, {"alias", "my_ip"})
        == b"""\
# ***
#
[DEFAULT]
transport_url = ***
 ***
my_ip = 10.0.0.7

[pci]\r
alias = {"name": "a",
    "vendor_id": "15b3"}
  ***
  ***
  ***
  ***
  ***
  ***
admin_password = ***
  ***
"""
    )


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"hunter2", b"***"),
        (b"HUNTER2==", b"***"),
        (b"rabbit://u:hunter2@h/", b"rabbit = ***"),
        (b"--sql_connection=mysql://u:hunter2@h", b"--sql_connection = ***"),
        (b"[DEFAULT] password = hunter2", b"[DEFAULT] ***"),
        (b"[mysql://u:hunter2@h]", b"[***]"),
        (b"[pci", b"[***]"),
        (b"   hunter2", b"   ***"),
        (b"alias hunter2", b"***"),
        (b"\xff\xfehunter2", b"***"),
        (b"\xef\xbb\xbfpassword = hunter2", b"***"),
        (b"; hunter2", b"# ***"),
        (b"alias = \xff", b"alias = \xff"),
        (b"Alias = hunter2", b"***"),
    ],
)
def test_masked_hides_odd_lines(line: bytes, shown: bytes) -> None:
    assert oslo.masked(line, ["alias"]) == shown
    assert oslo.masked(b"\n" + line + b"\r\n", ["alias"]) == b"\n" + shown + b"\r\n"


# Properties

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


@st.composite
def accepted_files(draw: st.DrawFn) -> bytes:
    """Files that oslo.config accepts: options only below a section, continuation lines only below an option."""
    blocks = draw(st.lists(BLOCKS, max_size=12))
    lines = [line for block in blocks for line in block]
    if draw(st.booleans()) or any(line and line[0] not in "[#; \t" for line in lines):
        lines.insert(0, f"[{draw(st.sampled_from(SECTIONS))}]")
    end = draw(ENDS)
    text = "".join(line + (end if draw(st.integers(0, 9)) else draw(ENDS)) for line in lines)
    return (text[: -len(end)] if draw(st.booleans()) and text.endswith(end) else text).encode()


def any_files() -> st.SearchStrategy[bytes]:
    lines = st.lists(st.one_of(BLOCKS, HOSTILE_LINES.map(lambda line: [line])), max_size=10)
    text = st.tuples(lines, ENDS).map(lambda parts: parts[1].join(line for block in parts[0] for line in block))
    encoded = text.map(lambda t: t.encode("utf-8", "replace"))
    return st.one_of(encoded, encoded.map(lambda content: b"[DEFAULT]\n" + content), st.binary(max_size=40))


section_names = st.sampled_from(["DEFAULT", "pci", "default", "new"])
option_names = st.sampled_from(["alias", "my_ip", "new_option"])
new_values = st.sampled_from(["1", "ib", ALIAS, OTHER, "", "a#b", "é"])


@given(accepted_files())
@settings(max_examples=100, deadline=None)
def test_generated_files_are_accepted(content: bytes) -> None:
    oslo.parse(content)


@given(any_files(), section_names, option_names, st.one_of(new_values, st.text(max_size=8)))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_handled_or_refused(content: bytes, section: str, option: str, value: str) -> None:
    for edit in (oslo.append_value, oslo.set_value, oslo.remove_value):
        try:
            once = edit(content, section, option, value)
        except FormatError:
            continue
        assert edit(once, section, option, value) == once
    try:
        once = oslo.unset(content, section, option)
    except FormatError:
        return
    assert oslo.unset(once, section, option) == once
    assert oslo.values(oslo.parse(once), section, option) == []


@given(accepted_files(), section_names, option_names, new_values)
@settings(max_examples=150, deadline=None)
def test_appending_adds_one_option_and_can_be_taken_back(content: bytes, section: str, option: str, value: str) -> None:
    assume(value not in oslo.values(oslo.parse(content), section, option))
    after = oslo.append_value(content, section, option, value)
    assert Counter(read(after)) - Counter(read(content)) == Counter([(section, option, value)])
    assert oslo.values(oslo.parse(after), section, option)[-1] == value
    # Every byte of the old file is there, in its order, around one run of new ones.
    common = next((i for i, (a, b) in enumerate(zip(content, after, strict=False)) if a != b), len(content))
    new = len(after) - len(content)
    assert any(after[:at] + after[at + new :] == content for at in range(common + 1))
    assert oslo.append_value(after, section, option, value) == after
    assert oslo.remove_value(after, section, option, value) == content


@given(accepted_files(), st.data())
@settings(max_examples=150, deadline=None)
def test_removing_takes_just_the_blocks(content: bytes, data: st.DataObject) -> None:
    found = oslo.parse(content)
    assume(found)
    gone = data.draw(st.sampled_from(found))
    after = oslo.remove_value(content, gone.section, gone.option, gone.value)
    left = [s for s in read(content) if s != (gone.section, gone.option, gone.value)]
    assert read(after) == left
    lines = content.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    blocks = [s for s in found if (s.section, s.option, s.value) == (gone.section, gone.option, gone.value)]
    kept = [line for number, line in enumerate(lines, 1) if not any(s.line <= number <= s.last_line for s in blocks)]
    text = [line for line in kept if line.strip()]
    still = [line for line in after.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    assert still == text or (
        len(blocks) == 1 and still == text[:-1] and text[-1].lower() == f"[{gone.section}]".lower()
    )


@given(accepted_files(), section_names, option_names, new_values)
@settings(max_examples=150, deadline=None)
def test_setting_changes_one_option_and_no_other_line(content: bytes, section: str, option: str, value: str) -> None:
    after = oslo.set_value(content, section, option, value)
    assert oslo.last(oslo.parse(after), section, option) == value
    before_lines, after_lines = content.splitlines(), after.splitlines()
    changed = Counter(after_lines) - Counter(before_lines)
    assert sum(count for line, count in changed.items() if line.strip() not in (b"", f"[{section}]".encode())) <= 1
    others = [s for s in read(content) if s[:2] != (section, option)]
    assert [s for s in read(after) if s[:2] != (section, option)] == others
    assert len(oslo.values(oslo.parse(after), section, option)) == max(
        1, len(oslo.values(oslo.parse(content), section, option))
    )
    if oslo.last(oslo.parse(content), section, option) is None:
        assert oslo.unset(after, section, option) == content


@given(
    any_files(),
    st.lists(st.sampled_from(["password = {}", "x={}", "{}", "  {}", "# {}", "rabbit://u:{}@h"]), max_size=5),
)
@settings(max_examples=150, deadline=None)
def test_masked_never_shows_a_secret(content: bytes, forms: list[str]) -> None:
    lines = content.split(b"\n")
    for number, form in enumerate(forms):
        lines.insert(number * 2 % (len(lines) + 1), form.format("HUNTER2").encode())
    secret = b"\n".join(lines)
    hidden = oslo.masked(secret, {"shown_option"})
    assert b"HUNTER2" not in hidden
    for end in (b"\n", b"\r"):
        assert hidden.count(end) == secret.count(end)
    assert oslo.masked(hidden, {"shown_option"}) == hidden

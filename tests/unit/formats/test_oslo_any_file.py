"""nova.conf's dialect: what holds of any file."""

from __future__ import annotations

from collections import Counter

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oslo_files import ALIAS, BLOCKS, ENDS, OTHER, SECTIONS, any_files, read

from wizard.errors import FormatError
from wizard.formats import oslo_config as oslo


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

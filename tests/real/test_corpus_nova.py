"""Every nova.conf of a corpus of real files: read as oslo.config does, edited without touching another byte, masked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wizard.errors import FormatError
from wizard.formats import oslo_config as oslo

cfg = pytest.importorskip("oslo_config.cfg")

DEFAULT_CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus"
CORPUS = Path(os.environ.get("COMPUTE_WIZARD_CORPUS", DEFAULT_CORPUS)) / "nova"
FILES = sorted(path for path in CORPUS.glob("*") if path.is_file())
ALIAS = '{"vendor_id": "15b3", "product_id": "1004", "name": "compute-wizard"}'
PLACES = [
    ("DEFAULT", "pci_alias"),
    ("pci", "alias"),
    ("filter_scheduler", "enabled_filters"),
    ("a_new_section", "option"),
]
PCI_OPTIONS = {"pci_alias", "alias", "passthrough_whitelist", "pci_passthrough_whitelist", "device_spec"}

pytestmark = pytest.mark.skipif(not FILES, reason="corpus")


@pytest.fixture(params=FILES or (None,), ids=lambda path: path.name if path else "none")
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def settings_of(content: bytes) -> list[oslo.Setting] | None:
    """What the file sets; None if it is refused."""
    try:
        return oslo.parse(content)
    except FormatError:
        return None


def test_read_or_refused_as_oslo_does(path: Path) -> None:
    expected: dict[str, dict[str, list[str]]] = {}
    parser = cfg.ConfigParser(str(path), {})
    parser._add_normalized(expected)
    try:
        parser.parse()
    except (cfg.ParseError, UnicodeDecodeError):
        with pytest.raises(FormatError) as refusal:
            oslo.parse(path.read_bytes())
        assert refusal.value.where.startswith("line ")
        return
    found = oslo.parse(path.read_bytes())
    for section, options in expected.items():
        for option, values in options.items():
            assert oslo.values(found, section, option) == values
    assert len(found) == sum(len(values) for options in expected.values() for values in options.values())


def test_appending_touches_nothing_else_and_can_be_taken_back(path: Path) -> None:
    content = path.read_bytes()
    refused = settings_of(content) is None
    for section, option in PLACES:
        if refused:
            with pytest.raises(FormatError):
                oslo.append_value(content, section, option, ALIAS)
            continue
        after = oslo.append_value(content, section, option, ALIAS)
        assert oslo.effective_difference(content, after) == ([(section, option, ALIAS)], [])
        old, new = content.splitlines(), after.splitlines()
        line = new.index(f"{option} = {ALIAS}".encode())
        assert new[:line] + new[line + 1 :] == old or new[: line - 2] == old
        assert oslo.append_value(after, section, option, ALIAS) == after
        assert oslo.remove_value(after, section, option, ALIAS) == content


def test_setting_touches_nothing_else(path: Path) -> None:
    content = path.read_bytes()
    found = settings_of(content)
    for section, option in PLACES:
        if found is None:
            with pytest.raises(FormatError):
                oslo.set_value(content, section, option, ALIAS)
            continue
        old = oslo.last(found, section, option)
        after = oslo.set_value(content, section, option, ALIAS)
        gone = [] if old is None else [(section, option, old)]
        assert oslo.effective_difference(content, after) == ([(section, option, ALIAS)], gone)
        assert oslo.set_value(after, section, option, ALIAS) == after
        if old is None:
            assert oslo.unset(after, section, option) == content


def test_every_pci_value_can_be_removed(path: Path) -> None:
    content = path.read_bytes()
    for setting in settings_of(content) or []:
        if setting.option in PCI_OPTIONS:
            after = oslo.remove_value(content, setting.section, setting.option, setting.value)
            added, removed = oslo.effective_difference(content, after)
            assert added == []
            assert set(removed) == {(setting.section, setting.option, setting.value)}


def test_masked_holds_no_value(path: Path) -> None:
    content = path.read_bytes()
    hidden = oslo.masked(content, set())
    assert all(
        line.endswith("***") or not line.strip("#; \t") or (line[0] == "[" and line[-1] == "]")
        for line in map(str.rstrip, hidden.decode().splitlines())
    )
    assert hidden.count(b"\n") == content.count(b"\n")
    found = settings_of(content) or []
    names = {name for s in found for name in (s.section, s.option)}
    for setting in found:
        for part in setting.value.split("\n"):
            if len(part) >= 8 and not any(part in name for name in names):
                assert part.encode() not in hidden


def test_masked_shows_the_pci_options_in_full(path: Path) -> None:
    content = path.read_bytes()
    before, after = content.split(b"\n"), oslo.masked(content, PCI_OPTIONS).split(b"\n")
    for setting in settings_of(content) or []:
        block = slice(setting.line - 1, setting.last_line)
        assert (before[block] == after[block]) is (setting.option in PCI_OPTIONS)

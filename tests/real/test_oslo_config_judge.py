"""oslo.config itself as the judge of what nova.conf says, before and after an edit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.errors import FormatError
from wizard.formats import oslo_config as oslo
from wizard.formats import oslo_interpolation

cfg = pytest.importorskip("oslo_config.cfg")

Values = dict[str, dict[str, list[str]]]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("judge") / "nova.conf"


def judged(path: Path, content: bytes) -> Values | None:
    """What oslo.config reads from these bytes, before interpolation; None if it refuses them."""
    path.write_bytes(content)
    normalized: Values = {}
    parser = cfg.ConfigParser(str(path), {})
    parser._add_normalized(normalized)
    try:
        parser.parse()
    except (cfg.ParseError, UnicodeDecodeError):
        return None
    return {section: options for section, options in normalized.items() if options}


def ours(content: bytes) -> Values | None:
    try:
        found = oslo.parse(content)
    except FormatError:
        return None
    result: Values = {}
    for setting in found:
        result.setdefault(setting.section, {}).setdefault(setting.option, []).append(setting.value)
    return result


def service(path: Path, content: bytes) -> Any:
    """The options as nova-compute would have them after loading this file."""
    path.write_bytes(content)
    conf = cfg.ConfigOpts()
    conf.register_opts([cfg.MultiStrOpt("alias"), cfg.StrOpt("host"), cfg.StrOpt("my_ip", default="10.0.0.7")])
    conf.register_opts([cfg.MultiStrOpt("alias"), cfg.StrOpt("host")], group="pci")
    conf(["--config-file", str(path)], project="nova", default_config_files=[], default_config_dirs=[])
    return conf


ASSIGNMENTS = st.tuples(
    st.sampled_from(["alias", "host", "Alias", "a b", "\x0balias", "", "#alias", "[alias", "\xa0", "é"]),
    st.sampled_from(["=", " = ", ":", " : ", "\t=\t", "", " "]),
    st.sampled_from(
        ["", "x", "'x'", '"x"', '"', "'", "''", "'x\"", "a=b:c", "x # c", " 'x' ", "$host", "\x1c", "\x85", "{"]
    ),
).map("".join)
LINES = st.one_of(
    ASSIGNMENTS,
    ASSIGNMENTS,
    st.sampled_from(["", " ", "\t", "\x0c", "# c", "; c", "#", "  }", "\t# c", "  alias = x", " \x1c"]),
    st.sampled_from(["[DEFAULT]", "[default]", "[PCI]", "[pci]", "[pci]  ", "[pci] # c", "[", "[]", "[ ]", "[a]b]"]),
    st.sampled_from(["[İ]", " [a]", "\u2028", "\x1d  x", "\xa0"]),
    st.text(max_size=8),
)  # fmt: skip
ENDS = st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n", "\r\r\n", "\x0b", "\x1e", "\u2028", "\x85"])
TEXTS = st.lists(st.tuples(LINES, ENDS), max_size=10).map(lambda parts: "".join(line + end for line, end in parts))
CONTENTS = st.one_of(
    TEXTS.map(lambda text: text.encode("utf-8", "replace")),
    TEXTS.map(lambda text: ("[DEFAULT]\n" + text).encode("utf-8", "replace")),
    TEXTS.map(lambda text: ("[pci]\nalias = x\n" + text).encode("utf-8", "surrogatepass")),
    TEXTS.map(lambda text: ("\ufeff" + text).encode("utf-8", "replace")),
    st.binary(max_size=30).map(lambda tail: b"[pci]\n#" + tail),
    st.binary(max_size=30),
)


@given(content=CONTENTS)
@settings(max_examples=150, deadline=None)
def test_reads_and_refuses_as_oslo_does(path: Path, content: bytes) -> None:
    assert ours(content) == judged(path, content)


@pytest.mark.parametrize(
    "blank", [" ", "\t", "\x0b", "\x0c", "\x1c", "\x1f", "\x85", "\xa0", "\u2028", "\u3000", "\u200b"]
)
@pytest.mark.parametrize(
    "form", ["{0}o = y", "o{0}={0}y{0}", "o = '{0}y'{0}", "[{0}s]{0}\no = y", "{0}\n  y", "{0}# y"]
)
def test_knows_the_same_blanks_as_oslo(path: Path, blank: str, form: str) -> None:
    content = ("[pci]\nalias = x\n" + form.format(blank) + "\n").encode()
    assert ours(content) == judged(path, content)


@given(
    lines=st.lists(st.tuples(ASSIGNMENTS.filter(lambda a: a and a[0] not in " \t[=:" and "=" in a), ENDS), max_size=10)
)
@settings(max_examples=150, deadline=None)
def test_reads_plausible_lines_as_oslo_does(path: Path, lines: list[tuple[str, str]]) -> None:
    content = ("[pci]\n" + "".join(line + "\n" + "  more" * (end != "\n") + end for line, end in lines)).encode()
    assert ours(content) == judged(path, content)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf[DEFAULT]\n",
        b"a=1\n",
        b"[a]\nb\n",
        b"[a] #\n",
        b"[a]\n b=1\n",
        b"[a]\nb=1\n\n c\n",
        b"[]\n",
        b"[a]\n=1\n",
    ],
)
def test_what_is_refused_kills_the_service(path: Path, content: bytes) -> None:
    with pytest.raises(cfg.ConfigFileParseError):
        service(path, content)
    with pytest.raises(FormatError):
        oslo.parse(content)


PLAUSIBLE = st.lists(
    st.sampled_from(
        ["[DEFAULT]", "[pci]", "[PCI]", "[default]", "alias = x", "alias = {\n  1\n  }", "host=a", "host = 'b'",
         "# host = c", "", "alias: 'y'", "my_ip = 10.0.0.8", "other = z"]
    ),
    max_size=12,
)  # fmt: skip
FILES = st.tuples(PLAUSIBLE, st.sampled_from(["\n", "\r\n"]), st.booleans()).map(
    lambda f: "".join(line.replace("\n", f[1]) + f[1] for line in ["[DEFAULT]", *f[0]])[
        : None if f[2] else -len(f[1])
    ].encode()
)
GROUPS = st.sampled_from(["DEFAULT", "pci"])
NEW = st.sampled_from(
    ["x", "y", "new", '{"vendor_id": "15b3", "product_id": "1004", "name": "ib"}', "$$host", "a # b", "a = b"]
)


def group(conf: Any, section: str) -> Any:
    return conf if section == "DEFAULT" else conf[section]


@given(content=FILES, section=GROUPS, value=NEW)
@settings(max_examples=100, deadline=None)
def test_the_service_gets_one_more_value(path: Path, content: bytes, section: str, value: str) -> None:
    read_as = value.replace("$$", "$")
    before = group(service(path, content), section).alias or []
    after = group(service(path, oslo.append_value(content, section, "alias", value)), section).alias
    if read_as in before:
        assert after == before
    else:
        assert sorted(after) == sorted([*before, read_as])
    left = group(service(path, oslo.remove_value(content, section, "alias", value)), section).alias or []
    assert left == [other for other in before if other != read_as]


@given(content=FILES, section=GROUPS, value=NEW)
@settings(max_examples=100, deadline=None)
def test_the_service_gets_the_value_that_was_set(path: Path, content: bytes, section: str, value: str) -> None:
    old = service(path, content)
    new = service(path, oslo.set_value(content, section, "host", value))
    assert group(new, section).host == value.replace("$$", "$")
    other = "pci" if section == "DEFAULT" else "DEFAULT"
    assert group(new, other).host == group(old, other).host
    assert (new.alias, new.pci.alias, new.my_ip) == (old.alias, old.pci.alias, old.my_ip)
    assert group(service(path, oslo.unset(content, section, "host")), section).host is None


@given(
    value=st.one_of(st.text("$\\{}a._1I ", max_size=8), st.text(max_size=6), st.text("'\"a \t\xa0\r\n#", max_size=5))
)
@settings(max_examples=150, deadline=None)
def test_a_value_is_taken_if_and_only_if_the_service_reads_it_back(path: Path, value: str) -> None:
    written = b"[pci]\nalias = " + value.encode() + b"\n"
    try:
        conf = service(path, written)
        read_back = conf.pci.alias == [value.replace(r"\$", "$$").replace("$$", "$")]
    except cfg.Error:
        read_back = False
    try:
        oslo.append_value(b"[pci]\n", "pci", "alias", value)
        taken = True
    except FormatError:
        taken = False
    assert taken == read_back


@pytest.mark.parametrize("value", ["$my_ip", "${my_ip}", "http://$my_ip:80", "$$$my_ip", "$MY_IP"])
def test_a_reference_is_refused_since_the_service_would_replace_it(path: Path, value: str) -> None:
    with pytest.raises(FormatError):
        oslo.append_value(b"[pci]\n", "pci", "alias", value)
    try:
        assert "10.0.0.7" in service(path, b"[pci]\nalias = " + value.encode() + b"\n").pci.alias[0]
    except cfg.NoSuchOptError:
        assert value == "$MY_IP"


NAMES = ("my_ip", "host", "state_path", "bindir")
PIECES = st.sampled_from(
    r"x|$|$$|\$|$my_ip|${my_ip}|$host|${host}x|$state_path/n|$pci.host|${pci.host}|$PCI.my_ip|$MY_IP|${bindir|$nothing|"
    r"$my_ip.x|$ {|${}|$bindir| |.|$pci|${DEFAULT.host}|$neutron.my_ip".split("|")
)
TEMPLATES = st.lists(PIECES, min_size=1, max_size=4).map("".join)
SETTINGS = st.dictionaries(
    st.tuples(st.sampled_from(["DEFAULT", "pci"]), st.sampled_from(NAMES)), TEMPLATES, max_size=5
)


@given(values=SETTINGS, value=TEMPLATES, section=st.sampled_from(["DEFAULT", "pci"]))
@settings(max_examples=300, deadline=None)
def test_references_are_resolved_as_oslo_does_or_are_unknown(
    path: Path, values: dict[tuple[str, str], str], value: str, section: str
) -> None:
    """Every option is registered in both groups or in DEFAULT alone: what we say has to be right for either."""
    try:
        text = oslo_interpolation.resolved(
            value.strip(),
            section,
            {key: [each.strip()] for key, each in values.items()},
            {"state_path": "/var/lib/nova"},
        )
    except oslo_interpolation.Unknown:
        return
    lines = {name: [f"[{name}]"] for name in ("DEFAULT", "pci")}
    for (where, option), each in values.items():
        lines[where].append(f"{option} = {each}")
    lines[section].append(f"target = {value}")
    path.write_text("\n".join("\n".join(each) for each in lines.values()) + "\n")
    judged_ = []
    groups = (None, "pci")
    for everywhere in (True, False):
        conf = cfg.ConfigOpts()
        for group in groups:
            conf.register_opts([cfg.StrOpt("target")], group=group)
            own = [name for name in NAMES if group is None or everywhere or (group, name) in values]
            defaults = {"state_path": "/var/lib/nova"} if group is None else {}
            conf.register_opts([cfg.StrOpt(name, default=defaults.get(name)) for name in own], group=group)
        conf(["--config-file", str(path)], project="nova", default_config_files=[], default_config_dirs=[])
        judged_.append(conf.target if section == "DEFAULT" else conf.pci.target)
    assert text in judged_
    if section == "DEFAULT" and not any(
        "pci." in each for each in (value, *values.values())
    ):  # else [pci] has a say, too
        assert judged_ == [text, text]


def test_most_references_are_not_unknown() -> None:
    given_ = {("DEFAULT", "my_ip"): ["10.0.0.1"], ("pci", "host"): ["h$my_ip"]}
    for value, text in (("$my_ip:80", "10.0.0.1:80"), ("${pci.host}", "h10.0.0.1"), ("$$x", "$x"), ("a$", "a$")):
        assert oslo_interpolation.resolved(value, "DEFAULT", given_, {}) == text

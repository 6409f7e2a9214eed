"""One table of shapes through both nets: the engine's, and the recorder's in each awk that is here."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import pytest
from oslo_utils import strutils
from secret_shapes import HARMLESS, SECRETS, SHAPES, filled

from wizard import safe_text
from wizard.answers import suggestion
from wizard.facts import facts
from wizard.planning import diff
from wizard.planning.planner import make_plan
from wizard.redaction import HIDDEN, redacted, redacted_data
from wizard.redaction_names import Telling, telling
from wizard.report import text as report
from wizard.simulator.built_in import built_in, simulate

RECORDER = Path(str(resources.files("assets"))) / "node" / "recorder.sh"
AWKS = {"mawk": ["mawk"], "busybox": ["busybox", "awk"], "gawk": ["gawk"], "original-awk": ["original-awk"]}
END = "= the end of a text ="


@cache
def net() -> str:
    return RECORDER.read_text(encoding="utf-8").partition("<<'END_OF_NET'\n")[2].partition("\nEND_OF_NET\n")[0]


def by_awk(awk: str, texts: Sequence[str], directory: Path, *options: str) -> list[str]:
    """The texts as the recorder's net leaves them; a file each, as there."""
    if shutil.which(AWKS[awk][0]) is None:
        pytest.skip(f"{awk}: the program is not installed")
    (directory / "net").write_text(net(), encoding="utf-8")
    files = []
    for number, text in enumerate(texts):
        files.append(directory / f"{number}")
        files[-1].write_text(f"{text}\n{END}\n", encoding="utf-8")
    command = [*AWKS[awk], *options, "-f", str(directory / "net"), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env={"LC_ALL": "C"})
    assert (done.returncode in (0, 3), done.stderr) == (True, "")
    return done.stdout.split(f"\n{END}\n")[:-1]


@pytest.mark.parametrize(("what", "shape"), SHAPES, ids=[what for what, _ in SHAPES])
def test_the_engine_hides_it(what: str, shape: str) -> None:
    for secret in SECRETS:
        text, hidden = filled(shape, secret)
        shown = redacted(text)
        assert [each for each in hidden if each in shown] == [], what
        assert HIDDEN in shown
        assert shown.count("\n") == text.count("\n")
        assert redacted(shown) == shown


def test_there_are_a_hundred_shapes_and_each_is_another() -> None:
    assert len({shape for _, shape in SHAPES}) == len(SHAPES) >= 100
    assert len({what for what, _ in SHAPES}) == len(SHAPES)
    assert len(set(HARMLESS)) == len(HARMLESS) >= 40


@pytest.mark.parametrize("text", HARMLESS)
def test_the_engine_leaves_what_is_harmless(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize("awk", ["mawk", "busybox", "gawk", "original-awk"])
def test_the_recorder_shows_what_the_engine_shows(awk: str, tmp_path: Path) -> None:
    texts = [filled(shape, SECRETS[number % len(SECRETS)])[0] for number, (_, shape) in enumerate(SHAPES)]
    texts += HARMLESS
    assert by_awk(awk, texts, tmp_path) == [redacted(text) for text in texts]


PIECES = (
    *(
        "password",
        "token",
        "key",
        "api_key",
        "secret_file=",
        "private",
        "pass",
        "community",
        '"password":"',
        "name",
        "value",
    ),
    *(
        " ",
        " ",
        "\t",
        "=",
        ":",
        '"',
        "'",
        "\\",
        "{",
        "}",
        "[",
        "]",
        "<",
        ">",
        "@",
        "/",
        ",",
        ";",
        "|",
        "&",
        "?",
        "#",
        ".",
        "-",
        "--",
    ),
    *(
        "S3cr",
        "hunter2",
        "***",
        "null",
        "%3D",
        "-u ",
        "$6$",
        "the ",
        "is",
        "export ",
        "http://",
        "u:",
        "login me ",
        "/etc/x",
    ),
    *("curl ", "sshpass -p ", "Bearer ", "Enter "),
)


@pytest.mark.parametrize("awk", ["mawk", "busybox", "gawk", "original-awk"])
def test_both_nets_agree_on_any_line(awk: str, tmp_path: Path) -> None:
    pick = random.Random(2026)
    texts = ["".join(pick.choice(PIECES) for _ in range(pick.randint(1, 10))) for _ in range(900)]
    assert by_awk(awk, texts, tmp_path) == [redacted(text) for text in texts]


def test_what_is_hidden_stays_hidden_and_lines_stay_lines() -> None:
    pick = random.Random(7)
    pieces = (*PIECES, "\n", "\n  ", "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----")
    for _ in range(2000):
        text = "".join(pick.choice(pieces) for _ in range(pick.randint(1, 12)))
        shown = redacted(text)
        assert redacted(shown) == shown, text
        assert shown.count("\n") == text.count("\n"), text


# An argument each; S is the secret, and the last is what is shown.
ARGUMENTS = (
    (["nova-compute", "--os-password", "S", "--debug"], ["nova-compute", "--os-password", "***", "--debug"]),
    (["nova-compute", "--os-password=S T", "x"], ["nova-compute", "--os-password=***", "x"]),
    (["nova-compute", "--os-password", "-S1"], ["nova-compute", "--os-password", "***"]),
    (["x", "--api-key", "S", "--key", "/etc/x.key"], ["x", "--api-key", "***", "--key", "/etc/x.key"]),
    (["curl", "-u", "me:S", "http://me:S@h/"], ["curl", "-u", "me:***", "http://***@h/"]),
    (["curl", "-H", "X-Auth-Token: S S"], ["curl", "-H", "X-Auth-Token: ***"]),
    (["sshpass", "-p", "S", "ssh", "h"], ["sshpass", "-p", "***", "ssh", "h"]),
    (["mysql", "-unova", "-pS"], ["mysql", "-unova", "-p***"]),
    (
        ["iscsiadm", "-n", "node.session.auth.password", "-v", "S"],
        ["iscsiadm", "-n", "node.session.auth.password", "-v", "***"],
    ),
    (["qemu", "-object", "secret,id=s,data=S"], ["qemu", "-object", "secret,id=s,data=***"]),
    (
        ["dnsmasq", "-u", "libvirt-dnsmasq", "--bind-interfaces"],
        ["dnsmasq", "-u", "libvirt-dnsmasq", "--bind-interfaces"],
    ),
    (["qemu", "-device", "vfio-pci,host=0000:04:00.1"], ["qemu", "-device", "vfio-pci,host=0000:04:00.1"]),
    (["nova-compute", "--config-file=/etc/nova/nova.conf"], ["nova-compute", "--config-file=/etc/nova/nova.conf"]),
)


@pytest.mark.parametrize("awk", ["mawk", "busybox"])
def test_arguments_of_processes_are_looked_through_one_by_one(awk: str, tmp_path: Path) -> None:
    texts = ["\n".join(given) for given, _ in ARGUMENTS]
    assert by_awk(awk, texts, tmp_path, "-v", "ARGS=1") == ["\n".join(shown) for _, shown in ARGUMENTS]


NO_SECRETS = {"configdrive", "cephclusterfsid"}  # data of a guest, and a name of a cluster


def test_what_openstack_itself_masks_is_masked() -> None:
    """oslo.utils.strutils.mask_password over its own names and its own notations."""
    notations = (
        *(
            "{} = S3cret",
            "{}=S3cret",
            '{} = "S3 cret"',
            "{} = 'S3 cret'",
            "--{} S3cret",
            "<{}>S3cret</{}>",
            '{} "S3 cret"',
        ),
        *(
            "{{'{}': 'S3 cret'}}",
            "{{u'{}': u'S3 cret'}}",
            '{{"{}": "S3 cret"}}',
            "['{}', '--v', 'S3cret']",
            "{} --value S3cret",
        ),
        *("'{}': u'S3 cret', 'x': 1", "'adm_{}' : 'S3 cret'", "{}1=S3cret"),
    )
    told = 0
    for key in strutils._SANITIZE_KEYS:
        if key in NO_SECRETS:
            assert telling(key) is Telling.NOTHING
            continue
        for notation in notations:
            for text in (notation.format(key, key), notation.format(key.upper(), key.upper())):
                masked = strutils.mask_password(text, secret=HIDDEN)
                told += "cret" not in masked
                assert "cret" in masked or "cret" not in redacted(text), (text, masked, redacted(text))
    assert told > 300


def test_no_shape_that_openstack_masks_is_shown() -> None:
    for what, shape in SHAPES:
        text, hidden = filled(shape, "s3cr3tW0rd")
        if not any(each in strutils.mask_password(text) for each in hidden):
            assert not any(each in redacted(text) for each in hidden), what


@pytest.mark.parametrize("name", ["demo", "today", "origin"])
def test_what_the_built_in_nodes_show_is_not_touched(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (diff, report, safe_text):
        monkeypatch.setattr(module, "redacted", lambda text: text)
    monkeypatch.setattr(report, "redacted_data", lambda data: data)
    diff.unified.cache_clear()
    seen = facts.read(simulate(built_in(name), tmp_path))
    plan = make_plan(seen, suggestion.suggest(seen))
    masked = plan.masked().model_dump(mode="json")
    shown = report.plan(plan) + report.inspect(seen) + report.as_json(masked)
    diff.unified.cache_clear()
    assert len(shown.splitlines()) > 100
    assert [line for line in shown.splitlines() if redacted(line) != line] == []
    assert redacted(shown) == shown


def test_the_values_of_telling_keys_are_hidden_in_data() -> None:
    data = {
        "password": "S",
        "a": [{"name": "OS_TOKEN", "value": "S"}],
        "key_file": "/etc/x.key",
        "secret": False,
        "n": 1,
    }
    assert redacted_data(data) == {
        "password": HIDDEN,
        "a": [{"name": "OS_TOKEN", "value": HIDDEN}],
        "key_file": "/etc/x.key",
        "secret": False,
        "n": 1,
    }


def test_the_shapes_are_in_the_documents() -> None:
    """docs/secrets.md shows each shape as it is written and as it is shown."""
    document = (Path(__file__).parents[2] / "docs" / "secrets.md").read_text(encoding="utf-8")
    assert "\n".join(table()) in document


def table() -> list[str]:
    lines = ["| what | written | shown |", "|---|---|---|"]
    for what, shape in SHAPES:
        text = shape.format(S="S3cr3t", N="4711", X="MIIE" + "hVmYq3t6w9zCFJNcRfUjXnZr4u7xADGK" * 2)
        cells = [
            each.replace("MIIE" + "hVmYq3t6w9zCFJNcRfUjXnZr4u7xADGK" * 2, "MIIE...") for each in (text, redacted(text))
        ]
        lines.append("| " + " | ".join([what, *(_code(each) for each in cells)]) + " |")
    return lines


def _code(text: str) -> str:
    """As code in a cell of a table."""
    text = text.replace("\n", " ⏎ ").replace("|", "\\|")
    return f"`` {text} ``" if "`" in text else f"`{text}`"

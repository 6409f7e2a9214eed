"""The configuration file: where platformdirs has it, checked, and weaker than the environment."""

from __future__ import annotations

import re
from pathlib import Path

import platformdirs
import pytest
from calling import call, written
from places import REPOSITORY

from wizard import user_config
from wizard.errors import InputError


@pytest.mark.parametrize(
    "environment",
    [{}, {"XDG_CONFIG_HOME": "/own"}, {"XDG_CONFIG_DIRS": "/a:/b"}, {"XDG_CONFIG_HOME": " ", "XDG_CONFIG_DIRS": ""}],
)
def test_the_paths_are_those_of_platformdirs(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    theirs = platformdirs.unix.Unix("compute-wizard", appauthor=False)
    assert user_config.paths() == (f"{theirs.user_config_dir}/config.toml", f"{theirs.site_config_dir}/config.toml")


def files(tmp_path: Path, own: str = "", everybody: str = "") -> dict[str, str]:
    for name, text in (("own", own), ("all", everybody)):
        (tmp_path / name / "compute-wizard").mkdir(parents=True)
        if text:
            (tmp_path / name / user_config.NAME).write_text(text, "utf-8")
    return {"XDG_CONFIG_HOME": str(tmp_path / "own"), "XDG_CONFIG_DIRS": str(tmp_path / "all")}


def test_the_users_file_wins_over_that_for_everybody_and_the_environment_over_both(tmp_path: Path) -> None:
    environment = files(tmp_path, 'ui = "plain"\noutput = "~/x"\n', 'ui = "full"\ntheme = "nord"\n') | {
        "TEXTUAL_THEME": "mine"
    }
    user_config.into(environment)
    assert environment["COMPUTE_WIZARD_UI"] == "plain"
    assert environment["TEXTUAL_THEME"] == "mine"
    assert user_config.output(environment) == Path("~/x").expanduser()


def test_without_a_file_nothing_is_set(tmp_path: Path) -> None:
    environment = files(tmp_path)
    before = dict(environment)
    user_config.into(environment)
    assert environment == before and user_config.output(environment) == Path()


@pytest.mark.parametrize(
    "text",
    [
        'ui = "big"',
        "ui = 3",
        'face = "full"',
        'theme = ""',
        'theme = "a b"',
        'output = "here"',
        "= 1",
        "[ui]",
        'ui = "a\\u0007"',
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, tmp_path: Path) -> None:
    environment = files(tmp_path, text)
    with pytest.raises(InputError) as raised:
        user_config.into(environment)
    assert (raised.value.code, raised.value.where) == ("CONFIG", user_config.paths(environment)[0])


def test_a_command_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    for name, value in files(tmp_path, f'output = "{tmp_path}/out"\n').items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COMPUTE_WIZARD_OUTPUT", "")  # put back at the end
    monkeypatch.delenv("COMPUTE_WIZARD_OUTPUT")
    root = str(written(tmp_path / "origin"))
    assert call(capsys, "bundle", "--root", root)[0] == 0
    monkeypatch.delenv("COMPUTE_WIZARD_OUTPUT")
    (bundle,) = (tmp_path / "out").iterdir()
    assert re.fullmatch(r"compute-wizard-bundle-\d{8}T\d{6}Z\.tar\.gz", bundle.name)


def test_the_page_has_every_setting() -> None:
    text = (REPOSITORY / "docs/configuration.md").read_text("utf-8")
    assert dict(re.findall(r"^\| `(\w+)` \|.*\| `(\w+)` \| [0-9.]+ \|$", text, re.M)) == user_config.SETTINGS

"""The state directory and the program itself: what others can write is refused, and what this tool writes is for its owner alone."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from surroundings import done, planned

from wizard.apply import launch, trust
from wizard.apply.trust import refuse_untrusted_program, refuse_untrusted_state
from wizard.errors import Refused
from wizard.runs import store
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    (tmp_path / "node").mkdir()
    return simulate(built_in("demo"), tmp_path / "node")


def test_a_link_at_the_state_directory_itself_is_refused(node: SimulatedNode, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    state = store.state_directory(node.directory)
    state.parent.mkdir(parents=True, exist_ok=True)
    state.symlink_to(elsewhere)
    with pytest.raises(Refused, match="symbolic link"):
        launch.start(node.directory, planned(node), simulated=True)
    assert list(elsewhere.iterdir()) == []


# the state directory and the tool's own files


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o722])
@pytest.mark.parametrize("which", ["", "runs"])
def test_a_state_directory_that_others_can_write_is_refused(mode: int, which: str, node: SimulatedNode) -> None:
    place = store.state_directory(node.directory) / which
    place.mkdir(parents=True)
    place.chmod(mode)
    with pytest.raises(Refused, match="others may write there"):
        launch.start(node.directory, planned(node), simulated=True)
    assert stat.S_IMODE(place.stat().st_mode) == mode
    assert store.runs(node.directory) == []


def test_a_state_directory_of_somebody_else_or_below_a_public_one_is_refused(node: SimulatedNode) -> None:
    place = store.state_directory(node.directory)
    place.mkdir(parents=True)
    place.parent.chmod(0o777)
    with pytest.raises(Refused, match="everybody may write there"):
        refuse_untrusted_state(place, node.directory)
    place.parent.chmod(0o1777)
    refuse_untrusted_state(place, node.directory)
    if os.geteuid() == 0:
        os.chown(place, 4711, 0)
        with pytest.raises(Refused, match="user number 4711"):
            refuse_untrusted_state(place, node.directory)


def test_one_that_is_only_readable_for_others_is_closed(node: SimulatedNode) -> None:
    place = store.state_directory(node.directory)
    place.mkdir(parents=True)
    place.chmod(0o755)
    done(node, planned(node))
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_everything_in_the_state_directory_is_for_its_owner_only(node: SimulatedNode) -> None:
    done(node, planned(node))
    place = store.state_directory(node.directory)
    modes = {str(each): stat.S_IMODE(each.lstat().st_mode) for each in (place, *place.rglob("*"))}
    assert len(modes) > 10
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}


def test_a_program_that_others_can_change_does_not_run_as_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("planted")
    module.__file__ = str(tmp_path / "package" / "planted.py")
    (tmp_path / "package").mkdir()
    Path(module.__file__).write_text("", encoding="utf-8")
    monkeypatch.setattr(trust, "ROOT", os.geteuid())
    monkeypatch.setattr(trust, "_loaded", lambda: iter([module.__file__]))
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "executable", "")
    owned = [place for place in (tmp_path, *tmp_path.parents) if place.stat().st_uid != os.geteuid()]
    if not owned:
        refuse_untrusted_program()
    for place, mode, back in ((Path(module.__file__), 0o666, 0o644), (tmp_path / "package", 0o777, 0o755)):
        place.chmod(mode)
        with pytest.raises(Refused, match="would run as root"):
            refuse_untrusted_program()
        place.chmod(back)
    if os.geteuid() == 0:
        os.chown(module.__file__, 4711, 0)
        with pytest.raises(Refused, match="user number 4711"):
            refuse_untrusted_program()


def test_the_program_is_looked_at_where_it_would_change_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise Refused("this program would run as root")

    monkeypatch.setattr(launch, "refuse_untrusted_program", refuse)
    monkeypatch.setattr(launch, "refuse_untrusted_state", lambda *_: None)
    launch._refuse_untrusted(Path("/"), "none")
    with pytest.raises(Refused, match="would run as root"):
        launch._refuse_untrusted(Path("/"), "live")

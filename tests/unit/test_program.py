"""A part of this program runs as a process of its own, however the program was installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ASK = "from wizard import program; print('\\n'.join(program.argv('wizard.apply.flush', '/')))"


def elsewhere(tmp_path: Path) -> tuple[str, dict[str, str]]:
    """A Python that finds the program by PYTHONPATH alone; libraries come from a directory on that path, too."""
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    libraries = [each for each in sys.path if each.endswith("site-packages")]
    return str(bare / "bin/python"), {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *libraries])}


def test_an_installed_program_is_found_by_an_isolated_python() -> None:
    done = subprocess.run([sys.executable, "-I", "-c", ASK], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [sys.executable, "-I", "-m", "wizard.apply.flush", "/"]


def test_one_that_runs_by_its_path_gives_the_path_on(tmp_path: Path) -> None:
    python, environment = elsewhere(tmp_path)
    done = subprocess.run([python, "-c", ASK], capture_output=True, text=True, check=True, env=environment)
    first = subprocess.run(
        [python, "-I", "-c", "import wizard"], capture_output=True, check=False, env=environment, cwd="/"
    )
    assert first.returncode == 1
    answers = tmp_path / "answers.toml"
    answers.write_text('format = "compute-wizard.answers/1"\n[iommu]\nenable = true\n', encoding="utf-8")
    assert "-m" not in done.stdout.splitlines()
    node = tmp_path / "node"
    make = (
        "import sys; from pathlib import Path; from wizard.simulator.built_in import built_in; from wizard.simulator import described;"
        "described.materialise(built_in('origin'), Path(sys.argv[1]))"
    )
    subprocess.run([python, "-c", make, str(node)], check=True, env=environment)
    command = [python, "-m", "screens.start", "--root", str(node)]
    applied = subprocess.run(
        [*command, "apply", "--answers", str(answers), "--yes", "--files-only"],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert (node / "etc/default/grub.d/zz-compute-wizard.cfg").exists()


@pytest.mark.parametrize("name", ["wizard", "assets"])
def test_a_package_of_the_same_name_is_named_and_no_traceback_is_shown(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("", encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from screens.start import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-I", "-c", code, "plan"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("compute-wizard: another package of that name is found first: ")
    assert str(tmp_path / name) in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("form", ["package", "module"])
@pytest.mark.parametrize("name", ["screens", "wizard", "assets"])
def test_what_an_installed_wheel_starts_finds_its_own_packages_or_says_whose_it_found(
    tmp_path: Path, name: str, form: str
) -> None:
    other = tmp_path / name / "__init__.py" if form == "package" else tmp_path / f"{name}.py"
    other.parent.mkdir(exist_ok=True)
    other.write_text("raise SystemExit('it was run')\n", encoding="utf-8")
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(REPOSITORY)!r}]; from compute_wizard import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-I", "-c", code, "plan"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("compute-wizard: another package of that name is found first: ")
    assert str(tmp_path / name) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_an_installed_wheel_starts_is_the_command_line() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); import compute_wizard; sys.exit(compute_wizard.main())"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("compute-wizard ")
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert '\ncompute-wizard = "compute_wizard:main"\n' in text
    assert '\npy-modules = ["compute_wizard"]\n' in text

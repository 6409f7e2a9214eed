# make demo: the wizard on the built-in demo node; needs no hardware and no root.
# make test: all tests; installs what they need into .venv, and system packages where it may.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.10 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
QUICK := answers boot chapters facts formats model planning/test_planner.py probes test_documents.py
# One more than there are processors: many tests wait for a program, a terminal or a clock.
PYTEST_WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)
WORKERS = -n $(PYTEST_WORKERS) --dist worksteal
MEMORY = $(shell "$(PYTHON)" tests/memory.py)
# One that says it is installed and is not - a Python that was upgraded, a checkout that was copied, a half of it deleted - is made anew.
WHOLE = import os, textual, wizard; assert os.path.realpath(wizard.__file__) == os.path.realpath("wizard/__init__.py")
$(shell test ! -e .venv/installed || { test -x $(BIN)/compute-wizard && $(BIN)/python -I -c '$(WHOLE)' 2>/dev/null; } || \
	rm -f .venv/installed .venv/tested .venv/bin/python)
.DEFAULT_GOAL := help
.PHONY: help demo check coverage test torture lint unit packages clean bench lab pythons dist test-dist nova cases man docs pictures

help:
	@echo "make demo    the wizard on the built-in demo node (no root, no hardware)"
	@echo "make check   style, types, walls and the quick unit tests, in under a minute: while you work"
	@echo "make test    everything that is checked: style, types, walls, tests"
	@echo "make coverage  branch coverage of formats, planning, apply and runs, with a floor"
	@echo "make torture every fault at every system call of an apply and of an undo, hundreds of odd nodes and an hour of races against writers (STEP=8: at each eighth; RACES=200, EXAMPLES=40: so many)"
	@echo "make nova    every release of nova from 27 on judges what is said of its lines (a minute or two, about 45 MB)"
	@echo "make lab     virtual machines that really boot, with the tool in them; SCENARIO=any-device plays one (docs/lab.md)"
	@echo "make pythons the unit tests on every Python from 3.10 on that is found; the others are checked statically"
	@echo "make dist    sdist, wheel, single file, .deb, wheelhouse and their sums, in dist/"
	@echo "make test-dist  each of them installed, used and removed in a clean Debian 12 and 13 without a network (root, debootstrap)"
	@echo "make bench   times of start, plan and edit, bytes of each face, measured and printed"
	@echo "make man     the man page and completions for bash, zsh and fish, from the parser, in build/man"
	@echo "make docs    the site of docs/, in build/site; links are checked"
	@echo "make pictures  the pictures of the README, from the running program"
	@echo "make cases   a table of what the cases of CASES=DIRECTORY come to; CASE=WORD picks some"
	@echo "make clean   away with what was made"

demo: .venv/installed
	@$(BIN)/compute-wizard demo

test: packages lint unit

# Hypothesis tries few examples here; runs, faces and real programs are left to `make test`.
check: lint
	$(MEMORY) COMPUTE_WIZARD_QUICK=1 $(BIN)/pytest $(WORKERS) $(addprefix tests/unit/,$(QUICK))

torture: packages .venv/tested
	COMPUTE_WIZARD_TORTURE=$(or $(STEP),1) COMPUTE_WIZARD_RACES=$(or $(RACES),4000) COMPUTE_WIZARD_EXAMPLES=$(or $(EXAMPLES),200) $(BIN)/pytest $(WORKERS) -s $(and $(wildcard /dev/shm),--basetemp=/dev/shm/compute-wizard-torture) tests/real/test_torture.py tests/real/test_rescue_torture.py tests/real/test_writer_races.py tests/unit/apply/test_any_state.py tests/unit/apply/test_cut_undo.py

lint: .venv/tested
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Every release of nova that the dependencies of the newest can run judges what this tool says of nova's lines.
nova: .venv/tested .venv-nova/all
	COMPUTE_WIZARD_NOVA=.venv-nova/bin/python COMPUTE_WIZARD_NOVA_ALL=1 $(BIN)/pytest tests/real/test_nova_matching.py tests/real/test_nova_judge.py

unit: .venv/tested .venv-nova/installed .venv-nova/some
	$(MEMORY) COMPUTE_WIZARD_NOVA=.venv-nova/bin/python $(BIN)/pytest $(WORKERS) tests

# Branch coverage of what changes files and plans, by the unit tests and the runners that they fork; the floor is in pyproject.toml.
coverage: .venv/tested
	$(MEMORY) $(BIN)/pytest $(WORKERS) --cov --cov-report= $(addprefix tests/unit/,apply formats model planning runs)
	$(BIN)/coverage report

bench: .venv/tested
	$(BIN)/python -I benchmarks/times.py
	$(BIN)/python -I benchmarks/ratios.py
	$(BIN)/python -I benchmarks/faces.py
	$(BIN)/python -I benchmarks/tables.py
	$(BIN)/python benchmarks/comparison.py

man: .venv/tested
	$(BIN)/python packaging/man.py build/man

docs: .venv/bin/python
	@sh tests/venv.sh install .venv "$(PYTHON)" -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --site-dir build/site

pictures: .venv/installed
	@$(BIN)/python -c "import fontTools, brotli" 2>/dev/null || sh tests/venv.sh install .venv "$(PYTHON)" -e '.[pictures]'
	$(BIN)/python -I docs/pictures/make.py

lab: .venv/tested
	PYTHONPATH=tests $(BIN)/python -m lab $(SCENARIO)

# Cases kept outside of this tree: a folder for each, with a README and its node.
cases: .venv/tested
	@test -n "$(CASES)" || { echo "make cases CASES=DIRECTORY" >&2; exit 2; }
	$(BIN)/python tests/cases.py "$(CASES)" $(CASE)

pythons: .venv/tested
	@sh tests/pythons.sh

dist: .venv/bin/python
	@sh tests/venv.sh install .venv "$(PYTHON)" -e '.[dist]'
	$(BIN)/python packaging/dist.py
	$(BIN)/python -m twine check --strict dist/*.whl dist/*.tar.gz

test-dist:
	sh packaging/test.sh

packages:
	@sh tests/packages.sh "$(PYTHON)"

.venv/bin/python:
	@sh tests/venv.sh make .venv "$(PYTHON)"

.venv/installed: pyproject.toml .venv/bin/python
	@sh tests/venv.sh install .venv "$(PYTHON)" -e .
	@touch $@

.venv/tested: pyproject.toml .venv/bin/python
	@sh tests/venv.sh install .venv "$(PYTHON)" -e '.[test]'
	@touch $@ .venv/installed

# Nova itself judges nova.conf; it has a place of its own, since its dependencies are many.
.venv-nova/installed: .venv/bin/python
	@$(PYTHON) -m venv .venv-nova && .venv-nova/bin/python -m pip install --quiet --disable-pip-version-check nova==34.0.0 && \
		touch $@ || echo "nova could not be installed: it is not asked about nova.conf" >&2

# Other releases need no dependencies of their own: each is its own wheel, unpacked, and put in front of sys.path.
NOVA_SOME := 27.5.1 31.3.1
NOVA_ALL := $(NOVA_SOME) 28.3.1 29.4.0 30.3.0 32.2.1 33.0.2
NOVA_WHEEL = for version in $(1); do test -d .venv-nova/releases/$$version || { \
	mkdir -p .venv-nova/wheels && .venv-nova/bin/python -m pip download --quiet --disable-pip-version-check --no-deps \
	--only-binary :all: --ignore-requires-python --dest .venv-nova/wheels nova==$$version && \
	.venv-nova/bin/python -m zipfile -e .venv-nova/wheels/nova-$$version-py3-none-any.whl .venv-nova/releases/.$$version && \
	mv .venv-nova/releases/.$$version .venv-nova/releases/$$version || missing=1; }; done; \
	test -z "$$missing" && touch $@ || echo "a release of nova could not be had: it is not asked" >&2

.venv-nova/some: .venv-nova/installed
	@$(call NOVA_WHEEL,$(NOVA_SOME))

.venv-nova/all: .venv-nova/installed
	@$(call NOVA_WHEEL,$(NOVA_ALL))

clean:
	rm -rf .venv .venv-nova .venv-pythons build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# make demo: the wizard on the built-in demo node; needs no hardware and no root.
# make test: all tests; installs what they need into .venv, and system packages where it may.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.10 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
PYTEST_WORKERS ?= 2
.DEFAULT_GOAL := help
.PHONY: help demo test torture lint unit packages clean bench lab pythons dist test-dist

help:
	@echo "make demo    the wizard on the built-in demo node (no root, no hardware)"
	@echo "make test    everything that is checked: style, types, walls, tests"
	@echo "make torture every fault at every system call of an apply and of an undo and an hour of races against writers (STEP=8: at each eighth; RACES=200: so many)"
	@echo "make lab     virtual machines that really boot, with the tool in them; SCENARIO=any-device plays one (docs/lab.md)"
	@echo "make pythons the unit tests on every Python from 3.10 on that is found; the others are checked statically"
	@echo "make dist    sdist, wheel, single file, .deb, wheelhouse and their sums, in dist/"
	@echo "make test-dist  each of them installed, used and removed in a clean Debian 12 and 13 without a network (root, debootstrap)"
	@echo "make bench   times of start, plan and edit, bytes of each face, measured and printed"
	@echo "make pictures  the pictures of the README, from the running program"
	@echo "make clean   away with what was made"

demo: .venv/installed
	@$(BIN)/compute-wizard demo

test: packages lint unit

torture: packages .venv/tested
	COMPUTE_WIZARD_TORTURE=$(or $(STEP),1) COMPUTE_WIZARD_RACES=$(or $(RACES),4000) $(BIN)/pytest -n $(PYTEST_WORKERS) -s $(and $(wildcard /dev/shm),--basetemp=/dev/shm/compute-wizard-torture) tests/real/test_torture.py tests/real/test_rescue_torture.py tests/real/test_writer_races.py

lint: .venv/tested
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: .venv/tested .venv-nova/installed
	COMPUTE_WIZARD_NOVA=.venv-nova/bin/python $(BIN)/pytest -n $(PYTEST_WORKERS) tests

bench: .venv/tested
	$(BIN)/python -I benchmarks/times.py
	$(BIN)/python -I benchmarks/faces.py
	$(BIN)/python -I benchmarks/tables.py

pictures: .venv/installed
	$(BIN)/python -I docs/pictures/make.py

lab: .venv/tested
	PYTHONPATH=tests $(BIN)/python -m lab $(SCENARIO)

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

clean:
	rm -rf .venv .venv-nova .venv-pythons build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

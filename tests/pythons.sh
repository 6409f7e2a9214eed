#!/bin/sh
# The tests of the engine that need neither root nor system packages, on every Python from 3.10 on that is found here (in PATH, or
# below ~/.pyenv/versions), each in a virtual environment of its own below .venv-pythons. A version that is not found is checked
# statically: mypy reads program and tests as that version would. The last lines say which was which; any failure is a failure.
set -u
cd "$(dirname "$0")/.."
tests=${PYTHONS_TESTS:-tests/unit/formats tests/unit/answers tests/unit/cli tests/unit/planning tests/unit/runs tests/unit/test_pythons.py}
ran='' static='' failed=''
for minor in 10 11 12 13 14; do
	python=
	for candidate in "python3.$minor" "$HOME/.pyenv/versions/3.$minor".*/bin/python3; do
		if "$candidate" -c "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, $minor))" 2>/dev/null; then
			python=$candidate
			break
		fi
	done
	if [ -z "$python" ]; then
		if .venv/bin/mypy --python-version "3.$minor"; then static="$static 3.$minor"; else failed="$failed 3.$minor"; fi
		continue
	fi
	place=.venv-pythons/3.$minor
	echo "Python 3.$minor ($python)"
	if { [ -x "$place/bin/python" ] || "$python" -m venv --clear "$place"; } &&
		"$place/bin/python" -m pip install --quiet --disable-pip-version-check -e '.[unit]' &&
		# shellcheck disable=SC2086
		"$place/bin/python" -m pytest -p no:cacheprovider -n "${PYTEST_WORKERS:-2}" $tests; then
		ran="$ran 3.$minor"
	else
		failed="$failed 3.$minor"
	fi
done
echo "tests ran on:${ran:- none}"
echo "checked statically:${static:- none}"
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }

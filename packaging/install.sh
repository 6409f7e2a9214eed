#!/bin/sh
# Installs compute-wizard from the wheels beside this script, without a network and without python3-venv:
#   sh install.sh [DIRECTORY]        a virtual environment there (/opt/compute-wizard), and /usr/local/sbin/compute-wizard for root
#   sh install.sh --remove [DIRECTORY]
# PYTHON names a Python from 3.10 on; else the newest that is found is taken. Runs, backups and journals in /var/lib/compute-wizard stay.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
remove=
[ "${1:-}" != --remove ] || { remove=1; shift; }
place=${1:-/opt/compute-wizard}
case $place in /*) ;; *) place=$(pwd)/$place ;; esac
case $place in *[\"\$\`\\]*) echo "$place: a name with quotes, dollars or backslashes cannot be used" >&2; exit 1 ;; esac
command=/usr/local/sbin/compute-wizard
if [ -n "$remove" ]; then
	[ -e "$place/pyvenv.cfg" ] || { echo "there is no compute-wizard in $place" >&2; exit 1; }
	rm -rf "$place"
	[ ! -f "$command" ] || ! grep -qF "$place/" "$command" || rm -f "$command"
	[ ! -d /var/lib/compute-wizard/runs ] || echo "Runs and backups stay in /var/lib/compute-wizard; undo.sh in each needs no Python."
	exit 0
fi
python=${PYTHON:-}
if [ -z "$python" ]; then
	for each in python3.14 python3.13 python3.12 python3.11 python3.10 python3; do
		if "$each" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then python=$each; break; fi
	done
fi
[ -n "$python" ] || { echo "compute-wizard needs Python 3.10 to 3.14, and none was found" >&2; exit 1; }
if [ -e "$place" ] && [ ! -e "$place/pyvenv.cfg" ] && [ -n "$(ls -A "$place")" ]; then
	echo "$place is there and is not a virtual environment" >&2
	exit 1
fi
umask 022
trap 'rm -rf "$place"' EXIT
"$python" -m venv --clear --without-pip "$place"
set -- "$here"/wheels/pip-*.whl
"$place/bin/python" "$1/pip" install --quiet --disable-pip-version-check --no-index --no-cache-dir --find-links "$here/wheels" "compute-wizard==@VERSION@"
trap - EXIT
start="#!/bin/sh
exec \"$place/bin/python\" -I -m screens.start \"\$@\""
printf '%s\n' "$start" >"$place/bin/compute-wizard"
if [ "$(id -u)" = 0 ] && { [ ! -e "$command" ] || grep -qF "$place/" "$command" || [ "$place" = /opt/compute-wizard ]; }; then
	mkdir -p /usr/local/sbin
	printf '%s\n' "$start" >"$command"
	chmod 755 "$command"
	echo "installed: $command"
else
	echo "installed: $place/bin/compute-wizard"
fi

#!/bin/sh
# Builds everything a second time, in another directory, time zone, language and with another umask: the bytes have to be the same.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
umask 077
mkdir -p "$place/some where/else"
tar --exclude=./.venv --exclude=./.venv-nova --exclude=./.venv-pythons --exclude=./dist --exclude=./build --exclude='./*.egg-info' \
	--exclude='__pycache__' --exclude='./.*_cache' -cf - . | tar --no-same-owner --no-same-permissions -C "$place/some where/else" -xf -
cd "$place/some where/else"
if ! TZ=Pacific/Kiritimati LC_ALL=C PYTHONHASHSEED=7 "$here/.venv/bin/python" packaging/dist.py >"$place/said" 2>&1; then
	tail -n 5 "$place/said" >&2
	echo "a second build failed" >&2
	exit 1
fi
if diff "$here/dist/SHA256SUMS" dist/SHA256SUMS; then
	echo "reproducible: a second build elsewhere gave the same $(grep -c . dist/SHA256SUMS) files"
else
	echo "a second build elsewhere gave other bytes" >&2
	exit 1
fi

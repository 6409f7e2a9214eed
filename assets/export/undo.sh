#!/bin/sh
# Takes back what the script beside this backup did, as far as it came. Run it as root.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
case $HERE in # the root that this backup lies in, never another one
*/var/lib/compute-wizard/*) ROOT=${HERE%/var/lib/compute-wizard/*} ;;
*) ROOT=${COMPUTE_WIZARD_ROOT:?says below which root the files lie} ;;
esac
did() { grep -qx "$1" "$HERE/done" 2>/dev/null; }
command_back() { # NUMBER WORDS…
	number=$1
	shift
	did "$number" || return 0
	printf '$ %s\n' "$*"
	[ -n "$ROOT" ] || "$@" </dev/null || printf 'failed: %s (go on by hand)\n' "$*" >&2
}
file_back() { # NUMBER PATH
	if [ -e "$HERE/$1" ]; then
		printf 'restore %s\n' "$2"
		cp -p "$HERE/$1" "$ROOT$2.compute-wizard-undo" && mv -f "$ROOT$2.compute-wizard-undo" "$ROOT$2" || exit 1
	elif [ -e "$HERE/new-$1" ]; then
		printf 'remove %s\n' "$2"
		rm -f "$ROOT$2"
	fi
}
value_back() { # NUMBER PATH VALUE
	did "$1" || return 0
	printf 'set %s to %s\n' "$2" "$3"
	[ -n "$ROOT" ] || printf '%s\n' "$3" >"$2"
}

#!/bin/sh
# Takes back what the script beside this backup did, as far as it came. Run it as root.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
case $HERE in # the root that this backup lies in, never another one
*/var/lib/compute-wizard/*) ROOT=${HERE%/var/lib/compute-wizard/*} ;;
*) ROOT=${COMPUTE_WIZARD_ROOT:?says below which root the files lie} ;;
esac
FAILED=0
failed() { FAILED=1; printf 'failed: %s (go on by hand)\n' "$*" >&2; }
begun() { grep -qx "$1" "$HERE/begun" 2>/dev/null; }
command_back() { # NUMBER WORDS…
	number=$1
	shift
	begun "$number" || return 0
	printf '$ %s\n' "$*"
	[ -n "$ROOT" ] || "$@" </dev/null || failed "$*"
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
	begun "$1" || return 0
	printf 'set %s to %s\n' "$2" "$3"
	[ -n "$ROOT" ] || printf '%s\n' "$3" >"$2" || failed "$3 cannot be written to $2"
}
stop_back() { # NUMBER PIDFILE TEXT: the process that took up the new files, so that it comes up with the old ones
	begun "$1" || return 0
	printf 'stop the process in %s, if its command line holds %s\n' "$2" "$3"
	[ -z "$ROOT" ] || return 0
	pid=$(cat "$2" 2>/dev/null)
	case $pid in "" | *[!0-9]*) return 0 ;; esac
	tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$3" || return 0
	kill "$pid"
	n=0
	while kill -0 "$pid" 2>/dev/null; do
		n=$((n + 1))
		[ "$n" -le 15 ] || { failed "process $pid has not ended"; return; }
		sleep 1
	done
}
finish() { # AT-BOOT: what waits for the next boot; may be empty
	if [ "$FAILED" = 0 ]; then echo "Taken back.${1:+ $1}"; else echo "Taken back, but for what failed above.${1:+ $1}"; fi
	if [ -s "$HERE/one-way" ]; then
		echo "Not taken back, since nothing can:"
		cat "$HERE/one-way"
	fi
	exit "$FAILED"
}

#!/bin/sh
# Takes back what the script beside this backup did, as far as it came. Run it as root: sh undo.sh [--accept guests]
# Where what it does may interrupt guests that run, they are listed, and it wants --accept guests. Exit status: 0 done; 1 an error;
# 4 refused, and nothing was changed; 64 wrong usage.
set -u
export LC_ALL=C
umask 077
HERE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
case $HERE in # the root that this backup lies in, never another one
*/var/lib/compute-wizard/*) ROOT=${HERE%/var/lib/compute-wizard/*} ;;
*) ROOT=${COMPUTE_WIZARD_ROOT:?says below which root the files lie} ;;
esac
ROOT=$(CDPATH='' cd -P -- "$ROOT/" && pwd -P) || exit 1
[ "$ROOT" != / ] || ROOT=
FAILED=0 NOT_BACK=' ' GUESTS=no
usage() { printf 'usage: sh %s [--accept guests]\n' "$0"; }
while [ $# -gt 0 ]; do
	case $1 in
	--accept=guests) GUESTS=yes ;;
	--accept)
		[ "${2:-}" = guests ] || { usage >&2; exit 64; }
		GUESTS=yes
		shift
		;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 64 ;;
	esac
	shift
done
# --- guests that run
made() { :; } # what was made for a file that comes back is the node's own again
# --- replacing files
failed() { FAILED=1; printf 'failed: %s (go on by hand)\n' "$*" >&2; }
begun() { grep -qx "$1" "$HERE/begun" 2>/dev/null; }
touching() { # GUESTS-OF-THE-PLAN NUMBER WHAT…: nothing is begun while guests run that this may interrupt, unless that is accepted
	running=$(guests_here) steps=
	if [ -z "$running" ] && { [ -n "$ROOT" ] || [ ! -r /proc/1/cmdline ]; }; then running=$1; fi # those of now cannot be seen
	shift
	while [ $# -gt 1 ]; do
		if begun "$1"; then steps="$steps     $2
"; fi
		shift 2
	done
	[ -n "$running" ] && [ -n "$steps" ] && [ "$GUESTS" = no ] || return 0
	{
		printf 'refused: guests run here, and taking this back may interrupt them:\n%s' "$steps"
		echo 'The guests:'
		printf '%s\n' "$running" | sed 's/^/     /'
		echo 'Move them away first, or accept a pause.'
		printf 'Nothing was changed. If you mean it: sh %s --accept guests\n' "$0"
	} >&2
	exit 4
}
command_back() { # NUMBER WORDS…
	number=$1
	shift
	begun "$number" || return 0
	printf '$ %s\n' "$*"
	[ -n "$ROOT" ] || "$@" </dev/null || { failed "$*"; NOT_BACK="$NOT_BACK$number "; }
}
last_back() { # NUMBER WORDS…: what was kept in case something goes wrong: only where all else was taken back
	if [ "$FAILED" = 0 ]; then command_back "$@"; fi
}
file_back() { # NUMBER PATH COMMANDS…: the file, unless one of the commands that need it could not be taken back
	number=$1 path=$2
	shift 2
	[ -e "$HERE/$number" ] || [ -e "$HERE/new-$number" ] || return 0
	for command; do
		case $NOT_BACK in *" $command "*) failed "$path stays: a command that could not be taken back needs it"; return 0 ;; esac
	done
	sweep_work "${path%/*}"
	open_work "$path" make || { failed "$path: no directory of our own can be made beside it"; return 0; }
	held=0
	hold || held=$?
	if [ "$held" = 2 ]; then
		failed "$path is no regular file any more"
	elif [ -e "$HERE/$number" ]; then
		printf 'restore %s\n' "$path"
		restore "$HERE/$number.state" "$HERE/$number" "$path" || failed "$path cannot be put back"
	elif [ "$held" = 0 ]; then
		printf 'remove %s\n' "$path"
		as_looked_at && rm -f "../$NAME" || failed "$path cannot be removed"
	fi
	close_work
}
directories_back() { # those that the script made, the lowest first, where they are empty
	if [ ! -e "$HERE/directories" ]; then return 0; fi
	sort -ru "$HERE/directories" | while IFS= read -r path; do
		if go_to "${path%/*}"; then rmdir "./${path##*/}" 2>/dev/null; fi
	done
	cd /
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

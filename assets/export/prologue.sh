# POSIX sh; needs cat, chmod, chown, cp, cut, date, grep, head, id, mkdir, mv, printf, readlink, rm, rmdir, sha256sum, sleep, sort,
# tail, tr: coreutils or busybox, and grep.
# With COMPUTE_WIZARD_ROOT=DIRECTORY everything is done below that directory: files are written, commands only listed.
set -u
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
ROOT=${COMPUTE_WIZARD_ROOT:-}
NOW=$(date -u +%Y%m%dT%H%M%SZ)
BACKUP=$ROOT/var/lib/compute-wizard/script-$NOW-$$
NUMBER=0 PROBLEMS=0 NEW= DRY=no ACCEPTED=no

usage() { printf 'usage: sh %s [--dry-run] [--accept one-way]\n' "$0"; }
while [ $# -gt 0 ]; do
	case $1 in
	--dry-run) DRY=yes ;;
	--accept=one-way) ACCEPTED=yes ;;
	--accept)
		[ "${2:-}" = one-way ] || { usage >&2; exit 64; }
		ACCEPTED=yes
		shift
		;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 64 ;;
	esac
	shift
done

way_back() { # WHAT: how it is taken back, and what of it stays
	printf '%s is taken back by: sh %s/undo.sh\n' "$1" "$BACKUP"
	[ -s "$BACKUP/one-way" ] || return 0
	echo "That does not take back, since nothing can:"
	cat "$BACKUP/one-way"
}
die() {
	printf 'failed: %s\n' "$*" >&2
	[ -z "$NEW" ] || rm -f "$NEW"
	if [ -d "$BACKUP" ]; then way_back "What was done so far" >&2; fi
	exit 1
}
sum() { sha256sum <"$1" | cut -d ' ' -f 1; }

# --- what the plan expects to find: everything is looked at before anything is touched
problem() { PROBLEMS=$((PROBLEMS + 1)); printf 'changed since the plan was made: %s\n' "$*" >&2; }
expect_file() { # PATH SHA256 MODE OWNER
	[ -f "$ROOT$1" ] || { problem "$1 is not there"; return; }
	[ "$(sum "$ROOT$1")" = "$2" ] || { problem "$1 has another content"; return; }
	mode=$(stat -c %a "$ROOT$1" 2>/dev/null) || return 0 # no stat: the content has to do
	case $mode in ?) mode=000$mode ;; ??) mode=00$mode ;; ???) mode=0$mode ;; esac
	[ "$mode" = "$3" ] || problem "$1 had mode $3, and has $mode now"
	[ -n "$ROOT" ] || [ "$(stat -c %U:%G "$1")" = "$4" ] || problem "$1 belonged to $4, and belongs to $(stat -c %U:%G "$1") now"
}
expect_absent() { if [ -e "$ROOT$1" ] || [ -h "$ROOT$1" ]; then problem "$1 was not there, and is now"; fi; }
expect_link() { # PATH TARGET
	[ "$(readlink "$ROOT$1" 2>/dev/null)" = "$2" ] || problem "$1 was a link to $2, and is none now"
}
expect_value() { # PATH VALUE
	[ -r "$ROOT$1" ] || { problem "$1 was $2, and is not there now"; return; }
	[ "$(cat "$ROOT$1" 2>/dev/null)" = "$2" ] || problem "$1 was $2, and is $(cat "$ROOT$1" 2>/dev/null) now"
}
expect_command() { # NAME
	command -v "$1" >/dev/null 2>&1 && return 0
	PROBLEMS=$((PROBLEMS + 1))
	printf 'not here: the command %s, which the plan needs\n' "$1" >&2
}
expect_machine() { # ID PATH…
	id=$1
	shift
	for path; do
		[ -s "$path" ] || continue
		[ "$(cat "$path")" = "$id" ] || problem "the plan was made for another machine"
		return 0
	done
}

# --- steps
step() { NUMBER=$1; printf '%3s. %s\n' "$1" "$2"; }
begun() { printf '%s\n' "$NUMBER" >>"$BACKUP/begun" || die "$BACKUP cannot be written"; }
one_way() { # TITLE
	if [ -n "$ROOT" ]; then return 0; fi
	printf '%3s. %s\n' "$NUMBER" "$1" >>"$BACKUP/one-way" || die "$BACKUP cannot be written"
}
directories() { # the directories above a path that are not there yet
	if [ -z "${1%/*}" ] || [ -d "$ROOT${1%/*}" ]; then return 0; fi
	directories "${1%/*}"
	mkdir -m 0755 "$ROOT${1%/*}" || die "${1%/*} cannot be made"
	printf '%s\n' "${1%/*}" >>"$BACKUP/directories"
}
keep_old() { # PATH: what is there goes into the backup, with mode, owner and times
	if [ -e "$ROOT$1" ]; then
		# Whole or not at all: undo.sh would put a part of it in the place of the file.
		cp -p "$ROOT$1" "$BACKUP/part" && mv "$BACKUP/part" "$BACKUP/$NUMBER" || die "$1 cannot be backed up"
	else
		printf '' >"$BACKUP/new-$NUMBER" || die "$BACKUP cannot be written"
	fi
}
begin_write() { # PATH
	keep_old "$1"
	directories "$1"
	NEW=$ROOT${1%/*}/.compute-wizard-$$.new
	(umask 077 && : >"$NEW") || die "$1 cannot be written"
	OLD=$ROOT$1
}
lines() { head -n "$2" <"$OLD" | tail -n "+$1" >>"$NEW"; } # FIRST LAST of the old file
bare_line() { head -n "$1" <"$OLD" | tail -n "+$1" | tr -d '\n' >>"$NEW"; } # NUMBER of a line, without its end
finish_write() { # PATH SHA256 MODE OWNER
	[ "$(sum "$NEW")" = "$2" ] || { rm -f "$NEW"; die "$1 would not become what was planned; it was not touched"; }
	if [ "$(id -u)" = 0 ] && [ -z "$ROOT" ]; then chown "$4" "$NEW" || die "$1 cannot be given to $4"; fi
	chmod "$3" "$NEW" && mv -f "$NEW" "$ROOT$1" || die "$1 cannot be put in place"
	NEW=
}
remove() { keep_old "$1"; rm -f "$ROOT$1" || die "$1 cannot be removed"; }
attribute() { # PATH VALUE
	if [ -n "$ROOT" ]; then echo "       not done below another root"; return; fi
	begun
	printf '%s\n' "$2" >"$1" || die "the kernel refused $2 for $1"
	[ "$(cat "$1")" = "$2" ] || die "$1 is $(cat "$1") after $2 was written to it"
}
stop() { # PIDFILE TEXT: end the process whose pid is there now, if its command line holds the text
	if [ -n "$ROOT" ]; then echo "       not done below another root"; return; fi
	begun
	pid=$(cat "$1" 2>/dev/null)
	case $pid in "" | *[!0-9]*) echo "       no such process"; return ;; esac
	tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$2" || { echo "       no such process"; return; }
	kill "$pid"
	n=0
	while kill -0 "$pid" 2>/dev/null; do
		n=$((n + 1))
		[ "$n" -le 15 ] || die "process $pid has not ended"
		sleep 1
	done
}
run() {
	if [ -n "$ROOT" ]; then echo "       not done below another root"; return; fi
	begun
	"$@" </dev/null || die "$1 ended with exit status $?"
}

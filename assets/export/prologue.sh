# POSIX sh; needs cat, chmod, chown, cp, date, head, id, mkdir, mv, printf, rm, sha256sum, tail, tr: coreutils or busybox.
# With COMPUTE_WIZARD_ROOT=DIRECTORY everything is done below that directory: files are written, commands only listed.
set -u
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
ROOT=${COMPUTE_WIZARD_ROOT:-}
NOW=$(date -u +%Y%m%dT%H%M%SZ)
BACKUP=$ROOT/var/lib/compute-wizard/script-$NOW-$$
NUMBER=0 PROBLEMS=0 NEW=

die() { printf 'failed: %s\n' "$*" >&2; if [ -d "$BACKUP" ]; then printf 'What was done so far is taken back by: sh %s/undo.sh\n' "$BACKUP" >&2; fi; exit 1; }
sum() { sha256sum <"$1" | cut -d ' ' -f 1; }

# --- what the plan expects to find: everything is looked at before anything is touched
problem() { PROBLEMS=$((PROBLEMS + 1)); printf 'changed since the plan was made: %s\n' "$*" >&2; }
expect_file() { # PATH SHA256 MODE OWNER
	[ -f "$ROOT$1" ] || { problem "$1 is not there"; return; }
	[ "$(sum "$ROOT$1")" = "$2" ] || { problem "$1 has another content"; return; }
	mode=$(stat -c %a "$ROOT$1" 2>/dev/null) || return 0 # no stat: the content has to do
	case $mode in ???) mode=0$mode ;; esac
	[ "$mode" = "$3" ] || problem "$1 had mode $3, and has $mode now"
	[ -n "$ROOT" ] || [ "$(stat -c %U:%G "$1")" = "$4" ] || problem "$1 belonged to $4, and belongs to $(stat -c %U:%G "$1") now"
}
expect_absent() { if [ -e "$ROOT$1" ] || [ -h "$ROOT$1" ]; then problem "$1 was not there, and is now"; fi; }
expect_value() { # PATH VALUE
	[ "$(cat "$ROOT$1" 2>/dev/null)" = "$2" ] || problem "$1 was $2, and is $(cat "$ROOT$1" 2>/dev/null) now"
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
finished() { printf '%s\n' "$NUMBER" >>"$BACKUP/done"; }
directories() { # the directories above a path that are not there yet
	if [ -z "${1%/*}" ] || [ -d "$ROOT${1%/*}" ]; then return 0; fi
	directories "${1%/*}"
	mkdir -m 0755 "$ROOT${1%/*}" || die "${1%/*} cannot be made"
	printf '%s\n' "${1%/*}" >>"$BACKUP/directories"
}
keep_old() { # PATH: what is there goes into the backup, with mode, owner and times
	if [ -e "$ROOT$1" ]; then
		cp -p "$ROOT$1" "$BACKUP/$NUMBER" || die "$1 cannot be backed up"
	else
		: >"$BACKUP/new-$NUMBER"
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
	finished
}
remove() { keep_old "$1"; rm -f "$ROOT$1" || die "$1 cannot be removed"; finished; }
attribute() { # PATH VALUE
	if [ -n "$ROOT" ]; then echo "       not done below another root"; return; fi
	printf '%s\n' "$2" >"$1" || die "the kernel refused $2 for $1"
	[ "$(cat "$1")" = "$2" ] || die "$1 is $(cat "$1") after $2 was written to it"
	finished
}
stop() { # PIDFILE TEXT: end the process whose pid is there now, if its command line holds the text
	if [ -n "$ROOT" ]; then echo "       not done below another root"; return; fi
	pid=$(cat "$1" 2>/dev/null)
	case $pid in "" | *[!0-9]*) echo "       no such process"; finished; return ;; esac
	tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$2" || { echo "       no such process"; finished; return; }
	kill "$pid"
	n=0
	while kill -0 "$pid" 2>/dev/null; do
		n=$((n + 1))
		[ "$n" -le 15 ] || die "process $pid has not ended"
		sleep 1
	done
	finished
}
run() {
	if [ -n "$ROOT" ]; then echo "       not done below another root"; return; fi
	"$@" </dev/null || die "$1 ended with exit status $?"
	finished
}

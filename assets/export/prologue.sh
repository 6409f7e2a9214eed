# POSIX sh; needs cat, chmod, chown, cp, cut, date, grep, head, id, ln, ls, mkdir, mv, od, printf, readlink, rm, rmdir, sed, sha256sum,
# sleep, sort, tail, tr: coreutils or busybox, grep and sed. ACLs and attributes: getfacl and setfacl, getfattr and setfattr.
# With COMPUTE_WIZARD_ROOT=DIRECTORY everything is done below that directory: files are written, commands only listed.
set -u
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
ROOT=${COMPUTE_WIZARD_ROOT:-}
if [ -n "$ROOT" ]; then
	ROOT=$(CDPATH='' cd -P -- "$ROOT" && pwd -P) || exit 1
	[ "$ROOT" != / ] || ROOT=
fi
NOW=$(date -u +%Y%m%dT%H%M%SZ)
BACKUP=$ROOT/var/lib/compute-wizard/script-$NOW-$$
NUMBER=0 PROBLEMS=0 DRY=no ACCEPTED=no GUESTS=no WORDS=

usage() { printf 'usage: sh %s [--dry-run] [--accept one-way] [--accept guests]\n' "$0"; }
while [ $# -gt 0 ]; do
	case $1 in
	--dry-run) DRY=yes ;;
	--accept=one-way) ACCEPTED=yes ;;
	--accept=guests) GUESTS=yes ;;
	--accept)
		case ${2:-} in
		one-way) ACCEPTED=yes ;;
		guests) GUESTS=yes ;;
		*) usage >&2; exit 64 ;;
		esac
		shift
		;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 64 ;;
	esac
	shift
done

# --- guests that run
guests_refused() { # GUESTS-OF-THE-PLAN STEP…: whether guests run that these steps may interrupt, and nobody accepted that
	running=$(guests_here)
	if [ -z "$running" ] && { [ -n "$ROOT" ] || [ ! -r /proc/1/cmdline ]; }; then running=$1; fi # those of now cannot be seen
	[ -n "$running" ] || return 1
	WORDS="$WORDS --accept guests"
	[ "$GUESTS" = no ] || return 1
	shift
	echo 'refused: guests run here, and steps of the plan may interrupt them:'
	printf '%s\n' "$@"
	echo 'The guests:'
	printf '%s\n' "$running" | sed 's/^/     /'
	echo 'Move them away first, or accept a pause.'
}

way_back() { # WHAT: how it is taken back, and what of it stays
	printf '%s is taken back by: sh %s/undo.sh\n' "$1" "$BACKUP"
	[ -s "$BACKUP/one-way" ] || return 0
	echo "That does not take back, since nothing can:"
	cat "$BACKUP/one-way"
}
die() {
	printf 'failed: %s\n' "$*" >&2
	close_work
	if [ -d "$BACKUP" ]; then way_back "What was done so far" >&2; fi
	exit 1
}
# --- replacing files

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
	set -- "$1" $(ls -ldn "$ROOT$1" 2>/dev/null)
	[ $# -lt 4 ] || [ "$4" = 0 ] || [ "$4" = "$(id -u)" ] && return 0
	set -- "$1" "$4" $(ls -ldnL "$ROOT$1" 2>/dev/null)
	[ "${5:-}" = "$2" ] || problem "$1 is a symbolic link of user number $2 to what is not that user's"
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
made() { printf '%s\n' "$1" >>"$BACKUP/directories"; } # before it is: undo.sh removes only empty ones
begin() { # PATH SHA256 MODE OWNER: what is there goes into the backup, if it is what was planned with; - for nothing
	open_work "$1" make || die "$1 cannot be written: no directory of our own can be made beside it"
	held=0
	hold || held=$?
	if [ "$held" = 2 ]; then die "$1 is no regular file any more"; fi
	if [ "$held" = 1 ]; then
		[ "$2" = - ] || die "$1 was removed while this script was under way"
		: >./was
		printf '' >"$BACKUP/new-$NUMBER" || die "$BACKUP cannot be written"
		return
	fi
	cat ./old >./was && [ "$(sum ./was)" = "$2" ] || die "$1 was changed by somebody else while this script was under way"
	state_of ./old >./state
	[ -n "$(field ./state owner)" ] || die "the owner and mode of $1 cannot be seen: no stat"
	[ "$(field ./state mode)" = "$3" ] || die "$1 has mode $(field ./state mode) now, and had $3"
	[ -n "$ROOT" ] || [ "$(stat -c %U:%G ./old)" = "$4" ] || die "$1 does not belong to $4 any more"
	seen=0
	acl_seen ./old || seen=$?
	[ "$seen" != 1 ] || die "$1 has an ACL, and there is no getfacl here: it would be lost"
	[ "$seen" != 2 ] || say "       whether it has an ACL cannot be seen here: there is no getfacl"
	has getfattr || say "       whether it has extended attributes cannot be seen here (no getfattr): they would be lost"
	# Whole or not at all: undo.sh would put a part of it in the place of the file.
	cp -p ./was "$BACKUP/part" && mv "$BACKUP/part" "$BACKUP/$NUMBER" && cat ./state >"$BACKUP/part" && mv "$BACKUP/part" "$BACKUP/$NUMBER.state" ||
		die "$1 cannot be backed up"
}
begin_write() { # PATH SHA256 MODE OWNER of what is there
	begin "$@"
	OLD=./was NEW=./part
	: >"$NEW" || die "$1 cannot be written"
}
lines() { head -n "$2" <"$OLD" | tail -n "+$1" >>"$NEW"; } # FIRST LAST of the old file
bare_line() { head -n "$1" <"$OLD" | tail -n "+$1" | tr -d '\n' >>"$NEW"; } # NUMBER of a line, without its end
finish_write() { # PATH SHA256 MODE OWNER
	[ "$(sum "$NEW")" = "$2" ] || die "$1 would not become what was planned; it was not touched"
	finished || die "$1 cannot be written"
	if [ "$(id -u)" = 0 ]; then
		if [ -z "$ROOT" ]; then
			chown -h "$4" ./new || die "$1 cannot be given to $4"
		elif [ -f ./state ]; then # names are another root's: the numbers stay
			chown -h "$(field ./state owner)" ./new || die "$1 cannot be given to its owner"
		fi
	fi
	if [ -f ./state ]; then
		give ./state ./new "$1" "$3" >./said || die "$1 cannot be given its mode"
		if grep -q setfacl ./said || grep -q 'not set: the ACL' ./said; then die "$1 has an ACL, which the new file cannot be given here; it was not touched"; fi
		cat ./said
	else
		chmod "$3" ./new || die "$1 cannot be given its mode"
	fi
	put || die "$1 cannot be put in place: it was changed while this script was under way, or something is mounted there"
	close_work
}
remove() { # PATH SHA256 MODE OWNER
	begin "$@"
	as_looked_at && rm -f "../$NAME" || die "$1 cannot be removed"
	close_work
}
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

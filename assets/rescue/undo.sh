#!/bin/sh
# Takes this run back from a rescue shell, with nothing but a POSIX shell and the usual small tools (coreutils or busybox).
#
#   sh undo.sh [--force] [ROOT]
#
# ROOT is where the node's root file system is mounted: by default the one that this file lies in. Files come back with their
# bytes, mode, owner, extended attributes and ACLs; directories that the run made go where they are empty. Nothing is
# executed: what has to be run afterwards is listed at the end. A file that was changed after the run is left alone and
# named; with --force it is put back, too, and what it was is kept beside the backup. It may be run as often as you like.
set -u
export LC_ALL=C
PATH=${PATH:-/usr/sbin:/usr/bin:/sbin:/bin}:/usr/sbin:/usr/bin:/sbin:/bin
umask 077
FORCE= GIVEN= LEFT=0 BACK=0 SAME=0
usage() { printf 'usage: sh %s [--force] [ROOT]\n' "$0" >&2; exit 64; }
for word; do
	case $word in
	--force) FORCE=yes ;;
	-*) usage ;;
	*) [ -z "$GIVEN" ] || usage; GIVEN=$word ;;
	esac
done
HERE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1 # as it is called: /var may be a link
if [ -n "$GIVEN" ]; then
	ROOT=$(CDPATH='' cd -- "$GIVEN" && pwd -P) || exit 1
else
	case $HERE in
	*/var/lib/compute-wizard/runs/*) ROOT=${HERE%/var/lib/compute-wizard/runs/*} ;;
	*) printf 'say where the root file system of the node is mounted: sh %s ROOT\n' "$0" >&2; exit 64 ;;
	esac
fi
[ "$ROOT" = / ] && ROOT=
[ -d "$ROOT/etc" ] || { printf '%s has no /etc: this is no root file system\n' "${ROOT:-/}" >&2; exit 1; }
[ -w "$ROOT/etc" ] || { printf '%s cannot be written to: mount it read-write (mount -o remount,rw %s), and be root\n' "${ROOT:-/}/etc" "${ROOT:-/}" >&2; exit 1; }
JOURNAL=$HERE/journal.jsonl
made() { :; } # what was made for a file that comes back is the node's own again
# --- replacing files
wrong() { LEFT=$((LEFT + 1)); printf '! %s\n' "$*" >&2; }

if [ -z "$ROOT" ] && [ -r "$HERE/../../lock" ]; then
	read -r run pid <"$HERE/../../lock" || :
	case ${pid:-x} in
	*[!0-9]*) ;;
	*) if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q 'wizard\.apply\.runner'; then
		printf 'run %s is under way (process %s): wait for its end, or end it first\n' "$run" "$pid" >&2
		exit 1
	fi ;;
	esac
fi

event() { grep -q "^{\"event\": \"$1\", .*\"n\": $2, " "$JOURNAL" 2>/dev/null; } # NAME NUMBER
began() { event step "$1" && ! event skipped "$1"; } # NUMBER: whether the step was begun, and not only listed

through_link() { # PATH: whether a component of it is a symbolic link now
	part= rest=${1#/}/
	while [ -n "$rest" ]; do
		part=$part/${rest%%/*} rest=${rest#*/}
		if [ -h "$ROOT$part" ]; then return 0; fi
	done
	return 1
}

as_it_was() { # STATE: whether ./old is so already, as far as can be seen here
	[ -f ./old ] && [ "$(sum ./old)" = "$(field "$1" sha256)" ] || return 1
	has stat || return 1
	what='/^mode /p; /^owner /p'
	if has getfattr; then what="$what; /^xattr /p"; elif has getfacl; then what="$what; /^acl /p"; fi
	[ "$(state_of ./old | sed -n "$what")" = "$(sed -n "$what" "$1")" ]
}

touched() { # STATE: whether mode, owner or attributes of ./old are neither as before nor as the run left them: somebody else's work
	[ -f ./old ] && has stat && [ -n "$(field "$1" left-mode)" ] || return 1
	seen=$(state_of ./old)
	mode=$(printf '%s\n' "$seen" | sed -n 's/^mode //p') owner=$(printf '%s\n' "$seen" | sed -n 's/^owner //p')
	before=$(field "$1" mode) # or what this gave it where no tool could set its ACL
	case " $before $(field "$1" left-mode) $(group_alone "$before" "$(field "$1" acl)") " in *" $mode "*) ;; *) return 0 ;; esac
	if [ -n "$(field "$1" left-owner)" ]; then
		case " $(field "$1" owner) $(field "$1" left-owner) " in *" $owner "*) ;; *) return 0 ;; esac
	fi
	has getfattr || return 1
	what='/^xattr user\./p' # a new file may take its ACL from its directory
	[ "$(field "$1" sha256)" = none ] || what="$what; /^xattr system\.posix_acl_access /p"
	seen=$(printf '%s\n' "$seen" | sed -n "$what" | sort) wanted=$(sed -n "$what" "$1" | sort)
	[ "$seen" != "$wanted" ] || return 1
	# a call before this one gave the content back, and could not set all of them: none is there that was not
	[ "$(sum ./old)" != "$(field "$1" sha256)" ] || printf '%s\n' "$seen" | grep -v '^$' | grep -qvxF -e "$wanted"
}

forced() { # NUMBER PATH WHY: whether a file that is not as the run left it is put back all the same
	if [ -z "$FORCE" ]; then
		wrong "$2 $3: left as it is (the backup is $HERE/backup/$1; --force puts it back)"
		return 1
	fi
	if [ -f ./old ]; then
		cp -p ./old "$HERE/backup/$1.replaced" || { wrong "$2 cannot be kept beside the backup: left as it is"; return 1; }
		say "$2 $3: what it was is kept as $HERE/backup/$1.replaced"
	fi
}

file() { # NUMBER WRITTEN: one file back; WRITTEN is the sha256 that the run gave it, or - where it removed it
	state=$HERE/backup/$1.state
	[ -f "$state" ] || return 0 # the run did not come so far
	path=$(field "$state" real)
	if through_link "$path"; then wrong "$path leads through a symbolic link now: left as it is"; return 0; fi
	if [ -d "$ROOT${path%/*}" ]; then
		sweep_work "${path%/*}"
		if go_to "${path%/*}"; then # what a run, or this as it was in older versions, left when it was killed
			for left in ./.compute-wizard-????????????????.new ./.compute-wizard-00000000000000*.undo; do
				if [ -f "$left" ] && [ ! -h "$left" ]; then rm -f "$left"; fi
			done
		fi
	elif [ "$(field "$state" sha256)" = none ]; then
		SAME=$((SAME + 1))
		return 0
	fi
	if ! open_work "$path" make; then wrong "$path: no directory of our own can be made beside it: left as it is"; return 0; fi
	held=0
	hold || held=$?
	if [ "$held" = 2 ]; then wrong "$path is no regular file any more: left as it is"; else file_in_work "$@"; fi
	close_work
}

file_in_work() { # NUMBER WRITTEN
	was=$(field "$state" sha256) now=-
	if [ "$held" = 0 ]; then
		now=$(sum ./old)
		[ -n "$now" ] || { has sha256sum || forced "$1" "$path" "cannot be judged, for want of sha256sum" || return 0; }
	fi
	if [ "$was" = none ]; then
		if [ "$now" = - ]; then SAME=$((SAME + 1)); return 0; fi
		if { [ -n "$now" ] && [ "$now" != "$2" ]; } || touched "$state"; then
			forced "$1" "$path" "was changed after the run" || return 0
		fi
		as_looked_at && rm -f "../$NAME" || { wrong "$path cannot be removed"; return 0; }
		say "removed   $path"
		BACK=$((BACK + 1))
		return 0
	fi
	if as_it_was "$state"; then
		has getfattr || give "$state" ./old "$path" ""
		SAME=$((SAME + 1))
		return 0
	fi
	if { [ -n "$now" ] && [ "$now" != "$2" ] && [ "$now" != "$was" ]; } || touched "$state"; then
		forced "$1" "$path" "was changed after the run" || return 0
	fi
	if has sha256sum && [ "$(sum "$HERE/backup/$1")" != "$was" ]; then wrong "the backup of $path is damaged: left as it is"; return 0; fi
	restore "$state" "$HERE/backup/$1" "$path" || { wrong "$path cannot be put back"; return 0; }
	say "restored  $path"
	BACK=$((BACK + 1))
}

unit_links() { # UNIT: the links that enable it
	for link in "$ROOT"/etc/systemd/system/*.wants/"$1" "$ROOT"/etc/systemd/system/*.requires/"$1"; do
		if [ -h "$link" ] && [ ! -e "$ROOT/etc/systemd/system/$1" ]; then
			if rm -f "$link"; then say "removed   ${link#"$ROOT"}"; else wrong "${link#"$ROOT"} cannot be removed"; fi
		fi
	done
}

directories() { # those that the run made, the lowest first, where they are empty
	for state in "$HERE"/backup/*.state; do
		if [ -f "$state" ]; then sed -n 's/^made //p' "$state"; fi
	done | sort -ru | while IFS= read -r path; do
		if ! go_to "${path%/*}" || [ -h "./${path##*/}" ] || [ ! -d "./${path##*/}" ]; then continue; fi
		if rmdir "./${path##*/}" 2>/dev/null; then
			say "removed   $path/"
		elif [ -z "$(ls -A "./${path##*/}")" ]; then
			say "  not removed: $path/, though it is empty"
		fi
	done
}

TOLD=
later() { # NUMBER WHEN COMMAND: what is to be run by hand, if the step was begun; WHEN is boot, or live for a running node only
	began "$1" || return 0
	if [ "$2" = live ] && [ -n "$ROOT" ]; then return 0; fi
	[ -n "$TOLD" ] || say "" "Still to be done, in this order:"
	TOLD=yes
	say "  $3"
}
last() { # NUMBER COMMAND: what was kept in case something goes wrong goes last of all, and only where all else is as before
	if [ "$LEFT" = 0 ]; then later "$1" boot "$2"; elif began "$1"; then say "  not yet, since not all is as before: $2"; fi
}
until_boot() { # NUMBER WHAT: what ends by itself with the next boot
	if began "$1" && [ -z "$ROOT" ]; then say "left until the next boot: $2"; fi
}

finish() {
	sync
	say ""
	say "$BACK put back, $SAME as before already, $LEFT left alone."
	if [ -n "$TOLD" ] && [ -n "$ROOT" ]; then
		say "Run the commands above inside the node:" \
			"  for d in dev proc sys run; do mount --rbind /\$d $ROOT/\$d; done   (and mount its /boot, /boot/efi)" \
			"  chroot $ROOT"
	fi
	say "Until the boot menu and the initramfs are made anew and the node has booted, kernel arguments and module options are the run's."
	[ "$LEFT" = 0 ] || exit 1
	printf '\n{"event": "rescued", "at": "%s"}\n' "$(date -u +%Y-%m-%dT%H:%M:%S+00:00)" >>"$JOURNAL" ||
		say "The journal cannot be written to: the history will not know of this."
	exit 0
}

# --- this run

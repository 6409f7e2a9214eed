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
has() { command -v "$1" >/dev/null 2>&1; }
say() { printf "%s\n" "$@"; }
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
field() { sed -n "s/^$2 //p" "$1" | head -n 1; } # FILE NAME: its value
sum() { if [ -f "$1" ]; then sha256sum <"$1" 2>/dev/null | cut -d ' ' -f 1; fi; } # empty where nothing can make one

through_link() { # PATH: whether a component of it is a symbolic link now
	part= rest=${1#/}/
	while [ -n "$rest" ]; do
		part=$part/${rest%%/*} rest=${rest#*/}
		if [ -h "$ROOT$part" ]; then return 0; fi
	done
	return 1
}

attributes() { # STATE FILE PATH: give a file the attributes that are written down; say what is missing
	if has setfattr; then setfattr -x system.posix_acl_access "$2" 2>/dev/null || :; fi
	sed -n 's/^xattr //p' "$1" | while read -r name value; do
		if has setfattr; then
			setfattr -n "$name" -v "$value" "$2" 2>/dev/null && continue
			say "  not set: attribute $name (the file system or this shell may not; SELinux: run restorecon $3)"
		elif [ "$name" = system.posix_acl_access ] && has setfacl; then
			setfacl --set "$(field "$1" acl)" "$2" 2>/dev/null && continue
			say "  not set: the ACL $(field "$1" acl)"
		elif [ "$name" = system.posix_acl_access ]; then
			say "  missing here: setfattr, setfacl. Later: setfacl --set '$(field "$1" acl)' $3"
		else
			say "  missing here: setfattr. Later: setfattr -n $name -v $value $3"
		fi
	done
}

restore() { # STATE BACKUP PATH: the file as it was, whole or not at all
	new=$ROOT${3%/*}/.compute-wizard-00000000000000$$.undo
	rm -f "$new"
	(umask 022 && mkdir -p "$ROOT${3%/*}") || return 1
	(set -C && cat "$2" >"$new") || return 1
	chown "$(field "$1" owner)" "$new" || say "  not given to $(field "$1" owner): that needs root"
	attributes "$1" "$new" "$3"
	if chmod "$(field "$1" mode)" "$new" && mv -f "$new" "$ROOT$3"; then return 0; fi
	rm -f "$new"
	return 1
}

as_it_was() { # STATE PATH: whether it is already
	[ "$(sum "$ROOT$2")" = "$(field "$1" sha256)" ] || return 1
	has stat || return 1
	mode=$(stat -c %a "$ROOT$2")
	while [ ${#mode} -lt 4 ]; do mode=0$mode; done
	[ "$mode" = "$(field "$1" mode)" ] && [ "$(stat -c %u:%g "$ROOT$2")" = "$(field "$1" owner)" ]
}

forced() { # NUMBER PATH WHY: whether a file that is not as the run left it is put back all the same
	if [ -z "$FORCE" ]; then
		wrong "$2 $3: left as it is (the backup is $HERE/backup/$1; --force puts it back)"
		return 1
	fi
	if [ -e "$ROOT$2" ]; then
		cp -p "$ROOT$2" "$HERE/backup/$1.replaced" || { wrong "$2 cannot be kept beside the backup: left as it is"; return 1; }
		say "$2 $3: what it was is kept as $HERE/backup/$1.replaced"
	fi
}

file() { # NUMBER WRITTEN: one file back; WRITTEN is the sha256 that the run gave it, or - where it removed it
	state=$HERE/backup/$1.state
	[ -f "$state" ] || return 0 # the run did not come so far
	path=$(field "$state" real)
	if through_link "$path"; then wrong "$path leads through a symbolic link now: left as it is"; return 0; fi
	if [ -e "$ROOT$path" ] && [ ! -f "$ROOT$path" ]; then wrong "$path is no regular file any more: left as it is"; return 0; fi
	above=$ROOT${path%/*}
	for left in "$above"/.compute-wizard-????????????????.new "$above"/.compute-wizard-00000000000000*.undo; do # of a run, or of this, killed
		if [ -f "$left" ] && [ ! -h "$left" ]; then rm -f "$left"; fi
	done
	was=$(field "$state" sha256) now=-
	if [ -e "$ROOT$path" ]; then
		now=$(sum "$ROOT$path")
		[ -n "$now" ] || { has sha256sum || forced "$1" "$path" "cannot be judged, for want of sha256sum" || return 0; }
	fi
	if [ "$was" = none ]; then
		if [ "$now" = - ]; then SAME=$((SAME + 1)); return 0; fi
		if [ -n "$now" ] && [ "$now" != "$2" ]; then forced "$1" "$path" "was changed after the run" || return 0; fi
		rm -f "$ROOT$path" || { wrong "$path cannot be removed"; return 0; }
		say "removed   $path"
		BACK=$((BACK + 1))
		return 0
	fi
	if as_it_was "$state" "$path"; then
		attributes "$state" "$ROOT$path" "$path"
		SAME=$((SAME + 1))
		return 0
	fi
	if [ -n "$now" ] && [ "$now" != "$2" ] && [ "$now" != "$was" ]; then
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
		if through_link "$path" || [ ! -d "$ROOT$path" ]; then continue; fi
		if rmdir "$ROOT$path" 2>/dev/null; then
			say "removed   $path/"
		elif [ -z "$(ls -A "$ROOT$path")" ]; then
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
until_boot 15 'what `/usr/local/sbin/compute-wizard-metadata apply` did'
file 0008 afe3f94d23e503dff3d1eecca65cfe2b1fbe9bb8a00d6a01b7989e291a056235
file 0007 7138bea71fc2304cfbf2fb4cc2facfccc3307af017b265d8b14858e38fa7a693
file 0006 413b4317b0df73da470ca1818f3581918b5543cb6b2b3705a67aff431c108595
file 0005 460b4ff1a2a8c69a841833e6f39f9032544fa4d8f254ef20631153ec6c893ad8
file 0004 9d2953896baa732bacdb273a6a91460f0f7d1a46d17469cf5d3e40d6e3569341
file 0003 249a6af457765a5198b65a5f5b24a02c1c90b57cd5cd7e80af07a9e36ecc0e69
file 0002 34df6673ce272952e1cee59d10c8651bf54c88eebbed32d7809eb8ef9a208606
file 0001 9dbeceb6cd04688669ddacd01dc019cbf376bd4ff017f9401cba851c2ed678fc
unit_links compute-wizard-metadata.service
directories
later 10 boot update-grub
later 12 boot 'update-initramfs -u -k all'
later 13 live 'systemctl daemon-reload'
later 18 live 'systemctl restart nova-network'
later 11 boot 'rm -f /boot/initrd.img-4.4.0-210-generic.before-compute-wizard'
finish

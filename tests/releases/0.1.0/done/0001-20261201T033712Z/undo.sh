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
# --- replacing files where the directory may belong to somebody else
# Whoever owns a directory can swap any name in it at any time, for a link to a file of root's, too. So no name that he can change is
# ever written to, given away or read from: work is done in a directory of our own (0700) inside his, which we are *in* (the working
# directory follows no name any more). What is there is looked at by a hard link of ours, and the new file gets its name by a rename,
# which follows no link. Paths are below $ROOT, which is without links; `made` PATH is told of directories that are made.
WORK= NAME= MOVE=-fT COPIED=
has() { command -v "$1" >/dev/null 2>&1; }
say() { printf '%s\n' "$@"; }
sum() { if [ -f "$1" ]; then sha256sum <"$1" 2>/dev/null | cut -d ' ' -f 1; fi; } # empty where nothing can make one
field() { sed -n "s/^$2 //p" "$1" | head -n 1; } # STATE NAME: its value
inode() { set -- $(ls -di "$1" 2>/dev/null) && printf '%s' "${1:-}"; }
made_up() { # a name that nobody can foresee, where the kernel says one
	word=$(od -An -N8 -tx1 /dev/urandom 2>/dev/null | tr -dc 0-9a-f)
	[ "${#word}" = 16 ] || word=$(printf '%016d' "$$")
	printf '%s' "$word"
}

go_to() { # DIRECTORY [make]: be in it, by no link
	cd -P -- "$ROOT/" || return 1
	at=$ROOT rest=${1#/}
	while [ -n "$rest" ]; do
		part=${rest%%/*}
		case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac
		[ -n "$part" ] || continue
		at=$at/$part
		if [ "${2:-}" = make ] && [ ! -e "./$part" ] && [ ! -h "./$part" ]; then
			made "${at#"$ROOT"}" && (umask 022 && mkdir "./$part") || return 1
		fi
		cd -P -- "./$part" 2>/dev/null && [ "$(pwd -P)" = "$at" ] || return 1
	done
}

ours() { # whether the working directory is one that nobody else can change anything in
	set -- $(ls -ldn .)
	case $1 in drwx------ | drwx------.) [ "$3" = "$(id -u)" ] ;; *) return 1 ;; esac
}
private() { # a new directory that inherited an ACL lets others in until here
	ours && return 0
	set -- $(ls -ldn .)
	[ "$3" = "$(id -u)" ] && [ -z "$(ls -A)" ] || return 1
	if has setfacl; then setfacl -bk . || return 1; fi
	chmod 0700 . && ours && [ -z "$(ls -A)" ]
}

open_work() { # PATH [make]: be in a directory of our own beside it; ../$NAME is the file
	NAME=${1##*/} WORK= COPIED=
	go_to "${1%/*}" "${2:-}" || return 1
	beside=$(pwd -P) work=.compute-wizard-$(made_up).work
	(umask 077 && mkdir "./$work") || return 1
	if cd -P -- "./$work" 2>/dev/null && [ "$(pwd -P)" = "${beside%/}/$work" ] && private; then
		WORK=$work
		return 0
	fi
	cd / && return 1
}
close_work() { # out of it, and away with it
	[ -n "$WORK" ] || return 0
	rm -f ./old ./was ./part ./new ./state ./said
	rmdir "../$WORK" 2>/dev/null || say "  not removed: ${beside%/}/$WORK, an empty directory of this script's" # or renamed by who may
	WORK=
	cd /
}
sweep_work() { # DIRECTORY: what a script that was killed left there
	go_to "$1" || return 0
	for left in ./.compute-wizard-????????????????.work; do
		[ -d "$left" ] && [ ! -h "$left" ] || continue
		if cd -P -- "$left" 2>/dev/null && [ "$(pwd -P)" = "${ROOT}$1/${left#./}" ] && ours; then
			rm -f ./old ./was ./part ./new ./state ./said
			rmdir "../${left#./}" 2>/dev/null || say "  not removed: $1/${left#./}, an empty directory"
		fi
		go_to "$1" || return 0
	done
}

hard_links() { # whether this file system has any
	: >./part
	ln ./part ./state 2>/dev/null
	set -- $?
	rm -f ./part ./state
	return "$1"
}
hold() { # ./old is the very file that has the name now, whatever becomes of the name; 1: there is none, 2: no regular file
	if [ ! -e "../$NAME" ] && [ ! -h "../$NAME" ]; then return 1; fi
	[ -f "../$NAME" ] && [ ! -h "../$NAME" ] || return 2
	if ! ln "../$NAME" ./old 2>/dev/null; then
		if hard_links; then return 2; fi
		cp -pP "../$NAME" ./old || return 2 # as on vfat, which has no owners either
		COPIED=yes
	fi
	[ -f ./old ] && [ ! -h ./old ] || return 2
}
state_of() { # FILE: mode and owner (numbers), attributes and ACL in lines, as far as the tools that are here can see
	set -- "$1" "$(stat -c %a "$1" 2>/dev/null)" "$(stat -c %u:%g "$1" 2>/dev/null)"
	while [ -n "$2" ] && [ "${#2}" -lt 4 ]; do set -- "$1" "0$2" "$3"; done
	printf 'mode %s\nowner %s\n' "$2" "$3"
	if has getfattr; then getfattr -d -m - -e hex --absolute-names "$1" 2>/dev/null | sed -n 's/^\([^# =\\]*\)=\(0x.*\)$/xattr \1 \2/p' | sort; fi
	if has getfacl; then getfacl -csnpE "$1" 2>/dev/null | sed 's/^\([ugmo]\)[a-z]*:/\1:/' | tr '\n' , | sed -n 's/^\([^,].*[^,]\),*$/acl \1/p'; fi
}
acl_seen() { # FILE: 0: it has no ACL, or one that can be read here; 1: one that cannot; 2: no tool here could tell
	if has getfacl || has getfattr; then return 0; fi
	case $(ls -ld "$1") in ??????????+*) return 1 ;; esac
	ls --version >/dev/null 2>&1 || return 2 # busybox: its ls has no sign for them
}
group_alone() { # MODE ACL: the mode without the ACL; what stands in the place of the group's rights is the ACL's mask
	rights=$(printf '%s\n' "$2" | tr , '\n' | sed -n 's/^[gm][a-z]*::\(...\).*/\1/p')
	set -- "$1" 0
	for bit in r:4 w:2 x:1; do
		if [ -n "$rights" ] && ! printf '%s\n' "$rights" | grep -qv "${bit%:*}"; then set -- "$1" $(($2 + ${bit#*:})); fi
	done
	printf '%s%s%s' "${1%??}" "$2" "${1#???}"
}
give() { # STATE FILE PATH MODE: attributes and ACL that are written down, then the mode; says what cannot be given. Without MODE
	# the file is one that has them, as far as can be seen: nothing is taken from it
	acl=$(field "$1" acl) raw=$(field "$1" 'xattr system\.posix_acl_access') mode=$4
	if [ -z "$mode" ]; then
		:
	elif has setfattr; then
		setfattr -x system.posix_acl_access "$2" 2>/dev/null || :
	elif has setfacl; then
		setfacl -b "$2" 2>/dev/null || :
	fi
	if [ -n "$acl$raw" ]; then
		if [ -n "$raw" ] && has setfattr && setfattr -n system.posix_acl_access -v "$raw" "$2" 2>/dev/null; then
			:
		elif [ -n "$acl" ] && has setfacl && setfacl --set "$acl" "$2" 2>/dev/null; then
			:
		else
			[ -z "$mode" ] || mode=$(group_alone "$4" "$acl")
			if has setfattr || has setfacl; then say "  not set: the ACL $acl"; else say "  missing here: setfattr, setfacl. Later: setfacl --set '$acl' $3"; fi
		fi
	fi
	sed -n 's/^xattr //p' "$1" | grep -v '^system\.posix_acl_access ' | while read -r name value; do
		if has setfattr; then
			setfattr -n "$name" -v "$value" "$2" 2>/dev/null && continue
			say "  not set: attribute $name (the file system or this shell may not; SELinux: run restorecon $3)"
		else
			say "  missing here: setfattr. Later: setfattr -n $name -v $value $3"
		fi
	done
	[ -z "$mode" ] || chmod "$mode" "$2"
}
finished() { # ./part is whole: from here on it is ./new; says whether this mv knows -T, which never moves into a directory
	mv -fT ./part ./new 2>/dev/null && return 0
	MOVE=-f
	mv -f ./part ./new
}
as_looked_at() { # whether the name still has the file that was held, or none
	if [ -e "../$NAME" ] || [ -h "../$NAME" ]; then
		[ -f ./old ] && [ -f "../$NAME" ] && [ ! -h "../$NAME" ] && { [ -n "$COPIED" ] || [ "$(inode "../$NAME")" = "$(inode ./old)" ]; }
	else
		[ ! -f ./old ]
	fi
}
put() { # ./new in the place of ../$NAME, and a last look
	set -- "$(inode ./new)"
	as_looked_at || return 1
	mv "$MOVE" ./new "../$NAME" && [ -n "$1" ] && [ "$(inode "../$NAME")" = "$1" ]
}
restore() { # STATE BACKUP PATH: the file as it was, whole or not at all
	cat "$2" >./part && finished || return 1
	chown -h "$(field "$1" owner)" ./new || say "  not given to $(field "$1" owner): that needs root"
	give "$1" ./new "$3" "$(field "$1" mode)" && put
}
# --- end of replacing files
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
	[ "$(printf '%s\n' "$seen" | sed -n "$what" | sort)" != "$(sed -n "$what" "$1" | sort)" ]
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
until_boot 15 'what `/usr/local/sbin/compute-wizard-metadata apply` did'
file 0008 afe3f94d23e503dff3d1eecca65cfe2b1fbe9bb8a00d6a01b7989e291a056235
file 0007 cc6f69614b4757888c3d2f7f139062fdc566f547938851d0f5c1e05193ab8dd4
file 0006 8c0fa0d75ab708cb8c27673e7692378c6e349991eae81b97afb6a2b661c8f3f3
file 0005 460b4ff1a2a8c69a841833e6f39f9032544fa4d8f254ef20631153ec6c893ad8
file 0004 cf8f4379a20f10bfbab6bc23e0bf6996de534a2c916175435bea297eca96a914
file 0003 249a6af457765a5198b65a5f5b24a02c1c90b57cd5cd7e80af07a9e36ecc0e69
file 0002 34df6673ce272952e1cee59d10c8651bf54c88eebbed32d7809eb8ef9a208606
file 0001 9dbeceb6cd04688669ddacd01dc019cbf376bd4ff017f9401cba851c2ed678fc
unit_links compute-wizard-metadata.service
directories
later 10 boot update-grub
later 12 boot 'update-initramfs -u -k all'
later 13 live 'systemctl daemon-reload'
later 17 live 'kill "$(cat /var/lib/nova/networks/nova-br1441.pid)"   (if its command line holds nova-br1441)'
later 18 live 'kill "$(cat /var/lib/nova/networks/nova-br1442.pid)"   (if its command line holds nova-br1442)'
later 19 live 'systemctl restart nova-network'
last 11 'rm -f /boot/initrd.img-4.4.0-210-generic.before-compute-wizard'
finish

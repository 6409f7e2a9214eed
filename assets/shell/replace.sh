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
owned() { # FILE OWNER: it is his; only who is not root goes on without
	chown -h "$2" "$1" && return 0
	[ "$(id -u)" != 0 ] && say "  not given to $2: that needs root"
}
restore() { # STATE BACKUP PATH: the file as it was, whole or not at all
	cat "$2" >./part && finished || return 1
	owned ./new "$(field "$1" owner)" || return 1
	give "$1" ./new "$3" "$(field "$1" mode)" && put
}
# --- end of replacing files

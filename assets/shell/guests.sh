guests_here() { # the names of the guests that run, a line each
	for each in $(grep -lE 'qemu-system-|kvm' "$ROOT"/proc/[0-9]*/cmdline 2>/dev/null); do
		words=$(tr '\n\000' ' \n' <"$each" 2>/dev/null) || continue
		name=$(printf '%s\n' "$words" | head -n 1)
		case ${name##*/} in qemu-system-* | qemu-kvm | kvm) ;; *) continue ;; esac
		name=$(printf '%s\n' "$words" | sed -n -e '/^-name$/{' -e n -e p -e '}' | tail -n 1 | tr -cd '[:print:]')
		name=${name#guest=}
		name=${name%%,*}
		each=${each%/cmdline}
		printf '%s\n' "${name:-pid ${each##*/}}"
	done
}

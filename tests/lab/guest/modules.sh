#!/bin/sh
# modules.sh ROOT DIRECTORY: put the stand-in modules into a root, where they come before the kernel's own.
set -e
for kernel in "$1"/lib/modules/*; do
	name=${kernel##*/}
	[ -d "$2/$name" ] || { echo "the stand-ins in $2 are not for $name: remove that directory, and they are built anew" >&2; exit 1; }
	mkdir -p "$kernel/updates"
	cp "$2/$name"/*.ko "$kernel/updates/"
	chroot "$1" depmod "$name"
done

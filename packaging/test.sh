#!/bin/sh
# Installs each form of dist/ in a clean Debian 12 and 13 without a network, uses it, and removes it again. Needs root, debootstrap and
# a Debian mirror. COMPUTE_WIZARD_CHROOTS keeps the clean systems between two calls. Prints a line for each form and system.
set -u
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "test-dist needs root" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "test-dist needs debootstrap: apt-get install debootstrap" >&2; exit 1; }
ls dist/*.pyz dist/*_amd64.deb dist/*-wheelhouse.tar >/dev/null || { echo "make dist first" >&2; exit 1; }
base=${COMPUTE_WIZARD_CHROOTS:-$(mktemp -d)}
mirror=${COMPUTE_WIZARD_LAB_MIRROR:-http://deb.debian.org/debian}
[ -n "${COMPUTE_WIZARD_CHROOTS:-}" ] || trap 'rm -rf "$base"' EXIT
failed=0
for suite in bookworm trixie; do
	[ -x "$base/$suite/usr/bin/python3" ] ||
		debootstrap --variant=minbase --include=python3 "$suite" "$base/$suite" "$mirror" >"$base/$suite.log" 2>&1 ||
		{ echo "$suite: no clean system: $(tail -n 1 "$base/$suite.log")"; failed=1; continue; }
	for form in deb single wheelhouse; do
		root=$base/$suite-$form
		rm -rf "$root"
		cp -a "$base/$suite" "$root"
		mkdir "$root/dist"
		cp dist/*.pyz dist/*_amd64.deb dist/*-wheelhouse.tar packaging/use.sh "$root/dist/"
		if said=$(unshare --net --mount chroot "$root" sh /dist/use.sh "$form" 2>&1); then
			echo "$suite $form: $(echo "$said" | tail -n 1)"
		else
			echo "$suite $form: FAILED"
			echo "$said" | tail -n 20
			failed=1
		fi
		rm -rf "$root"
	done
done
echo "built, not run: arm64, aarch64; every other distribution; Python 3.10, 3.12 and 3.14 in a clean system"
exit $failed

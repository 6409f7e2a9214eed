#!/bin/sh
# Installs each form of dist/ in a clean Debian 12 and 13 without a network, uses it, and removes it again; before that, whether a second
# build elsewhere gives the same bytes, and what lintian says. Needs root, debootstrap and a Debian mirror. COMPUTE_WIZARD_CHROOTS keeps the
# clean systems between two calls; COMPUTE_WIZARD_PYTHON_HOME is a Python 3.10 (else one of pyenv's). Prints the table of docs/install.md.
set -u
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "test-dist needs root" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "test-dist needs debootstrap: apt-get install debootstrap" >&2; exit 1; }
ls dist/*.pyz dist/*_amd64.deb dist/*-wheelhouse.tar >/dev/null || { echo "make dist first" >&2; exit 1; }
base=${COMPUTE_WIZARD_CHROOTS:-$(mktemp -d)}
mirror=${COMPUTE_WIZARD_LAB_MIRROR:-http://deb.debian.org/debian}
[ -n "${COMPUTE_WIZARD_CHROOTS:-}" ] || trap 'rm -rf "$base"' EXIT
failed=0
(cd dist && sha256sum --quiet -c SHA256SUMS) || failed=1
sh packaging/again.sh || failed=1
if command -v lintian >/dev/null; then
	if lintian --allow-root --fail-on error --tag-display-limit 0 dist/*.deb; then echo "lintian: no errors"; else failed=1; fi
else
	echo "lintian: not installed, not asked"
fi

use() { # SUITE FORM [HOME OF A PYTHON]
	root=$base/$1-$2
	rm -rf "$root"
	cp -a "$base/$1" "$root"
	mkdir "$root/dist"
	cp dist/*.pyz dist/*_amd64.deb dist/*-wheelhouse.tar packaging/use.sh "$root/dist/"
	if [ -n "${3:-}" ]; then
		mkdir -p "$root$(dirname "$3")"
		cp -a "$3" "$root$3"
	fi
	case $2 in deb) file=$(echo dist/*_amd64.deb) ;; single) file=$(echo dist/*.pyz) ;; *) file=$(echo dist/*-wheelhouse.tar) ;; esac
	size=$(($(wc -c <"$file") / 1000000))
	if said=$(PYTHON_HOME=${3:-} unshare --net --mount chroot "$root" sh /dist/use.sh "$2" 2>&1); then
		rows="$rows| $2 | $size MB | $1 $(echo "$said" | tail -n 1)
"
	else
		rows="$rows| $2 | $size MB | $1 | FAILED |
"
		echo "$1 $2: FAILED" >&2
		echo "$said" | tail -n 20 >&2
		failed=1
	fi
	rm -rf "$root"
}

rows=
python=${COMPUTE_WIZARD_PYTHON_HOME:-$(ls -d "$HOME"/.pyenv/versions/3.10.* 2>/dev/null | tail -n 1)}
for suite in bookworm trixie; do
	[ -e "$base/$suite/.whole" ] || {
		rm -rf "${base:?}/$suite"
		debootstrap --variant=minbase --include=python3 "$suite" "$base/$suite" "$mirror" >"$base/$suite.log" 2>&1 &&
			touch "$base/$suite/.whole"
	} || { echo "$suite: no clean system: $(tail -n 1 "$base/$suite.log")" >&2; failed=1; continue; }
	for form in deb single wheelhouse; do use "$suite" "$form"; done
	if [ "$suite" = bookworm ] && [ -n "$python" ]; then
		for form in single wheelhouse; do use "$suite" "$form" "$python"; done
	fi
done
echo "| form | size | system | Python | installed | demo | plan | apply below a root | undo | removal | first, later start |"
echo "|---|---|---|---|---|---|---|---|---|---|---|"
printf '%s' "$rows"
echo "built, not run: arm64, aarch64; every other distribution; Python 3.12 and 3.14 in a clean system$([ -n "$python" ] || echo '; Python 3.10')"
exit $failed

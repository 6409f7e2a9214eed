#!/bin/sh
# Installs what the tests use besides Python, where it may (Debian or Ubuntu, as root); says what is missing elsewhere.
# With the word venv: only what a virtual environment needs.
set -u
wanted="dnsmasq-base:dnsmasq ebtables:ebtables iptables:ebtables-nft nftables:nft kmod:modprobe grub2-common:grub-mkconfig grub-common:grub-script-check
busybox:busybox mksh:mksh iproute2:ip attr:setfattr acl:setfacl dash:dash initramfs-tools-core:lsinitramfs cpio:cpio zstd:zstd
systemd:systemd-analyze util-linux:unshare strace:strace"
[ "${1:-}" = venv ] && wanted="python3-venv:python3-venv"
missing=
for pair in $wanted; do
	PATH="$PATH:/usr/sbin:/sbin" command -v "${pair#*:}" >/dev/null 2>&1 || missing="$missing ${pair%%:*}"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "installing for the tests:$missing"
	apt-get update -qq >/dev/null 2>&1
	# shellcheck disable=SC2086
	if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1; then
		echo "could not be installed:$missing" >&2
	fi
else
	echo "not installed, so that some tests are skipped:$missing (as root: apt-get install$missing)" >&2
fi
exit 0

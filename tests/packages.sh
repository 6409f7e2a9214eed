#!/bin/sh
# Installs what the tests use besides Python, where it may (Debian or Ubuntu, as root); says what is missing elsewhere. The Python that
# is used is named first: without one nothing is installed.
set -u
python=${1:-}
if [ -z "$python" ]; then
	echo "compute-wizard: no Python 3.10 or newer was found. Debian and Ubuntu: apt-get install python3 python3-venv" >&2
	exit 1
fi
wanted="dnsmasq-base:dnsmasq ebtables:ebtables iptables:ebtables-nft nftables:nft kmod:modprobe grub2-common:grub-mkconfig grub-common:grub-script-check
busybox:busybox gawk:gawk mawk:mawk original-awk:original-awk mksh:mksh iproute2:ip attr:setfattr acl:setfacl dash:dash initramfs-tools-core:lsinitramfs cpio:cpio zstd:zstd
systemd:systemd-analyze util-linux:unshare strace:strace man-db:man bash:bash openssh-server:sshd openssh-client:ssh"
missing=
for pair in $wanted; do
	PATH="$PATH:/usr/sbin:/sbin" command -v "${pair#*:}" >/dev/null 2>&1 || missing="$missing ${pair%%:*}"
done
if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
	case ${python##*/} in
	python3.*) missing="$missing ${python##*/}-venv" ;;
	*) missing="$missing python3-venv" ;;
	esac
fi
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

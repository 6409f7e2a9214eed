#!/bin/sh
# Makes a virtual environment, and installs into it. Says in one sentence what is in the way, and leaves nothing half-made, so that
# the same command works once that is put right.
#   venv.sh make DIRECTORY PYTHON
#   venv.sh install DIRECTORY PYTHON REQUIREMENT...
set -u
what=$1 place=$2 python=$3
shift 3

fail() {
	echo "compute-wizard: $*" >&2
	exit 1
}

[ -n "$python" ] || fail "no Python 3.10 or newer was found. Debian and Ubuntu: apt-get install python3 python3-venv"
[ -w . ] || fail "$(pwd) is not writable for $(id -un): copy it to a directory of your own and run make there."
[ ! -e "$place" ] || [ -w "$place" ] || fail "$(pwd)/$place belongs to somebody else: remove it, or copy the checkout."

# A Python that was upgraded, or a make that was interrupted, leaves one that does not start or has no pip.
works() { "$place/bin/python" -m pip --version >/dev/null 2>&1; }

make_it() {
	works && return
	if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
		package=python3-venv
		case ${python##*/} in python3.*) package=${python##*/}-venv ;; esac
		fail "$python has no venv module. Debian and Ubuntu: apt-get install $package"
	fi
	said=$("$python" -m venv --clear "$place" 2>&1) && works && return
	rm -rf "$place"
	fail "no virtual environment can be made in $(pwd)/$place: $(echo "$said" | tail -n 1)"
}

trap 'works || rm -rf "$place"; exit 130' INT TERM
make_it
[ "$what" = install ] || exit 0
said=$("$place/bin/python" -m pip install --quiet --disable-pip-version-check --retries 2 "$@" 2>&1) && exit 0
case $said in
*"CERTIFICATE_VERIFY_FAILED"* | *"SSLError"*)
	fail "the packages that it needs cannot be downloaded: the certificate of the package index is not accepted. PIP_CERT=FILE names the certificates of a proxy of your own." ;;
*"Temporary failure in name resolution"* | *"Name or service not known"* | *"Failed to establish a new connection"* | *"Network is unreachable"* | \
	*"No address associated"* | *"ProxyError"* | *"ConnectTimeout"* | *"Connection refused"* | *"Read timed out"*)
	fail "the packages that it needs cannot be downloaded: no package index can be reached. With a directory of wheels: PIP_NO_INDEX=1 PIP_FIND_LINKS=DIRECTORY make" ;;
*"No space left"*) fail "there is no space left below $(pwd)." ;;
esac
echo "$said" | tail -n 5 >&2
fail "the packages that it needs could not be installed."

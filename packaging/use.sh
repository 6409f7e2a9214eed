#!/bin/sh
# Inside a clean system: installs a form (deb, single, wheelhouse), then demo, plan, apply below a root, undo, removal. The last line is
# what the table of docs/install.md says of it. PYTHON_HOME is a Python of another version, which is used instead of the system's.
set -eu
export HOME=/root LC_ALL=C.UTF-8 PATH=${PYTHON_HOME:+$PYTHON_HOME/bin:}/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
state=/var/lib/compute-wizard
mount -t proc proc /proc
cd /dist
part=install
trap '[ "$?" = 0 ] || echo "it ended at: $part"' EXIT
begun=$(date +%s)
case $1 in
deb) dpkg -i ./*_amd64.deb >/dev/null; tool=compute-wizard python=/usr/lib/compute-wizard/bin/python3 ;;
wheelhouse) tar -xf ./*-wheelhouse.tar; PYTHON=${PYTHON_HOME:+$PYTHON_HOME/bin/python3} sh ./*-wheelhouse/install.sh >/dev/null; tool=compute-wizard python=/opt/compute-wizard/bin/python ;;
single)
	mkdir -p /usr/local/sbin
	cp ./*.pyz /usr/local/sbin/compute-wizard
	tool=compute-wizard python= ;;
esac
now=$(date +%s)
part="first start"
"$tool" --version >/dev/null
first=$(date +%s)
"$tool" --version
later=$(date +%s)
[ -n "$python" ] || python=$(echo /var/cache/compute-wizard/*/bin/python3)
version=$("$python" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])')
part=demo
"$tool" demo --ui plain </dev/null 2>/dev/null | grep -q SIMULATION
said=$({ "$tool" demo --ui plain </dev/null | head -n 1 >/dev/null; } 2>&1)
case $said in *Traceback* | *BrokenPipe*) echo "$said"; exit 1 ;; esac
"$python" -I -c "from pathlib import Path; from wizard.simulator.built_in import built_in; from wizard.simulator import described
described.materialise(built_in('demo'), Path('/node'))"
content() { (cd /node && find . -path ./var/lib/compute-wizard -prune -o -type f -exec sha256sum {} + | sort); }
before=$(content)
part=plan
"$tool" --root /node suggest >answers.toml
code=0; "$tool" --root /node plan --answers answers.toml >/dev/null || code=$?
[ "$code" = 2 ]
part="apply below a root"
"$tool" --root /node apply --answers answers.toml --yes --files-only
[ -x /node/usr/local/sbin/compute-wizard-metadata ] && [ "$(content)" != "$before" ]
part=undo
"$tool" --root /node undo --yes
[ "$(content)" = "$before" ]
case $1 in
deb)
	part="removal while a run stands"
	"$tool" --root /node apply --answers answers.toml --yes --files-only >/dev/null
	dpkg --remove compute-wizard >/dev/null
	[ ! -e /usr/sbin/compute-wizard ] && [ -d /node/$state/runs ]
	for each in /node/usr/local/sbin/compute-wizard-*; do  # what each boot runs needs nothing of the package
		if grep -e python -e /usr/lib/compute-wizard "$each"; then exit 1; fi
		code=0; sh "$each" >/dev/null 2>&1 || code=$?
		[ "$code" = 1 ] || [ "$code" = 2 ]  # the script's own answer to no word at all
	done
	part="purge while a run stands"
	mkdir -p $state
	cp -a /node/$state/runs $state/
	dpkg --purge compute-wizard >said 2>&1
	grep -q "stay in $state/runs" said
	[ "$(cd $state && find . | sort)" = "$(cd /node/$state && find . -path './runs*' -o -name . | sort)" ]
	part="undo.sh without the package"
	for each in $(ls -r /node/$state/runs); do sh "/node/$state/runs/$each/undo.sh" >/dev/null; break; done
	[ "$(content)" = "$before" ]
	part="purge without a run"
	rm -rf $state/runs/*
	dpkg -i ./*_amd64.deb >/dev/null
	dpkg --purge compute-wizard >/dev/null
	[ ! -e /usr/lib/compute-wizard ] && [ ! -e $state ]
	removed="removed and purged" ;;
wheelhouse)
	part=removal
	sh ./*-wheelhouse/install.sh --remove >/dev/null
	[ ! -e /opt/compute-wizard ] && [ ! -e /usr/local/sbin/compute-wizard ]
	removed=removed ;;
single)
	rm -rf /var/cache/compute-wizard /usr/local/sbin/compute-wizard
	removed=deleted ;;
esac
echo "| $version | yes, $((now - begun)) s | yes | yes | yes | yes | $removed | $((first - now)) s, $((later - first)) s |"

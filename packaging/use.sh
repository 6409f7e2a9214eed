#!/bin/sh
# Inside a clean system: install a form (deb, single, wheelhouse), then demo, plan, apply below a root, undo, removal.
set -eu
export HOME=/root LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
cd /dist
begun=$(date +%s)
case $1 in
deb) dpkg -i ./*_amd64.deb >/dev/null; tool=compute-wizard python=/usr/lib/compute-wizard/bin/python3 ;;
wheelhouse) tar -xf ./*-wheelhouse.tar; sh ./*-wheelhouse/install.sh >/dev/null; tool=compute-wizard python=/opt/compute-wizard/bin/python ;;
single) tool=$(echo /dist/*.pyz) python= ;;
esac
now=$(date +%s)
"$tool" --version >/dev/null
first=$(date +%s)
"$tool" --version
later=$(date +%s)
[ -n "$python" ] || python=$(echo /var/cache/compute-wizard/*/bin/python3)
"$tool" demo --ui plain </dev/null 2>/dev/null | grep -q SIMULATION
"$python" -I -c "from pathlib import Path; from wizard.simulator.built_in import built_in; from wizard.simulator import described
described.materialise(built_in('origin'), Path('/node'))"
printf 'format = "compute-wizard.answers/1"\n[iommu]\nenable = true\n' >answers.toml
drop=/node/etc/default/grub.d/zz-compute-wizard.cfg
code=0; "$tool" --root /node plan --answers answers.toml >/dev/null || code=$?
[ "$code" = 2 ]
"$tool" --root /node apply --answers answers.toml --yes --files-only
[ -e "$drop" ]
"$tool" --root /node undo --yes
[ ! -e "$drop" ]
case $1 in
deb)
	mkdir -p /var/lib/compute-wizard/runs/0001-x
	dpkg --purge compute-wizard
	[ ! -e /usr/lib/compute-wizard ] && [ -d /var/lib/compute-wizard/runs/0001-x ] ;;
wheelhouse) sh ./*-wheelhouse/install.sh --remove; [ ! -e /opt/compute-wizard ] && [ ! -e /usr/local/sbin/compute-wizard ] ;;
single) rm -rf /var/cache/compute-wizard "$tool" ;;
esac
echo "installed in $((now - begun)) s, first start $((first - now)) s, later $((later - first)) s; demo, plan, apply below a root, undo, removal"

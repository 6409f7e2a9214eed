#!/bin/sh
# Records a compute node into a tar, so that compute-wizard can plan for it elsewhere. Needs no Python; reads, changes nothing.
#
#   sh recorder.sh [--with-secrets] node.tar
#
# As root it sees everything. nova.conf holds passwords: their values are left out, so that the tar can be handed on - but then
# a plan cannot edit that file. With --with-secrets the file is recorded as it is; keep the tar as safe as the node itself.
#
# Besides the tar and a directory of its own below TMPDIR, which is gone at the end, it makes no file. What it runs only asks;
# mstconfig, where it is installed, leaves empty lock files of its own in /tmp/mstflint_lockfiles.
set -u
# As with the tool itself: a `nova-compute --version` must not write its compiled modules.
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin" PYTHONDONTWRITEBYTECODE=1
usage() { echo "usage: sh recorder.sh [--with-secrets] node.tar"; }
wrong() { printf '%s\n' "$1" >&2; usage >&2; exit 64; }
SECRETS=no OUT=
while [ $# -gt 0 ]; do
	case $1 in
	--with-secrets) SECRETS=yes ;;
	-h | --help) usage; exit 0 ;;
	-*) wrong "there is no option $1" ;;
	"") wrong "the name of the tar is empty" ;;
	*)
		[ -z "$OUT" ] || wrong "one tar is written, not two: $OUT, $1"
		OUT=$1
		;;
	esac
	shift
done
[ -n "$OUT" ] || wrong "name the tar that is to be written"
# A mistyped name must not cost a file, or a disk; and a file that is there may be one that others read.
if [ -e "$OUT" ] || [ -h "$OUT" ]; then echo "$OUT is there already: name a file that is not" >&2; exit 1; fi
umask 077
PLACE=$(mktemp -d) || exit 1
trap 'rm -rf "$PLACE"' EXIT
trap 'exit 1' HUP INT TERM
bounded() { if command -v timeout >/dev/null 2>&1; then timeout 20 "$@"; else "$@"; fi; }

directory() { [ -d "$PLACE$1" ] || mkdir -p -m 0755 "$PLACE$1"; }
link() { # PATH: the link itself
	directory "${1%/*}"
	[ -h "$PLACE$1" ] || ln -s "$(readlink "$1")" "$PLACE$1"
}
file() { # PATH…: regular files, by their content; mode and owner kept where this may
	for path; do
		[ -h "$path" ] && { link "$path"; path=$(readlink -f "$path" 2>/dev/null) || continue; }
		[ -f "$path" ] && [ -r "$path" ] || continue
		directory "${path%/*}"
		[ -e "$PLACE$path" ] && continue
		bounded cat "$path" >"$PLACE$path" 2>/dev/null
		chmod "$(stat -c %a "$path" 2>/dev/null || echo 644)" "$PLACE$path"
		chown "$(stat -c %u:%g "$path" 2>/dev/null || echo 0:0)" "$PLACE$path" 2>/dev/null
		touch -r "$path" "$PLACE$path" 2>/dev/null
	done
}
name() { # PATH…: that it is there, without its content
	for path; do
		[ -e "$path" ] || continue
		directory "${path%/*}"
		[ -e "$PLACE$path" ] || : >"$PLACE$path"
		touch -r "$path" "$PLACE$path" 2>/dev/null
	done
}
program() { # PATH…: that it is there, with the links that lead to it: they say which variant a plain name means
	for path; do
		[ -e "$path" ] || continue
		while [ -h "$path" ]; do
			link "$path"
			to=$(readlink "$path")
			case $to in /*) path=$to ;; *) path=${path%/*}/$to ;; esac
		done
		name "$path"
	done
}
masked() { # PATH: sections and the options that compute-wizard knows; every other value is hidden
	[ -f "$1" ] && [ -r "$1" ] || return 0
	directory "${1%/*}"
	sed -n '
		/^\[/p
		/^#/d
		s/^\([a-z_0-9]*\(whitelist\|device_spec\|alias\|_filters\|network_api_class\|use_neutron\|network_manager\|multi_host\|vlan_[a-z]*\|flat_[a-z_]*\|public_interface\|my_ip\|metadata_host\|metadata_port\|metadata_listen[a-z_]*\|enabled_apis\|networks_path\|state_path\|dnsmasq_config_file\|use_single_default_gateway\|share_dhcp_address\|force_snat_range\|dhcpbridge_flagfile\)[[:space:]]*=.*\)$/\1/p' \
		"$1" >"$PLACE$1"
	chmod "$(stat -c %a "$1" 2>/dev/null || echo 640)" "$PLACE$1"
	directory /.compute-wizard
	printf '%s\n' "$1" >>"$PLACE/.compute-wizard/masked"
}
spared() { # PATH…: as `file`, but where one holds what looks like a secret, its lines go without those
	for path; do
		[ -f "$path" ] && [ -r "$path" ] || continue
		if [ "$SECRETS" = yes ] || ! grep -qi "$SECRET" "$path"; then
			file "$path"
		elif [ ! -e "$PLACE$path" ]; then
			directory "${path%/*}"
			bounded grep -vi "$SECRET" "$path" >"$PLACE$path" 2>/dev/null
			chmod "$(stat -c %a "$path" 2>/dev/null || echo 600)" "$PLACE$path"
		fi
	done
}
SECRET='psk\|pass\|secret\|token\|private\|pin=\|key[0-9_a-z]*[[:space:]]*[=:]'
COMMANDS=0
said() { # what a command says
	command -v "$1" >/dev/null 2>&1 || return 0
	COMMANDS=$((COMMANDS + 1))
	own=$PLACE/.compute-wizard/commands/$COMMANDS-${1##*/}
	mkdir -p "$own"
	printf '%s\n' "$@" >"$own/argv"
	bounded "$@" >"$own/stdout" 2>"$own/stderr" </dev/null
	printf '%s\n' "$?" >"$own/status"
}

# --- the system
file /etc/os-release /usr/lib/os-release /etc/lsb-release /etc/hostname /etc/passwd /etc/group /etc/machine-id /var/lib/dbus/machine-id
file /proc/cmdline /proc/cpuinfo /proc/modules /proc/mounts /proc/stat /proc/1/comm /proc/1/cmdline /proc/1/cgroup
file /proc/self/mountinfo /proc/swaps
file /proc/sys/kernel/osrelease /proc/sys/kernel/hostname /proc/sys/kernel/random/boot_id /proc/sys/net/bridge/bridge-nf-call-iptables
file /proc/net/bonding/*
file /proc/net/route /proc/net/ipv6_route /proc/net/tcp /proc/net/tcp6 /proc/net/fib_trie /proc/net/vlan/*
file /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_name /sys/kernel/security/lockdown
[ -d /run/systemd/system ] && directory /run/systemd/system
[ -h /sbin/init ] && link /sbin/init
name /lib/systemd/systemd /usr/lib/systemd/systemd /.dockerenv /run/.containerenv
file /etc/init/*.conf /etc/udev/rules.d/* /etc/os-net-config/sriov_config.yaml /etc/rdma/mlx4.conf /etc/sysfs.conf
spared /etc/systemd/system/*.service /etc/systemd/network/* /etc/netplan/* /etc/rc.local
# what else may set VFs at boot
for path in /etc/sysfs.d/* /etc/tmpfiles.d/* /etc/cron.d/* /etc/crontab /etc/rc.d/rc.local /etc/network/interfaces /etc/network/interfaces.d/* \
	/etc/network/if-pre-up.d/* /etc/network/if-up.d/* /etc/NetworkManager/NetworkManager.conf /etc/NetworkManager/conf.d/* \
	/etc/NetworkManager/dispatcher.d/* /etc/NetworkManager/system-connections/* /etc/sysconfig/network-scripts/ifcfg-* \
	/etc/sriov-netplan-shim/interfaces.yaml /etc/systemd/system/*.service.d/*.conf; do
	[ -f "$path" ] && grep -qi 'sriov\|total-vfs\|num_vfs' "$path" 2>/dev/null && spared "$path"
done
grep -ls 'sriov_numvfs\|mlx5_num_vfs\|total-vfs' /etc/networkd-dispatcher/*/* /usr/lib/networkd-dispatcher/*/* /usr/lib/NetworkManager/conf.d/* \
	/etc/nmstate/* /etc/tuned/*/tuned.conf /etc/tuned/profiles/*/tuned.conf /usr/lib/tuned/*/tuned.conf /usr/lib/tuned/profiles/*/tuned.conf \
	/usr/lib/udev/rules.d/* /usr/lib/tmpfiles.d/* /etc/init.d/* /usr/local/lib/systemd/system/*.service /usr/lib/systemd/system/*.service \
	>"$PLACE/vfs.list" 2>/dev/null
while IFS= read -r path; do spared "$path"; done <"$PLACE/vfs.list"
rm -f "$PLACE/vfs.list"
file /etc/tuned/active_profile /etc/tuned/post_loaded_profile /etc/init.d/sysfsutils /etc/driverctl.d/*
name /usr/sbin/netplan /usr/sbin/ifup /usr/bin/nmcli /usr/sbin/driverctl
for path in /etc/rc[S2-5].d/S* /etc/rc.d/rc[2-5].d/S* /usr/lib/systemd/system/*.wants/* /etc/systemd/system/*; do
	[ -h "$path" ] && [ ! -e "$PLACE$path" ] && link "$path"
done
for unit in tuned rc-local sysfsutils networking NetworkManager networkd-dispatcher cron crond; do
	for path in /usr/lib/systemd/system/$unit.service; do [ -f "$path" ] && file "$path"; done
done
for path in $(sed -n 's/^[[:space:]]*ExecStart[A-Za-z]*[[:space:]]*=//p' /etc/systemd/system/*.service /etc/systemd/system/*.service.d/*.conf \
	/usr/local/lib/systemd/system/*.service /usr/lib/systemd/system/*.service 2>/dev/null | tr -s ' ";\047' '\n\n\n\n' |
	sed -n 's/^[-@:+!]*\(\/[A-Za-z0-9_.\/-]*\)$/\1/p' | sort -u); do
	case $path in /dev/* | /proc/* | /sys/* | /bin/* | /usr/bin/* | /usr/lib/systemd/* | /lib/systemd/*) continue ;; esac
	[ -f "$path" ] && [ "$(stat -Lc %s "$path" 2>/dev/null || echo 0)" -le 65536 ] && grep -q 'sriov_numvfs\|mlx5_num_vfs' "$path" 2>/dev/null || continue
	spared "$path"
	for unit in $(grep -lsF "$path" /usr/local/lib/systemd/system/*.service /usr/lib/systemd/system/*.service); do spared "$unit"; done
done
name /lib/systemd/system/*nova*.service /usr/lib/systemd/system/*nova*.service /lib/systemd/system/libvirt*.service
for wants in /etc/systemd/system/*.wants/* /etc/systemd/system/*.requires/*; do [ -h "$wants" ] && link "$wants"; done

# --- the boot loader
file /etc/default/grub /etc/default/grub.d/* /boot/grub/grub.cfg /boot/grub2/grub.cfg /boot/config-"$(uname -r)" /etc/kernel/cmdline
name /boot/loader/entries/*.conf /run/ostree-booted /etc/kernel/proxmox-boot-uuids /etc/sysconfig/bootloader /usr/sbin/proxmox-boot-tool
file /usr/sbin/grub-mkconfig /usr/sbin/grub2-mkconfig
name /boot/vmlinuz-* /boot/initrd.img-* /boot/initramfs-*.img
name /usr/sbin/update-grub /usr/sbin/update-initramfs /usr/bin/dracut /usr/sbin/grubby /usr/sbin/nft
program /sbin/ebtables /usr/sbin/ebtables /usr/sbin/ebtables-nft /usr/sbin/ebtables-legacy
file /etc/modprobe.d/* /lib/modprobe.d/* /usr/lib/modprobe.d/* /etc/initramfs-tools/modules
file /boot/grub/grubenv /boot/grub2/grubenv /etc/default/kexec /etc/default/kexec.d/*
file /sys/firmware/efi/efivars/LoaderInfo-* /sys/firmware/efi/efivars/StubInfo-*
program /bin/sh /sbin/kexec /usr/sbin/kexec
# programs that GRUB's sources may call: a word that is none ends grub-mkconfig
for word in $(cat /etc/default/grub /etc/default/grub.d/*.cfg 2>/dev/null | tr -cs 'A-Za-z0-9_.+-' '\n' | grep '^[A-Za-z]' | sort -u); do
	path=$(command -v "$word" 2>/dev/null) && case $path in /*) name "$path" ;; esac
done

# --- PCI devices and the network
for device in /sys/bus/pci/devices/*; do
	[ -h "$device" ] || continue
	link "$device"
	real=$(readlink -f "$device")
	for attribute in vendor device class subsystem_vendor subsystem_device numa_node sriov_totalvfs sriov_numvfs sriov_offset sriov_stride \
		sriov_vf_device sriov_drivers_autoprobe mlx4_port1 mlx4_port2; do
		file "$real/$attribute"
	done
	# The kernel wakes a device that sleeps to have these read (drivers/pci/pci-sysfs.c, vpd.c): that one is left to sleep.
	case $(cat "$real/class" "$real/power/runtime_status" 2>/dev/null) in
	*suspended) ;;
	0x02*) file "$real/vpd" "$real/config" ;;
	esac
	for path in "$real"/driver "$real"/iommu_group "$real"/physfn "$real"/virtfn*; do [ -h "$path" ] && link "$path"; done
	for net in "$real"/net/* "$real"/virtio*/net/*; do
		[ -d "$net" ] || continue
		for attribute in address addr_assign_type bonding_slave/perm_hwaddr dev_id dev_port operstate type mtu flags; do file "$net/$attribute"; done
		for path in "$net"/device "$net"/master "$net"/lower_* "$net"/upper_*; do [ -h "$path" ] && link "$path"; done
	done
	for rdma in "$real"/infiniband/*; do
		[ -d "$rdma" ] || continue
		file "$rdma/fw_ver" "$rdma/board_id" "$rdma/node_guid" "$rdma/hca_type"
		for port in "$rdma"/ports/*; do file "$port/link_layer" "$port/state"; done
	done
done
for net in /sys/class/net/*; do
	[ -h "$net" ] || continue
	link "$net"
	real=$(readlink -f "$net")
	for attribute in address dev_id dev_port operstate type mtu tun_flags; do file "$real/$attribute"; done
	for path in "$real"/device "$real"/master "$real"/lower_* "$real"/upper_*; do [ -h "$path" ] && link "$path"; done
	for kind in bridge bonding; do [ -d "$real/$kind" ] && directory "$real/$kind"; done
	for port in "$real"/brif/*; do [ -h "$port" ] && link "$port"; done
done
for block in /sys/class/block/*; do
	[ -h "$block" ] || continue
	link "$block"
	real=$(readlink -f "$block")
	directory "$real"
	for slave in "$real"/slaves/*; do [ -h "$slave" ] && link "$slave"; done
	file "$real/dev"
done
for table in DMAR IVRS IORT FACP; do name /sys/firmware/acpi/tables/$table; done
for group in /sys/kernel/iommu_groups/*; do
	for device in "$group"/devices/*; do [ -h "$device" ] && link "$device"; done
done
for unit in /sys/class/iommu/*; do [ -h "$unit" ] && link "$unit"; done
for module in mlx4_core mlx5_core; do file /sys/module/$module/parameters/*; done

# --- nova
if [ "$SECRETS" = yes ]; then file /etc/nova/nova.conf /etc/nova/nova-compute.conf /etc/nova/nova.conf.d/*; else
	for conf in /etc/nova/nova.conf /etc/nova/nova-compute.conf /etc/nova/nova.conf.d/*; do masked "$conf"; done
fi
file /etc/dnsmasq-nova.conf /etc/compute-wizard/* /usr/local/sbin/compute-wizard-* /var/lib/nova/networks/*
for place in /etc/kolla /var/lib/config-data /openstack/venvs; do [ -d $place ] && directory $place; done
for place in /etc/kolla/nova-compute /var/lib/juju/agents/unit-nova-compute*; do [ -d "$place" ] && directory "$place"; done
if [ -r /var/lib/dpkg/status ]; then
	directory /var/lib/dpkg
	awk 'BEGIN { RS = ""; ORS = "\n\n" } /^Package: (nova|neutron|libvirt|ebtables|dnsmasq|mstflint|openvswitch)/' /var/lib/dpkg/status \
		>"$PLACE/var/lib/dpkg/status"
	chmod 644 "$PLACE/var/lib/dpkg/status"
fi
for process in /proc/[0-9]*; do
	case $({ tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null) in
	*nova* | *dnsmasq* | *qemu* | *libvirtd* | *neutron* | *ovn* | *sshd* | *compute-wizard-metadata*) file "$process/cmdline" "$process/cgroup" "$process/stat" ;;
	esac
done

# --- what only commands say
MODULES=/proc/modules
SYSTEM_MODULES=/sys/module
BUILT_IN=/lib/modules/$(uname -r)/modules.builtin
file "$BUILT_IN"
in_kernel() { # MODULE: it is loaded or built in; a kernel without /proc/modules loads none
	[ -r $MODULES ] || return 0
	[ -d "$SYSTEM_MODULES/$1" ] || grep -q "^$1 " $MODULES || grep -q "/$1\.ko" "$BUILT_IN" 2>/dev/null
}
listing_makes_nothing() { # a listing loads ebtable_nat, and ebtables-nft before 1.8.9 may make its table: only where these are there
	ebtables=$(command -v ebtables) || return 1
	ebtables=$(readlink -f "$ebtables")
	case ${ebtables##*/} in *nft*) ;; *)
		in_kernel ebtable_nat
		return
		;;
	esac
	in_kernel nf_tables || return 1
	if command -v nft >/dev/null 2>&1; then
		said nft list tables
		grep -qx 'table bridge nat' "$own/stdout"
		return
	fi
	said ebtables -V
	sed -n 's/^[^0-9]*\([0-9]*\)\.\([0-9]*\)\.\([0-9]*\).*/\1 \2 \3/p' "$own/stdout" |
		awk '{ enough = $1 > 1 || $1 == 1 && ($2 > 8 || $2 == 8 && $3 >= 9) } END { exit !enough }'
}
said ip -j addr
listing_makes_nothing && said ebtables -t nat -L --Lc
said grubby --info=ALL
for device in /sys/bus/pci/devices/*; do
	[ "$(cat "$device/vendor" 2>/dev/null)" = 0x15b3 ] && [ ! -e "$device/physfn" ] || continue
	said mstconfig -d "${device##*/}" -e q
	said mstconfig -d "${device##*/}" q
done
said nova-compute --version

# noclobber: nobody made it in the meantime. By a redirection, since to GNU tar a name with a colon is one of another machine.
(set -C && : >"$OUT") || { echo "$OUT cannot be made" >&2; exit 1; }
tar -cf - -C "$PLACE" . >"$OUT" || { rm -f "$OUT"; echo "$OUT cannot be written" >&2; exit 1; }
echo "recorded into $OUT"
[ "$SECRETS" = yes ] || echo "The values of nova.conf's other options were left out: to plan an edit of it, record --with-secrets."

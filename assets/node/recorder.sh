#!/bin/sh
# Records a compute node into a tar, so that compute-wizard can plan for it elsewhere. Needs no Python; reads, changes nothing.
#
#   sh recorder.sh [--with-secrets] node.tar
#
# As root it sees everything. Of nova.conf only the options that compute-wizard knows are recorded, and in every other file, argument
# and answer *** stands for what looks like a secret - so a plan cannot edit those files. No program knows every secret: look the
# tar over before it is handed on. With --with-secrets all is recorded as it is; keep that tar as safe as the node itself.
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
WORK=$(mktemp -d) || exit 1
trap 'rm -rf "$WORK"' EXIT
PLACE=$WORK/node
mkdir -m 0755 "$PLACE" "$PLACE/.compute-wizard" || exit 1
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
		/^\[[A-Za-z0-9_. :-]*\][[:space:]]*$/p
		/^#/d
		s/^\([a-z_0-9]*\(whitelist\|device_spec\|alias\|_filters\|network_api_class\|use_neutron\|network_manager\|multi_host\|vlan_[a-z]*\|flat_[a-z_]*\|public_interface\|my_ip\|metadata_host\|metadata_port\|metadata_listen[a-z_]*\|enabled_apis\|networks_path\|state_path\|dnsmasq_config_file\|use_single_default_gateway\|share_dhcp_address\|force_snat_range\|dhcpbridge_flagfile\|force_config_drive\|config_drive_format\|mkisofs_cmd\|core_plugin\|[a-z_]*_mappings\|integration_bridge\|datapath_type\|extensions\|exclude_devices\|resource_provider_bandwidths\|force_metadata\|enable_isolated_metadata\|enable_metadata_network\|nova_metadata_[a-z]*\|mechanism_drivers\|network_vlan_ranges\|global_physnet_mtu\|supported_pci_vendor_devs\|agent_required\|ovn_metadata_enabled\)[[:space:]]*=.*\)$/\1/p' \
		"$1" >"$PLACE$1"
	chmod "$(stat -c %a "$1" 2>/dev/null || echo 640)" "$PLACE$1"
	printf '%s\n' "$1" >>"$PLACE/.compute-wizard/masked"
}
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
file /etc/systemd/system/*.service /etc/systemd/network/* /etc/netplan/* /etc/rc.local
# what else may set VFs at boot
for path in /etc/sysfs.d/* /etc/tmpfiles.d/* /etc/cron.d/* /etc/crontab /etc/rc.d/rc.local /etc/network/interfaces /etc/network/interfaces.d/* \
	/etc/network/if-pre-up.d/* /etc/network/if-up.d/* /etc/NetworkManager/NetworkManager.conf /etc/NetworkManager/conf.d/* \
	/etc/NetworkManager/dispatcher.d/* /etc/NetworkManager/system-connections/* /etc/sysconfig/network-scripts/ifcfg-* \
	/etc/sriov-netplan-shim/interfaces.yaml /etc/systemd/system/*.service.d/*.conf; do
	[ -f "$path" ] && grep -qi 'sriov\|total-vfs\|num_vfs' "$path" 2>/dev/null && file "$path"
done
grep -ls 'sriov_numvfs\|mlx5_num_vfs\|total-vfs' /etc/networkd-dispatcher/*/* /usr/lib/networkd-dispatcher/*/* /usr/lib/NetworkManager/conf.d/* \
	/etc/nmstate/* /etc/tuned/*/tuned.conf /etc/tuned/profiles/*/tuned.conf /usr/lib/tuned/*/tuned.conf /usr/lib/tuned/profiles/*/tuned.conf \
	/usr/lib/udev/rules.d/* /usr/lib/tmpfiles.d/* /etc/init.d/* /usr/local/lib/systemd/system/*.service /usr/lib/systemd/system/*.service \
	>"$PLACE/vfs.list" 2>/dev/null
while IFS= read -r path; do file "$path"; done <"$PLACE/vfs.list"
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
	file "$path"
	for unit in $(grep -lsF "$path" /usr/local/lib/systemd/system/*.service /usr/lib/systemd/system/*.service); do file "$unit"; done
done
name /lib/systemd/system/*nova*.service /usr/lib/systemd/system/*nova*.service /lib/systemd/system/libvirt*.service
for wants in /etc/systemd/system/*.wants/* /etc/systemd/system/*.requires/*; do [ -h "$wants" ] && link "$wants"; done

# --- the boot loader
file /etc/default/grub /etc/default/grub.d/* /boot/grub/grub.cfg /boot/grub2/grub.cfg /boot/config-"$(uname -r)" /etc/kernel/cmdline /etc/kernel/install.conf
file /efi/loader/entries/*.conf /boot/loader/entries/*.conf /boot/efi/loader/entries/*.conf
file /etc/kernel/proxmox-boot-uuids /etc/sysconfig/bootloader
name /run/ostree-booted /usr/sbin/proxmox-boot-tool /usr/bin/kernelstub /etc/kernel/tries
name /usr/bin/kernel-install /usr/lib/kernel/install.d/*.install /etc/initramfs/post-update.d/systemd-boot /lib/modules/*/vmlinuz /usr/bin/rpm-ostree /usr/bin/sdbootutil
name /boot/extlinux/extlinux.conf /usr/sbin/u-boot-update /etc/zipl.conf /sbin/zipl /usr/sbin/zipl
for place in /etc/kernel/install.d /run/kernel/install.d /usr/local/lib/kernel/install.d; do
	for plugin in "$place"/*.install; do if [ -h "$plugin" ]; then link "$plugin"; else name "$plugin"; fi; done
done
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
		for attribute in address addr_assign_type bonding_slave/perm_hwaddr dev_id dev_port operstate type mtu flags phys_switch_id phys_port_name; do file "$net/$attribute"; done
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
	for attribute in address dev_id dev_port operstate type mtu tun_flags phys_switch_id phys_port_name; do file "$real/$attribute"; done
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
	file "$group/reserved_regions"
done
for unit in /sys/class/iommu/*; do [ -h "$unit" ] && link "$unit"; done
for module in mlx4_core mlx5_core; do file /sys/module/$module/parameters/*; done

# --- nova
if [ "$SECRETS" = yes ]; then file /etc/nova/nova.conf /etc/nova/nova-compute.conf /etc/nova/nova.conf.d/*; else
	for conf in /etc/nova/nova.conf /etc/nova/nova-compute.conf /etc/nova/nova.conf.d/*; do masked "$conf"; done
fi
# programs that nova makes config drives with: what is not there was looked for
name /usr/bin/genisoimage /usr/bin/mkisofs /usr/bin/xorrisofs /usr/sbin/mkfs.vfat /sbin/mkfs.vfat
printf '%s\n' genisoimage mkisofs xorrisofs mkfs.vfat >"$PLACE/.compute-wizard/looked-for"

# --- neutron: which agents, their options, and what they serve
for conf in /usr/share/nova/nova-dist.conf /usr/share/neutron/neutron-dist.conf /etc/neutron/*.conf /etc/neutron/*.ini /etc/neutron/plugins/*/*.ini \
	/etc/kolla/nova-compute/*.conf /etc/kolla/neutron-*/*.conf /etc/kolla/neutron-*/*.ini /var/lib/openstack/config/nova/*.conf \
	/var/lib/config-data/puppet-generated/nova_libvirt/etc/nova/nova.conf /var/lib/config-data/puppet-generated/neutron/etc/neutron/*.conf \
	/var/lib/config-data/puppet-generated/neutron/etc/neutron/*.ini /var/lib/config-data/puppet-generated/neutron/etc/neutron/plugins/*/*.ini \
	/var/lib/config-data/ansible-generated/neutron-*/*.conf /var/snap/openstack-hypervisor/common/etc/n*/*.conf \
	/var/snap/openstack-hypervisor/common/etc/neutron/*.ini /var/snap/openstack-hypervisor/common/etc/neutron/plugins/*/*.ini; do
	if [ "$SECRETS" = yes ]; then file "$conf"; else masked "$conf"; fi
done
for place in /etc/kolla/neutron-* /etc/kolla/ovn-controller /var/lib/juju/agents/unit-ovn-chassis* /var/lib/juju/agents/unit-neutron-* /run/netns; do
	[ -d "$place" ] && directory "$place"
done
for space in /run/netns/ovnmeta-* /run/netns/qdhcp-*; do name "$space"; done
file /var/lib/neutron/dhcp/*/opts
for unit in /lib/systemd/system /usr/lib/systemd/system; do file $unit/neutron-*.service $unit/openstack-neutron-*.service $unit/ovn-*.service; done
file /etc/dnsmasq-nova.conf /etc/compute-wizard/* /usr/local/sbin/compute-wizard-* /var/lib/nova/networks/*
for place in /etc/kolla /var/lib/config-data /openstack/venvs; do [ -d $place ] && directory $place; done
for place in /etc/kolla/nova-compute /var/lib/juju/agents/unit-nova-compute*; do [ -d "$place" ] && directory "$place"; done
if [ -r /var/lib/dpkg/status ]; then
	directory /var/lib/dpkg
	awk 'BEGIN { RS = ""; ORS = "\n\n" } /^Package: (nova|neutron|networking-ovn|ovn|libvirt|ebtables|dnsmasq|mstflint|openvswitch)/' /var/lib/dpkg/status \
		>"$PLACE/var/lib/dpkg/status"
	chmod 644 "$PLACE/var/lib/dpkg/status"
fi
for process in /proc/[0-9]*; do
	case $({ tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null) in
	*nova* | *dnsmasq* | *qemu* | *libvirtd* | *neutron* | *ovn* | *haproxy* | *sshd* | *compute-wizard-metadata*) file "$process/cmdline" "$process/cgroup" "$process/stat" ;;
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
for net in /sys/class/net/*; do # InfiniBand: ip says the GUIDs of its VFs
	[ "$(cat "$net/type" 2>/dev/null)" != 32 ] || said ip link show dev "${net##*/}"
done
listing_makes_nothing && said ebtables -t nat -L --Lc
said grubby --info=ALL
[ -e /run/ostree-booted ] && said rpm-ostree kargs
for device in /sys/bus/pci/devices/*; do
	[ "$(cat "$device/vendor" 2>/dev/null)" = 0x15b3 ] && [ ! -e "$device/physfn" ] || continue
	said mstconfig -d "${device##*/}" -e q
	said mstconfig -d "${device##*/}" q
done
said nova-compute --version
# Open vSwitch: its database by reads that make no row and wait for nothing, and what OVN tells guests by DHCP
if [ -e /run/openvswitch/db.sock ] || [ -e /var/run/openvswitch/db.sock ]; then
	name /run/openvswitch/ovs-vswitchd.pid /var/run/openvswitch/ovs-vswitchd.pid
	database() { said ovs-vsctl --dry-run --no-wait --timeout=10 --format=json "--columns=$1" list "$2"; }
	database name,ports Bridge
	database _uuid,name,interfaces Port
	database _uuid,name,type,ofport,external_ids,mac_in_use Interface
	own=
	database external_ids,other_config,ovs_version Open_vSwitch
	bridge=$(sed -n 's/.*\["ovn-bridge","\([A-Za-z0-9_.-]*\)"\].*/\1/p' "${own:-$PLACE}/stdout" 2>/dev/null)
	said ovs-ofctl --timeout=20 dump-flows "${bridge:-br-int}" udp,tp_src=68,tp_dst=67
fi

# --- what looks like a secret is hidden, in all that was recorded
cat >"$WORK/net" <<'END_OF_NET'
# Hides what looks like a secret, as wizard/redaction.py does; ends with 3 where there was something. -v ARGS=1: a line is an argument
# of a process. For the awks of 2014: no repetitions by count, no classes by name, blanks by strings (busybox takes no \t in /[ ]/).
BEGIN {
	B = "[ \t]*"; BS = "[ \t]+"; W = "[^ \t]+"; H = "***"
	STEM = "passw|passphrase|passcode|pass|pwd|pswd|psk|secret|token|credential|communit|authorization|cookie|key|private|pin|pw|masterauth|kek|hash[_-]?(path)?[_-]?(suffix|prefix)"
	NO_VALUE = "^(null|none|nil|true|false|yes|no|on|off|undefined|~|\"\"|''|[\\\\]\"[\\\\]\"|[[][]]|[{][}])" B "([],;})\"'<]|$)"
	PATHS = "^[\"'\\\\]*(file:)?(/(etc|var|usr|opt|root|home|srv|run|mnt|boot|dev|tmp|lib|sys|proc)/|[.]?[.]?/[A-Za-z0-9_.-]|~/|https?://)"
	NAMED_VALUE = "^(" B ",?" B "|</[A-Za-z:]+>" B "<)[\"'\\\\]*([Vv]alue|VALUE|val|content)[\"'\\\\]*" B "[:=>]+" B
	IS_A_NAME = "(^|[^A-Za-z0-9])([Nn]ame|NAME|[Kk]ey|KEY|id|property)([\"'\\\\]*" B "[:=]" B "[\"'\\\\]*|>)$"
	NAME_ENDS = "(^|[^A-Za-z0-9])(name|key)[\"']?(" B "[:=]" B "[\"']?|>)[A-Za-z0-9_.-]+([\"']?,?|</[a-z]+>)$"
	SENTENCE = "(^|[ \t])(is|are|was|were|of|the|a|an|and|or|for|to|in|with|must|may|not|be|has|have|from|by|on|at|as|that|this|these|which|needs?|it|you|before|after|when|if)([ \t.,;:]|$)"
	FIRST = "^[ \t+#;*>-]*((export|set|setenv|env|option|local|readonly|enable|snmp-server)[ \t]+)?$"
	AFTER_USER = "((^|[ \t])(login|user|username|account)[ \t]+[^ \t]+|snmp-server|setenv)[ \t]+$"
	ORDERED = "^[ \t+#;*>-]*([Cc]om2[Ss]ec6?" BS W BS W "|[Tt]rap2?sink" BS W "|[Ii]nformsink" BS W "|[Cc]reate[Uu]ser" BS W "|([Ii]ncoming|[Oo]utgoing)[Uu]ser" BS W ")" BS
	LOGIN = "(^|[ \t\"'[,(])(-u|--user|--proxy-user|--username|--login)"
	AROUND = "[ \t+#;*>\"'|,\\\\n-]"
}
function telling(name,   low) {
	gsub(/^[.-]+|[.-]+$/, "", name)
	sub(/[.](value|data|text|plain|in|out|[0-9]+)$/, "", name)
	sub(/.*[.]/, "", name)
	gsub(/^-+|-+$/, "", name)
	low = tolower(name)
	if (low ~ /^(keystone_authtoken|private|pin|pw)s$|^keystone_authtoken$/ ||
		low ~ /^(with|without|no|ask|require|show|prompt|get|use|set|need|needs)[_-]/ ||
		low ~ /^(mon|tur|hoc|don|joc|whis|dis|sys)keys?$/ ||
		low ~ /(^|[_-])(by|com|sur|tres|under|over|multi|ask|get|ssh|one|two|single|low|high|band|all)[_-]?pass$/ ||
		low ~ /(public|pub|authorized|foreign|primary|sort|any|cache|hot|group|partition|sub|dict|routing|binding|known|host|function)[_-]?keys?[0-9]*$/ ||
		low ~ /(passw|passwd|password|passphrase|passcode|pass|pwd|pswd|psk|secret|token|credential|cookie|key)s?[_-]?(through|bucket|expir[a-z]*|expiry|ttl|timeout|lifetime|length|len|size|count|rate|interval|policy|type|min|max|enabled|disabled|required|prompt|algorithm|method|provider|providers|format|age|retries|attempts|authentication|rotation|per|filter|limit|cost|rounds|iterations|name|server|manager|service|store|driver|plugin|class|module|cache|backend|usage)s?([_-].*)?$/)
		return ""
	if (low ~ /(passwd|password|passphrase|pass|pwd|psk|secret|token|credential|cookie|key)s?[_-]?(file|filename|files|path|paths|dir|directory|location|url|uri|ca|cert|repository)[0-9]*$/)
		return "key"
	if (low ~ /passw|passphrase|passcode|pswd|secret|token|credential|communit|authorization[0-9]*$|cookie[0-9]*$|pass[0-9]*$|(^|[^a-z])psk|psk([^a-z]|$)/ ||
		low ~ /pwd([^a-z]|$)|(^|[_-])pin[0-9]*$|(^|[_-]|bind|root|user|admin|ldap|db)pw[0-9]*$|^private$|^masterauth$|kek[0-9]*$|hash[_-]?(path)?[_-]?(suffix|prefix)[0-9]*$/)
		return "secret"
	if (low ~ /keys?[0-9]*$/)
		return "key"
	return ""
}
function random(word) {
	sub(/[.,;:)"']+$/, "", word)
	sub(/^["'(]+/, "", word)
	if (length(word) < 4 || index("/~.-<{[$", substr(word, 1, 1)) || word ~ /=/ || word ~ /^[0-9.:]*$/) return 0
	return word ~ /[A-Za-z]/ && word ~ /[0-9]/ || substr(word, 2) ~ /[A-Z]/ || word ~ /[!@#$%&*+~|?]/ || index(word, "^") || index(word, "\\")
}
# each match of `regex` of at least `least` characters: hidden but for what begins as `before` and ends as `after`
function hide(s, regex, before, after, least, how,   out, m, at, n, keep, end) {
	out = ""
	while (match(s, regex)) {
		at = RSTART; n = RLENGTH; m = substr(s, at, n)
		keep = before != "" && match(m, "^(" before ")") ? RLENGTH : 0
		end = after != "" && match(m, "(" after ")$") ? n - RSTART + 1 : 0
		if (n < least || how == "random" && !random(substr(m, keep + 1)) || how == "login" && m ~ /[^0-9:][0-9]+:[0-9]+$/)
			out = out substr(s, 1, at + n - 1)
		else
			out = out substr(s, 1, at - 1) substr(m, 1, keep) H substr(m, n - end + 1)
		s = substr(s, at + n)
	}
	return out s
}
function of(s, program, before,   at) {
	if (!match(s, "(^|[^A-Za-z0-9_-])(" program ")[ \t]")) return s
	at = RSTART + RLENGTH - 1
	before = "[ \t]" before "[\"']?"
	return substr(s, 1, at - 1) hide(substr(s, at), before "[^ \t\"']+", before)
}
function values(s) {
	if (index(s, "@")) {
		s = hide(s, "iscsi:[^ \t]+@", "iscsi:", "@")
		s = hide(s, ":\\\\*/\\\\*/[^ \t<>]*@", ":\\\\*/\\\\*/", "@")
		s = hide(s, ":[^ \t:@/\"'\\\\]+@[A-Za-z0-9_[]", ":", "@.")
	}
	if (index(s, "%40")) s = hide(s, "%3[Aa]%2[Ff]%2[Ff][^ \t<>]*%40", "%3[Aa]%2[Ff]%2[Ff]", "%40")
	if (index(s, "$")) s = hide(s, "[$](1|2|2[abxy]|5|6|7|y|gy|md5|apr1|argon2[a-z]+)[$][A-Za-z0-9./$=,+-]+", "", "", 19)
	s = hide(s, "grub[.]pbkdf2[.][A-Za-z0-9.]+", "grub[.]pbkdf2[.]", "", 28)
	s = hide(s, "[{](S?SHA|S?MD5|CRYPT|SSHA256|SSHA512)[}][A-Za-z0-9+/=$.]+", "[{][A-Z0-9]+[}]")
	s = hide(s, "gAAAAA[A-Za-z0-9_=-]+", "", "", 26)
	s = hide(s, "eyJ[A-Za-z0-9_-]+[.][A-Za-z0-9_.-]+", "", "", 20)
	s = hide(s, "(gh[opsu]_|glpat-|xox[abps]-)[A-Za-z0-9-]+", "", "", 12)
	s = hide(s, "AKIA[A-Z0-9]+", "", "", 16)
	s = hide(s, "(^|[^A-Za-z0-9_])([Bb]asic|BASIC|[Bb]earer|BEARER|[Dd]igest|DIGEST|[Nn]egotiate|NEGOTIATE)" BS "[^ \t\"',;<>]+",
		"[^A-Za-z0-9_]?[A-Za-z]+" BS, "", 0, "random")
	if (index(s, ":") && index(s, "-")) {
		s = hide(s, LOGIN "[ \t=]+[\"'][^:\"'=/]+:[^\"']+", LOGIN "[ \t=]+[\"'][^:\"'=/]+:", "", 0, "login")
		s = hide(s, LOGIN "([ \t=]+|[\"']," B "[\"'])[^ \t:\"'=/]+:[^ \t\"'/][^ \t\"']*", LOGIN "([ \t=]+|[\"']," B "[\"'])[^ \t:\"'=/]+:", "", 0, "login")
		if (match(s, "(^|[^A-Za-z0-9_])curl[ \t]"))
			s = substr(s, 1, RSTART + 3) hide(substr(s, RSTART + 4), "[ \t]-u[^ \t:\"'=/-][^ \t:\"'=/]*:[^ \t\"']+", "[ \t]-u[^ \t:\"'=/-][^ \t:\"'=/]*:")
	}
	s = of(s, "sshpass", "-p" B)
	s = of(s, "mysql|mysqldump|mysqladmin|mariadb", "-p")
	s = of(s, "ipmitool", "-P" BS)
	s = of(s, "ldap[a-z]+", "-w" BS)
	s = of(s, "snmp[a-z]+", "-[cAX]" BS)
	s = of(s, "redis-cli", "-a" BS)
	s = of(s, "rabbitmqctl", "(add_user|change_password|authenticate_user)" BS W BS)
	s = of(s, "htpasswd", "-[a-zA-Z]*b[a-zA-Z]*" BS W BS W BS)
	if (index(s, "chpasswd")) s = hide(s, "(^|[ \t\"'])[a-z_][a-z0-9_-]*:[^ \t\"']+", "[ \t\"']?[a-z_][a-z0-9_-]*:")
	if (index(s, "secret,")) s = hide(s, "secret,[^ \t]*data=[^ \t,\"']+", "secret,[^ \t]*data=")
	if (match(s, ORDERED) && RLENGTH < length(s)) s = substr(s, 1, RLENGTH) H
	return s
}
# --- where the secret behind a name stands: from SB up to SE, 1; nowhere, 0; on the next line, 2. `t` is the line from `off` on.
function spans(from, to) { SB = from; SE = to; return to > from }
function find(t, quote, at,   i, k) { # the next such quote that is not escaped
	while (i = index(substr(t, at), quote)) {
		i += at - 1
		for (k = i; k > 1 && substr(t, k - 1, 1) == "\\"; k--) ;
		if ((i - k) % 2 == 0) return i
		at = i + length(quote)
	}
	return 0
}
function word_ends(t, at,   i, c, w, n) { # in t, the first character behind the word that begins at `at`
	for (i = at; i <= length(t); i++) {
		c = substr(t, i, 1)
		if (c == "\\" && substr(t, i + 1, 1) ~ /^[ \t]/) { i++; continue }
		if (c == " " || c == "\t") break
	}
	w = substr(t, at, i - at)
	if (match(w, /["'][],;)}]*$/)) {
		c = substr(w, RSTART, 1)
		n = at + RSTART - 1
		if (gsub(c, "", w) % 2) return n
	}
	return i
}
function quoted(t, off, quote, tight,   b, e, c, rest) {
	b = length(quote) + 1
	e = find(t, quote, b)
	if (!e) return spans(off + b - 1, off + length(t))
	c = substr(t, e + length(quote), 1)
	if (c == "" || index(",;)}]>&|/", c)) return spans(off + b - 1, off + e - 1)
	if (c == " " || c == "\t") {
		rest = tight ? "" : substr(t, e + length(quote))
		sub("^" B, "", rest)
		if (rest == "" || index("#,;)}]>", substr(rest, 1, 1))) return spans(off + b - 1, off + e - 1)
		return spans(off, off + length(t))
	}
	return spans(off, off + word_ends(t, e + length(quote)) - 1)
}
function value(t, off, tight, closed, string,   n, q, e, i, c, w) {
	n = length(t)
	if (t == "" || t == "\\") return 2
	if (tolower(t) ~ NO_VALUE || KIND == "key" && t ~ PATHS) return 0
	if (KIND == "key" && tolower(NAME) == "key" && match(t, /^["']?[A-Za-z0-9_.-]+["']/)) {
		w = substr(t, 1, RLENGTH)
		gsub(/["']/, "", w)
		if (telling(w) != "") return 0
	}
	if (t ~ /^[uUbBrR]["']/) { t = substr(t, 2); off++; n-- }
	if (QUOTE != "" && !closed) { e = find(t, QUOTE, 1); return spans(off, off + (e ? e - 1 : n)) }
	if (match(t, /^\\*["'`]/)) return quoted(t, off, substr(t, 1, RLENGTH), tight || closed)
	c = substr(t, 1, 1)
	if (c == "[" || c == "{" && substr(t, 2, 1) != "{") {
		e = 0
		for (i = 1; i <= n; i++) {
			c = substr(t, i, 1)
			if (c == "[" || c == "{") e++
			else if ((c == "]" || c == "}") && --e == 0) break
		}
		return spans(off, off + (i > n ? n : i))
	}
	if (closed) return spans(off, off + (match(t, "[],)} \t]") ? RSTART - 1 : n))
	e = !tight || LINE_FIRST ? n + 1 : word_ends(t, 1)
	if (string)
		for (i = 1; i = find(t, "\"", i); i++)
			if (substr(t, i + 1) ~ "^([] \t,;)}]|$)") { if (i < e) e = i; break }
	if (tight && BEFORE ~ /[?&]$/ && (i = index(t, "&")) && i < e) e = i
	return spans(off, off + e - 1)
}
function random_word(t, off,   w) {
	if (!match(t, "^(\\\\[ \t]|[^ \t])+")) return 0
	w = substr(t, 1, RLENGTH)
	if (!random(w)) return 0
	sub(/[.,;]+$/, "", w)
	return spans(off, off + length(w))
}
function until_tag(t, off,   e) {
	if (substr(t, 1, 9) == "<![CDATA[") { e = index(t, "]]>"); return spans(off + 9, off + (e ? e - 1 : length(t))) }
	e = index(t, "<")
	e = e ? e - 1 : length(t)
	return substr(t, 1, e) ~ /[^ ]/ ? spans(off, off + e) : t == "" ? 2 : 0
}
function behind_blanks(t, off,   by_option) { # t begins with the blanks
	by_option = 0
	if (NAME !~ /^-/ && match(t, "^" BS "--?[A-Za-z]+[ \t=]+") && (KIND != "key" || t ~ "^" BS "--?v(alue)?[ \t=]")) {
		match(t, "^" BS "--?[A-Za-z]+[ \t=]+")
		by_option = 1
	}
	else match(t, "^" BS)
	off += RLENGTH
	t = substr(t, RLENGTH + 1)
	if (KIND == "key" && (t ~ PATHS || !(NAME ~ /^-/ || by_option || LINE_FIRST && t ~ "^(\"[^\"]*\"|'[^']*'|(\\\\[ \t]|[^ \t])+)$"))) return 0
	if (NAME ~ /^-/ || by_option) {
		if (!by_option && t ~ "^(--[a-z][a-z-]*|-[a-z])([ \t=]|$)") return 0
		if (match(t, /^\\*["'`]/)) return quoted(t, off, substr(t, 1, RLENGTH), 1)
		return spans(off, off + word_ends(t, 1) - 1)
	}
	if (BEFORE ~ AFTER_USER) return spans(off, off + word_ends(t, 1) - 1)
	if (LINE_FIRST && !index("([{<=-&|", substr(t, 1, 1)) && substr(t, 1, 200) !~ SENTENCE && t !~ /[.:{]$/) return spans(off, off + length(t))
	if (match(t, "^(is|was)" BS)) { off += RLENGTH; t = substr(t, RLENGTH + 1) }
	return random_word(t, off)
}
function span(s, a, b, string,   t, off, closed, tight, path, w) { # the name is s[a..b-1]
	t = substr(s, b); off = b
	if (match(t, /^(%(25)?3[DdAa]|\\u003[dD])/)) {
		off += RLENGTH; t = substr(t, RLENGTH + 1)
		return spans(off, off + (match(t, "(&|%26|[\"' \t])") ? RSTART - 1 : length(t)))
	}
	if (match(t, /^\[[A-Za-z0-9_]*\]/)) { off += RLENGTH; t = substr(t, RLENGTH + 1) }
	closed = 0
	if (match(t, /^[]\\"'`})]+/)) {
		closed = substr(t, 1, RLENGTH) ~ /["'`]/
		off += RLENGTH; t = substr(t, RLENGTH + 1)
	}
	if (match(t, NAMED_VALUE) && BEFORE ~ IS_A_NAME) {
		match(t, NAMED_VALUE)
		return value(substr(t, RLENGTH + 1), off + RLENGTH, 1, 1, 0)
	}
	if (match(t, "^" B "(:=|=>|[+]=|[?]=|==|!=|=)" B)) {
		tight = substr(t, 1, RLENGTH) !~ "[ \t]"
		return value(substr(t, RLENGTH + 1), off + RLENGTH, tight, closed, string)
	}
	path = BEFORE ~ /\/$/
	if (match(t, "^" B ":" B) && !path) {
		tight = substr(t, RLENGTH, 1) == ":"
		off += RLENGTH; t = substr(t, RLENGTH + 1)
		if (!(tight && substr(t, 1, 1) == ":") && substr(t, 1, 2) != "//") {
			if (!tight && !closed && NAME ~ /^[a-z]+$/ && !LINE_FIRST && BEFORE ~ "[A-Za-z,][ \t]+$" && substr(t, 1, 200) ~ SENTENCE) return random_word(t, off)
			return value(t, off, tight, closed, string)
		}
		return 0
	}
	if (closed && NAME !~ /^-/ && match(t, "^" B "," B "[\"']--?[A-Za-z]+[\"']" B "," B "[uUbB]?[\"']")) {
		w = RLENGTH - (substr(t, RLENGTH - 1, 1) ~ /[uUbB]/)
		return value(substr(t, w), off + w - 1, 1, 1, 0)
	}
	if (closed && match(t, "^" B "," B "[\"'\\\\]")) return value(substr(t, RLENGTH), off + RLENGTH - 1, 1, 1, 0)
	if (BEFORE ~ /<([A-Za-z0-9]+:)?$/) {
		if (!match(t, /^[^<>]*>/) || substr(t, 1, RLENGTH) ~ /\/>$/) return 0
		match(t, /^[^<>]*>/)
		return until_tag(substr(t, RLENGTH + 1), off + RLENGTH)
	}
	if (closed && substr(t, 1, 1) == ">" && index(BEFORE, "<")) return until_tag(substr(t, 2), off + 1)
	if (match(t, "^" BS) && RLENGTH < length(t) && !path && (!closed || substr(t, RLENGTH + 1, 1) ~ /["']/)) return behind_blanks(t, off)
	return 0
}
function names(s, indent,   out, a, b, e, least, found, odd, counted, piece, hits) {
	out = ""; least = 1; odd = 0; counted = 1; hits = 0
	# `s` is what is left, `out` what is done; least: where the next name may begin
	while (match(tolower(substr(s, least)), STEM)) {
		if (++hits > 2000) return out H
		a = RSTART + least - 1; b = a + RLENGTH
		for (e = a - 64; a > least && a > e && substr(s, a - 1, 1) ~ /[A-Za-z0-9_.-]/; a--) ;
		match(substr(s, b, 64), /^[A-Za-z0-9_.-]*/)
		b += RLENGTH
		least = b
		NAME = substr(s, a, b - a)
		if ((KIND = telling(NAME)) == "") continue
		piece = substr(s, counted, a - counted)
		odd = (odd + gsub("\"", "", piece)) % 2
		counted = a
		BEFORE = substr(out substr(s, 1, a - 1), length(out) + a - 200 > 0 ? length(out) + a - 200 : 1, 200 < length(out) + a - 1 ? 200 : length(out) + a - 1)
		QUOTE = BEFORE ~ /["'`]$/ ? substr(BEFORE, length(BEFORE)) : ""
		LINE_FIRST = length(out) + a <= 200 && BEFORE ~ FIRST
		found = span(s, a, b, odd)
		if (found == 2) { follows = indent; continue }
		if (!found) { if (substr(s, length(s) > 200 ? length(s) - 199 : 1) ~ NAME_ENDS) named = 1; continue }
		if (substr(s, SB, SE - SB) ~ "^[|>][+-]?[0-9]?" B "$") { block = indent; continue }
		out = out substr(s, 1, SB - 1) H
		s = substr(s, SE)
		least = counted = 1
	}
	return out s
}
function bare(s) { gsub("^" AROUND "+|" AROUND "+$", "", s); return s }
function blank(s) { return s ~ "^" B "$" }
function keys(s,   e, rest, i, c) { # a private key that begins here
	if (!match(s, /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY[A-Z ]*|OpenVPN Static key V1)-----/)) return s
	e = RSTART + RLENGTH
	rest = substr(s, e)
	if (i = index(rest, "-----END")) return substr(s, 1, e - 1) H substr(rest, i)
	i = match(rest, /["']/) ? RSTART : 0
	key = !i || bare(rest) == ""
	if (i) return substr(s, 1, e - 1) H substr(rest, i)
	return substr(s, 1, e - 1) (blank(rest) ? rest : H)
}
function line(s,   lead, n, e, was) {
	match(s, "^" B)
	n = RLENGTH; lead = substr(s, 1, n)
	if (key) {
		e = index(s, "-----END")
		key = !e && bare(s) ~ /^([A-Za-z0-9+\/=]*|(Proc-Type|DEK-Info|Version|Comment): .*)$/
		if (e) return lead (blank(substr(s, 1, e - 1)) ? "" : H) substr(s, e)
		if (key) return lead H
	}
	if (block >= 0) {
		if (blank(s)) return s
		if (n > block) return lead H
		block = -1
	}
	if (follows >= 0) {
		was = follows; follows = -1
		if (n > was && !blank(s) && s !~ "[:=]([ \t]|$)" && s !~ "^" B "[[#<]") return lead H
	}
	if (named) {
		named = 0
		if (match(s, "^[ \t+-]*<?[\"']?[Vv]alue[\"']?" B "[:=>]" B) && RLENGTH < length(s)) {
			e = RLENGTH
			return substr(s, 1, e) H (match(substr(s, e + 1), "(</.*|[\"']?,?)$") ? substr(s, e + RSTART) : "")
		}
	}
	if (length(s) >= 60) {
		e = bare(s)
		if (length(e) >= 60 && e ~ /^[A-Za-z0-9+\/=]*$/ && e ~ /[a-z]/ && e ~ /[A-Z]/ && e ~ /[0-9]/) return lead H
	}
	return between(keys(s), n)
}
function between(s, n,   out, at, e, mark) { # what stands between the marks of keys
	out = ""
	while (match(s, /-----(BEGIN|END) [A-Za-z0-9 ]+-----/)) {
		at = RSTART; e = RLENGTH; mark = substr(s, at, e)
		out = out names(values(substr(s, 1, at - 1)), n) mark
		s = substr(s, at + e)
	}
	return out names(values(s), n)
}
function argument(s,   was) { # what the arguments before it say of it
	was = expected; expected = ""
	if (FNR == 1) { program = s; sub(/.*\//, "", program) }
	if (was == "value" && s !~ /^(--[a-z][a-z-]*|-[a-z])$/) return H
	if (was == "login" && match(s, /^[^:]+:/) && s !~ /^[0-9]+:[0-9]+$/) return substr(s, 1, RLENGTH) H
	if (s ~ /^(-u|--user|--proxy-user|--username|--login)$/) expected = "login"
	else if (s ~ /^[A-Za-z0-9_.-]+$/ && telling(s) == "secret") { expected = s ~ /^-/ ? "value" : "named"; return s }
	else if (s ~ /^--?[A-Za-z0-9_.-]+$/ && telling(s) == "key") { expected = "key"; return s }
	else if (was == "key" && s !~ /^-/ && s !~ PATHS) return H
	else if (was == "named" && s ~ /^--?[A-Za-z]+$/) expected = "value"
	else if (program == "sshpass" && s == "-p" || program == "ipmitool" && s == "-P" || program == "redis-cli" && s == "-a") expected = "value"
	else if (program ~ /^ldap/ && s == "-w" || program ~ /^snmp/ && s ~ /^-[cAX]$/) expected = "value"
	else if (program ~ /^(sshpass|mysql|mysqldump|mysqladmin|mariadb)$/ && s ~ /^-p./) return "-p" H
	return line(s)
}
FNR == 1 { key = named = 0; block = follows = -1; expected = "" }
{
	given = $0
	end = sub("\r$", "", given) ? "\r" : ""
	shown = ARGS ? argument(given) : line(given)
	for (again = 0; again < 3 && shown != given && !ARGS; again++) { # what is hidden may bring two things together
		given = between(shown, 0)
		if (given == shown) break
		shown = given
	}
	print shown end
	if (shown end != $0) hidden = 1
}
END { exit hidden ? 3 : 0 }
END_OF_NET
cat >"$WORK/sweep" <<'END_OF_SWEEP'
for path; do
	args= found=0
	case $path in
	"$PLACE"/proc/[0-9]*/cmdline)
		args=1
		tr '\0\n' '\n\001' <"$path" >"$WORK/in"
		;;
	"$PLACE"/etc/passwd | "$PLACE"/etc/group) # a hash may stand there still
		awk 'BEGIN { FS = OFS = ":" } $2 !~ /^(x|[*!]*)$/ { $2 = "***"; found = 3 } { print } END { exit found }' <"$path" >"$WORK/in"
		found=$?
		;;
	*) cat "$path" >"$WORK/in" ;;
	esac
	awk -v ARGS="$args" -f "$WORK/net" <"$WORK/in" >"$WORK/out" 2>/dev/null
	case $? in
	0) [ $found = 3 ] || continue ;;
	3) ;;
	*) echo "*** left out: it could not be looked through for secrets" >"$WORK/out" ;;
	esac
	[ -z "$args" ] || { tr '\n\001' '\0\n' <"$WORK/out" >"$WORK/in" && cp "$WORK/in" "$WORK/out"; }
	touch -r "$path" "$WORK/out"
	# what nobody may write - as /proc has it - an ordinary user may not write either, not in a copy of his own
	mode=$(stat -c %a "$path") && cp -p "$path" "$WORK/kept" && chmod u+w "$WORK/kept" && cat "$WORK/out" >"$WORK/kept" &&
		chmod "$mode" "$WORK/kept" && touch -r "$WORK/out" "$WORK/kept" && mv -f "$WORK/kept" "$path" || rm -f "$path" "$WORK/kept"
	printf '%s\n' "${path#"$PLACE"}" >>"$PLACE/.compute-wizard/masked-values"
done
exit 0
END_OF_SWEEP
if [ "$SECRETS" = yes ]; then
	echo "This recording holds passwords of the node: keep it as safe as the node itself."
else
	export WORK PLACE
	find "$PLACE" -path "$PLACE/sys" -prune -o -type f -size +0 -exec sh "$WORK/sweep" {} + ||
		{ echo "what was recorded could not be looked through for secrets: nothing is handed on" >&2; exit 1; }
	echo "No program knows every secret: look the files over before you hand this on."
	echo "A recording of a compute node. *** stands for what looked like a secret; masked and masked-values name the files."
	echo "It tells host names, addresses, serial numbers of cards, and names of networks, accounts and guests."
fi >"$PLACE/.compute-wizard/README"

# noclobber: nobody made it in the meantime. By a redirection, since to GNU tar a name with a colon is one of another machine.
(set -C && : >"$OUT") || { echo "$OUT cannot be made" >&2; exit 1; }
tar -cf - -C "$PLACE" . >"$OUT" || { rm -f "$OUT"; echo "$OUT cannot be written" >&2; exit 1; }
echo "recorded into $OUT"
if [ "$SECRETS" = yes ]; then exit 0; fi
echo "What looks like a secret stands as ***, and nova.conf's other options were left out: to plan an edit of it, record --with-secrets."
echo "No program knows every secret: look the tar over before you hand it on."

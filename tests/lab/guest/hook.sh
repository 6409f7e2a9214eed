#!/bin/sh
# hook.sh ROOT NAME: what mmdebstrap runs after the packages are in.
set -e
root=$1
echo "$2" > "$root/etc/hostname"
printf '127.0.0.1 localhost %s\n' "$2" > "$root/etc/hosts"
echo LANG=C.UTF-8 > "$root/etc/default/locale"
: > "$root/etc/machine-id"
echo root:lab | chroot "$root" chpasswd
install -m 755 "${0%/*}/first-boot.sh" "$root/usr/local/sbin/lab-first-boot"
# a small initramfs boots faster; that mlx4_core is in it, and reads its options there, is as on any node whose NICs are in it
printf 'virtio_pci\nvirtio_blk\next4\n' > "$root/etc/initramfs-tools/modules"
ls "$root"/lib/modules/*/updates/mlx4_core.ko >/dev/null 2>&1 && echo mlx4_core >> "$root/etc/initramfs-tools/modules"
chroot "$root" dpkg -i /root/nova.deb
rm "$root/root/nova.deb"
chroot "$root" systemctl -q enable systemd-networkd ssh serial-getty@ttyS0
for unit in firewalld.service systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service; do
	chroot "$root" systemctl -q disable "$unit" || true
done
chroot "$root" systemctl -q mask systemd-networkd-wait-online.service
chroot "$root" update-initramfs -u -k all
rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* "$root"/var/log/apt "$root"/var/log/dpkg.log "$root"/var/log/bootstrap.log

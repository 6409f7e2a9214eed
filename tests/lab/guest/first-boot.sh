#!/bin/sh
# Runs in the machine itself, once: the boot loader by its own installer, for BIOS and for UEFI, then away with what did it.
set -e
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /boot/efi
mountpoint -q /boot/efi || mount /boot/efi
grub-install --target=i386-pc /dev/vda
grub-install --target=x86_64-efi --efi-directory=/boot/efi --removable --no-nvram
update-grub
rm /usr/local/sbin/lab-first-boot /etc/systemd/system/lab-first-boot.*
umount /boot/efi
sync
echo LAB-BOOT-LOADER-INSTALLED

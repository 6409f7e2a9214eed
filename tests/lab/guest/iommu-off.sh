#!/bin/sh
# iommu-off.sh ROOT: a Debian kernel that behaves as one whose Intel IOMMU is off unless asked for (Ubuntu's and RHEL's for long).
# Debian's is on by default: an argument in front of all others, where no configuration file shows it, and the
# kernel's published configuration, stand for the other default. What comes later on the line wins.
set -e
sed -i 's/ ro \${args}/ intel_iommu=off ro ${args}/' "$1/etc/grub.d/10_linux"
grep -q intel_iommu=off "$1/etc/grub.d/10_linux"
sed -i 's/^CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y/# CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF is not set/' "$1"/boot/config-*

# Written by compute-wizard: says at login that a run waits for its reboot, or to be verified after it.
# It says nothing once `compute-wizard verify` has held, and goes when the run is taken back. Nothing else depends on it.
case $- in
*i*)
	(
		read -r run boot </var/lib/compute-wizard/verify-due || exit 0
		read -r now </proc/sys/kernel/random/boot_id
		for tool in compute-wizard /usr/local/sbin/compute-wizard /usr/sbin/compute-wizard /opt/compute-wizard/bin/compute-wizard; do
			[ -x "$(command -v "$tool")" ] && break
			tool=compute-wizard
		done
		if [ "$boot" = "$now" ]; then
			echo "compute-wizard: run $run needs a reboot; after it: $tool verify"
		else
			echo "compute-wizard: run $run has not been verified since the reboot: $tool verify"
		fi
	) 2>/dev/null || :
	;;
esac

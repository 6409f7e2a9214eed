# Written by compute-wizard: says at login that a run waits for its reboot, or to be verified after it.
# It says nothing once `compute-wizard verify` has held, and goes when the run is taken back. Nothing else depends on it.
case $- in
*i*)
	(
		read -r run boot </var/lib/compute-wizard/verify-due || exit 0
		read -r now </proc/sys/kernel/random/boot_id
		if [ "$boot" = "$now" ]; then
			echo "compute-wizard: run $run needs a reboot; after it: compute-wizard verify"
		else
			echo "compute-wizard: run $run has not been verified since the reboot: compute-wizard verify"
		fi
	) 2>/dev/null || :
	;;
esac

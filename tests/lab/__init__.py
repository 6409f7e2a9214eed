"""The lab: machines that really boot, with the tool in them.

Virtual machines of Debian packages alone, with a real GRUB, a real systemd, real kernels, and a card with real SR-IOV that looks
like a Mellanox one. `python -m lab` (with `tests` on the path) builds what is missing and plays the scenarios; `make lab` does that.
"""

"""What a shell's own commands do to its variables, and the names of programs that every node has."""

from __future__ import annotations

SPECIAL = frozenset("break : continue . eval exec exit export readonly return set shift times trap unset".split())
"""POSIX's special built-in utilities: what is assigned before one of them stays assigned."""

SURROUNDINGS = frozenset(
    """
    BASH BASHOPTS BASHPID BASH_VERSION DISPLAY EUID FUNCNAME GROUPS HISTFILE HOME HOSTNAME HOSTTYPE IFS LANG LANGUAGE LC_ALL
    LC_COLLATE LC_CTYPE LC_MESSAGES LC_NUMERIC LINENO LOGNAME MACHTYPE MAIL MAILPATH OLDPWD OPTARG OPTIND OSTYPE PATH PPID PS1
    PS2 PS4 PWD RANDOM SECONDS SHELL SHELLOPTS SHLVL SSH_CLIENT SSH_CONNECTION SSH_TTY SUDO_COMMAND SUDO_GID SUDO_UID SUDO_USER
    TERM TMPDIR TZ UID USER _
    prefix exec_prefix datarootdir datadir bindir sbindir libdir sysconfdir pkgdatadir host_os self option x grub_cfg
    grub_mkconfig_dir grub_bios_setup grub_probe grub_file grub_editenv grub_script_check PACKAGE_NAME PACKAGE_VERSION TEXTDOMAIN
    TEXTDOMAINDIR GRUB_PREFIX GRUB_DEVICE GRUB_DEVICE_UUID GRUB_DEVICE_PARTUUID GRUB_DEVICE_BOOT GRUB_DEVICE_BOOT_UUID GRUB_FS
    GRUB_EARLY_INITRD_LINUX_STOCK
    """.split()
)
"""Variables that have a value before the first of these files is read: the shell's, a login's, grub-mkconfig's own."""

BASH_ONLY = frozenset(
    "source [[ declare typeset let function shopt pushd popd dirs mapfile readarray builtin enable caller disown select".split()
)

QUIET = frozenset("bg fg hash jobs kill pwd shift times type ulimit umask wait".split())
"""Built-in utilities that leave the variables alone, and may fail."""

BUILT_IN = SPECIAL | frozenset("alias command getopts local printf read unalias".split())
"""Commands of the shell itself that may change more than can be followed here."""

READ_ONLY_IN_BASH = frozenset("BASHOPTS BASH_VERSINFO EUID PPID SHELLOPTS UID".split())

SURE = frozenset(
    """
    arch awk basename base64 cat cut date dirname fold head hostname id lsb_release nl nproc od sed sort tac tail tr true uname uniq
    wc whoami
    """.split()
)
"""Programs that do not fail as long as they read what is given to them, or a file that every node has."""

EVERYWHERE = frozenset(
    """
    /dev/null /etc/debian_version /etc/fstab /etc/hostname /etc/lsb-release /etc/os-release /etc/passwd /etc/redhat-release
    /etc/system-release /proc/cmdline /proc/cpuinfo /proc/meminfo /proc/version /usr/lib/os-release
    """.split()
)
"""Files that a distribution's own sources of GRUB read, or that every kernel and every system has."""

PROGRAMS = frozenset(
    """
    apt-config arch awk base64 basename blkid cat chmod chown chgrp clear cmp comm cp cpio cut date dd df diff dirname dmesg dmidecode
    dpkg dpkg-query dracut du egrep env expr fgrep file find findmnt fold free getconf getent gettext grep grub-editenv grub-mkconfig
    grub-mkrelpath grub-probe grub2-editenv grub2-probe gunzip gzip head hostname hostnamectl id install ip join ln logger logname ls
    lsattr lsb_release lsblk lscpu lsmod lspci mkdir mkfifo mknod mktemp modinfo modprobe mokutil mount mountpoint mv nice nl nohup
    nproc od paste pathchk pidof printenv ps readlink realpath rm rmdir rpm run-parts sed seq sh sha256sum sleep sort split stat stty
    sync sysctl systemctl systemd-detect-virt tail tar tee timeout touch tput tr tty udevadm umount uname uniq uuidgen vmstat wc which
    who whoami xargs
    """.split()
)
"""Programs that a recorded node need not hold to have them."""

# The start of the single file. Any Python can read this, old ones too; the standard library is all it uses.
#
# The first start unpacks the program into a directory of its own, as a virtual environment of the Python that started it; later
# ones find it there. For root that is /var/cache/compute-wizard, since only root may write what root runs; for others
# $XDG_CACHE_HOME or ~/.cache. COMPUTE_WIZARD_UNPACK names another place. What lies there may be removed at any time.
import os
import sys

OLDEST, NEWEST = (3, 10), (3, 14)
VERSION = "@VERSION@"
CONTENT = "@CONTENT@"


def main():
    archive = os.path.dirname(os.path.abspath(__file__))
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        _another(archive)
    if not sys.flags.isolated:  # nothing of the surroundings is imported
        os.execv(sys.executable, [sys.executable, "-I", archive] + sys.argv[1:])
    place = os.path.join(_above(), "%s-%s-py3%d" % (VERSION, CONTENT, sys.version_info[1]))
    _trusted(os.path.dirname(place))
    python = os.path.join(place, "bin", "python3")
    if not os.path.exists(python):
        _unpack(archive, place)
    _trusted(place)
    os.execv(python, [python, "-I", "-m", "screens.start"] + sys.argv[1:])


def _fail(text):
    sys.stderr.write("compute-wizard: " + text + "\n")
    sys.exit(1)


def _another(archive):
    """A Python that fits, from PATH; a name there may stand for none."""
    import subprocess

    nowhere = open(os.devnull, "r+")
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        for directory in os.environ.get("PATH", "").split(":"):
            path = os.path.join(directory, "python3.%d" % minor)
            if not directory.startswith("/") or not os.access(path, os.X_OK):
                continue
            ask = [path, "-I", "-c", "import sys; sys.exit(sys.version_info[1] != %d)" % minor]
            if subprocess.call(ask, stdin=nowhere, stdout=nowhere, stderr=nowhere) == 0:
                os.execv(path, [path, "-I", archive] + sys.argv[1:])
    _fail(
        "needs Python 3.10 to 3.14; this is %d.%d. For a node without one: `recorder` and `export script`, from another machine."
        % sys.version_info[:2]
    )


def _above():
    named = os.environ.get("COMPUTE_WIZARD_UNPACK")
    if named:
        return os.path.abspath(named)
    if os.geteuid() == 0:
        return "/var/cache/compute-wizard"
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(os.path.abspath(cache), "compute-wizard")


def _trusted(place):
    try:
        os.makedirs(place, 0o755, exist_ok=True)
        status = os.lstat(place)
    except OSError as error:
        _fail("cannot be unpacked: %s: %s. COMPUTE_WIZARD_UNPACK names another place." % (place, error.strerror))
    if status.st_uid != os.geteuid() or status.st_mode & 0o22:
        _fail("is not started from %s: somebody else can write there. Remove it, or name another place." % place)


def _unpack(archive, place):
    import platform
    import shutil
    import tempfile
    import zipfile

    machine = platform.machine()
    native = "native/3.%d-%s/" % (sys.version_info[1], machine)
    sys.stderr.write("compute-wizard: unpacking into %s (once)\n" % place)
    made = None
    try:
        made = tempfile.mkdtemp(prefix=".unpacking-", dir=os.path.dirname(place))
        os.chmod(made, 0o755)
        with zipfile.ZipFile(archive) as packed:
            names = [name for name in packed.namelist() if name.startswith(("pure/", native))]
            if not any(name.startswith(native) for name in names):
                shutil.rmtree(made)
                _fail("this file holds nothing for Python 3.%d on %s" % (sys.version_info[1], machine))
            old = os.umask(0o022)
            packed.extractall(made, names)
        site = os.path.join(made, "lib", "python3.%d" % sys.version_info[1], "site-packages")
        os.makedirs(site)
        os.makedirs(os.path.join(made, "bin"))
        with open(os.path.join(site, "compute-wizard.pth"), "w") as paths:
            paths.write("../../../pure\n../../../%s\n" % native.rstrip("/"))
        base = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
        with open(os.path.join(made, "pyvenv.cfg"), "w") as settings:
            settings.write("home = %s\ninclude-system-site-packages = false\n" % os.path.dirname(base))
        os.symlink(base, os.path.join(made, "bin", "python3"))
        os.umask(old)
        try:
            os.rename(made, place)
        except OSError:  # another one was quicker, or a broken one is there
            if not os.path.exists(os.path.join(place, "bin", "python3")):
                shutil.rmtree(place, ignore_errors=True)
                os.rename(made, place)
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        if made:
            shutil.rmtree(made, ignore_errors=True)
        _fail("cannot be unpacked: %s: %s. COMPUTE_WIZARD_UNPACK names another place." % (place, error.strerror))


if __name__ == "__main__":
    main()

"""The version of this tool, as its package says."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("compute-wizard")
except PackageNotFoundError:  # run from a tree that was never installed
    VERSION = "0"

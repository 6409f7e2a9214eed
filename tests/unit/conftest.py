"""Fixtures of every unit test."""

from forking import forked_runner, own_python

__all__ = ["forked_runner", "own_python"]

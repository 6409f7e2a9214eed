"""The texts in `assets`, however the tool was installed: a directory, a wheel, or one file."""

from __future__ import annotations

import posixpath


def asset_text(place: str) -> str:
    """The text of a file in `assets`, by its path there. Read by the package's own loader: importlib.resources takes longer to
    load than all of them to be read."""
    import assets

    loader = assets.__spec__.loader
    content: bytes = loader.get_data(posixpath.join(assets.__path__[0], place))  # type: ignore[union-attr]
    return content.decode()


def asset(name: str) -> str:
    """A text that is installed onto nodes."""
    return asset_text(f"node/{name}")


REPLACING = "# --- replacing files\n"
"""The line of a shell script in whose place the shared way to replace a file is put."""

GUESTS = "# --- guests that run\n"
"""The line in whose place the shared way to list guests is put, in scripts that ask for them."""


def with_fragments(script: str) -> str:
    """A shell script of ours with the shared pieces in it. One that has no place where files are replaced is a defect."""
    assert REPLACING in script, "the script does not say where files are replaced"
    for mark, name in ((REPLACING, "replace.sh"), (GUESTS, "guests.sh")):
        before, there, after = script.partition(mark)
        if there:
            script = before + asset_text(f"shell/{name}") + after
    return script

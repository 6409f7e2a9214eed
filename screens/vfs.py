"""The chapter VFs as a page."""

from __future__ import annotations

from screens.chapter import ChapterPage


class VfsPage(ChapterPage):
    """Its questions, as they come."""

    NAME = "vfs"

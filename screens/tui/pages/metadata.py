"""The chapter Metadata as a page."""

from __future__ import annotations

from screens.tui.pages.chapter import ChapterPage


class MetadataPage(ChapterPage):
    """Its questions, as they come."""

    NAME = "metadata"

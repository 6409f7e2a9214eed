"""The chapter Passthrough as a page."""

from __future__ import annotations

from screens.tui.pages.chapter import ChapterPage


class PassthroughPage(ChapterPage):
    """Its questions, as they come."""

    NAME = "passthrough"

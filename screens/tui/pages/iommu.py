"""The chapter IOMMU as a page."""

from __future__ import annotations

from screens.tui.pages.chapter import ChapterPage


class IommuPage(ChapterPage):
    """Its questions, as they come."""

    NAME = "iommu"

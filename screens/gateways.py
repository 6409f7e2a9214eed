"""The chapter Gateways as a page."""

from __future__ import annotations

from screens.chapter import ChapterPage


class GatewaysPage(ChapterPage):
    """Its questions, as they come."""

    NAME = "gateways"

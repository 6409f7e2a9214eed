"""All pages of the Textual face. A chapter needs none of its own: its questions are a page."""

from __future__ import annotations

from screens.shared.page_order import CHAPTERS
from screens.tui.page import Page
from screens.tui.pages.apply import ApplyPage
from screens.tui.pages.chapter import ChapterPage
from screens.tui.pages.devices import DevicesPage
from screens.tui.pages.gateways import GatewaysPage
from screens.tui.pages.history import HistoryPage
from screens.tui.pages.preview import PreviewPage, UndoPage
from screens.tui.pages.prove import ProvePage
from screens.tui.pages.verify import VerifyPage
from screens.tui.pages.vfs import VfsPage
from screens.tui.pages.welcome import WelcomePage

OWN: tuple[type[Page], ...] = (
    WelcomePage,
    DevicesPage,
    VfsPage,
    GatewaysPage,
    PreviewPage,
    ApplyPage,
    VerifyPage,
    ProvePage,
    HistoryPage,
    UndoPage,
)


def page(name: str) -> Page:
    """A page by its name, new."""
    own = next((each for each in OWN if name == each.NAME), None)
    if own is not None:
        return own()
    if name not in CHAPTERS:
        raise KeyError(name)
    return _of_questions(name)


def _of_questions(chapter: str) -> Page:
    """The page of a chapter that has none of its own."""

    class QuestionsPage(ChapterPage):
        NAME = chapter

    return QuestionsPage()

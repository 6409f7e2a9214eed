"""All pages of the Textual face."""

from __future__ import annotations

from screens.tui.page import Page
from screens.tui.pages.apply import ApplyPage
from screens.tui.pages.devices import DevicesPage
from screens.tui.pages.gateways import GatewaysPage
from screens.tui.pages.history import HistoryPage
from screens.tui.pages.iommu import IommuPage
from screens.tui.pages.metadata import MetadataPage
from screens.tui.pages.passthrough import PassthroughPage
from screens.tui.pages.preview import PreviewPage, UndoPage
from screens.tui.pages.prove import ProvePage
from screens.tui.pages.verify import VerifyPage
from screens.tui.pages.vfs import VfsPage
from screens.tui.pages.welcome import WelcomePage

ALL: tuple[type[Page], ...] = (
    WelcomePage,
    DevicesPage,
    IommuPage,
    VfsPage,
    PassthroughPage,
    GatewaysPage,
    MetadataPage,
    PreviewPage,
    ApplyPage,
    VerifyPage,
    ProvePage,
    HistoryPage,
    UndoPage,
)


def page(name: str) -> Page:
    """A page by its name, new."""
    return next(each for each in ALL if name == each.NAME)()

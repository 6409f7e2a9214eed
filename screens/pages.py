"""All pages of the Textual face."""

from __future__ import annotations

from screens.apply import ApplyPage
from screens.base import Page
from screens.devices import DevicesPage
from screens.gateways import GatewaysPage
from screens.history import HistoryPage
from screens.iommu import IommuPage
from screens.metadata import MetadataPage
from screens.passthrough import PassthroughPage
from screens.preview import PreviewPage, UndoPage
from screens.prove import ProvePage
from screens.verify import VerifyPage
from screens.vfs import VfsPage
from screens.welcome import WelcomePage

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

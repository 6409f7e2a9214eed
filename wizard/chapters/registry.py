"""The chapters in their order. Adding one: a module here, and a line in :func:`chapters`."""

from __future__ import annotations

from wizard.chapters.base import Chapter


def chapters() -> tuple[Chapter, ...]:
    """All chapters, in the order in which they are walked through."""
    from wizard.chapters.gateways import chapter as gateways
    from wizard.chapters.iommu import chapter as iommu
    from wizard.chapters.metadata import chapter as metadata
    from wizard.chapters.passthrough import chapter as passthrough
    from wizard.chapters.vfs import chapter as vfs

    return (iommu, vfs, passthrough, gateways, metadata)


def chapter(name: str) -> Chapter:
    return next(each for each in chapters() if name == each.NAME)

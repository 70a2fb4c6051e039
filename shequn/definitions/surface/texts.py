"""Texts for people, in one language or in several."""

from typing import Annotated, Any

from pydantic import Discriminator, Field, StringConstraints, Tag

from shequn.definitions.scalars import OneOrMany
from shequn.definitions.surface.base import Surface

Words = Annotated[str, StringConstraints(min_length=1, max_length=16_384, strip_whitespace=True)]


class TextBlock(Surface):
    """A text in each language of the community, each written natively."""

    zh: Words | None = Field(default=None, description="Chinese.")
    en: Words | None = Field(default=None, description="English.")


def _kind_of_text(value: Any) -> str:
    return "<text>" if isinstance(value, str) else "<texts>"


Text = Annotated[Annotated[Words, Tag("<text>")] | Annotated[TextBlock, Tag("<texts>")], Discriminator(_kind_of_text)]
"""A text: ``{zh: …, en: …}``, or the text alone where the community has one language."""

Points = Annotated[tuple[Words, ...], Field(min_length=1), OneOrMany()]


class PointsBlock(Surface):
    """The points of an announcement in each language of the community."""

    zh: Points | None = Field(default=None, description="Chinese, one point an entry.")
    en: Points | None = Field(default=None, description="English, one point an entry.")


def _kind_of_points(value: Any) -> str:
    return "<texts>" if isinstance(value, dict) else "<points>"


PointList = Annotated[
    Annotated[Points, Tag("<points>")] | Annotated[PointsBlock, Tag("<texts>")], Discriminator(_kind_of_points)
]
"""Points: ``{zh: [..], en: [..]}``, or the list alone where the community has one language."""

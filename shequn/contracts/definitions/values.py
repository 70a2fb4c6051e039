"""Small values that several definition documents share."""

from datetime import time, timedelta
from typing import Annotated

from pydantic import Field, PlainSerializer, StringConstraints

from shequn.contracts.base import Contract, Whole

Text = Annotated[str, StringConstraints(min_length=1, max_length=16_384)]
Seconds = Annotated[
    timedelta,
    PlainSerializer(lambda value: value.total_seconds(), return_type=float, when_used="json"),
]
"""A length of time; seconds in JSON."""


class LocalizedText(Contract):
    """A text in Chinese and English, each written natively. One may be missing when the community does not use it."""

    zh: Text | None = None
    en: Text | None = None

    def in_language(self, language: str) -> str:
        """Give the text in ``language``, or in the other one where it is missing."""
        chosen = self.en if language == "en" else self.zh
        return chosen or self.zh or self.en or ""


class ClockWindow(Contract):
    """A daily window of clock time in a zone that the context names; it may span midnight."""

    start: time
    end: time

    def contains(self, moment: time) -> bool:
        """Tell whether a clock time lies inside; the end is outside."""
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


class Rate(Contract):
    """So many within so long."""

    count: Whole = Field(ge=1)
    within: Seconds

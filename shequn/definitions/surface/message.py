"""``messages/*.yaml``: what the community says."""

from typing import ClassVar

from pydantic import Field

from shequn.definitions.surface.base import Surface
from shequn.definitions.surface.texts import Text, Words


class MessageFile(Surface):
    """One message; its id is the name of the file. Or, under ``messages``, several by id."""

    zh: Words | None = Field(default=None, description="The message in Chinese.")
    en: Words | None = Field(default=None, description="The message in English.")
    messages: dict[str, Text] | None = Field(default=None, description="Several messages by id, instead of one.")

    NOUN: ClassVar[str] = "language"

"""What an adapter says of itself: one declaration drives registration, settings, documents and lint."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from shequn.contracts.envelope import Envelope

_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")


@dataclass(frozen=True, slots=True)
class Label:
    """What people read, in Chinese and English.

    On a settings field it stands in the annotation: ``token: Annotated[SecretStr, Label(zh="令牌", en="Token")]``.
    """

    zh: str
    en: str


class AdapterSettings(BaseModel):
    """The base of every adapter's settings. Errors never show values: they may be secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Quota:
    """So many of one action within a time, as the platform grants it.

    Attributes:
        action: the command it limits; none for all of them together.
        count: how many.
        within: in which time.
        per: what is counted apart from each other: the ``account`` we act with, the ``chat``, or the ``member``.
    """

    action: type[Envelope] | None
    count: int
    within: timedelta
    per: str = "account"


@dataclass(frozen=True, slots=True)
class ReplyWindow:
    """How long after what a platform lets us write.

    Attributes:
        after: the event that opens the window; one of the manifest's events.
        length: how long it stays open.
        messages: how many messages it takes; none is unlimited.
    """

    after: type[Envelope]
    length: timedelta
    messages: int | None = None


@dataclass(frozen=True, slots=True)
class IdKind:
    """A kind of id that the platform gives: its name and what it identifies."""

    name: str
    meaning: Label


@dataclass(frozen=True, slots=True)
class AdapterManifest:
    """An adapter's declaration.

    Attributes:
        name: the adapter's name: also of its entry point.
        title: what people call it.
        settings: its settings model; every field carries a :class:`Label`.
        events: what it emits.
        actions: the commands it executes.
        quotas: the platform's limits.
        reply_windows: when the platform lets us answer.
        id_kinds: the ids its events carry.
        deduplicates: the platform, or the adapter itself, recognises a repeated idempotency key. Then an action whose
            outcome was lost in a crash is executed again; otherwise its outcome is ``unknown``.
    """

    name: str
    title: Label
    settings: type[AdapterSettings]
    events: tuple[type[Envelope], ...] = ()
    actions: tuple[type[Envelope], ...] = ()
    quotas: tuple[Quota, ...] = ()
    reply_windows: tuple[ReplyWindow, ...] = ()
    id_kinds: tuple[IdKind, ...] = ()
    deduplicates: bool = False

    def __post_init__(self) -> None:
        """Refuse a declaration that contradicts itself.

        Raises:
            ValueError: with what to correct.
        """
        if not _NAME.match(self.name):
            raise ValueError(f"adapter name {self.name!r}: lower case letters, digits, '-' and '_', at most 64")
        unlabelled = sorted(set(self.settings.model_fields) - set(field_labels(self.settings)))
        if unlabelled:
            raise ValueError(f"adapter {self.name}: settings without a Label: {', '.join(unlabelled)}")
        for window in self.reply_windows:
            if window.after not in self.events:
                raise ValueError(f"adapter {self.name}: a reply window opens after {window.after.TYPE}, never emitted")
        for quota in self.quotas:
            if quota.action is not None and quota.action not in self.actions:
                raise ValueError(f"adapter {self.name}: a quota limits {quota.action.TYPE}, which it cannot execute")


def field_labels(settings: type[AdapterSettings]) -> Mapping[str, Label]:
    """Give the labels of a settings model's fields, by field."""
    return {
        name: label
        for name, field in settings.model_fields.items()
        for label in field.metadata
        if isinstance(label, Label)
    }

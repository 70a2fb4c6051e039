"""Commands to platforms, and what became of them. Commands come from any service; outcomes from intake's delivery."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from shequn.contracts.base import Contract, PlatformId, Slug, Timestamp
from shequn.contracts.envelope import Envelope
from shequn.contracts.signups import Language


class SendMessageData(Contract):
    """Send a text to a member, or to a group.

    Attributes:
        idempotency_key: the same key is executed at most once, whatever is retried or killed.
        member_id: the member to reach; none when a group is meant.
        group: the group to write to; none when a member is meant.
        text: the text, already in the reader's language.
        language: that language.
        purpose: why it is sent, for people and metrics (``funnel:growth:welcome``).
        not_after: a deadline past which it must not be sent any more.
    """

    idempotency_key: str = Field(min_length=1, max_length=256)
    member_id: str | None = None
    group: Slug | None = None
    text: str = Field(min_length=1, max_length=16_384)
    language: Language = "zh"
    purpose: str = Field(default="", max_length=128)
    not_after: Timestamp | None = None


class SendMessage(Envelope):
    """Send a message."""

    type: Literal["actions.message.send.v1"] = "actions.message.send.v1"
    data: SendMessageData


class DeleteMessageData(Contract):
    """Delete a message of a group."""

    idempotency_key: str = Field(min_length=1, max_length=256)
    group: Slug
    message_id: PlatformId
    reason: str = Field(default="", max_length=512)


class DeleteMessage(Envelope):
    """Delete a message."""

    type: Literal["actions.message.delete.v1"] = "actions.message.delete.v1"
    data: DeleteMessageData


class OutcomeStatus(StrEnum):
    """What became of an action. Every action ends in one of these; nothing disappears silently."""

    DELIVERED = "delivered"
    DELAYED = "delayed"
    SUPPRESSED = "suppressed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class ActionSettledData(Contract):
    """The outcome of one action.

    Attributes:
        action_id: the command's event id.
        action: the command's type.
        idempotency_key: the command's key.
        status: what became of it.
        reason: why, when it is not delivered.
        adapter: which adapter had it.
        until: for ``delayed``: when it is tried again.
        receipt: the platform's id of what was sent.
        member_id: the member it was for.
    """

    action_id: str
    action: str
    idempotency_key: str
    status: OutcomeStatus
    reason: str = ""
    adapter: Slug
    until: Timestamp | None = None
    receipt: str | None = None
    member_id: str | None = None


class ActionSettled(Envelope):
    """An action has an outcome."""

    type: Literal["outcomes.action.settled.v1"] = "outcomes.action.settled.v1"
    data: ActionSettledData

"""What happens in chats. Owner: intake."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from shequn.contracts.base import AccountRef, Contract, PlatformId, Slug
from shequn.contracts.envelope import Envelope


class ContentKind(StrEnum):
    """What a message mainly is."""

    TEXT = "text"
    PICTURE = "picture"
    VOICE = "voice"
    VIDEO = "video"
    STICKER = "sticker"
    LINK = "link"
    CARD = "card"
    FILE = "file"
    OTHER = "other"


class JoinEvidence(Contract):
    """Why we believe somebody came through somebody or something.

    A referral without evidence is not a referral.
    """

    kind: Literal["invite-link", "qr", "inviter", "state", "code"]
    value: str = Field(min_length=1, max_length=256)


class MessageRef(Contract):
    """A message another message or a reaction points to.

    ``author`` is the author's member id where the platform tells it.
    """

    message_id: PlatformId
    author: str | None = None


class MessagePostedData(Contract):
    """A message in a group.

    Attributes:
        group: the group's id in the community definition.
        account: who wrote it.
        member_id: the member who owns the account.
        message_id: the platform's id of the message; unique within the group.
        kind: what the message mainly is.
        text: its plain text; empty when it has none. At most 65,536 characters.
        reply_to: the message it answers.
        mentions: accounts it addresses.
        name: the author's nickname in the group at that time.
    """

    group: Slug
    account: AccountRef
    member_id: str
    message_id: PlatformId
    kind: ContentKind = ContentKind.TEXT
    text: str = Field(default="", max_length=65_536)
    reply_to: MessageRef | None = None
    mentions: tuple[AccountRef, ...] = Field(default=(), max_length=200)
    name: str = Field(default="", max_length=256)


class MessagePosted(Envelope):
    """Somebody posted a message."""

    type: Literal["chat.message.posted.v1"] = "chat.message.posted.v1"
    data: MessagePostedData


class ReactionAddedData(Contract):
    """A reaction (emoji, like) to a message. ``account`` and ``member_id`` are who reacted."""

    group: Slug
    account: AccountRef
    member_id: str
    target: MessageRef
    reaction: str = Field(min_length=1, max_length=64)


class ReactionAdded(Envelope):
    """Somebody reacted to a message."""

    type: Literal["chat.reaction.added.v1"] = "chat.reaction.added.v1"
    data: ReactionAddedData


class GroupJoinedData(Contract):
    """An account entered a group."""

    group: Slug
    account: AccountRef
    member_id: str
    name: str = Field(default="", max_length=256)
    evidence: tuple[JoinEvidence, ...] = Field(default=(), max_length=16)


class GroupJoined(Envelope):
    """Somebody joined a group."""

    type: Literal["chat.member.joined.v1"] = "chat.member.joined.v1"
    data: GroupJoinedData


class GroupLeftData(Contract):
    """An account left a group or was removed from it."""

    group: Slug
    account: AccountRef
    member_id: str


class GroupLeft(Envelope):
    """Somebody left a group."""

    type: Literal["chat.member.left.v1"] = "chat.member.left.v1"
    data: GroupLeftData

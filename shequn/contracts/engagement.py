"""What members do for each other. Owner: engagement."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from shequn.contracts.base import Contract, PlatformId, Slug, Whole
from shequn.contracts.envelope import Envelope


class Tier(StrEnum):
    """Activity in a window: high originates, middle replies, low only reacts."""

    HIGH = "high"
    MIDDLE = "middle"
    LOW = "low"
    INACTIVE = "inactive"


class FirstRepliedData(Contract):
    """A member answered somebody for the first time."""

    member_id: str
    group: Slug
    message_id: PlatformId


class FirstReplied(Envelope):
    """A member replied for the first time."""

    type: Literal["engagement.member.first_replied.v1"] = "engagement.member.first_replied.v1"
    data: FirstRepliedData


class FirstPostedData(Contract):
    """A member wrote a first message."""

    member_id: str
    group: Slug
    message_id: PlatformId


class FirstPosted(Envelope):
    """A member posted for the first time."""

    type: Literal["engagement.member.first_posted.v1"] = "engagement.member.first_posted.v1"
    data: FirstPostedData


class TierChangedData(Contract):
    """A member's activity tier over ``window_days`` changed."""

    member_id: str
    window_days: Whole
    tier: Tier
    before: Tier


class TierChanged(Envelope):
    """A member's activity tier changed."""

    type: Literal["engagement.member.tier_changed.v1"] = "engagement.member.tier_changed.v1"
    data: TierChangedData


class PointsEarnedData(Contract):
    """A member earned points because somebody reacted or replied.

    Attributes:
        member_id: who earned.
        giver: whose act it was; never the member itself.
        points: how many; positive.
        balance: the member's balance after it.
        reason: ``reply`` or ``reaction``.
    """

    member_id: str
    giver: str
    points: Whole = Field(gt=0)
    balance: Whole
    reason: Literal["reply", "reaction"]


class PointsEarned(Envelope):
    """A member earned points."""

    type: Literal["engagement.points.earned.v1"] = "engagement.points.earned.v1"
    data: PointsEarnedData

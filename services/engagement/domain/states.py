"""What is remembered of messages, reactions, givers and members: one class per stored row."""

from dataclasses import dataclass, field
from datetime import date, datetime

from shequn.contracts.engagement import Tier


@dataclass(frozen=True, slots=True)
class Message:
    """A message, or what is known of it before it comes.

    Attributes:
        author: the member who wrote it; none until the message itself came.
        at: when it was posted.
        pending: acts (JSON) that point to it and wait for its author.
    """

    community: str
    group_id: str
    message_id: str
    author: str | None = None
    at: datetime | None = None
    pending: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reaction:
    """One reaction of a member to a message in a day of the community.

    Taking it back and giving it again on the same day is still one. ``at`` is its moment as it first reached us.
    """

    community: str
    group_id: str
    message_id: str
    member_id: str
    reaction: str
    day: date
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Giving:
    """What a member did for others in a day of the community.

    Attributes:
        receivers: by receiver: replies, reactions and the points they have earned.
    """

    community: str
    giver: str
    day: date
    receivers: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Member:
    """A member's activity and points.

    Moments are event times. A last moment is the latest and a first moment the earliest known, whatever the order.

    Attributes:
        spoke_in: the groups in which the member posted, sorted.
        points: the balance.
        tier: the tier over the smallest window, as last told to others.
        tier_ends_at: when that tier ends without another act; none when inactive.
    """

    community: str
    member_id: str
    last_originated_at: datetime | None = None
    last_replied_at: datetime | None = None
    last_reacted_at: datetime | None = None
    first_posted_at: datetime | None = None
    first_replied_at: datetime | None = None
    spoke_in: list[str] = field(default_factory=list)
    points: int = 0
    tier: str = Tier.INACTIVE.value
    tier_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PointsEntry:
    """One leg of a transfer of points: two entries with the same key sum to zero.

    Attributes:
        key: the act that earned them.
        account: ``issue`` or ``member:<member id>``.
        points: what the account gains; negative for what it gives.
        reason: ``reply`` or ``reaction``.
        giver: the member who acted.
        at: when the member acted.
        cause: the id of the event that settled it.
    """

    community: str
    key: str
    account: str
    points: int
    reason: str
    giver: str
    at: datetime
    cause: str

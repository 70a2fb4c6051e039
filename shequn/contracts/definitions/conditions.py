"""Triggers and conditions that funnels speak in: a closed vocabulary, so that a typing error is an error."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from shequn.contracts.base import Contract, Slug

TRIGGERS: dict[str, str] = {
    "member.joined": "members.member.joined.v1",
    "member.left": "members.member.left.v1",
    "engagement.first_post": "engagement.member.first_posted.v1",
    "engagement.first_reply": "engagement.member.first_replied.v1",
    "engagement.tier_changed": "engagement.member.tier_changed.v1",
    "points.earned": "engagement.points.earned.v1",
    "order.paid": "commerce.order.paid.v1",
    "order.refunded": "commerce.order.refunded.v1",
    "referral.brought": "commerce.referral.attributed.v1",
    "sanction.imposed": "moderation.sanction.imposed.v1",
}
"""The name an operator writes, and the event type it stands for.

``referral.brought`` concerns the referrer; every other trigger concerns the member its event is about.
"""


class Fact(StrEnum):
    """What is known of a member while a funnel runs.

    Numbers: ``contribution`` (points earned for what others valued), ``orders_paid``, ``spent`` (major units
    of the community's currency; orders in another one do not count), ``referrals``, ``strikes``, ``days_since_joined``,
    ``days_since_purchase`` (unknown before a purchase).
    Words: ``tier``, ``language``, ``channel``. Sets: ``bought`` (products), ``tags``.
    Yes or no: ``posted``, ``replied``.
    """

    TIER = "tier"
    LANGUAGE = "language"
    CHANNEL = "channel"
    CONTRIBUTION = "contribution"
    ORDERS_PAID = "orders_paid"
    SPENT = "spent"
    REFERRALS = "referrals"
    STRIKES = "strikes"
    DAYS_SINCE_JOINED = "days_since_joined"
    DAYS_SINCE_PURCHASE = "days_since_purchase"
    BOUGHT = "bought"
    TAGS = "tags"
    POSTED = "posted"
    REPLIED = "replied"


NUMBERS = frozenset(
    {
        Fact.CONTRIBUTION,
        Fact.ORDERS_PAID,
        Fact.SPENT,
        Fact.REFERRALS,
        Fact.STRIKES,
        Fact.DAYS_SINCE_JOINED,
        Fact.DAYS_SINCE_PURCHASE,
    }
)
WORDS = frozenset({Fact.TIER, Fact.LANGUAGE, Fact.CHANNEL})
SETS = frozenset({Fact.BOUGHT, Fact.TAGS})
FLAGS = frozenset({Fact.POSTED, Fact.REPLIED})

Operator = Literal[">=", "<=", ">", "<", "==", "in", "contains"]


class Condition(Contract):
    """One comparison of one fact.

    Numbers compare with ``>= <= > < ==``; words with ``in`` a list; sets ``contains`` any of a list; flags ``==``.
    A fact that is unknown fulfils no condition.
    """

    fact: Fact
    operator: Operator
    value: float | bool | tuple[str, ...]


class Conditions(Contract):
    """All of ``all_of`` must hold; an empty list always holds."""

    all_of: tuple[Condition, ...] = ()


class Trigger(Contract):
    """An event of the member that a funnel reacts to.

    Attributes:
        on: a name out of :data:`TRIGGERS`.
        product: only for this product; for order triggers.
    """

    on: str
    product: Slug | None = None
    rung: Literal["free", "low", "middle", "high"] | None = Field(default=None)

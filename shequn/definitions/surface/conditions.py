"""Triggers and conditions as operators write them in funnels."""

from typing import Annotated, Any, ClassVar

from pydantic import Discriminator, Field, Tag

from shequn.contracts.commerce import Ladder
from shequn.contracts.engagement import Tier
from shequn.contracts.signups import Language
from shequn.definitions.scalars import Name, Names, NumberComparison, OneOrMany, Words
from shequn.definitions.surface.base import Surface

Tiers = Annotated[tuple[Tier, ...], Field(min_length=1), OneOrMany()]
Languages = Annotated[tuple[Language, ...], Field(min_length=1), OneOrMany()]


class TriggerSurface(Surface):
    """An event of the member."""

    on: str = Field(description="The event: `order.paid`, `member.joined` …")
    product: Name | None = Field(default=None, description="Only for this product.")
    rung: Ladder | None = Field(default=None, description="Only for products of this rung.")


class ConditionsSurface(Surface):
    """Comparisons of facts; all of them must hold."""

    NOUN: ClassVar[str] = "fact"

    tier: Tiers | None = Field(default=None, description="Activity tier: one of these.")
    language: Languages | None = Field(default=None, description="Language the member reads: one of these.")
    channel: Words | None = Field(default=None, description="Where the member came from: one of these.")
    contribution: NumberComparison | None = Field(default=None, description="Points earned for what others valued.")
    orders_paid: NumberComparison | None = Field(default=None, description="How many orders are paid.")
    spent: NumberComparison | None = Field(default=None, description="How much is paid, in major units.")
    referrals: NumberComparison | None = Field(default=None, description="How many members were brought.")
    strikes: NumberComparison | None = Field(default=None, description="How many strikes there are.")
    days_since_joined: NumberComparison | None = Field(default=None, description="Days since joining.")
    days_since_purchase: NumberComparison | None = Field(default=None, description="Days since the last purchase.")
    bought: Names | None = Field(default=None, description="Products: any of these was bought.")
    tags: Names | None = Field(default=None, description="Tags: the member has any of these.")
    posted: bool | None = Field(default=None, description="Whether the member has posted.")
    replied: bool | None = Field(default=None, description="Whether the member has replied.")


def _kind_of_trigger(value: Any) -> str:
    return "<trigger>" if isinstance(value, dict) else "<words>"


def _kind_of_until(value: Any) -> str:
    if isinstance(value, dict):
        return "<trigger>" if "on" in value else "<conditions>"
    return "<words>"


AnyTrigger = Annotated[
    Annotated[str, Tag("<words>")] | Annotated[TriggerSurface, Tag("<trigger>")], Discriminator(_kind_of_trigger)
]
"""``order.paid course-low``, or ``{on: order.paid, product: course-low}``."""

Until = Annotated[
    Annotated[str, Tag("<words>")]
    | Annotated[TriggerSurface, Tag("<trigger>")]
    | Annotated[ConditionsSurface, Tag("<conditions>")],
    Discriminator(_kind_of_until),
]
"""What ends a wait: a trigger, or conditions."""

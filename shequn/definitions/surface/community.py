"""``community.yaml``: identity, goal, groups, rules and rhythms."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from shequn.contracts.definitions.community import GroupKind, Layer
from shequn.contracts.signups import Language
from shequn.definitions.scalars import Amount, Clock, Count, Duration, Name, Names, Words, as_written
from shequn.definitions.surface.base import Item, Surface
from shequn.definitions.surface.rules import RulesSurface
from shequn.definitions.surface.texts import Text

Purpose = Literal["sell-goods", "connections", "growth", "brand", "influence", "retention"]
Short = Annotated[str, StringConstraints(min_length=1, max_length=128)]
ChatId = Annotated[
    str,
    BeforeValidator(as_written),
    StringConstraints(min_length=1, max_length=256),
    WithJsonSchema({"type": ["string", "integer"]}),
]


class InterestSurface(Surface):
    """What members share, and what the community is for."""

    tags: tuple[Short, ...] = Field(min_length=1, description="What members have in common.")
    purpose: tuple[Purpose, ...] = Field(
        min_length=1, description="What it is for; newcomers are told before they join."
    )


class GoalSurface(Surface):
    """The quantified goal: so much of a metric in every cycle."""

    metric: Name = Field(description="What is counted.")
    unit: Short = Field(description="In which unit.")
    target: float = Field(gt=0, allow_inf_nan=False, description="How much.")
    every: Literal["day", "week", "month", "quarter", "year"] = Field(description="In which cycle.")


class ThresholdSurface(Surface):
    """One condition for entering a group."""

    invite: Literal["any_member", "manager", "owner"] | None = Field(default=None, description="Invited by …")
    recommend: Count | None = Field(default=None, description="Recommended by so many members.")
    answer: Names | None = Field(default=None, description="Questions the applicant answers.")
    paid: Names | None = Field(default=None, description="A product bought; one of several is enough.")
    accept: Literal["rules"] | None = Field(default=None, description="The rules accepted.")
    task: Name | None = Field(default=None, description="A task done.")
    tags: Names | None = Field(default=None, description="One of these tags.")
    phone: Literal["verified"] | None = Field(default=None, description="A verified phone number.")
    homework: Name | None = Field(default=None, description="A piece of homework handed in.")

    NOUN: ClassVar[str] = "entry threshold"


class EntrySurface(Surface):
    """What it takes to enter a group."""

    all: tuple[ThresholdSurface, ...] = Field(min_length=1, description="Every one of these.")


class GroupSurface(Surface):
    """One chat on one platform."""

    id: Name = Field(description="Its name in the other files.")
    kind: GroupKind = Field(description="What sort of group it is.")
    layer: Layer = Field(default="fan", description="Its layer: fan → member → manager → core.")
    name: Text | None = Field(default=None, description="What members read.")
    platform: Name = Field(description="The adapter that speaks to it.")
    chat: ChatId = Field(description="The chat's id on the platform.")
    capacity: Count = Field(default=500, description="How many members it holds; 500 is WeChat's limit.")
    entry: EntrySurface | None = Field(default=None, description="What it takes to enter.")
    rules: Name | None = Field(default=None, description="Its rules; may be left out when there is only one set.")


class PointsSurface(Surface):
    """Points for what others valued."""

    reply: int = Field(default=2, strict=True, ge=0, le=10_000, description="To whom somebody replies.")
    reaction: int = Field(default=1, strict=True, ge=0, le=10_000, description="To whom somebody reacts.")


class EngagementSurface(Surface):
    """How engagement counts."""

    tier_windows: tuple[Duration, ...] = Field(
        default=(timedelta(days=7), timedelta(days=30)), min_length=1, description="Windows of activity tiers, in days."
    )
    points: PointsSurface = Field(default=PointsSurface(), description="Points for what others valued.")
    pair_cap_per_day: int = Field(
        default=3,
        strict=True,
        ge=0,
        le=10_000,
        description="How often a day one member's acts to the same other earn points.",
    )


class RedPacketSurface(Surface):
    """A red packet with a budget."""

    amount: Amount = Field(description="One packet, in major units.")
    budget_per_day: Amount | None = Field(default=None, description="All packets of a day.")


class NewcomerSurface(Surface):
    """What happens when somebody joins."""

    serial: bool = Field(default=False, description="Whether newcomers get a serial number.")
    rules_every: Count | None = Field(default=None, description="Rules are posted again after so many joins.")
    introduce: bool = Field(default=False, description="Whether newcomers are asked to introduce themselves.")
    red_packet: RedPacketSurface | None = Field(default=None, description="A red packet for newcomers.")


class CleanUpSurface(Surface):
    """Who is removed for being silent, and how."""

    every: Literal["month", "quarter", "half-year"] = Field(description="How often.")
    idle: Duration = Field(description="Silent for so long.")
    roll_call: Clock = Field(description="When members are asked whether they are there.")
    confirm_by: Literal["owner", "manager", "operator"] = Field(description="Who confirms a removal.")


class RhythmSurface(Surface):
    """Something that happens again and again. What else it says is kept as written."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: Name = Field(description="Its name.")


class ReplicationSurface(Surface):
    """When a group is copied."""

    split_at: Count | None = Field(default=None, description="A group of so many members is split.")
    seed: Count | None = Field(default=None, description="So many old members begin the new group.")


class CommunityFile(Surface):
    """A community: who it is for, what it is after, where it meets and by which rules."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("community", "name", "timezone", "currency", "groups")
    REFUSED: ClassVar[Mapping[str, str]] = {
        "products": "products stand in products.yaml",
        "referral": "the referral programme stands in referral.yaml",
        "funnels": "funnels stand in funnels/, one file each",
        "messages": "messages stand in messages/",
    }

    community: Name | None = Field(default=None, description="The community's id; it never changes.")
    name: Text | None = Field(default=None, description="What members read.")
    timezone: str | None = Field(default=None, description="IANA name; clock times and days are in it.")
    currency: str | None = Field(default=None, description="ISO 4217 code; every price is in it.")
    languages: tuple[Language, ...] = Field(
        default=("zh",), min_length=1, description="Languages in which every text must be there. Chinese by default."
    )
    interest: InterestSurface | None = Field(default=None, description="What members share, and what for.")
    goal: GoalSurface | None = Field(default=None, description="The quantified goal.")
    groups: tuple[Item[GroupSurface], ...] = Field(default=(), min_length=1, description="The chats.")
    rules: dict[Name, Item[RulesSurface]] = Field(default={}, description="Rules by id; groups name them.")
    words: dict[Name, Words] = Field(default={}, description="Word lists by kind, for `forbid`; longer ones in words/.")
    engagement: EngagementSurface = Field(default=EngagementSurface(), description="How engagement counts.")
    newcomer: NewcomerSurface | None = Field(default=None, description="What happens when somebody joins.")
    clean_up: CleanUpSurface | None = Field(default=None, description="How silent members are removed.")
    rhythms: tuple[RhythmSurface, ...] | None = Field(default=None, description="What happens again and again.")
    replication: ReplicationSurface | None = Field(default=None, description="When a group is copied.")

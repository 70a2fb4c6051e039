"""The community document: the root of a definition, and the event that publishes it."""

from typing import Literal

from pydantic import Field, JsonValue

from shequn.contracts.base import Contract, PlatformId, Slug, Whole
from shequn.contracts.definitions.currency import Currency
from shequn.contracts.definitions.funnel import FunnelDefinition
from shequn.contracts.definitions.products import ProductDefinition, ReferralPolicy
from shequn.contracts.definitions.rules import RuleSet
from shequn.contracts.definitions.values import LocalizedText, Seconds
from shequn.contracts.envelope import Envelope
from shequn.contracts.signups import Language

GroupKind = Literal["free", "paid", "study", "project", "core", "temporary"]
Layer = Literal["fan", "member", "manager", "core"]


class GroupDefinition(Contract):
    """One chat on one platform."""

    id: Slug
    kind: GroupKind
    layer: Layer = "fan"
    name: LocalizedText = LocalizedText()
    platform: Slug
    chat: PlatformId
    capacity: Whole = Field(default=500, ge=1)
    rules: Slug | None = None


class Goal(Contract):
    """The quantified goal of the community."""

    metric: str
    unit: str
    target: float = Field(gt=0)
    every: Literal["day", "week", "month", "quarter", "year"]


class EngagementPolicy(Contract):
    """How engagement counts.

    Attributes:
        tier_windows_days: windows of the activity tiers, in days.
        points_per_reply: points to whom somebody replies.
        points_per_reaction: points to whom somebody reacts.
        pair_cap_per_day: how many acts of one giver to one receiver earn points in a day of the community's zone.
    """

    tier_windows_days: tuple[Whole, ...] = (7, 30)
    points_per_reply: Whole = Field(default=2, ge=0)
    points_per_reaction: Whole = Field(default=1, ge=0)
    pair_cap_per_day: Whole = Field(default=3, ge=0)


class CommunityDefinition(Contract):
    """Everything about one community, in one immutable version.

    Attributes:
        version: set by `apply`: 1, 2, 3 …; 0 in a document that is not applied.
        timezone: IANA name; clock times and days of the community are in it.
        currency: ISO 4217; every price is in it.
        currency_digits: of the currency's minor unit. Decided once, when the files are compiled (Unicode's table); a
            document of before this field reads as 2.
        messages: texts by id, with ``{placeholders}``.
        extras: parts of the files that are validated and kept, but that no service acts on yet.
    """

    community: Slug
    version: Whole = Field(default=0, ge=0)
    name: LocalizedText
    timezone: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    currency_digits: Whole = Field(default=2, ge=0, le=4)
    languages: tuple[Language, ...] = ("zh",)
    tags: tuple[str, ...]
    purpose: tuple[str, ...]
    goal: Goal
    groups: tuple[GroupDefinition, ...]
    rules: tuple[RuleSet, ...]
    engagement: EngagementPolicy = EngagementPolicy()
    products: tuple[ProductDefinition, ...] = ()
    referral: ReferralPolicy | None = None
    funnels: tuple[FunnelDefinition, ...] = ()
    messages: dict[str, LocalizedText] = Field(default_factory=dict)
    stay: Seconds | None = None
    extras: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def priced_in(self) -> Currency:
        """The currency with its digits, to write and compare amounts."""
        return Currency(self.currency, self.currency_digits)

    def group(self, group_id: str) -> GroupDefinition | None:
        """Find a group by its id."""
        return next((group for group in self.groups if group.id == group_id), None)

    def product(self, product_id: str) -> ProductDefinition | None:
        """Find a product by its id."""
        return next((product for product in self.products if product.id == product_id), None)

    def rule_set(self, rule_set_id: str | None) -> RuleSet | None:
        """Find a rule set by its id."""
        return next((rules for rules in self.rules if rules.id == rule_set_id), None)


class DefinitionApplied(Envelope):
    """A new version of a community's definition is in force."""

    type: Literal["definitions.community.applied.v1"] = "definitions.community.applied.v1"
    data: CommunityDefinition

"""What funnels know of a member.

Facts are built from events and do not depend on the order in which those arrive: sets stay sets, the latest by event
time wins, a refund that comes before its payment waits in the purchase's record. Two exceptions: ``contribution`` is a
plain sum, the inbox has dropped repeated events before they get here; and of a member's profile the last one told wins,
because identity tells all it knows each time, in the order of the stream.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from flows.engine.copies import Copied
from shequn.contracts.commerce import OrderPaid, OrderRefunded, ReferralAttributed
from shequn.contracts.definitions.conditions import TRIGGERS
from shequn.contracts.engagement import PointsEarned, Tier, TierChanged
from shequn.contracts.envelope import Envelope
from shequn.contracts.members import MemberJoined, MemberUpdated
from shequn.contracts.moderation import SanctionImposed

TRIGGER_OF: dict[str, str] = {event_type: name for name, event_type in TRIGGERS.items()}
"""The trigger that an event type is, as operators call it."""

_TIER_RANK = {tier.value: rank for rank, tier in enumerate((Tier.INACTIVE, Tier.LOW, Tier.MIDDLE, Tier.HIGH))}


@dataclass(frozen=True, slots=True)
class Purchase:
    """One order of the member.

    Attributes:
        rung: the product's rung; empty while only a refund is known.
        minor: what was paid, in minor units.
        overpaid_minor: the part above the price, owed back.
        paid_at: event time of the payment; none while only a refund is known.
        refunded_minor: all refunds so far, in minor units.
        whole: whether nothing of the order remains paid.
        refunded_at: event time of the latest refund.
    """

    product: str
    rung: str = ""
    currency: str = ""
    minor: int = 0
    overpaid_minor: int = 0
    paid_at: datetime | None = None
    refunded_minor: int = 0
    whole: bool = False
    refunded_at: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether the member still has what was bought."""
        return self.paid_at is not None and not self.whole

    @property
    def kept_minor(self) -> int:
        """What the community keeps of the money, in minor units. A refund pays back the overpaid part first."""
        return max(0, self.minor - max(self.overpaid_minor, self.refunded_minor))


@dataclass(frozen=True, slots=True)
class Profile:
    """What identity told last about the member. ``event_id`` names that event; empty while none has arrived."""

    event_id: str = ""
    name: str = ""
    language: str = ""
    channel: str = ""
    timezone: str | None = None
    consents: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether identity has told about the member."""
        return bool(self.event_id)


@dataclass(frozen=True)
class MemberFacts(Copied):
    """What is known of one member of one community.

    Attributes:
        profile: who the member is.
        joined_at: event time of the earliest joining that is known.
        seen: event time of the latest occurrence by trigger, for triggers without a record of their own.
        purchases: by order id.
        brought: members brought, and when.
        tiers: tier and event time by length of the window, in days.
        contribution: points earned for what others valued.
        strikes: unexpired strikes at the latest sanction.
        tags: given by funnels.
        enrolled: names of the funnels the member has been in.
    """

    profile: Profile = Profile()
    joined_at: datetime | None = None
    seen: Mapping[str, datetime] = field(default_factory=dict)
    purchases: Mapping[str, Purchase] = field(default_factory=dict)
    brought: Mapping[str, datetime] = field(default_factory=dict)
    tiers: Mapping[int, tuple[str, datetime]] = field(default_factory=dict)
    contribution: int = 0
    strikes: int = 0
    strikes_at: datetime | None = None
    tags: frozenset[str] = frozenset()
    enrolled: frozenset[str] = frozenset()

    @property
    def tier(self) -> str | None:
        """The tier in the shortest window that is known: it changes first."""
        return self.tiers[min(self.tiers)][0] if self.tiers else None

    def tagged(self, tag: str) -> "MemberFacts":
        """Give the facts with one more tag."""
        return self if tag in self.tags else self.having(tags=self.tags | {tag})

    def enrolled_in(self, funnel: str) -> "MemberFacts":
        """Give the facts with one more funnel."""
        return self if funnel in self.enrolled else self.having(enrolled=self.enrolled | {funnel})


def concerned(event: Envelope) -> str | None:
    """Give the id of the member whose funnels an event concerns; none when no funnel can react to it."""
    if event.type not in TRIGGER_OF and event.type not in _CHANGES:
        return None
    member: str = event.data.referrer if isinstance(event, ReferralAttributed) else event.data.member_id
    return member


def apply_event(facts: MemberFacts, event: Envelope) -> MemberFacts:
    """Add what an event tells to the facts of the member it concerns."""
    change = _CHANGES.get(event.type)
    known = facts if change is None else change(facts, event)
    trigger = TRIGGER_OF.get(event.type)
    if trigger is None or event.type in _RECORDED:
        return known
    before = known.seen.get(trigger)
    if before is not None and before >= event.time:
        return known
    return known.having(seen={**known.seen, trigger: event.time})


def _joined(facts: MemberFacts, event: Any) -> MemberFacts:
    data = event.data
    joined_at = event.time if facts.joined_at is None else min(facts.joined_at, event.time)
    consents = tuple(sorted(set(data.consents)))
    profile = Profile(event.id, data.name, data.language, data.channel, data.timezone, consents)
    return facts.having(profile=profile, joined_at=joined_at)


def _paid(facts: MemberFacts, event: Any) -> MemberFacts:
    data = event.data
    known = facts.purchases.get(data.order_id)
    paid_at = event.time if known is None or known.paid_at is None else min(known.paid_at, event.time)
    purchase = replace(
        known or Purchase(data.product),
        rung=data.rung.value,
        currency=data.amount.currency,
        minor=data.amount.minor,
        overpaid_minor=data.overpaid_minor,
        paid_at=paid_at,
    )
    return facts.having(purchases={**facts.purchases, data.order_id: purchase})


def _refunded(facts: MemberFacts, event: Any) -> MemberFacts:
    data = event.data
    known = facts.purchases.get(data.order_id) or Purchase(data.product)
    purchase = replace(
        known,
        refunded_minor=max(known.refunded_minor, data.refunded_minor),
        whole=known.whole or data.whole,
        refunded_at=event.time if known.refunded_at is None else max(known.refunded_at, event.time),
    )
    return facts.having(purchases={**facts.purchases, data.order_id: purchase})


def _brought(facts: MemberFacts, event: Any) -> MemberFacts:
    before = facts.brought.get(event.data.member_id)
    at = event.time if before is None else min(before, event.time)
    return facts.having(brought={**facts.brought, event.data.member_id: at})


def _tier_changed(facts: MemberFacts, event: Any) -> MemberFacts:
    window, tier = event.data.window_days, event.data.tier.value
    before = facts.tiers.get(window)
    if before is not None and (before[1], _TIER_RANK[before[0]]) >= (event.time, _TIER_RANK[tier]):
        return facts
    return facts.having(tiers={**facts.tiers, window: (tier, event.time)})


def _earned(facts: MemberFacts, event: Any) -> MemberFacts:
    return facts.having(contribution=facts.contribution + event.data.points)


def _sanctioned(facts: MemberFacts, event: Any) -> MemberFacts:
    strikes, at = event.data.strikes, event.time
    if facts.strikes_at is not None and (facts.strikes_at, facts.strikes) >= (at, strikes):
        return facts
    return facts.having(strikes=strikes, strikes_at=at)


_CHANGES: dict[str, Callable[[MemberFacts, Any], MemberFacts]] = {
    MemberJoined.TYPE: _joined,
    MemberUpdated.TYPE: _joined,
    OrderPaid.TYPE: _paid,
    OrderRefunded.TYPE: _refunded,
    ReferralAttributed.TYPE: _brought,
    TierChanged.TYPE: _tier_changed,
    PointsEarned.TYPE: _earned,
    SanctionImposed.TYPE: _sanctioned,
}

_RECORDED = frozenset({OrderPaid.TYPE, OrderRefunded.TYPE, ReferralAttributed.TYPE})
"""Events whose occurrences the facts keep one by one, so that ``seen`` need not."""

"""What the totals must be at the end of a story, counted from the story's own decisions."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.definitions.products import ProductDefinition, ReferralPolicy

RUNGS = ("free", "low", "middle", "high")
STAGES = (*RUNGS, "referral")
_WHOLE = 10_000


@dataclass(slots=True)
class Purchase:
    """Somebody buys something.

    Attributes:
        buyer: the member.
        product: what.
        at: when.
        refund_at: when all of it goes back, if it does.
        price_minor: what it costs then.
    """

    buyer: str
    product: ProductDefinition
    at: datetime
    refund_at: datetime | None = None
    price_minor: int = 0


def price_in_order(purchases: list[Purchase]) -> None:
    """Give each purchase the price of the seat it gets when everybody buys in order of time."""
    sold: Counter[str] = Counter()
    for purchase in sorted(purchases, key=lambda item: (item.at, item.buyer)):
        product = purchase.product
        seat = sold[product.id]
        sold[product.id] += 1
        purchase.price_minor = product.price_minor or 0
        for tier in product.seat_tiers:
            purchase.price_minor = tier.price_minor
            if seat < tier.seats:
                break
            seat -= tier.seats


@dataclass(frozen=True, slots=True)
class Totals:
    """The headline numbers. Money is in minor units.

    ``stages``: members who reached each stage of the growth funnel.
    """

    members: int
    messages: int
    speakers: int
    replies: int
    reactions: int
    flagged: int
    orders: int
    revenue_minor: int
    refunds_minor: int
    customers: int
    repeat_customers: int
    referrals: int
    commissions_held_minor: int
    stages: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Give all numbers by name."""
        return asdict(self)


@dataclass(slots=True)
class Ledger:
    """What a story has decided so far; :meth:`totals` adds it up."""

    referral: ReferralPolicy | None
    joined: dict[str, datetime] = field(default_factory=dict)
    referrers: dict[str, str] = field(default_factory=dict)
    speakers: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    purchases: list[Purchase] = field(default_factory=list)

    @classmethod
    def of(cls, definition: CommunityDefinition) -> "Ledger":
        """Begin for a community."""
        return cls(definition.referral)

    def totals(self) -> Totals:
        """Add everything up."""
        orders = Counter(purchase.buyer for purchase in self.purchases)
        kept = [purchase for purchase in self.purchases if purchase.refund_at is None]
        refunded = [purchase for purchase in self.purchases if purchase.refund_at is not None]
        return Totals(
            members=len(self.joined),
            messages=self.counts["messages"],
            speakers=len(self.speakers),
            replies=self.counts["replies"],
            reactions=self.counts["reactions"],
            flagged=self.counts["flagged"],
            orders=len(self.purchases),
            revenue_minor=sum(purchase.price_minor for purchase in self.purchases),
            refunds_minor=sum(purchase.price_minor for purchase in refunded),
            customers=len(orders),
            repeat_customers=sum(1 for count in orders.values() if count > 1),
            referrals=len(self.referrers),
            commissions_held_minor=sum(self._commission(purchase) for purchase in kept),
            stages=self._stages(),
        )

    def _commission(self, purchase: Purchase) -> int:
        policy, joined = self.referral, self.joined[purchase.buyer]
        if policy is None or purchase.buyer not in self.referrers or purchase.product.id not in policy.commission_on:
            return 0
        inside = purchase.at - joined <= timedelta(seconds=policy.window.total_seconds())
        return purchase.price_minor * policy.rate_basis_points // _WHOLE if inside else 0

    def _stages(self) -> dict[str, int]:
        """Everybody begins free; a purchase of a rung reaches its stage; who is high and brought somebody, the last."""
        reached = {rung: {item.buyer for item in self.purchases if item.product.rung.value == rung} for rung in RUNGS}
        referral = reached["high"] & set(self.referrers.values())
        counts = {rung: len(buyers) for rung, buyers in reached.items()}
        return counts | {"free": len(self.joined), "referral": len(referral)}

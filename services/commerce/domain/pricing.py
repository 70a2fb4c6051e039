"""What the next buyer pays, and which seat a payment takes.

A product has tiers. Seat tiers are sold in their order: seats 1–30 at 500, 31–100 at 1,000, and seat 101 is refused.
A product with one price is one tier, as deep as its ``quantity``, or without a bottom. Where seat tiers and a quantity
meet, the quantity cuts tiers off from the end.

Where the price is open, the buyer decides: whatever is paid is the price.

A quote names the first tier that still has a seat. A payment takes a seat of the tier it pays: the dearest one whose
price it covers, for that is what the buyer was quoted. It never falls back to a cheaper or a dearer tier. So how many
seats each tier sells depends on the payments alone and not on the order in which they arrive; only who gets the last
seat does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shequn.contracts.commerce import Ladder, ParkReason
from shequn.contracts.definitions.currency import Currency
from shequn.contracts.definitions.products import ProductDefinition
from shequn.contracts.definitions.values import LocalizedText


@dataclass(frozen=True, slots=True)
class Tier:
    """Seats of one price.

    Attributes:
        price_minor: of one seat.
        seats: how many; none is unlimited.
        first_seat: the number of its first seat, from 1.
    """

    price_minor: int
    seats: int | None
    first_seat: int

    def left(self, sold: int) -> bool:
        """Tell whether a seat is left when ``sold`` are taken."""
        return self.seats is None or sold < self.seats


@dataclass(frozen=True, slots=True)
class Price:
    """What the next buyer pays.

    Attributes:
        minor: in minor units.
        tier: index of the tier, from 0.
        seat: the number of the seat, from 1, for products that sell seats.
        explanation: why this price, for the buyer.
    """

    minor: int
    tier: int
    seat: int | None
    explanation: LocalizedText


@dataclass(frozen=True, slots=True)
class Allotment:
    """What a payment gets.

    Attributes:
        price_minor: what it costs.
        tier: index of the tier.
        seat: the number of the seat, where seats are sold.
        rung: the product's rung.
        is_limited: whether the sale has to be counted in the stock.
    """

    price_minor: int
    tier: int
    seat: int | None
    rung: Ladder
    is_limited: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is nothing for it. ``detail`` is for people."""

    reason: ParkReason
    detail: str


@dataclass(frozen=True, slots=True)
class Stock:
    """How many seats of each tier of a limited product are sold, from when it was limited.

    A refund does not give a seat back.
    """

    community: str
    product: str
    sold: list[int] = field(default_factory=list)

    def taken(self, tier: int) -> int:
        """Give how many seats of a tier are sold."""
        return self.sold[tier] if tier < len(self.sold) else 0

    def with_sale(self, tier: int) -> "Stock":
        """Count one more seat of a tier as sold."""
        sold = [*self.sold, *[0] * (tier + 1 - len(self.sold))]
        sold[tier] += 1
        return Stock(self.community, self.product, sold)


def is_limited(product: ProductDefinition) -> bool:
    """Tell whether a product can sell out, so that its stock has to be counted."""
    return bool(product.seat_tiers) or product.quantity is not None


def tiers(product: ProductDefinition, paid_minor: int = 0) -> tuple[Tier, ...]:
    """Give a product's tiers in the order they are sold; none when the definition names no price.

    A product whose price is open has one tier at what the buyer pays.
    """
    if product.open_price:
        return (Tier(paid_minor, product.quantity, 1),)
    if not product.seat_tiers:
        return () if product.price_minor is None else (Tier(product.price_minor, product.quantity, 1),)
    cut, first_seat = [], 1
    for seat_tier in product.seat_tiers:
        seats = seat_tier.seats
        if product.quantity is not None:
            seats = max(0, min(seats, product.quantity - first_seat + 1))
        cut.append(Tier(seat_tier.price_minor, seats, first_seat))
        first_seat += seats
    return tuple(cut)


def price(product: ProductDefinition, sold: Sequence[int], currency: Currency) -> Price | Refusal:
    """Quote the next buyer.

    Args:
        product: what is sold.
        sold: seats sold by tier; tiers beyond its end have sold none.
        currency: the community's, for the explanation.
    """
    offered = tiers(product)
    for index, tier in enumerate(offered):
        taken = sold[index] if index < len(sold) else 0
        if tier.left(taken):
            number = tier.first_seat + taken
            seat = number if product.seat_tiers else None
            if product.open_price:
                return Price(0, index, seat, LocalizedText(en="the buyer decides the price", zh="价格由买家定"))
            return Price(tier.price_minor, index, seat, _explain(tier, number, offered, currency))
    return _nothing_left(product, offered, currency)


def allot(product: ProductDefinition, stock: Stock, paid_minor: int, currency: Currency) -> Allotment | Refusal:
    """Find the seat that a payment takes, or why it takes none."""
    offered = tiers(product, paid_minor)
    covered = [tier.price_minor for tier in offered if tier.price_minor <= paid_minor]
    if not covered:
        return _too_little(product, offered, paid_minor, currency)
    paid_price = max(covered)
    for index, tier in enumerate(offered):
        taken = stock.taken(index)
        if tier.price_minor == paid_price and tier.left(taken):
            seat = tier.first_seat + taken if product.seat_tiers else None
            return Allotment(paid_price, index, seat, product.rung, is_limited(product))
    return _nothing_left(product, [tier for tier in offered if tier.price_minor == paid_price], currency)


def _explain(tier: Tier, number: int, offered: Sequence[Tier], currency: Currency) -> LocalizedText:
    amount = currency.in_words(tier.price_minor)
    if tier.seats is None:
        return LocalizedText(en=f"the price is {amount}", zh=f"价格 {amount}")
    last, total = tier.first_seat + tier.seats - 1, sum(each.seats or 0 for each in offered)
    return LocalizedText(
        en=f"number {number} of {total}; numbers {tier.first_seat}–{last} cost {amount} each",
        zh=f"第 {number} 份，共 {total} 份；第 {tier.first_seat}–{last} 份每份 {amount}",
    )


def _nothing_left(product: ProductDefinition, offered: Sequence[Tier], currency: Currency) -> Refusal:
    if not offered:
        return Refusal(ParkReason.UNKNOWN_PRODUCT, f"product {product.id} has no price; give it one in products.yaml")
    seats = sum(tier.seats or 0 for tier in offered)
    prices = " and ".join(sorted({currency.in_words(tier.price_minor) for tier in offered}))
    return Refusal(ParkReason.SOLD_OUT, f"all {seats} of {product.id} at {prices} are sold")


def _too_little(product: ProductDefinition, offered: Sequence[Tier], paid_minor: int, currency: Currency) -> Refusal:
    if not offered:
        return _nothing_left(product, offered, currency)
    least = currency.in_words(min(tier.price_minor for tier in offered))
    return Refusal(
        ParkReason.UNDERPAID, f"{currency.in_words(paid_minor)} was paid; {product.id} costs at least {least}"
    )

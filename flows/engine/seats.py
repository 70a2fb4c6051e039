"""What the next buyer of a product with seat tiers pays, as far as funnels can tell."""

from collections.abc import Callable, Mapping

from flows.engine.facts import MemberFacts
from shequn.contracts.commerce import OrderPaid
from shequn.contracts.definitions.products import ProductDefinition
from shequn.contracts.envelope import Envelope

SeatsTaken = Callable[[str], Mapping[int, int]]
"""Gives how many seats of a product are taken, by tier from 0."""


def none_taken(_product: str) -> Mapping[int, int]:
    """Tell that every seat is free."""
    return {}


def next_price(product: ProductDefinition, taken: Mapping[int, int]) -> int | None:
    """Give the price of the first tier with a free seat, in minor units; the last tier's when all are taken."""
    for number, tier in enumerate(product.seat_tiers):
        if taken.get(number, 0) < tier.seats:
            return tier.price_minor
    return product.seat_tiers[-1].price_minor if product.seat_tiers else product.price_minor


def seat_taken(before: MemberFacts, event: Envelope, product: ProductDefinition | None) -> int | None:
    """Give the tier of the seat that a payment took; none when it took none, or was known before."""
    if not isinstance(event, OrderPaid) or event.data.seat is None or product is None:
        return None
    known = before.purchases.get(event.data.order_id)
    if known is not None and known.paid_at is not None:
        return None
    last_seat = 0
    for number, tier in enumerate(product.seat_tiers):
        last_seat += tier.seats
        if event.data.seat <= last_seat:
            return number
    return None

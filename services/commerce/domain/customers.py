"""Customers: what commerce remembers of a member."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.commerce.domain.orders import Order
from shequn.contracts.definitions.products import ProductDefinition

OrderRef = tuple[str, str]
"""Provider and payment id of one of the customer's orders."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A member as a buyer.

    Attributes:
        joined_at: the earliest joining that is known.
        claimed_code: the referral code the member came with; of several joinings, that of the earliest.
        claimed_at: when the member joined with it.
        referrer: the member that code belongs to; none while that member's own joining is unknown.
        bought: products the member has an accepted order of. A refund does not take one out.
        waiting: orders parked because a required product is not bought yet.
        open_orders: orders whose commission may still change: accepted, on products that pay one, inside the window or
            before a joining is known.
        orders_paid: number of accepted orders.
    """

    community: str
    member_id: str
    joined_at: datetime | None = None
    claimed_code: str | None = None
    claimed_at: datetime | None = None
    referrer: str | None = None
    bought: list[str] = field(default_factory=list)
    waiting: list[list[str]] = field(default_factory=list)
    open_orders: list[list[str]] = field(default_factory=list)
    orders_paid: int = 0


def may_buy(customer: Customer, product: ProductDefinition) -> bool:
    """Tell whether the member fulfils what a product requires: to have bought one of the named products.

    To have bought something is never undone, not even by a refund, and its time does not matter. So the answer only
    ever turns from no to yes as facts arrive, and in the end does not depend on their order.
    """
    return not product.requires or any(required in customer.bought for required in product.requires)


def with_joining(customer: Customer, at: datetime) -> Customer:
    """Take in a joining; the earliest one counts."""
    if customer.joined_at is not None and customer.joined_at <= at:
        return customer
    return replace(customer, joined_at=at)


def with_claim(customer: Customer, code: str, at: datetime) -> Customer:
    """Take in the referral code of a joining; that of the earliest joining counts. A new one has no referrer yet."""
    if customer.claimed_code is not None and customer.claimed_at is not None:
        if (customer.claimed_at, customer.claimed_code) <= (at, code):
            return customer
        if customer.claimed_code == code:
            return replace(customer, claimed_at=at)
    return replace(customer, claimed_code=code, claimed_at=at, referrer=None)


def with_referrer(customer: Customer, referrer: str) -> Customer:
    """Attribute the member to who brought it."""
    return replace(customer, referrer=referrer)


def with_purchase(customer: Customer, product: str) -> Customer:
    """Count an accepted order."""
    bought = customer.bought if product in customer.bought else [*customer.bought, product]
    return replace(customer, bought=bought, orders_paid=customer.orders_paid + 1)


def with_waiting(customer: Customer, order: Order, *, waits: bool) -> Customer:
    """Put an order on the list of those that wait for a required product, or take it off."""
    listed = _listed(customer.waiting, order, wanted=waits)
    return customer if listed is customer.waiting else replace(customer, waiting=listed)


def with_open_order(customer: Customer, order: Order, window: timedelta) -> Customer:
    """Remember an order while its commission may still change, and forget it when it no longer can.

    A joining that arrives later can only move the window to the front, so an order behind its end stays outside.
    """
    is_over = (
        customer.joined_at is not None and order.paid_at is not None and order.paid_at > customer.joined_at + window
    )
    listed = _listed(customer.open_orders, order, wanted=not is_over)
    return customer if listed is customer.open_orders else replace(customer, open_orders=listed)


def _listed(refs: list[list[str]], order: Order, *, wanted: bool) -> list[list[str]]:
    ref = [order.provider, order.payment_id]
    if (ref in refs) == wanted:
        return refs
    return [*refs, ref] if wanted else [each for each in refs if each != ref]

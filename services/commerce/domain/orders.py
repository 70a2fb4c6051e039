"""Orders: what is known of one payment, and what follows from it.

An order collects facts: its payment and its refunds, by refund id. Facts only ever add up, so they may arrive in any
order and any number of times. State and amounts are functions of the facts::

    awaiting-payment   only refunds are known; the payment has not arrived
    paid               accepted at a price; nothing of the price went back
    part-refunded      accepted; a part of the price went back
    refunded           at least what was paid went back
    parked(reason)     the payment fits no order; it waits for a person

An order that is accepted stays accepted: no later fact takes its seat away. A refund first returns what was overpaid,
then the price. What goes back beyond the payment is ``over_refunded_minor``. A refund in another currency than the
payment's is booked, but does not count for the order.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import TypedDict

from services.commerce.domain.pricing import Allotment, Refusal
from shequn.contracts.payments import ChargeRefundedData, ChargeSucceededData


class OrderState(StrEnum):
    """Where an order stands."""

    AWAITING_PAYMENT = "awaiting-payment"
    PAID = "paid"
    PART_REFUNDED = "part-refunded"
    REFUNDED = "refunded"
    PARKED = "parked"


class ContradictionError(ValueError):
    """A provider says two things about one payment or refund. The first stays; a person has to ask the provider."""


class Refund(TypedDict):
    """One refund: minor units, ISO 4217 code, ISO 8601 moment."""

    amount: int
    currency: str
    at: str


@dataclass(frozen=True, slots=True)
class Order:
    """The facts of one payment and what was decided about it.

    Attributes:
        member_id: the buyer; none until the payment is known, like ``amount_minor``, ``currency`` and ``paid_at``.
        product: what the payment is for; none when nobody told.
        reason: why the payment is parked, or was parked when it was refunded; ``detail`` says it for people.
        price_minor: the price it was accepted at; none while it is not accepted.
        rung: the product's rung at that time.
        tier: index of the tier it was sold in.
        seat: the number of its seat.
        refunds: by refund id.
        referrer: the member who earns a commission on it.
        commission_rate: of that commission, in basis points of the price.
        postings: how many ledger transactions it has.
    """

    community: str
    provider: str
    payment_id: str
    state: str = OrderState.AWAITING_PAYMENT.value
    member_id: str | None = None
    product: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    paid_at: datetime | None = None
    reason: str | None = None
    detail: str | None = None
    price_minor: int | None = None
    rung: str | None = None
    tier: int | None = None
    seat: int | None = None
    refunds: dict[str, Refund] = field(default_factory=dict)
    referrer: str | None = None
    commission_rate: int = 0
    postings: int = 0

    @property
    def order_id(self) -> str:
        """Its id, derived from provider and payment id."""
        return order_id(self.provider, self.payment_id)

    @property
    def is_known(self) -> bool:
        """Whether any fact of it arrived."""
        return self.amount_minor is not None or bool(self.refunds)

    @property
    def is_accepted(self) -> bool:
        """Whether the payment bought something."""
        return self.price_minor is not None

    @property
    def is_entitled(self) -> bool:
        """Whether the buyer may use the product: accepted and not wholly refunded."""
        return self.is_accepted and self.state != OrderState.REFUNDED

    @property
    def paid_minor(self) -> int:
        """What was paid; 0 while the payment is unknown."""
        return self.amount_minor or 0

    @property
    def refunded_minor(self) -> int:
        """All refunds in the payment's currency."""
        if not self.refunds:
            return 0
        return sum(refund["amount"] for refund in self.refunds.values() if refund["currency"] == self.currency)

    @property
    def over_refunded_minor(self) -> int:
        """What went back beyond the payment."""
        return max(0, self.refunded_minor - self.paid_minor)

    @property
    def overpaid_minor(self) -> int:
        """What was paid above the price."""
        return 0 if self.price_minor is None else self.paid_minor - self.price_minor

    @property
    def price_refunded_minor(self) -> int:
        """How much of the price went back."""
        if self.price_minor is None or not self.refunds:
            return 0
        return max(0, min(self.refunded_minor, self.paid_minor) - self.overpaid_minor)

    @property
    def earned_minor(self) -> int:
        """The commission on the price."""
        return commission(self.price_minor or 0, self.commission_rate)

    @property
    def held_minor(self) -> int:
        """The commission on what remains of the price; the rest of it is reversed."""
        return commission((self.price_minor or 0) - self.price_refunded_minor, self.commission_rate)


@lru_cache(maxsize=1024)
def order_id(provider: str, payment_id: str) -> str:
    """Derive an order's id. A provider's name has no colon, so no two payments share one."""
    return "o-" + blake2b(f"{provider}:{payment_id}".encode(), digest_size=12).hexdigest()


def commission(base_minor: int, rate_basis_points: int) -> int:
    """Give the commission on an amount, rounded down to the minor unit.

    What is held is always the commission on what remains paid. So the reversals of any partial refunds add up, and on a
    whole refund nothing remains held.
    """
    return base_minor * rate_basis_points // 10_000


def with_payment(order: Order, paid: ChargeSucceededData, at: datetime) -> Order:
    """Add the payment, to be accepted or parked next.

    Told again, the earliest time and a product that was missing are taken over.

    Raises:
        ContradictionError: buyer, amount or product differ from what is known.
    """
    at = at.astimezone(UTC)
    if order.amount_minor is None:
        return replace(
            order,
            member_id=paid.member_id,
            product=paid.product,
            amount_minor=paid.amount.minor,
            currency=paid.amount.currency,
            paid_at=at,
        )
    known = (order.member_id, order.amount_minor, order.currency)
    told = (paid.member_id, paid.amount.minor, paid.amount.currency)
    if known != told or (paid.product and order.product and paid.product != order.product):
        raise ContradictionError(
            f"payment {order.payment_id} of {order.provider} is known as {(*known, order.product)} "
            f"and now told as {(*told, paid.product)}; ask the provider"
        )
    earliest = at if order.paid_at is None else min(order.paid_at, at)
    if earliest == order.paid_at and (order.product or not paid.product):
        return order
    return replace(order, paid_at=earliest, product=order.product or paid.product)


def with_refund(order: Order, refund: ChargeRefundedData, at: datetime) -> Order:
    """Add a refund; one that is known already changes nothing.

    Raises:
        ContradictionError: the same refund id has another amount.
    """
    known = order.refunds.get(refund.refund_id)
    if known is not None:
        if (known["amount"], known["currency"]) != (refund.amount.minor, refund.amount.currency):
            raise ContradictionError(
                f"refund {refund.refund_id} of {order.provider} is known as {known['amount']} {known['currency']} and "
                f"now told as {refund.amount.minor} {refund.amount.currency}, in minor units; ask the provider"
            )
        return order
    entry = Refund(amount=refund.amount.minor, currency=refund.amount.currency, at=at.astimezone(UTC).isoformat())
    order = replace(order, refunds={**order.refunds, refund.refund_id: entry})
    return replace(order, state=_state(order, order.price_minor))


def accepted(order: Order, allotment: Allotment) -> Order:
    """Let the payment buy what it was allotted."""
    return replace(
        order,
        state=_state(order, allotment.price_minor),
        price_minor=allotment.price_minor,
        tier=allotment.tier,
        seat=allotment.seat,
        rung=allotment.rung.value,
        reason=None,
        detail=None,
    )


def parked(order: Order, refusal: Refusal) -> Order:
    """Let the payment wait for a person."""
    return replace(order, state=_state(order, None), reason=refusal.reason.value, detail=refusal.detail)


def with_commission(order: Order, referrer: str | None, rate_basis_points: int) -> Order:
    """Set who earns a commission on it, or that nobody does. Whoever earns keeps the rate it began with."""
    if order.referrer == referrer:
        return order
    return replace(order, referrer=referrer, commission_rate=rate_basis_points if referrer else 0)


def _state(order: Order, price_minor: int | None) -> str:
    """Give the state that the facts of an order make at a price; no price means that it is not accepted."""
    if order.amount_minor is None:
        return OrderState.AWAITING_PAYMENT.value
    counts = any(refund["currency"] == order.currency for refund in order.refunds.values())
    if counts and order.refunded_minor >= order.amount_minor:
        return OrderState.REFUNDED.value
    if price_minor is None:
        return OrderState.PARKED.value
    is_part_refunded = order.refunded_minor > order.amount_minor - price_minor
    return OrderState.PART_REFUNDED.value if is_part_refunded else OrderState.PAID.value

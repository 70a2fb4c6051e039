"""Products and the referral programme in compiled form."""

from typing import Literal

from pydantic import Field

from shequn.contracts.base import Contract, Slug, Whole, YesOrNo
from shequn.contracts.commerce import Ladder
from shequn.contracts.definitions.values import LocalizedText, Seconds

ProductKind = Literal["goods", "service", "membership", "course", "ticket", "ad-permit", "deposit", "tip", "group-fund"]


class SeatTier(Contract):
    """The next ``seats`` seats cost ``price_minor`` each."""

    seats: Whole = Field(ge=1)
    price_minor: Whole = Field(ge=0)


class ProductDefinition(Contract):
    """Something a member can have.

    Attributes:
        price_minor: the price in minor units; none when seat tiers set it.
        seat_tiers: seats in the order they are sold; the seat after the last tier is refused.
        open_price: the buyer decides what to pay: tips, group funds, baskets that a shop adds up.
        quantity: how many can be sold in all; none is unlimited.
        requires: products one of which the buyer must have bought before.
    """

    id: Slug
    kind: ProductKind
    rung: Ladder
    name: LocalizedText = LocalizedText()
    price_minor: Whole | None = Field(default=None, ge=0)
    open_price: YesOrNo = False
    seat_tiers: tuple[SeatTier, ...] = ()
    quantity: Whole | None = Field(default=None, ge=1)
    term: Seconds | None = None
    requires: tuple[Slug, ...] = ()


class ReferralPolicy(Contract):
    """Who earns what for bringing a buyer.

    Attributes:
        window: a sale counts when it is paid within this long of the referred member's joining.
        evidence: the kinds of evidence that count; one is enough.
        commission_on: products whose sale pays.
        rate_basis_points: commission in hundredths of a per cent of the amount paid; rounded down to the minor unit.
        refund_window: how long a commission is held after the payment.
    """

    window: Seconds
    evidence: tuple[Literal["invite-link", "qr", "inviter", "state", "code"], ...] = ("code",)
    commission_on: tuple[Slug, ...] = ()
    rate_basis_points: Whole = Field(ge=0, le=5_000)
    levels: Literal[1, 2] = 1
    refund_window: Seconds

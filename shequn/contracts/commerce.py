"""Orders, entitlements and commissions. Owner: commerce."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from shequn.contracts.base import Contract, Money, PlatformId, Slug, Whole, YesOrNo
from shequn.contracts.envelope import Envelope


class Ladder(StrEnum):
    """The rungs of the product ladder (DOMAIN §5)."""

    FREE = "free"
    LOW = "low"
    MIDDLE = "middle"
    HIGH = "high"


class ParkReason(StrEnum):
    """Why money waits for a person instead of becoming an order."""

    UNKNOWN_PRODUCT = "unknown-product"
    WRONG_CURRENCY = "wrong-currency"
    UNDERPAID = "underpaid"
    SOLD_OUT = "sold-out"
    NOT_ELIGIBLE = "not-eligible"


class OrderPaidData(Contract):
    """An order is paid.

    Attributes:
        order_id: derived from provider and payment id.
        member_id: the buyer.
        product: what was bought.
        rung: the product's rung.
        amount: what was paid.
        overpaid_minor: what was paid above the price, in minor units; owed back.
        seat: the number of the seat it took, from 1, for products that sell seats.
    """

    order_id: str
    member_id: str
    product: Slug
    rung: Ladder
    provider: Slug
    payment_id: PlatformId
    amount: Money
    overpaid_minor: Whole = Field(default=0, ge=0)
    seat: Whole | None = None


class OrderPaid(Envelope):
    """A member paid an order."""

    type: Literal["commerce.order.paid.v1"] = "commerce.order.paid.v1"
    data: OrderPaidData


class PaymentParkedData(Contract):
    """Money arrived that does not fit an order; it is kept in a named state until a person decides."""

    order_id: str
    member_id: str
    product: Slug | None
    provider: Slug
    payment_id: PlatformId
    amount: Money
    reason: ParkReason
    detail: str


class PaymentParked(Envelope):
    """A payment waits for a person."""

    type: Literal["commerce.payment.parked.v1"] = "commerce.payment.parked.v1"
    data: PaymentParkedData


class OrderRefundedData(Contract):
    """Money of an order went back.

    Attributes:
        amount: of this refund.
        refunded_minor: all refunds of the order so far, in minor units.
        whole: whether nothing of the order remains paid.
    """

    order_id: str
    member_id: str
    product: Slug
    amount: Money
    refunded_minor: Whole = Field(ge=0)
    whole: YesOrNo


class OrderRefunded(Envelope):
    """An order was refunded, in part or in whole."""

    type: Literal["commerce.order.refunded.v1"] = "commerce.order.refunded.v1"
    data: OrderRefundedData


class EntitlementData(Contract):
    """The right to a product."""

    order_id: str
    member_id: str
    product: Slug


class EntitlementGranted(Envelope):
    """A member may now use a product."""

    type: Literal["commerce.entitlement.granted.v1"] = "commerce.entitlement.granted.v1"
    data: EntitlementData


class EntitlementRevoked(Envelope):
    """A member may no longer use a product."""

    type: Literal["commerce.entitlement.revoked.v1"] = "commerce.entitlement.revoked.v1"
    data: EntitlementData


class CommissionData(Contract):
    """A referrer's share of a sale, held until the refund window ends.

    Attributes:
        member_id: the referrer who would receive it.
        buyer: the member whose order it comes from.
        amount: the commission, in minor units; of this entry alone.
    """

    order_id: str
    member_id: str
    buyer: str
    amount: Money


class CommissionHeld(Envelope):
    """A commission was earned and is held."""

    type: Literal["commerce.commission.held.v1"] = "commerce.commission.held.v1"
    data: CommissionData


class CommissionReversed(Envelope):
    """A held commission was taken back, in whole or in part."""

    type: Literal["commerce.commission.reversed.v1"] = "commerce.commission.reversed.v1"
    data: CommissionData


class ReferralAttributedData(Contract):
    """A member was brought by another one, with evidence."""

    member_id: str
    referrer: str
    code: str


class ReferralAttributed(Envelope):
    """A referral was attributed."""

    type: Literal["commerce.referral.attributed.v1"] = "commerce.referral.attributed.v1"
    data: ReferralAttributedData

"""Facts from payment providers, in our words. Owner: intake. What they mean for an order is commerce's business."""

from typing import Literal

from pydantic import Field

from shequn.contracts.base import AccountRef, Contract, Money, PlatformId, Slug
from shequn.contracts.envelope import Envelope


class ChargeSucceededData(Contract):
    """Money arrived.

    Attributes:
        provider: ``stripe``, ``wechatpay``, ``generic`` …
        payment_id: the provider's id of the payment; refunds name it.
        account: who paid.
        member_id: the member who owns the account.
        product: the product the payment is for, as its definition names it; none when the provider does not tell.
        amount: what was paid, in minor units.
    """

    provider: Slug
    payment_id: PlatformId
    account: AccountRef
    member_id: str
    product: Slug | None = None
    amount: Money


class ChargeSucceeded(Envelope):
    """A payment went through."""

    type: Literal["payments.charge.succeeded.v1"] = "payments.charge.succeeded.v1"
    data: ChargeSucceededData


class ChargeRefundedData(Contract):
    """Money went back, in whole or in part. ``amount`` is of this refund alone, not the running total."""

    provider: Slug
    payment_id: PlatformId
    refund_id: PlatformId
    amount: Money
    reason: str = Field(default="", max_length=256)


class ChargeRefunded(Envelope):
    """A payment was refunded."""

    type: Literal["payments.charge.refunded.v1"] = "payments.charge.refunded.v1"
    data: ChargeRefundedData

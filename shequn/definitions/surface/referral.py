"""``referral.yaml``: who earns what for bringing a buyer."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Literal

from pydantic import Field

from shequn.definitions.scalars import Amount, Duration, Name, Names, Percentage
from shequn.definitions.surface.base import Surface

_PER_HEAD = "pays for heads, which is a pyramid: commission is on sales only (DOMAIN §5); remove it, and set `rate`"
_ENTRY_FEE = "sells the right to earn, which is a pyramid: everybody may refer; remove it (DOMAIN §5)"

Evidence = Literal["invite-link", "qr", "inviter", "state", "code"]


class AttributionSurface(Surface):
    """When a sale counts as brought by somebody."""

    window: Duration = Field(
        default=timedelta(days=30),
        description="A sale counts when it is paid within this long of joining. 30d: people decide within a month.",
    )
    evidence: tuple[Evidence, ...] = Field(
        default=("code",), min_length=1, description="What proves who brought somebody; one is enough."
    )


class CommissionSurface(Surface):
    """What a sale pays to who brought the buyer."""

    REFUSED: ClassVar[Mapping[str, str]] = {
        "per_head": _PER_HEAD,
        "pay_per_head": _PER_HEAD,
        "per_join": _PER_HEAD,
        "per_member": _PER_HEAD,
        "amount": _PER_HEAD,
        "entry_fee": _ENTRY_FEE,
        "join_fee": _ENTRY_FEE,
    }

    on: Names = Field(description="Products whose sale pays.")
    rate: Percentage = Field(description="Share of what the buyer paid; at most 50%.")
    levels: int = Field(default=1, strict=True, description="How many levels above the buyer are paid: 1 or 2.")
    hold: Literal["until_refund_window_ends"] = Field(
        default="until_refund_window_ends", description="When it is paid out."
    )
    refund_window: Duration = Field(
        default=timedelta(days=7), description="How long a buyer may return; 7d is what the law gives on-line buyers."
    )


class RefereeSurface(Surface):
    """What the new member gets for coming with a code."""

    discount: Percentage | None = Field(default=None, description="Off the first purchase.")
    credit: Amount | None = Field(default=None, description="Off the first purchase, in major units.")


class ReferralSurface(Surface):
    """A referral programme."""

    REFUSED: ClassVar[Mapping[str, str]] = {
        "per_head": _PER_HEAD,
        "pay_per_head": _PER_HEAD,
        "per_join": _PER_HEAD,
        "reward_per_join": _PER_HEAD,
        "entry_fee": _ENTRY_FEE,
        "join_fee": _ENTRY_FEE,
    }

    code: Literal["per_member"] = Field(default="per_member", description="Every member has one code.")
    attribution: AttributionSurface = Field(default=AttributionSurface(), description="When a sale counts.")
    stay: Duration | None = Field(default=None, description="A new member counts after having stayed so long.")
    commission: CommissionSurface | None = Field(default=None, description="What a sale pays; nothing when absent.")
    referee: RefereeSurface | None = Field(default=None, description="What the new member gets.")
    review_when: tuple[Name, ...] = Field(default=(), description="Signs that hold a commission for a person's review.")


class ReferralFile(Surface):
    """The referral programme of a community."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("referral",)

    referral: ReferralSurface | None = Field(default=None, description="The programme.")

"""Compile ``referral.yaml``, and refuse what would be a pyramid."""

from datetime import timedelta

from shequn.contracts.definitions.products import ReferralPolicy
from shequn.definitions.compiler.context import Context
from shequn.definitions.source import Place
from shequn.definitions.surface.referral import CommissionSurface, ReferralFile, ReferralSurface

_MOST_LEVELS = 2
_MOST_RATE = 5_000
"""Hundredths of a per cent: above one half, sales pay the sellers and not the product."""

_KEPT = ("referee", "review_when")


def compile_referral(
    file: ReferralFile, place: Place, context: Context
) -> tuple[ReferralPolicy | None, timedelta | None]:
    """Compile the referral programme: the policy, and how long a new member stays before counting."""
    referral = file.referral
    if referral is None:
        return None, None
    here = place / "referral"
    for name in _KEPT:
        if name in referral.model_fields_set:
            context.keep(f"referral.{name}", here / name)
    if referral.commission is None:
        here.problem("has no commission", "add `commission: {on: [product], rate: 10%}`, or remove referral.yaml")
        return None, referral.stay
    _lint(referral.commission, here / "commission", context)
    return _policy(referral, referral.commission, here, context), referral.stay


def _policy(
    referral: ReferralSurface, commission: CommissionSurface, place: Place, context: Context
) -> ReferralPolicy | None:
    if commission.rate > _MOST_RATE or not 1 <= commission.levels <= _MOST_LEVELS:
        return None
    return context.build(
        ReferralPolicy,
        place,
        window=referral.attribution.window,
        evidence=referral.attribution.evidence,
        commission_on=commission.on,
        rate_basis_points=commission.rate,
        levels=commission.levels,
        refund_window=commission.refund_window,
    )


def _lint(commission: CommissionSurface, place: Place, context: Context) -> None:
    for name in commission.on:
        context.refer("product", name, context.products, place / "on")
    if commission.levels > _MOST_LEVELS:
        (place / "levels").problem(
            f"pays {commission.levels} levels: more than two is a pyramid by law", "write 1, or 2 at most"
        )
    elif commission.levels < 1:
        (place / "levels").problem("pays no level", "write 1, or remove `commission`")
    if commission.rate > _MOST_RATE:
        (place / "rate").problem(
            f"pays out {commission.rate / 100:g} % of a sale: above 50 % members earn by recruiting",
            "write at most 50%",
        )

"""Activity tiers: high originates content, middle replies, low only reacts (DOMAIN §4).

A tier is a function of three moments, a window and now. An act counts while less than the window has passed since;
windows are multiples of 24 hours. Acts of the future (a sender's clock runs ahead) count.
"""

from datetime import datetime, timedelta
from functools import cache

from shequn.contracts.definitions.community import EngagementPolicy
from shequn.contracts.engagement import Tier


def tier_at(
    originated: datetime | None,
    replied: datetime | None,
    reacted: datetime | None,
    window: timedelta,
    now: datetime,
) -> Tier:
    """Give the tier at ``now`` from a member's last acts of each kind."""
    return tier_and_end(originated, replied, reacted, window, now)[0]


def tier_and_end(
    originated: datetime | None,
    replied: datetime | None,
    reacted: datetime | None,
    window: timedelta,
    now: datetime,
) -> tuple[Tier, datetime | None]:
    """Give the tier at ``now`` and the moment it ends without another act; inactivity has no end."""
    since = now - window
    if originated is not None and originated > since:
        return Tier.HIGH, originated + window
    if replied is not None and replied > since:
        return Tier.MIDDLE, replied + window
    if reacted is not None and reacted > since:
        return Tier.LOW, reacted + window
    return Tier.INACTIVE, None


def smallest_window(policy: EngagementPolicy) -> timedelta:
    """Give the window whose changes are told to others. Without windows it is empty, and everybody inactive."""
    return _smallest(policy.tier_windows_days)


@cache
def _smallest(windows_days: tuple[int, ...]) -> timedelta:
    return timedelta(days=min(windows_days, default=0))

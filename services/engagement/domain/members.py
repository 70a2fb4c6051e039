"""How a member's state follows from what the member does and receives."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.engagement.domain.states import Member
from services.engagement.domain.tiers import tier_and_end

# A member changes with every event: those rows are made directly, replace() costs three times as much.


def posted(member: Member, group: str, at: datetime, *, reply: bool, window: timedelta, now: datetime) -> Member:
    """Note a message.

    Args:
        member: the state so far.
        group: where it was posted.
        at: when, in event time.
        reply: whether it answers another message.
        window: the smallest window of the tiers.
        now: the moment of processing, for which the tier holds.
    """
    originated, replied, first_replied = member.last_originated_at, member.last_replied_at, member.first_replied_at
    if reply:
        replied = _later(replied, at)
        first_replied = _earlier(first_replied, at)
    else:
        originated = _later(originated, at)
    tier, ends_at = tier_and_end(originated, replied, member.last_reacted_at, window, now)
    return Member(
        member.community,
        member.member_id,
        originated,
        replied,
        member.last_reacted_at,
        _earlier(member.first_posted_at, at),
        first_replied,
        member.spoke_in if group in member.spoke_in else sorted((*member.spoke_in, group)),
        member.points,
        tier.value,
        ends_at,
    )


def reacted(member: Member, at: datetime, *, window: timedelta, now: datetime) -> Member:
    """Note a reaction. Arguments as for ``posted``."""
    last_reacted = _later(member.last_reacted_at, at)
    tier, ends_at = tier_and_end(member.last_originated_at, member.last_replied_at, last_reacted, window, now)
    return Member(
        member.community,
        member.member_id,
        member.last_originated_at,
        member.last_replied_at,
        last_reacted,
        member.first_posted_at,
        member.first_replied_at,
        member.spoke_in,
        member.points,
        tier.value,
        ends_at,
    )


def earned(member: Member, points: int) -> Member:
    """Add points to the balance."""
    return replace(member, points=member.points + points)


def decayed(member: Member, *, window: timedelta, now: datetime) -> Member:
    """Bring the tier to ``now`` without an act."""
    tier, ends_at = tier_and_end(member.last_originated_at, member.last_replied_at, member.last_reacted_at, window, now)
    return replace(member, tier=tier.value, tier_ends_at=ends_at)


def _later(known: datetime | None, at: datetime) -> datetime:
    return at if known is None or at > known else known


def _earlier(known: datetime | None, at: datetime) -> datetime:
    return at if known is None or at < known else known

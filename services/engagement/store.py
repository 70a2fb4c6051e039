"""All SQL of engagement."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.engagement.domain.states import Member
from services.engagement.domain.totals import CommunityTotals, DailyActivity, GroupTotals, MonthlyActivity, Pulse
from services.engagement.errors import UnknownMemberError
from shequn.contracts.engagement import Tier
from shequn.runtime.failures import TransientError
from shequn.runtime.store import Store
from shequn.runtime.store.engine import RETRYABLE
from shequn.runtime.store.types import Connection

_MEMBER = """
SELECT community, member_id, last_originated_at, last_replied_at, last_reacted_at, first_posted_at, first_replied_at,
       spoke_in, points, tier, tier_ends_at
FROM members
"""

# No index serves this: tier_ends_at changes with every message, and an index on it would cost each of them more than a
# scan costs a sweep. A sweep never waits for a row: a locked one is being folded, which brings its tier up to date.
_DUE = f"""
{_MEMBER}
WHERE community = $1 AND tier_ends_at <= $2
LIMIT $3
FOR UPDATE SKIP LOCKED
"""

_SAVE_TIERS = """
UPDATE members AS m
SET tier = v.tier, tier_ends_at = v.tier_ends_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS v(community, member_id, tier, tier_ends_at)
WHERE m.community = v.community AND m.member_id = v.member_id
"""

_GROUP_TOTALS = """
SELECT group_id, messages, replies, reactions, speakers
FROM group_totals
WHERE community = $1
ORDER BY group_id
"""

_COMMUNITY_TOTALS = """
SELECT (SELECT coalesce(sum(messages), 0)::bigint FROM group_totals WHERE community = $1) AS messages,
       count(first_posted_at) AS speakers,
       count(coalesce(last_originated_at, last_replied_at, last_reacted_at)) AS seen,
       coalesce(sum(points), 0)::bigint AS points
FROM members
WHERE community = $1
"""

_DAILY = """
SELECT day,
       count(DISTINCT member_id) AS seen,
       count(DISTINCT member_id) FILTER (WHERE messages > 0) AS participants
FROM member_days
WHERE community = $1
GROUP BY day
ORDER BY day
"""

_MONTHLY = """
SELECT date_trunc('month', day)::date AS month, count(DISTINCT member_id) AS seen
FROM member_days
WHERE community = $1
GROUP BY 1
ORDER BY 1
"""

_TODAY = """
SELECT count(*) FILTER (WHERE greatest(last_originated_at, last_replied_at, last_reacted_at) >= $2) AS seen_today,
       count(*) FILTER (WHERE greatest(last_originated_at, last_replied_at) >= $2) AS participants_today,
       count(*) FILTER (WHERE greatest(last_originated_at, last_replied_at, last_reacted_at) >= $3) AS seen_this_month
FROM members
WHERE community = $1
"""

# The rule of domain/tiers.py over all members at once.
_TIERS = """
SELECT w.days,
       CASE WHEN m.last_originated_at > w.since THEN 'high'
            WHEN m.last_replied_at > w.since THEN 'middle'
            WHEN m.last_reacted_at > w.since THEN 'low'
            ELSE 'inactive' END AS tier,
       count(*) AS members
FROM members AS m
CROSS JOIN unnest($2::integer[], $3::timestamptz[]) AS w(days, since)
WHERE m.community = $1 AND coalesce(m.last_originated_at, m.last_replied_at, m.last_reacted_at) IS NOT NULL
GROUP BY 1, 2
"""


async def read_member(connection: Connection, community: str, member_id: str) -> Member | None:
    """Read a member's state; none when nothing is known of the member."""
    record = await connection.fetchrow(f"{_MEMBER} WHERE community = $1 AND member_id = $2", community, member_id)
    return None if record is None else Member(*record)


async def read_group_totals(connection: Connection, community: str) -> list[GroupTotals]:
    """Read the totals of a community's groups, by group id."""
    return [GroupTotals(*record) for record in await connection.fetch(_GROUP_TOTALS, community)]


async def read_community_totals(connection: Connection, community: str) -> CommunityTotals:
    """Read the totals of a community."""
    record = await connection.fetchrow(_COMMUNITY_TOTALS, community)
    return CommunityTotals(*(record or (0, 0, 0, 0)))


async def read_daily_active(connection: Connection, community: str) -> list[DailyActivity]:
    """Read every day on which anybody did anything, in order. It reads all days: meant for reports, not for scrapes."""
    return [DailyActivity(*record) for record in await connection.fetch(_DAILY, community)]


async def read_monthly_active(connection: Connection, community: str) -> list[MonthlyActivity]:
    """Read every month in which anybody did anything, in order. It reads all days, as ``read_daily_active`` does."""
    return [MonthlyActivity(*record) for record in await connection.fetch(_MONTHLY, community)]


async def read_pulse(
    connection: Connection,
    community: str,
    *,
    now: datetime,
    day_start: datetime,
    month_start: datetime,
    windows_days: Sequence[int],
) -> Pulse:
    """Read how active a community is at ``now``.

    It reads the members' last acts, one row a member. Members whose clock runs ahead count as active now.

    Args:
        connection: a connection of the service.
        community: which one.
        now: the moment that the tiers hold for.
        day_start: when today began in the community's zone.
        month_start: when this month began.
        windows_days: the windows of the tiers.
    """
    today = await connection.fetchrow(_TODAY, community, day_start, month_start)
    since = [now - timedelta(days=days) for days in windows_days]
    tiers = {days: dict.fromkeys(Tier, 0) for days in windows_days}
    for days, tier, count in await connection.fetch(_TIERS, community, list(windows_days), since):
        tiers[days][Tier(tier)] = count
    seen_today, participants_today, seen_this_month = today or (0, 0, 0)
    return Pulse(seen_today, participants_today, seen_this_month, tiers)


async def claim_due(connection: Connection, community: str, now: datetime, limit: int) -> list[Member]:
    """Lock at most ``limit`` members whose tier has ended; those that a fold holds are left to it."""
    return [Member(*record) for record in await connection.fetch(_DUE, community, now, limit)]


async def save_tiers(connection: Connection, members: Sequence[Member]) -> None:
    """Write the tiers of members that the caller has locked."""
    await connection.execute(
        _SAVE_TIERS,
        [member.community for member in members],
        [member.member_id for member in members],
        [member.tier for member in members],
        [member.tier_ends_at for member in members],
    )


class StoreReader:
    """Reads over a connection of the pool."""

    def __init__(self, database: Store) -> None:
        """Use the service's store."""
        self._store = database

    async def member(self, community: str, member_id: str) -> Member:
        """Read a member's state.

        Raises:
            UnknownMemberError: nothing is known of the member.
            TransientError: the store is away.
        """
        try:
            async with self._store.connection() as connection:
                member = await read_member(connection, community, member_id)
        except RETRYABLE as error:
            raise TransientError(f"PostgreSQL does not answer: {error}") from error
        if member is None:
            raise UnknownMemberError(community, member_id)
        return member

    async def totals(self, community: str) -> tuple[CommunityTotals, list[GroupTotals]]:
        """Read the totals of a community and its groups, as of one moment.

        Raises:
            TransientError: the store is away.
        """
        try:
            async with self._store.connection() as connection, connection.transaction(isolation="repeatable_read"):
                totals = await read_community_totals(connection, community)
                return totals, await read_group_totals(connection, community)
        except RETRYABLE as error:
            raise TransientError(f"PostgreSQL does not answer: {error}") from error

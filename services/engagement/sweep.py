"""Lowers tiers that end without another act, and tells it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from services.engagement import store
from services.engagement.domain import members
from services.engagement.domain.states import Member
from services.engagement.domain.tiers import smallest_window
from services.engagement.handlers import SOURCE
from shequn.contracts.definitions.community import EngagementPolicy
from shequn.contracts.engagement import Tier, TierChanged, TierChangedData
from shequn.runtime.bus.publisher import Outgoing
from shequn.runtime.clock import Clock
from shequn.runtime.definitions import DefinitionFollower
from shequn.runtime.fold.transaction import enqueue
from shequn.runtime.store import Store


class TierSweep:
    """Looks for ended tiers again and again. Replicas share the work: a member is locked by one of them."""

    def __init__(
        self,
        database: Store,
        definitions: DefinitionFollower,
        clock: Clock,
        *,
        every: timedelta,
        chunk: int,
        published: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            database: the service's store.
            definitions: the communities and their policies.
            clock: tells when a tier has ended.
            every: how long to rest between two sweeps, on that clock.
            chunk: how many members are brought up to date in one transaction.
            published: called after a commit that put something into the outbox.
        """
        self._store = database
        self._definitions = definitions
        self._clock = clock
        self._every = every
        self._chunk = chunk
        self._published = published

    async def step(self) -> float:
        """Sweep once; give how long to rest, in real seconds."""
        await self.sweep()
        return self._clock.real_seconds(self._every)

    async def sweep(self) -> int:
        """Bring all ended tiers up to date; give how many members were due."""
        now = self._clock.now()
        total = 0
        for community in self._definitions.communities:
            count = self._chunk
            while count == self._chunk:
                count = await self._sweep_chunk(community, now)
                total += count
        return total

    async def _sweep_chunk(self, community: str, now: datetime) -> int:
        policy = self._definitions.current(community).engagement
        window = smallest_window(policy)
        async with self._store.connection() as connection, connection.transaction():
            due = await store.claim_due(connection, community, now, self._chunk)
            after = [members.decayed(member, window=window, now=now) for member in due]
            await store.save_tiers(connection, after)
            changes = [tier_ended(*pair, policy, now) for pair in zip(due, after, strict=True)]
            events = [change for change in changes if change is not None]
            await enqueue(connection, [Outgoing.of(event) for event in events])
        if events:
            self._published()
        return len(due)


def tier_ended(before: Member, after: Member, policy: EngagementPolicy, now: datetime) -> TierChanged | None:
    """Tell that a tier ended, at the moment it did; none when the member is still in the same tier.

    Args:
        before: the member with the tier that was told last.
        after: the same member, brought to ``now``.
        policy: how engagement counts.
        now: the moment of the sweep.
    """
    if before.tier == after.tier or before.tier_ends_at is None:
        return None
    window = smallest_window(policy)
    return TierChanged.record(
        time=before.tier_ends_at,
        recorded=now,
        source=SOURCE,
        community=before.community,
        subject=before.member_id,
        origin=(before.community, before.member_id, str(window.days), "ended"),
        data=TierChangedData(
            member_id=before.member_id, window_days=window.days, tier=Tier(after.tier), before=Tier(before.tier)
        ),
    )

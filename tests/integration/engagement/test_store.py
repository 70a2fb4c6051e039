"""Engagement on a real PostgreSQL: what is read equals one plain pass, with two replicas folding at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, cast

import pytest
from nats.aio.msg import Msg

from services.engagement import store as engagement_store
from services.engagement.domain.days import day_start, month_start
from services.engagement.domain.totals import GroupTotals
from services.engagement.errors import UnknownMemberError
from services.engagement.handlers import ChatFolder
from services.engagement.sweep import TierSweep
from shequn.contracts.engagement import Tier, TierChanged
from shequn.contracts.envelope import Envelope
from shequn.runtime.failures import TransientError
from shequn.runtime.fold import FoldContext
from shequn.runtime.fold.decoder import Delivery
from shequn.runtime.fold.transaction import FoldTransaction
from shequn.runtime.store import Store
from shequn.runtime.store.engine import RETRYABLE
from shequn.runtime.store.migrate import migrate
from shequn.testing.memory import MemoryBook
from tests.unit.engagement.builders import COMMUNITY, definition, message, reaction
from tests.unit.engagement.one_pass import CAP, REACTION_POINTS, REPLY_POINTS, Fact, OnePass, Posted, Reacted, events_of

ZONE = "America/New_York"
NOW = datetime(2026, 3, 15, 2, tzinfo=UTC)
BEGIN = datetime(2026, 2, 20, tzinfo=UTC)
DEFINITION = definition(ZONE, points_per_reply=REPLY_POINTS, points_per_reaction=REACTION_POINTS, pair_cap_per_day=CAP)


class Book(MemoryBook):
    communities = (COMMUNITY,)


class HandClock:
    def __init__(self, now: datetime) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()


@pytest.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    await migrate(postgres_dsn, "engagement", "services.engagement")
    store = Store(postgres_dsn, schema="engagement")
    await store.open()
    yield store
    await store.close()


async def fold(store: Store, events: list[Envelope], batch: int = 40) -> None:
    """Fold as the runtime does: batch by batch, each in a transaction that is tried again when it may succeed."""
    connection = await store.fold_connection()
    transaction = FoldTransaction(ChatFolder())
    context = FoldContext(now=NOW, definitions=Book([DEFINITION]))
    for start in range(0, len(events), batch):
        deliveries = [Delivery(cast("Msg", None), event) for event in events[start : start + batch]]
        while True:
            try:
                async with connection.transaction():
                    _, _, rejected = await transaction.run(connection, deliveries, context)
                break
            except (TransientError, *RETRYABLE):
                continue
        assert rejected == []
    await connection.close()


def history(random: Random) -> list[Fact]:
    members = [f"member-{number}" for number in range(25)]

    def moment() -> datetime:
        return BEGIN + timedelta(minutes=random.randrange(23 * 24 * 60))

    posts = [
        Posted(
            group=random.choice(("main", "side")),
            message_id=str(number),
            author=random.choice(members),
            at=moment(),
            reply_to=random.choice((None, str(random.randrange(330)))),
            told=random.random() < 0.3,
        )
        for number in range(300)
    ]
    reactions = [
        Reacted(
            group=random.choice(("main", "side")),
            target=str(random.randrange(330)),
            giver=random.choice(members),
            emoji=random.choice("ab"),
            at=moment(),
            told=random.random() < 0.3,
        )
        for _ in range(300)
    ]
    return [*posts, *reactions]


class TestTwoReplicas:
    @pytest.fixture(params=[1, 2])
    async def folded(self, store: Store, request: pytest.FixtureRequest) -> OnePass:
        random = Random(request.param)
        facts = history(random)
        events = events_of(facts, "/a")
        events += random.sample(events, 60) + random.sample(events_of(facts, "/b"), 60)
        random.shuffle(events)
        await asyncio.gather(fold(store, events[::2]), fold(store, events[1::2]))
        return OnePass(facts, ZONE)

    async def test_leave_the_totals_of_one_plain_pass(self, store: Store, folded: OnePass) -> None:
        async with store.connection() as connection:
            groups = await engagement_store.read_group_totals(connection, COMMUNITY)
            totals = await engagement_store.read_community_totals(connection, COMMUNITY)
        assert groups == [GroupTotals(group, *sums) for group, sums in sorted(folded.groups().items())]
        assert (totals.messages, totals.speakers, totals.seen, totals.points) == (
            len(folded.posts),
            len({post.author for post in folded.posts}),
            len(folded.members()),
            folded.balances().total(),
        )

    async def test_leave_the_daily_and_monthly_active_of_one_plain_pass(self, store: Store, folded: OnePass) -> None:
        async with store.connection() as connection:
            days = await engagement_store.read_daily_active(connection, COMMUNITY)
            months = await engagement_store.read_monthly_active(connection, COMMUNITY)
        assert [(day.day, day.seen, day.participants) for day in days] == [
            (day, *counts) for day, counts in sorted(folded.days().items())
        ]
        assert [(month.month, month.seen) for month in months] == sorted(folded.months().items())

    async def test_leave_the_members_of_one_plain_pass(self, store: Store, folded: OnePass) -> None:
        reader = engagement_store.StoreReader(store)
        for name in folded.members():
            member = await reader.member(COMMUNITY, name)
            assert (member.points, member.tier) == (folded.balances()[name], folded.tier(name, NOW))

    async def test_leave_a_log_that_sums_to_zero(self, store: Store, folded: OnePass) -> None:
        async with store.connection() as connection:
            issued, total = await connection.fetchrow(
                "SELECT -sum(points) FILTER (WHERE account = 'issue'), sum(points) FROM points_log"
            ) or (None, None)
        assert (issued, total) == (folded.balances().total(), 0)

    async def test_leave_the_pulse_of_one_plain_pass(self, store: Store, folded: OnePass) -> None:
        async with store.connection() as connection:
            pulse = await engagement_store.read_pulse(
                connection,
                COMMUNITY,
                now=NOW,
                day_start=day_start(NOW, ZONE),
                month_start=month_start(NOW, ZONE),
                windows_days=(7, 30),
            )
        seen, participants = folded.days().get(date(2026, 3, 14), (0, 0))
        assert (pulse.seen_today, pulse.participants_today) == (seen, participants)
        assert pulse.seen_this_month == folded.months()[date(2026, 3, 1)]
        for days, tiers in pulse.tiers.items():
            expected = [folded.tier(member, NOW, days) for member in folded.members()]
            assert tiers == {tier: expected.count(tier) for tier in Tier}


class TestSweep:
    @staticmethod
    def sweep_at(store: Store, moment: datetime, chunk: int = 2) -> TierSweep:
        return TierSweep(
            store,
            cast("Any", Book([DEFINITION])),
            HandClock(moment),
            every=timedelta(minutes=1),
            chunk=chunk,
            published=lambda: None,
        )

    @staticmethod
    async def told(store: Store) -> list[TierChanged]:
        async with store.connection() as connection:
            rows = await connection.fetch(
                "SELECT payload FROM outbox WHERE subject = $1 ORDER BY seq", TierChanged.TYPE
            )
            return [TierChanged.model_validate_json(row["payload"]) for row in rows]

    async def test_lowers_every_ended_tier_and_tells_it_once(self, store: Store) -> None:
        names = ("ann", "bob", "cat", "dan", "eve")
        await fold(store, [message(name, name, NOW) for name in names])
        later = self.sweep_at(store, NOW + timedelta(days=7))
        assert (await later.sweep(), await later.sweep()) == (5, 0)
        ended = [event for event in await self.told(store) if event.data.tier is Tier.INACTIVE]
        assert sorted(event.subject for event in ended) == sorted(names)

    async def test_leaves_tiers_that_have_not_ended(self, store: Store) -> None:
        await fold(store, [message("ann", "1", NOW)])
        assert await self.sweep_at(store, NOW + timedelta(days=6, hours=23)).sweep() == 0

    async def test_goes_down_step_by_step(self, store: Store) -> None:
        await fold(store, [message("ann", "1", NOW - timedelta(days=2)), reaction("ann", "1", NOW)])
        await self.sweep_at(store, NOW + timedelta(days=5)).sweep()
        member = await engagement_store.StoreReader(store).member(COMMUNITY, "ann")
        assert (member.tier, member.tier_ends_at) == ("low", NOW + timedelta(days=7))

    async def test_leaves_a_member_that_is_being_folded_to_the_fold(self, store: Store) -> None:
        await fold(store, [message("ann", "1", NOW), message("bob", "2", NOW)])
        async with store.connection() as connection, connection.transaction():
            await connection.execute("SELECT FROM members WHERE member_id = 'ann' FOR UPDATE")
            assert await self.sweep_at(store, NOW + timedelta(days=8)).sweep() == 1


async def test_unknown_member_is_named(store: Store) -> None:
    with pytest.raises(UnknownMemberError, match="'nobody'"):
        await engagement_store.StoreReader(store).member(COMMUNITY, "nobody")

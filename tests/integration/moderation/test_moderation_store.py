"""Moderation on a real PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from typing import cast

import pytest
from nats.aio.msg import Msg

from services.moderation.domain.ladder import KEPT
from services.moderation.handlers import ChatFolder
from services.moderation.store import MEMBERS
from shequn.contracts.envelope import Envelope
from shequn.runtime.fold import FoldContext
from shequn.runtime.fold.decoder import Delivery
from shequn.runtime.fold.transaction import FoldTransaction
from shequn.runtime.store import Store
from shequn.runtime.store.migrate import migrate
from shequn.testing.memory import FoldRunner, MemoryBook
from tests.unit.moderation.builders import COMMUNITY, START, at, definition, posted, unbounded_strikes

OFFENCES = [posted("casino", str(number), at(number * 3600)) for number in range(KEPT * 3)]


@pytest.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    await migrate(postgres_dsn, "moderation", "services.moderation")
    store = Store(postgres_dsn, schema="moderation")
    await store.open()
    yield store
    await store.close()


async def fold(store: Store, events: Sequence[Envelope], batch: int = 7) -> None:
    connection = await store.fold_connection()
    transaction = FoldTransaction(ChatFolder())
    context = FoldContext(now=START, definitions=MemoryBook([definition()]))
    for start in range(0, len(events), batch):
        deliveries = [Delivery(cast("Msg", None), event) for event in events[start : start + batch]]
        async with connection.transaction():
            _, _, rejected = await transaction.run(connection, deliveries, context)
        assert rejected == []
    await connection.close()


async def insert_long_row(store: Store, count: int) -> None:
    """Write a row as the version before there was a bound did: without the newer columns, with every strike."""
    async with store.connection() as connection:
        await connection.execute(
            "INSERT INTO member_state (community, member_id, recent, strikes) VALUES ($1, 'ann', $2, $3)",
            COMMUNITY,
            {},
            unbounded_strikes(count),
        )


async def stored(store: Store) -> tuple[int, int]:
    """How many strikes of the member are kept one by one, and how many are only counted."""
    async with store.connection() as connection:
        record = await connection.fetchrow("SELECT strikes, earlier FROM member_state WHERE member_id = 'ann'")
    assert record is not None
    return len(record["strikes"]), sum(record["earlier"].values())


class TestManyOffences:
    async def test_are_remembered_as_in_memory(self, store: Store) -> None:
        await fold(store, OFFENCES)
        runner = FoldRunner(ChatFolder(), definition())
        runner.run(OFFENCES)
        row = runner.state(MEMBERS, COMMUNITY, "ann")
        assert row is not None
        assert await stored(store) == (len(row.strikes), sum(row.earlier.values()))


class TestRowFromBeforeTheBound:
    async def test_is_made_small_by_the_next_message(self, store: Store) -> None:
        await insert_long_row(store, 200)
        await fold(store, [posted("hello", "1", at(1))])
        assert await stored(store) == (KEPT, 200 - KEPT)

    async def test_counts_with_the_next_offence(self, store: Store) -> None:
        await insert_long_row(store, 200)
        await fold(store, [posted("casino", "1", at(1))])
        async with store.connection() as connection:
            assert await connection.fetchval("SELECT strikes FROM sanctions") == 201

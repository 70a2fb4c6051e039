"""Commerce on a real PostgreSQL, with replicas that fold at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from functools import partial
from random import Random
from typing import cast

import pytest
from nats.aio.msg import Msg

from services.commerce import store as commerce_store
from services.commerce.errors import UnknownMemberError, UnknownOrderError
from services.commerce.handlers import MembersFolder, PaymentsFolder
from services.commerce.store import Totals
from services.commerce.tables import METADATA
from shequn.contracts.envelope import Envelope
from shequn.contracts.ids import referral_code
from shequn.contracts.members import MemberJoined
from shequn.runtime.failures import TransientError
from shequn.runtime.fold import FoldContext
from shequn.runtime.fold.decoder import Delivery
from shequn.runtime.fold.folder import Folder
from shequn.runtime.fold.transaction import FoldTransaction
from shequn.runtime.store import Store
from shequn.runtime.store.engine import RETRYABLE
from shequn.runtime.store.migrate import migrate
from shequn.testing.memory import MemoryBook
from tests.unit.commerce.shop import CLUB, T0, Shop, definition, joined, paid, refunded


@pytest.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    await migrate(postgres_dsn, "commerce", "services.commerce")
    store = Store(postgres_dsn, schema="commerce")
    await store.open()
    yield store
    await store.close()


async def fold(store: Store, folder: Folder, events: Sequence[Envelope], batch: int = 16) -> None:
    """Fold as the runtime does: batch by batch, each in a transaction that is tried again when it may succeed."""
    connection = await store.fold_connection()
    transaction = FoldTransaction(folder)
    context = FoldContext(now=T0, definitions=MemoryBook([definition()]))
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


async def fold_all(store: Store, events: Sequence[Envelope]) -> None:
    """Two replicas of each folder, each with every other event of its kind."""
    joinings = [event for event in events if isinstance(event, MemberJoined)]
    others = [event for event in events if not isinstance(event, MemberJoined)]
    await asyncio.gather(
        fold(store, PaymentsFolder(), others[::2]),
        fold(store, PaymentsFolder(), others[1::2]),
        fold(store, MembersFolder(), joinings[::2]),
        fold(store, MembersFolder(), joinings[1::2]),
    )


async def totals(store: Store) -> Totals:
    async with store.connection() as connection:
        return await commerce_store.read_totals(connection)


async def trial_balance(store: Store) -> dict[tuple[str, str], int]:
    async with store.connection() as connection:
        return await commerce_store.read_trial_balance(connection)


def history(random: Random) -> list[Envelope]:
    """Joinings, ladders of purchases and refunds of forty members, shuffled, some told twice. Seats are ample."""
    members = [f"m{number}" for number in range(40)]
    day = timedelta(days=1)
    tellings: list[Callable[[], Envelope]] = [
        partial(joined, member, by=random.choice(members[:10]), at=day) for member in members
    ]
    prices = {"course-low": 990, "camp-mid": 50_000, "circle-high": 300_000}
    for number in range(150):
        product, member = random.choice(list(prices)), random.choice(members)
        minor = prices[product] + random.choice((0, 0, 0, 10))
        at = random.randrange(1, 40) * day
        tellings.append(partial(paid, f"p{number}", product, minor, member=member, at=at))
        parts = random.sample(range(1, minor), random.choice((0, 0, 1, 2)))
        tellings += [partial(refunded, f"p{number}", part, refund_id=f"r{part}") for part in parts]
    events = [telling() for telling in (*tellings, *random.sample(tellings, 40))]
    events += random.sample(events, 20)
    random.shuffle(events)
    return events


class TestReplicas:
    async def test_sell_a_hundred_seats_for_85_000(self, store: Store) -> None:
        amounts = [50_000] * 60 + [100_000] * 120
        buyers = [paid(f"p{n}", "hall", minor, member=f"m{n}") for n, minor in enumerate(amounts)]
        Random(1).shuffle(buyers)
        await fold_all(store, buyers)
        seen = await totals(store)
        assert seen.seats == {(CLUB, "hall"): [30, 70]}
        assert seen.balances[CLUB, "revenue:hall", "CNY"] == -8_500_000
        assert seen.orders[CLUB, "parked", "sold-out"] == 80

    async def test_never_sell_a_seat_twice(self, store: Store) -> None:
        await fold_all(store, [paid(f"p{n}", "hall", 50_000, member=f"m{n}") for n in range(60)])
        async with store.connection() as connection:
            seats = await connection.fetch("SELECT seat FROM orders WHERE seat IS NOT NULL ORDER BY seat")
        assert [row["seat"] for row in seats] == list(range(1, 31))

    @pytest.mark.parametrize("seed", [1, 2, 3])
    async def test_end_where_one_that_folds_in_order_ends(self, store: Store, seed: int) -> None:
        events = history(Random(seed))
        await fold_all(store, events)
        shop = Shop()
        shop.tell_one_by_one(sorted(dict.fromkeys(events), key=lambda event: event.id))
        expected: dict[str, int] = {}
        for account, minor in shop.balances().items():
            name = "commission-payable:held" if account.startswith("commission-payable:held:") else account
            expected[name] = expected.get(name, 0) + minor
        seen = await totals(store)
        assert {account: minor for (_, account, _), minor in seen.balances.items() if minor} == expected
        assert {(state, why): n for (_, state, why), n in seen.orders.items() if n} == shop.counts()
        assert await trial_balance(store) == {(CLUB, "CNY"): 0}


class TestReading:
    async def test_an_order_gives_what_was_folded(self, store: Store) -> None:
        events: list[Envelope] = [paid("p1", minor=1_000), refunded("p1", 100)]
        await fold(store, PaymentsFolder(), events)
        shop = Shop()
        shop.tell(*events)
        async with store.connection() as connection:
            assert await commerce_store.read_order(connection, CLUB, "stripe", "p1") == shop.order("p1")

    async def test_an_order_that_is_not_known_is_an_error(self, store: Store) -> None:
        async with store.connection() as connection:
            with pytest.raises(UnknownOrderError):
                await commerce_store.read_order(connection, CLUB, "stripe", "p1")

    async def test_stock_of_an_unsold_product_is_nothing(self, store: Store) -> None:
        async with store.connection() as connection:
            assert (await commerce_store.read_stock(connection, CLUB, "hall")).sold == []

    async def test_a_referral_shows_what_is_held(self, store: Store) -> None:
        await fold(store, MembersFolder(), [joined("ann"), joined("bob", by="ann")])
        await fold(store, PaymentsFolder(), [paid("p1", member="bob")])
        async with store.connection() as connection:
            ann = await commerce_store.read_referral(connection, CLUB, "ann")
            bob = await commerce_store.read_referral(connection, CLUB, "bob")
        assert (ann.code, ann.referrer, ann.held) == (referral_code(CLUB, "ann"), None, {"CNY": 198})
        assert (bob.referrer, bob.held) == ("ann", {})

    async def test_a_referral_of_who_has_not_joined_is_an_error(self, store: Store) -> None:
        # Somebody came with the code already; that alone makes nobody a member.
        await fold(store, MembersFolder(), [joined("bob", by="ann")])
        async with store.connection() as connection:
            with pytest.raises(UnknownMemberError):
                await commerce_store.read_referral(connection, CLUB, "ann")


class TestMigration:
    async def test_makes_the_columns_that_the_folds_declare(self, store: Store) -> None:
        async with store.connection() as connection:
            rows = await connection.fetch(
                "SELECT table_name, column_name, is_nullable = 'YES' AS nullable FROM information_schema.columns "
                "WHERE table_schema = 'commerce'"
            )
        made = {(row["table_name"], row["column_name"], row["nullable"]) for row in rows}
        declared = {
            (table.name, column.name, bool(column.nullable))
            for table in METADATA.tables.values()
            for column in table.columns
        }
        assert declared <= made

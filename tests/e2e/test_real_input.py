"""Real chat and real orders through all services, with duplicates, late events and SIGKILLs: totals exact."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import nats
import pytest

from flows.store import read_funnel_totals
from services.commerce.store import read_totals, read_trial_balance
from services.engagement.store import read_daily_active, read_group_totals, read_monthly_active
from shequn.contracts.envelope import Envelope
from shequn.contracts.subjects import CONSUMERS
from shequn.local.applications import standard_applications
from shequn.local.settings import LocalSettings
from shequn.local.stack import LocalStack
from shequn.runtime.applying import apply_definition
from shequn.runtime.bus import Bus, Outgoing, Publisher
from tests.support.real_input import (
    CHAT,
    LOYAL_ORDERS,
    SHOP,
    ChatRow,
    Expected,
    OrderRow,
    chat_definition,
    chat_event,
    generated_chat,
    generated_orders,
    payment_event,
    read_chat,
    read_orders,
    shop_definition,
    signup_event,
)
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SHARED = Path(__file__).parents[3] / "shared" / "data"
KILLED = ("intake", "moderation", "engagement", "commerce", "consumer", "worker")
SCHEMAS = ("intake", "moderation", "engagement", "commerce", "flows")
SEED = 20_261_122


def disturbed(events: Sequence[Envelope], chance: random.Random) -> list[Outgoing]:
    """One per cent comes twice, past the server's memory of ids; one per cent comes at the very end."""
    late, stream = [], []
    for event in events:
        message = Outgoing.of(event)
        (late if chance.random() < 0.01 else stream).append(message)
        if chance.random() < 0.01:
            stream.append(Outgoing(message.subject, message.payload, f"again-{message.message_id}"))
    return stream + late


def signups_and_payments(orders: Sequence[OrderRow]) -> list[Envelope]:
    """Sign-ups, each before the customer's first payment."""
    events: list[Envelope] = []
    known: set[str] = set()
    for order in sorted(orders, key=lambda row: (row.day, row.number)):
        if order.customer not in known:
            known.add(order.customer)
            events.append(signup_event(order.customer, order.day))
        events.append(payment_event(order))
    return events


@asynccontextmanager
async def schema(dsn: str, name: str) -> AsyncIterator[Any]:
    """A connection to one service's schema, as its own code has it."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": name})
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=__import__("json").loads)
    try:
        yield connection
    finally:
        await connection.close()


class Run:
    """One run of the whole stack over given rows."""

    def __init__(self, stack: LocalStack, chat: Sequence[ChatRow], orders: Sequence[OrderRow]) -> None:
        self.stack = stack
        self.chat = chat
        self.orders = orders
        self.chance = random.Random(SEED)

    async def apply(self) -> None:
        bus = Bus(self.stack.nats_url, name="test")
        await bus.connect()
        for definition in (chat_definition(row.room for row in self.chat), shop_definition()):
            await apply_definition(bus, definition, datetime.now(UTC))
        await bus.close()

    async def feed(self) -> None:
        """Publish everything while every service is killed once, at a random moment."""
        client = await nats.connect(self.stack.nats_url)
        messages = disturbed([chat_event(row) for row in self.chat], self.chance)
        money = disturbed(signups_and_payments(self.orders), self.chance)
        chunks = [part[start : start + 500] for part in (messages, money) for start in range(0, len(part), 500)]
        # Sign-ups and payments keep their order among themselves; chat runs between them.
        self.chance.shuffle(order := [0] * -(-len(messages) // 500) + [1] * -(-len(money) // 500))
        queues = [iter(chunks[: order.count(0)]), iter(chunks[order.count(0) :])]
        moments = {self.chance.randrange(len(order)): name for name in KILLED}
        while len(moments) < len(KILLED):
            missing = next(name for name in KILLED if name not in moments.values())
            moments[self.chance.randrange(len(order))] = missing
        publisher = Publisher(client)
        for number, which in enumerate(order):
            await publisher.publish(next(queues[which]))
            if number in moments:
                await self.kill(moments[number])
        await client.close()

    async def kill(self, name: str) -> None:
        if self.stack.processes[name].pid is not None:
            self.stack.kill(name, signal.SIGKILL)

    async def settled(self) -> None:
        """Wait until nothing is pending, unacknowledged or unpublished anywhere, twice in a row."""
        client = await nats.connect(self.stack.nats_url)
        await self.stack.wait_ready()

        async def open_work() -> int:
            total = 0
            for consumer in CONSUMERS:
                info = await client.jetstream().consumer_info(consumer.stream.name, consumer.durable)
                total += (info.num_pending or 0) + (info.num_ack_pending or 0)
            connection = await asyncpg.connect(self.stack.postgres_dsn)
            for name in SCHEMAS:
                total += await connection.fetchval(f'SELECT count(*) FROM "{name}".outbox')
            total += await connection.fetchval(
                "SELECT count(*) FROM intake.deliveries WHERE status IN ('pending','sending')"
            )
            await connection.close()
            return total

        async def quiet_twice() -> tuple[int, int]:
            first = await open_work()
            await asyncio.sleep(0.3)
            return first, await open_work()

        await eventually(quiet_twice, lambda pair: pair == (0, 0), within=300)
        await client.close()


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[LocalStack]:
    settings = LocalSettings(data_dir=tmp_path / "data")
    async with LocalStack(settings, applications=standard_applications(settings)) as stack:
        await stack.wait_ready()
        yield stack


async def check(run: Run) -> None:
    await run.apply()
    await run.feed()
    await run.settled()
    expected = Expected.of(run.chat, run.orders)
    dsn = run.stack.postgres_dsn
    await check_engagement(dsn, expected)
    await check_commerce(dsn, expected)
    await check_funnel(dsn, expected)
    for name in KILLED:
        assert run.stack.restarts(name) >= 1, f"{name} was not killed"
    client = await nats.connect(run.stack.nats_url)
    assert (await client.jetstream().stream_info("DEAD")).state.messages == 0
    await client.close()


async def check_engagement(dsn: str, expected: Expected) -> None:
    async with schema(dsn, "engagement") as connection:
        groups = await read_group_totals(connection, CHAT)
        daily = await read_daily_active(connection, CHAT)
        monthly = await read_monthly_active(connection, CHAT)
        users = await connection.fetchval("SELECT count(*) FROM members WHERE community = $1", CHAT)
    assert {group.group: group.messages for group in groups} == dict(expected.messages)
    assert {group.group: group.speakers for group in groups} == {
        room: len(people) for room, people in expected.speakers.items()
    }
    assert users == expected.users
    assert {day.day: day.seen for day in daily} == {day: len(people) for day, people in expected.daily.items()}
    assert {(month.month.year, month.month.month): month.seen for month in monthly} == {
        month: len(people) for month, people in expected.monthly.items()
    }
    async with schema(dsn, "moderation") as connection:
        judged = await connection.fetchval("SELECT count(*) FROM decisions")
    assert judged == sum(expected.messages.values())


async def check_commerce(dsn: str, expected: Expected) -> None:
    async with schema(dsn, "commerce") as connection:
        totals = await read_totals(connection)
        balance = await read_trial_balance(connection)
    customers, repeat, _ = totals.customers[SHOP]
    assert totals.sales[SHOP, "records"] == expected.orders
    assert -totals.balances[SHOP, "revenue:records", "USD"] == expected.revenue_cents
    assert customers == len(expected.per_customer)
    assert repeat == expected.customers_with(2)
    assert set(balance.values()) == {0}


async def check_funnel(dsn: str, expected: Expected) -> None:
    async with schema(dsn, "flows") as connection:
        (buyers,) = [totals for totals in await read_funnel_totals(connection) if totals.funnel == "buyers"]
    assert buyers.entered == len(expected.per_customer)
    assert dict(buyers.reached) == {
        "attract": len(expected.per_customer),
        "convert": expected.customers_with(1),
        "repurchase": expected.customers_with(2),
        "loyal": expected.customers_with(LOYAL_ORDERS),
    }
    assert dict(buyers.goals) == {"loyal": expected.customers_with(LOYAL_ORDERS)}


async def test_generated_input_with_every_service_killed_once(stack: LocalStack) -> None:
    await check(Run(stack, generated_chat(12_000), generated_orders(1_500)))


async def test_real_input_with_every_service_killed_once(stack: LocalStack) -> None:
    chat, orders = SHARED / "chat" / "gitter_dev.jsonl.gz", SHARED / "commerce" / "cdnow_sample.csv.gz"
    if not (chat.exists() and orders.exists()):
        pytest.skip("the real recordings (../shared/data) are not here; the generated ones are tested instead")
    await check(Run(stack, read_chat(chat), read_orders(orders)))

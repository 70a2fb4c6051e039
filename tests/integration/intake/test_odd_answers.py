"""Whatever an adapter answers, and whatever a command holds, the others are delivered."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from shequn.adapters import Outcome
from shequn.contracts.actions import OutcomeStatus
from tests.integration.intake.queues import Answering, Forgetful, Queue
from tests.unit.intake.builders import ANN_ID, NOW, send

ODD: Any = 4711
DELIVERED, FAILED, DELAYED = OutcomeStatus.DELIVERED, OutcomeStatus.FAILED, OutcomeStatus.DELAYED


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Outcome.delivered(ODD), "delivered"),
        (Outcome.delivered("r\0"), "delivered"),
        (Outcome.delivered("r" * 1_000_000), "delivered"),
        (Outcome(FAILED, "no\0"), "failed"),
        (Outcome(FAILED, "\ud800"), "failed"),
        (Outcome(DELIVERED, None), "delivered"),  # type: ignore[arg-type]
        (Outcome(DELAYED, until=datetime(2027, 3, 2)), "pending"),  # noqa: DTZ001  # that is what is odd
        (None, "unknown"),
        (ValueError("a bug\0"), "unknown"),
        (asyncio.CancelledError(), "unknown"),
    ],
    ids=["int", "nul", "long", "nul-reason", "surrogate", "none", "naive", "no-outcome", "nul-error", "cancelled"],
)
async def test_an_odd_answer_is_settled_and_stops_nobody(queue: Queue, answer: Any, status: str) -> None:
    await queue.put(send("k1"), send("odd"), send("k2"))
    await queue.delivery(Answering(answer)).step()
    assert await queue.statuses() == {"k1": "delivered", "odd": status, "k2": "delivered"}


async def test_a_member_id_that_no_store_holds_is_nobody(queue: Queue) -> None:
    await queue.put(send("k1"), send("odd", member_id="a\0b"))
    await queue.delivery(Forgetful(), intake_account_grace_seconds=0).step()
    assert (await queue.statuses())["k1"] == "delivered"
    assert await queue.told() == [("k1", "delivered")]


class TestOutcomeThatCannotBeTold:
    async def settled(self, queue: Queue) -> None:
        """One of two members has an id so long that no message holds an outcome with it."""
        long = "m" * 1_000_000
        async with queue.pool.connection() as connection:
            await connection.execute("DROP INDEX accounts_of_member")
            await connection.execute("INSERT INTO accounts VALUES ('gitter', 'long', $1, $2)", long, NOW)
        await queue.put(send("k1", member_id=ANN_ID), send("odd", member_id=long), send("k2", group="open"))
        await queue.delivery(Forgetful()).step()

    async def test_is_written_all_the_same(self, queue: Queue) -> None:
        await self.settled(queue)
        assert set((await queue.statuses()).values()) == {"delivered"}

    async def test_does_not_silence_the_others(self, queue: Queue) -> None:
        await self.settled(queue)
        assert sorted(await queue.told()) == [("k1", "delivered"), ("k2", "delivered")]

    async def test_is_counted_once(self, queue: Queue) -> None:
        await self.settled(queue)
        assert queue.counted("forgetful", "delivered") == 3


async def test_a_command_that_this_version_does_not_know_fails_alone(queue: Queue) -> None:
    await queue.put(send("k1"), send("odd"))
    async with queue.pool.connection() as connection:
        await connection.execute("UPDATE deliveries SET action = 'actions.dance.v9' WHERE idempotency_key = 'odd'")
    await queue.delivery(Forgetful()).step()
    assert await queue.statuses() == {"k1": "delivered", "odd": "failed"}


async def test_what_another_process_settles_is_not_counted_here(queue: Queue) -> None:
    adapter = Forgetful()
    delivery = queue.delivery(adapter)
    adapter.gate.clear()
    await queue.put(send("k1"))
    step = asyncio.create_task(delivery.step())
    await adapter.busy.wait()
    async with queue.pool.connection() as connection:
        await connection.execute("UPDATE deliveries SET owner = owner + 1")
    adapter.gate.set()
    await step
    assert queue.counted("forgetful", "delivered") == 0

"""The delivery queue in a real store: claims, crashes, retries."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import asyncpg

from services.intake import store as sql
from services.intake.delivery import Delivery
from services.intake.store import Settlement
from shequn.adapters.errors import PlatformAwayError, RateLimitedError
from tests.integration.intake.queues import Forgetful, Mindful, Queue
from tests.unit.intake.builders import NOW, delete, send


async def test_outcome_row_and_event_are_written_together(queue: Queue) -> None:
    await queue.put(send("k1"))
    await queue.delivery(Forgetful()).step()
    assert await queue.statuses() == {"k1": "delivered"}
    assert await queue.told() == [("k1", "delivered")]
    assert (await queue.totals()).settled == {("club", "actions.message.send.v1", "delivered"): 1}


async def test_order_is_priority_then_arrival(queue: Queue) -> None:
    adapter = Forgetful()
    await queue.put(send("k1"), send("k2"), delete("disorder"), send("k3", not_after=NOW))
    await queue.delivery(adapter).step()
    assert adapter.executed == ["disorder", "k3", "k1", "k2"]


class TestCrashWhileSending:
    async def crash(self, queue: Queue, adapter: str) -> None:
        """A process claims two actions, hands the first one to an adapter, and dies."""
        await queue.put(send("k1"), send("k2"))
        died = queue.replica()
        await died.take(NOW, 10)
        await died.hand_over(["k1"], adapter)
        await died.close()

    async def test_is_unknown_where_keys_are_not_recognised(self, queue: Queue) -> None:
        adapter = Forgetful()
        await self.crash(queue, "forgetful")
        await queue.delivery(adapter).step()
        assert (await queue.told(), adapter.executed) == ([("k1", "unknown"), ("k2", "delivered")], ["k2"])

    async def test_is_executed_again_where_they_are(self, queue: Queue) -> None:
        adapter = Mindful()
        await self.crash(queue, "mindful")
        await queue.delivery(adapter).step()
        assert (await queue.told(), adapter.executed) == ([("k1", "delivered"), ("k2", "delivered")], ["k1", "k2"])

    async def test_is_unknown_where_another_adapter_had_it(self, queue: Queue) -> None:
        adapter = Mindful()
        await self.crash(queue, "forgetful")
        await queue.delivery(adapter).step()
        assert (await queue.told(), adapter.executed) == ([("k1", "unknown"), ("k2", "delivered")], ["k2"])

    async def test_is_unknown_past_its_deadline_too(self, queue: Queue) -> None:
        await queue.put(send("k1", not_after=NOW))
        died = queue.replica()
        await died.take(NOW, 10)
        await died.hand_over(["k1"], "mindful")
        await died.close()
        queue.clock.at = NOW + timedelta(seconds=1)
        await queue.delivery(Mindful()).step()
        assert await queue.told() == [("k1", "unknown")]

    async def test_what_was_taken_over_does_not_go_out_here(self, queue: Queue) -> None:
        await queue.put(send("k1"))
        slow = queue.replica()
        await slow.take(NOW, 10)
        await slow.abandon()
        await queue.delivery(Forgetful()).step()
        assert await slow.hand_over(["k1"], "forgetful") == set()

    async def test_what_a_living_process_sends_is_left_alone(self, queue: Queue) -> None:
        await queue.put(send("k1"))
        await queue.replica().take(NOW, 10)
        await queue.delivery(Mindful()).step()
        assert await queue.statuses() == {"k1": "sending"}

    async def test_who_comes_back_too_late_writes_nothing(self, queue: Queue) -> None:
        slow = queue.replica()
        await queue.put(send("k1"))
        await slow.take(NOW, 10)
        await slow.hand_over(["k1"], "forgetful")
        await slow.abandon()
        await queue.delivery(Forgetful()).step()
        await slow.settle(NOW, [Settlement("k1", "delivered", "slow", "", None, None)], {})
        assert await queue.statuses() == {"k1": "unknown"}


class TestDelay:
    async def test_ends_when_the_platform_says(self, queue: Queue) -> None:
        adapter = Forgetful()
        delivery = queue.delivery(adapter)
        adapter.before = _raising(RateLimitedError(NOW + timedelta(minutes=1)))
        await queue.put(send("k1"))
        await delivery.step()
        assert await queue.statuses() == {"k1": "pending"}
        adapter.before = lambda _: None
        queue.clock.at = NOW + timedelta(minutes=1)
        await delivery.step()
        assert await queue.told() == [("k1", "delayed"), ("k1", "delivered")]

    async def test_until_a_time_that_is_over_counts_as_an_attempt(self, queue: Queue) -> None:
        adapter = Forgetful()
        adapter.before = _raising(RateLimitedError(NOW - timedelta(hours=8)))
        await queue.put(send("k1"))
        await queue.delivery(adapter, intake_attempts=1).step()
        assert await queue.told() == [("k1", "failed")]

    async def test_is_not_tried_before_its_time(self, queue: Queue) -> None:
        adapter = Forgetful()
        delivery = queue.delivery(adapter)
        adapter.before = _raising(PlatformAwayError("away"))
        await queue.put(send("k1"))
        await delivery.step()
        adapter.before = lambda _: None
        queue.clock.at = NOW + timedelta(seconds=1.9)
        await delivery.step()
        assert adapter.executed == []

    async def test_ends_in_failure_after_so_many(self, queue: Queue) -> None:
        adapter = Forgetful()
        adapter.before = _raising(PlatformAwayError("away"))
        delivery = queue.delivery(adapter, intake_attempts=3)
        await queue.put(send("k1"))
        for hours in range(3):
            queue.clock.at = NOW + timedelta(hours=hours)
            await delivery.step()
        assert await queue.told() == [("k1", "delayed"), ("k1", "delayed"), ("k1", "failed")]

    async def test_past_its_deadline_is_suppressed(self, queue: Queue) -> None:
        await queue.put(send("k1", not_after=NOW))
        queue.clock.at = NOW + timedelta(seconds=1)
        await queue.delivery(Forgetful()).step()
        assert await queue.told() == [("k1", "suppressed")]


class TestUnknownMember:
    async def test_may_still_become_known(self, queue: Queue) -> None:
        adapter = Forgetful()
        delivery = queue.delivery(adapter)
        await queue.put(send("k1", member_id="bob"))
        await delivery.step()
        assert await queue.told() == []
        async with queue.pool.connection() as connection:
            await connection.execute("INSERT INTO accounts VALUES ('gitter', 'bob', 'bob', $1)", NOW)
        queue.clock.at = NOW + timedelta(seconds=5)
        await delivery.step()
        assert await queue.told() == [("k1", "delivered")]

    async def test_is_suppressed_after_the_grace(self, queue: Queue) -> None:
        delivery = queue.delivery(Forgetful())
        await queue.put(send("k1", member_id="bob"))
        await delivery.step()
        queue.clock.at = NOW + timedelta(seconds=5)
        await delivery.step()
        assert await queue.told() == [("k1", "suppressed")]


async def test_replicas_share_the_work(queue: Queue) -> None:
    adapter = Mindful()
    replicas = [queue.delivery(adapter, intake_delivery_batch=7) for _ in range(3)]
    await queue.put(*(send(f"k{number}") for number in range(150)))

    async def work(delivery: Delivery) -> None:
        while "pending" in (await queue.statuses()).values():
            await delivery.step()

    await asyncio.gather(*map(work, replicas))
    assert Counter(adapter.executed) == Counter(f"k{number}" for number in range(150))
    assert Counter(await queue.told()) == Counter((f"k{number}", "delivered") for number in range(150))


async def test_a_lost_connection_makes_claims_unsure_and_loses_none(queue: Queue) -> None:
    adapter = Mindful()
    delivery = queue.delivery(adapter)
    await queue.put(send("k1"))
    await delivery.step()
    await _cut_all_connections(queue.dsn)
    await _answers(queue)
    await queue.put(send("k2"))
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        await delivery.step()
    await delivery.step()
    assert adapter.executed == ["k1", "k2"]


async def test_old_texts_go_and_keys_stay(queue: Queue) -> None:
    await queue.put(send("k1"), send("k2"))
    await queue.delivery(Forgetful()).step()
    await queue.put(send("k3"))
    async with queue.pool.connection() as connection:
        assert await sql.purge(connection, NOW + timedelta(days=1)) == 2
    assert await queue.statuses() == {"k3": "pending"}


async def _cut_all_connections(dsn: str) -> None:
    admin = await asyncpg.connect(dsn)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await admin.close()


async def _answers(queue: Queue) -> None:
    for _ in range(10):
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await queue.statuses()
            return
    raise AssertionError("the store does not answer any more")


def _raising(error: Exception) -> Callable[[str], None]:
    def behave(_: str) -> None:
        raise error

    return behave

"""Delivery stops: what an adapter has in hand is finished, the rest goes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from prometheus_client import CollectorRegistry

from services.intake.delivery import Delivery
from shequn.runtime.loops import Loops
from shequn.runtime.tasks import end_task
from shequn.runtime.telemetry import RuntimeMetrics
from tests.integration.intake.queues import Forgetful, Mindful, Queue
from tests.support.waiting import eventually
from tests.unit.intake.builders import send


@asynccontextmanager
async def in_hand(delivery: Delivery, adapter: Forgetful) -> AsyncIterator["asyncio.Task[float]"]:
    """A step whose adapter has the first action in hand, and does not answer."""
    adapter.gate.clear()
    step = asyncio.create_task(delivery.step())
    await adapter.busy.wait()
    yield step
    adapter.gate.set()
    with suppress(asyncio.CancelledError):
        await step


async def cancelled_again_and_again(step: "asyncio.Task[float]", times: int) -> None:
    for _ in range(times):
        step.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_a_cancelled_step_finishes_what_is_in_hand_and_puts_the_rest_back(queue: Queue) -> None:
    adapter = Forgetful()
    await queue.put(send("k1"), send("k2"))
    async with in_hand(queue.delivery(adapter), adapter) as step:
        step.cancel()
        await asyncio.sleep(0)
    assert await queue.statuses() == {"k1": "delivered", "k2": "pending"}


async def test_many_cancellations_do_not_cut_off_what_is_in_hand(queue: Queue) -> None:
    adapter = Forgetful()
    await queue.put(send("k1"), send("k2"))
    async with in_hand(queue.delivery(adapter), adapter) as step:
        await cancelled_again_and_again(step, 10)
    assert adapter.executed == ["k1"]
    assert await queue.statuses() == {"k1": "delivered", "k2": "pending"}


async def test_ending_the_task_waits_for_the_adapter(queue: Queue) -> None:
    adapter = Forgetful()
    await queue.put(send("k1"))
    async with in_hand(queue.delivery(adapter), adapter) as step:
        asyncio.get_running_loop().call_later(0.6, adapter.gate.set)
        await end_task(step)
    assert await queue.told() == [("k1", "delivered")]


async def test_the_loops_tell_delivery_at_once(queue: Queue) -> None:
    adapter = Forgetful()
    delivery = queue.delivery(adapter)
    loops = Loops(RuntimeMetrics(CollectorRegistry()))
    loops.add("delivery", delivery.step, delivery.stop)
    adapter.gate.clear()
    await queue.put(*(send(f"k{number}") for number in range(3)))
    loops.start()
    await adapter.busy.wait()
    stopping = asyncio.create_task(loops.stop())
    await asyncio.sleep(0)
    adapter.gate.set()
    async with asyncio.timeout(5):
        await stopping
    assert await queue.statuses() == {"k0": "delivered", "k1": "pending", "k2": "pending"}


class TestTakingTooLong:
    async def cut(self, queue: Queue, adapter: Forgetful) -> None:
        """Two actions are claimed; the first is cut off in the adapter's hand."""
        await queue.put(send("k1"), send("k2"))
        async with in_hand(queue.delivery(adapter, intake_stop_seconds=0), adapter) as step:
            await end_task(step)

    async def test_puts_back_what_no_adapter_has_seen(self, queue: Queue) -> None:
        await self.cut(queue, Forgetful())
        assert await queue.statuses() == {"k1": "sending", "k2": "pending"}

    @pytest.mark.parametrize(("adapter", "outcome"), [(Forgetful, "unknown"), (Mindful, "delivered")])
    async def test_is_found_out_at_the_next_start(self, queue: Queue, adapter: type[Forgetful], outcome: str) -> None:
        await self.cut(queue, adapter())
        after = queue.delivery(adapter())
        await eventually(lambda: _after_step(after, queue), lambda told: len(told) == 2)
        assert dict(await queue.told()) == {"k1": outcome, "k2": "delivered"}


async def _after_step(delivery: Delivery, queue: Queue) -> list[tuple[str, str]]:
    delivery.wake()
    await delivery.step()
    return await queue.told()

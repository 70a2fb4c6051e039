"""Ending a block on a signal."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from shequn.local.signals import EndedBySignals, uninterrupted


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Give the signals of the test's process back: one that was ended by a signal ignores them from then on."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class TestEndedBySignals:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    async def test_leaves_the_block_without_an_error(self, number: signal.Signals) -> None:
        async with EndedBySignals() as ended:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        assert ended.signal is number

    async def test_lets_clean_up_run(self) -> None:
        cleaned = False
        async with EndedBySignals():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                cleaned = True
        assert cleaned

    async def test_takes_two_signals_at_once_for_one(self) -> None:
        async with EndedBySignals() as ended:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        assert ended.signal is signal.SIGINT

    async def test_lets_clean_up_run_although_signals_go_on(self) -> None:
        cleaned = 0
        async with EndedBySignals():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.Event().wait()
            finally:
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGINT):
                    os.kill(os.getpid(), number)
                    await asyncio.sleep(0.01)
                    cleaned += 1
        assert cleaned == 3

    async def test_ignores_signals_once_one_has_ended_it(self) -> None:
        async with EndedBySignals():
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0)

    async def test_hears_no_signals_after_a_block_that_ended_by_itself(self) -> None:
        async with EndedBySignals():
            pass
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_IGN

    async def test_passes_on_a_cancellation_from_elsewhere(self) -> None:
        async def work() -> None:
            async with EndedBySignals():
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def test_passes_on_errors_of_the_block(self) -> None:
        with pytest.raises(ValueError, match="bad"):
            async with EndedBySignals():
                raise ValueError("bad")


class TestUninterrupted:
    async def test_comes_to_its_end_before_a_cancellation_goes_on(self) -> None:
        may_end, ended = asyncio.Event(), asyncio.Event()

        async def work() -> None:
            await may_end.wait()
            ended.set()

        task = asyncio.create_task(uninterrupted(work()))
        for _ in range(3):
            await asyncio.sleep(0)
            task.cancel()
        assert not ended.is_set()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()

    async def test_passes_on_errors(self) -> None:
        async def work() -> None:
            raise ValueError("bad")

        with pytest.raises(ValueError, match="bad"):
            await uninterrupted(work())

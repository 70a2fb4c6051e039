"""Ending a block on a signal."""

import asyncio
import os
import signal

import pytest

from shequn.local.signals import EndedBySignals


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

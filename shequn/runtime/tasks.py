"""Ending tasks for sure."""

import asyncio
from contextlib import suppress
from typing import Any

_ASK_AGAIN_SECONDS = 0.25


async def end_task(task: "asyncio.Task[Any] | None") -> None:
    """Cancel a task and wait until it ended.

    nats-py swallows a cancellation that reaches it while it hands bytes to its flusher, so one request may not be
    enough: it is repeated until the task is done. What the task raised is not of interest any more.
    """
    if task is None:
        return
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_ASK_AGAIN_SECONDS)
    with suppress(asyncio.CancelledError):
        task.exception()

"""Ending tasks for sure."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import structlog

_ASK_AGAIN_SECONDS = 0.25

logger = structlog.get_logger()


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


async def end_within(seconds: float, part: str, work: Coroutine[Any, Any, Any]) -> None:
    """Let one step of a stop run, and see to it that the steps after it run too.

    Whatever it raises is logged: who stops can do nothing about it, and has more to close.

    Args:
        seconds: how long it may take before it is cut off.
        part: how the log names it.
        work: the step.
    """
    task = asyncio.create_task(work, name=f"end-{part}")
    done, _ = await asyncio.wait([task], timeout=seconds)
    if not done:
        await end_task(task)
        logger.warning("cut off while stopping", part=part, seconds=seconds)
    elif not task.cancelled() and (error := task.exception()) is not None:
        logger.warning("did not stop clean", part=part, why=f"{type(error).__name__}: {error}")

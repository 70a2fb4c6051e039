"""The due wave as a Prefect flow: one task a chunk, never one a member."""

import asyncio
from dataclasses import asdict
from datetime import datetime

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.driver import ChunkResult
from flows.handles import live_handles
from flows.metrics import WAVE

CHUNK_SIZE = 5_000
CHUNKS_AT_ONCE = 2


@task(
    name="advance-chunk",
    task_run_name="chunk-{number}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=3,
    retry_delay_seconds=1,
)
async def advance_chunk(number: int, due_until: datetime, size: int) -> dict[str, int]:  # noqa: ARG001  # names the task run
    """Advance one chunk of members, in one transaction.

    Args:
        number: the chunk's number in the wave, from 1.
        due_until: what is due until then, by the clock of the system.
        size: how many due enrollments to take at most.
    """
    async with live_handles() as handles:
        return _figures(await handles.waves.run_chunk(due_until, size))


@flow(
    name=WAVE,
    description="Moves on every member whose wait in a funnel is over. 把等待到期的成员推进到下一步。",
    persist_result=False,
    validate_parameters=True,
)
async def due_wave(chunk_size: int = CHUNK_SIZE, chunks_at_once: int = CHUNKS_AT_ONCE) -> dict[str, int]:
    """Advance everybody who is due now.

    Args:
        chunk_size: members of one transaction and one task.
        chunks_at_once: tasks that run side by side, once the first chunk shows that there is more.
    """
    async with live_handles() as handles:
        due_until = handles.clock.now()
        results = [await advance_chunk(1, due_until, chunk_size)]
        more = results[0]["claimed"] >= chunk_size
        while more:
            numbers = range(len(results) + 1, len(results) + 1 + chunks_at_once)
            latest = await asyncio.gather(*(advance_chunk(each, due_until, chunk_size) for each in numbers))
            results += latest
            more = any(result["moved"] or result["parked"] for result in latest)
        return {name: sum(result[name] for result in results) for name in results[0]}


def _figures(result: ChunkResult) -> dict[str, int]:
    return asdict(result)

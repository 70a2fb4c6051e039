"""How many chat messages a second go through both chat consumers, from the first publish to the last commit."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import asyncpg

from bench.child import Child, child
from bench.spine.consumers import CONSUMERS, Variant, committed_query, processes
from bench.spine.stack import BenchError, Place, new_folder, running_stack
from bench.usage import CpuMeter
from shequn.runtime.store.types import Connection

_POLL_SECONDS = 0.01
_STALL_SECONDS = 60.0
_MICROSECONDS = 1_000_000
_SERVERS = ("nats", "postgres")


@dataclass(frozen=True, slots=True)
class Load:
    """How much is published.

    Attributes:
        warm_up: messages before the measurement, so that connections, statements and caches are there.
        measured: messages from the first publish to the last commit.
        backlog: messages that are in the stream before the consumers may begin; 0 leaves that measurement out.
    """

    warm_up: int
    measured: int
    backlog: int = 0


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks at how many messages a consumer has committed."""

    name: str
    query: str
    connection: Connection

    async def reached(self, count: int) -> float:
        """Wait until so many are committed; give the moment on the machine's monotonic clock, after the answer.

        Raises:
            BenchError: there are more than there should be, or for a minute no more came.
        """
        best, moved = -1, monotonic()
        while True:
            committed = int(await self.connection.fetchval(self.query))
            now = monotonic()
            if committed == count:
                return now
            if committed > count:
                raise BenchError(f"{self.name} committed {committed} messages of {count}")
            if committed > best:
                best, moved = committed, now
            elif now - moved > _STALL_SECONDS:
                raise BenchError(f"{self.name} stands at {committed} messages of {count}")
            await asyncio.sleep(_POLL_SECONDS)


@asynccontextmanager
async def watching(dsn: str, variant: Variant) -> AsyncIterator[list[Watch]]:
    """Watch both consumers for the length of the block."""
    async with AsyncExitStack() as exits:
        watches = []
        for name in CONSUMERS:
            connection = await asyncpg.connect(dsn)
            exits.push_async_callback(connection.close)
            watches.append(Watch(name, committed_query(variant, name), connection))
        yield watches


async def measure_throughput(variant: Variant, load: Load) -> dict[str, float]:
    """Measure one variant on a fresh stack.

    Returns:
        ``per_second``; ``drain_per_second`` when there is a backlog; ``cpu_us_NAME``: microseconds of processor time
        per message of each process, over the measured messages.
    """
    with new_folder() as name:
        folder = Path(name)
        async with running_stack(folder, processes(variant, folder)) as place:
            environment = {"SHEQUN_NATS_URL": place.stack.nats_url}
            async with (
                child("bench.spine.publisher", environment) as publisher,
                watching(place.stack.postgres_dsn, variant) as watches,
            ):
                return await _measure(place, publisher, watches, load)


async def _measure(place: Place, publisher: Child, watches: Sequence[Watch], load: Load) -> dict[str, float]:
    warm, measured = load.warm_up, load.warm_up + load.measured
    await prepare(publisher, 0, warm)
    await publish(publisher, watches, 0, warm)
    await prepare(publisher, warm, measured)
    pids = place.pids([*_SERVERS, *CONSUMERS])
    before = CpuMeter.read(pids)
    seconds, published = await publish(publisher, watches, warm, measured)
    used = CpuMeter.read(place.pids([*_SERVERS, *CONSUMERS])).since(before)
    used["elsewhere"] = max(0.0, used["elsewhere"] - published["seconds"])
    figures = {
        "per_second": load.measured / seconds,
        "publish_per_second": load.measured / (published["last"] - published["first"]),
        **{f"cpu_us_{name}": value / load.measured * _MICROSECONDS for name, value in used.items()},
        "cpu_us_publisher": published["seconds"] / load.measured * _MICROSECONDS,
    }
    if load.backlog:
        figures["drain_per_second"] = await _drain(place, publisher, watches, measured, measured + load.backlog)
    return figures


async def prepare(publisher: Child, start: int, stop: int) -> None:
    """Let the publisher encode messages, which is not measured."""
    await publisher.ask({"prepare": True, "start": start, "stop": stop})


async def publish(
    publisher: Child, watches: Sequence[Watch], start: int, stop: int, already: int = 0
) -> tuple[float, Mapping[str, float]]:
    """Publish what is prepared.

    Args:
        publisher: the helper process.
        watches: look at the consumers.
        start: number of the first message.
        stop: number behind the last; all before are published.
        already: how many messages came by other ways.

    Returns:
        Seconds from the first publish to the last commit, and what the publisher says.
    """
    published, *ends = await asyncio.gather(
        publisher.ask({"start": start, "stop": stop}), *(watch.reached(already + stop) for watch in watches)
    )
    return max(ends) - published["first"], published


async def _drain(place: Place, publisher: Child, watches: Sequence[Watch], start: int, stop: int) -> float:
    """Publish while the consumers' processes are stopped, then let them go on; give the messages per second.

    The server has handed out two batches by then, at most: what the consumers had asked for before they were stopped.
    Pausing the consumers on the server would leave them waiting for seconds after it, until they ask anew.
    """
    await prepare(publisher, start, stop)
    for name in CONSUMERS:
        place.stack.kill(name, signal.SIGSTOP)
    try:
        await publisher.ask({"start": start, "stop": stop})
    finally:
        began = monotonic()
        for name in CONSUMERS:
            place.stack.kill(name, signal.SIGCONT)
    ends = await asyncio.gather(*(watch.reached(stop) for watch in watches))
    return (stop - start) / (max(ends) - began)

"""Background loops of a service: kept running, counted when they fail, stopped clean."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from shequn.runtime.failures import TransientError
from shequn.runtime.store.engine import RETRYABLE
from shequn.runtime.tasks import end_task
from shequn.runtime.telemetry import RuntimeMetrics

_PAUSE_SECONDS = 1.0
_MOST_PAUSE_SECONDS = 60.0
_GRACE_SECONDS = 10.0

logger = structlog.get_logger()
Step = Callable[[], Awaitable[float]]
Stop = Callable[[], None]


class Loops:
    """Runs steps again and again. A step says how long to rest before the next, in real seconds."""

    def __init__(self, metrics: RuntimeMetrics) -> None:
        """Start with none."""
        self._metrics = metrics
        self._steps: dict[str, Step] = {}
        self._stops: list[Stop] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()

    def add(self, name: str, step: Step, stop: Stop | None = None) -> None:
        """Add a loop; it begins with :meth:`start`.

        Args:
            name: its name in metrics and logs.
            step: what it does again and again.
            stop: called when the loops are to end, so that a long step can come to its end early.
        """
        self._steps[name] = step
        if stop is not None:
            self._stops.append(stop)

    def start(self) -> None:
        """Begin all loops."""
        for name, step in self._steps.items():
            self._tasks[name] = asyncio.create_task(self._run(name, step), name=f"loop-{name}")

    async def stop(self) -> None:
        """End all loops. A step in hand is finished, unless it takes too long."""
        self._stopping.set()
        for stop in self._stops:
            stop()
        tasks, self._tasks = list(self._tasks.values()), {}
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
        await asyncio.gather(*(end_task(task) for task in tasks))

    def dead(self) -> list[str]:
        """Name the loops that ended although nobody stopped them."""
        return [name for name, task in self._tasks.items() if task.done()]

    async def _run(self, name: str, step: Step) -> None:
        pause = _PAUSE_SECONDS
        while not self._stopping.is_set():
            try:
                rest = await step()
                pause = _PAUSE_SECONDS
            except (TransientError, *RETRYABLE) as error:
                self._metrics.loop_failures.labels(name).inc()
                logger.warning("loop waits", loop=name, why=str(error) or type(error).__name__)
                rest = _PAUSE_SECONDS
            except Exception:
                # Nobody foresaw it; a loop that ends would be missed later, and by somebody else.
                self._metrics.loop_failures.labels(name).inc()
                logger.exception("loop failed and is tried again", loop=name, pause_seconds=pause)
                rest, pause = pause, min(2 * pause, _MOST_PAUSE_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), timeout=rest)

"""Group commit: what is accepted within a few milliseconds goes to the bus as one batch and shares one disk sync."""

import asyncio

import structlog

from shequn.runtime.bus.publisher import NotStoredError, Outgoing, Publisher
from shequn.runtime.failures import TransientError
from shequn.runtime.tasks import end_task

_MOST_IN_A_BATCH = 500
_MOST_WAITING = 5_000

logger = structlog.get_logger()


class BusyError(TransientError):
    """More is waiting for the bus than it takes; the sender should come again."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(f"more than {_MOST_WAITING} messages wait for the bus; send this one again later")


class GroupCommit:
    """Collects messages of many callers while the former batch is being stored.

    There is no timer: the disk sync of one batch is the time in which the next one gathers.
    """

    def __init__(self, publisher: Publisher) -> None:
        """Use a publisher; :meth:`run` does the work."""
        self._publisher = publisher
        self._waiting: list[tuple[Outgoing, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def store(self, message: Outgoing) -> None:
        """Publish a message; return once it is stored.

        Raises:
            TransientError: it is not stored, or too much is waiting.
        """
        if len(self._waiting) >= _MOST_WAITING:
            raise BusyError
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, stored))
        self._wake.set()
        await stored

    def start(self) -> None:
        """Begin to publish."""
        self._task = asyncio.create_task(self._run(), name="group-commit")

    async def stop(self) -> None:
        """Publish what waits, then end."""
        while self._waiting:
            await self._flush()
        await end_task(self._task)

    def dead(self) -> bool:
        """Tell whether it ended although nobody stopped it."""
        return self._task is not None and self._task.done()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._flush()

    async def _flush(self) -> None:
        batch, self._waiting = self._waiting[:_MOST_IN_A_BATCH], self._waiting[_MOST_IN_A_BATCH:]
        try:
            await self._publisher.publish([message for message, _ in batch])
        except TransientError as error:
            _fail(batch, error)
        except Exception as error:  # whatever it is, those who wait must hear of it
            logger.exception("a batch was not stored")
            _fail(batch, NotStoredError("a batch", type(error).__name__))
        else:
            for _, stored in batch:
                if not stored.done():
                    stored.set_result(None)


def _fail(batch: list[tuple[Outgoing, asyncio.Future[None]]], error: TransientError) -> None:
    for _, stored in batch:
        if not stored.done():
            stored.set_exception(error)

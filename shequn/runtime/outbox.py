"""The outbox relay: publishes what folds decided, in order, and forgets it once the bus has it."""

import asyncio
from contextlib import suppress

import asyncpg
import structlog

from shequn.runtime.bus.publisher import Outgoing, Publisher
from shequn.runtime.failures import TransientError
from shequn.runtime.store.engine import RETRYABLE, Store
from shequn.runtime.tasks import end_task

_CHUNK = 500
_IDLE_SECONDS = 1.0
_RETRY_SECONDS = 0.5
_TAKE = """
DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING seq, subject, message_id, payload
"""

logger = structlog.get_logger()


class OutboxRelay:
    """Publishes the outbox of one schema. Several replicas share the work.

    A row is deleted in the transaction that publishes it: a crash between the two publishes it again, under the same
    message id, which the server and every inbox recognise.
    """

    def __init__(self, store: Store, publisher: Publisher) -> None:
        """Prepare; :meth:`start` begins."""
        self._store = store
        self._publisher = publisher
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Tell that something was put into the outbox."""
        self._wake.set()

    def start(self) -> None:
        """Begin to relay."""
        self._task = asyncio.create_task(self._run(), name="outbox-relay")

    async def stop(self) -> None:
        """Relay what is left, as far as the bus takes it, then end."""
        await end_task(self._task)
        with suppress(TransientError, *RETRYABLE):
            await self.relay_all()

    def dead(self) -> bool:
        """Tell whether the relay ended although nobody stopped it."""
        return self._task is not None and self._task.done()

    async def relay_all(self) -> int:
        """Publish everything that is there; give how many messages."""
        total = count = await self._relay_chunk()
        while count == _CHUNK:
            count = await self._relay_chunk()
            total += count
        return total

    async def _run(self) -> None:
        while True:
            try:
                await self.relay_all()
            except (TransientError, asyncpg.PostgresError, *RETRYABLE) as error:
                logger.warning("outbox waits", why=str(error))
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            except Exception:
                logger.exception("outbox failed and is tried again")
                await asyncio.sleep(_IDLE_SECONDS)
                continue
            # The wait is bounded because another replica may have died and left rows.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timeout=_IDLE_SECONDS)
            self._wake.clear()

    async def _relay_chunk(self) -> int:
        async with self._store.connection() as connection, connection.transaction():
            rows = await connection.fetch(_TAKE, _CHUNK)
            if rows:
                rows.sort(key=lambda row: row["seq"])
                await self._publisher.publish(
                    [Outgoing(row["subject"], bytes(row["payload"]), row["message_id"]) for row in rows]
                )
            return len(rows)

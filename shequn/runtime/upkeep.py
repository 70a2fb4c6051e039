"""What a service does beside folding: declares its consumers, shows their state, keeps its inbox short."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import nats.errors
import structlog
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

from shequn.contracts.subjects import ConsumerSpec
from shequn.runtime.bus.connection import Bus
from shequn.runtime.bus.streams import declare_consumer
from shequn.runtime.failures import TransientError
from shequn.runtime.settings import RuntimeSettings
from shequn.runtime.store.engine import Store
from shequn.runtime.store.types import Connection
from shequn.runtime.telemetry import RuntimeMetrics

Exporter = Callable[[Connection], Awaitable[None]]

_PURGE_INBOX = """
DELETE FROM inbox WHERE ctid = ANY(
    ARRAY(SELECT ctid FROM inbox WHERE recorded_at < now() - $1 * interval '1 day' LIMIT 5000)
)
"""
_PURGE_SECONDS = 600.0

# A day less than the inbox keeps: what it forgets while the consumer catches up must not come again.
_REMEMBERED_SINCE = """
SELECT now() - ($1 - 1) * interval '1 day' WHERE EXISTS (SELECT FROM inbox WHERE consumer = $2)
"""

logger = structlog.get_logger()


class Upkeep:
    """The upkeep of one service."""

    def __init__(self, settings: RuntimeSettings, store: Store, bus: Bus, metrics: RuntimeMetrics) -> None:
        """Prepare.

        Args:
            settings: how often, and how long the inbox remembers.
            store: where inbox and outbox are.
            bus: where the consumers are.
            metrics: where their state is shown.
        """
        self._settings = settings
        self._store = store
        self._bus = bus
        self._metrics = metrics
        self.consumers: list[ConsumerSpec] = []
        self.exporters: list[Exporter] = []

    async def declare_consumers(self) -> None:
        """Create the durable consumers that are missing, and update the others.

        Raises:
            TransientError: bus or store does not answer, or a stream is not there.
        """
        for consumer in self.consumers:
            await self._declare(consumer)

    async def export(self) -> float:
        """Set the gauges of the service and its consumers; give how long to rest, in real seconds."""
        async with self._store.connection() as connection:
            self._metrics.outbox.set(await connection.fetchval("SELECT count(*) FROM outbox"))
            for exporter in self.exporters:
                await exporter(connection)
        for consumer in self.consumers:
            info = await self._info(consumer)
            self._metrics.lag.labels(consumer.durable).set(info.num_pending or 0)
            self._metrics.unacknowledged.labels(consumer.durable).set(info.num_ack_pending or 0)
            self._metrics.redelivered.labels(consumer.durable).set(info.num_redelivered or 0)
        return self._settings.export_seconds

    async def purge_inbox(self) -> float:
        """Forget some of what no redelivery can bring any more; give how long to rest, in real seconds."""
        async with self._store.connection() as connection:
            status = await connection.execute(_PURGE_INBOX, self._settings.inbox_days)
        return _PURGE_SECONDS if status.endswith(" 0") else 0.0

    async def _info(self, consumer: ConsumerSpec) -> ConsumerInfo:
        try:
            info: ConsumerInfo = await self._bus.jetstream.consumer_info(consumer.stream.name, consumer.durable)
        except NotFoundError:
            logger.warning("consumer is gone and made anew", consumer=consumer.durable)
        except (nats.errors.Error, OSError) as error:
            raise _unreadable(consumer, error) from error
        else:
            return info
        return await self._declare(consumer)

    async def _declare(self, consumer: ConsumerSpec) -> ConsumerInfo:
        """Declare a consumer. One that somebody deleted begins where the inbox knows what was folded."""
        async with self._store.connection() as connection:
            since: datetime | None = await connection.fetchval(
                _REMEMBERED_SINCE, self._settings.inbox_days, consumer.durable
            )
        try:
            return await declare_consumer(self._bus.jetstream, consumer, since)
        except (nats.errors.Error, OSError) as error:
            raise _unreadable(consumer, error) from error


def _unreadable(consumer: ConsumerSpec, error: Exception) -> TransientError:
    why = str(error) or type(error).__name__
    return TransientError(f"the consumer {consumer.durable} of stream {consumer.stream.name} cannot be had: {why}")

"""Processes what the pump hands over: decode, fold, commit, acknowledge. Retries what may pass; buries what cannot."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import asyncpg
import structlog
from nats.aio.msg import Msg

from shequn.contracts.envelope import Envelope
from shequn.contracts.registry import EVENTS
from shequn.runtime.clock import Clock, stopwatch
from shequn.runtime.failures import TransientError, UnknownCommunityError
from shequn.runtime.fold.decoder import Decoder, Delivery, Rejected, deliveries_of
from shequn.runtime.fold.folder import Folder, Observer
from shequn.runtime.fold.letters import letter_of, outgoing
from shequn.runtime.fold.metrics import FoldMetrics
from shequn.runtime.fold.transaction import ConcurrentInsertError, FoldTransaction, enqueue
from shequn.runtime.fold.workspace import DefinitionBook, FoldContext
from shequn.runtime.store.engine import POISON, RETRYABLE, Store
from shequn.runtime.store.types import Connection

_SUSPECT_DELIVERIES = 4
_MOST_DELIVERIES = 8
_LEAST_DELAY_SECONDS = 0.02
_MOST_DELAY_SECONDS = 5.0

logger = structlog.get_logger()


class Definitions(DefinitionBook, Protocol):
    """A definition book that can catch up with the bus."""

    async def refresh(self) -> None:
        """Read what was applied until now."""
        ...


class FoldProcessor:
    """Processes the batches of one folder, one after the other, on a connection of its own."""

    def __init__(
        self,
        folder: Folder,
        *,
        store: Store,
        definitions: Definitions,
        clock: Clock,
        metrics: FoldMetrics,
        published: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            folder: the service's rules.
            store: where states are.
            definitions: the definition documents.
            clock: tells ``now``.
            metrics: where work is counted.
            published: called after a commit that put something into the outbox.
        """
        self.folder = folder
        self._store = store
        self._definitions = definitions
        self._clock = clock
        self._metrics = metrics.of(folder.consumer.durable)
        self._wake_outbox = published
        self._decoder = Decoder(folder.accepts, EVENTS)
        self._transaction = FoldTransaction(folder)
        self._connection: Connection | None = None
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Give up waiting for a store that is away; the batch goes back to the bus."""
        self._stopping.set()

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close(timeout=5.0)

    async def process(self, messages: Sequence[Msg]) -> None:
        """Process one batch to its end: acknowledged, or handed back when the process stops."""
        suspects = [message for message in messages if deliveries_of(message) >= _SUSPECT_DELIVERIES]
        if not suspects:
            await self._settle(messages)
            return
        # A message that was handed out again and again may be what kills the process: it goes alone.
        for message in suspects:
            await self._settle([message])
        if len(suspects) < len(messages):
            await self._settle([message for message in messages if message not in suspects])

    async def _settle(self, messages: Sequence[Msg]) -> None:
        delay = _LEAST_DELAY_SECONDS
        while True:
            try:
                await self._attempt(messages)
            except ConcurrentInsertError:
                # Ordinary work of several folders on one table, not worth a log line.
                self._metrics.retries.inc()
                await asyncio.sleep(0)
            except POISON as error:
                await self._isolate(messages, error)
                return
            except (TransientError, asyncpg.PostgresError, *RETRYABLE) as error:
                # Whatever else the store says concerns every batch alike: burying events would not help.
                if await self._stopped_within(delay):
                    await self._hand_back(messages)
                    return
                self._metrics.retries.inc()
                logger.warning(
                    "batch is tried again", consumer=self.folder.consumer.durable, why=str(error), delay=delay
                )
                delay = min(delay * 2, _MOST_DELAY_SECONDS)
                await self._keep(messages)
            else:
                return

    async def _attempt(self, messages: Sequence[Msg]) -> None:
        began = stopwatch()
        deliveries, rejected = self._decode(messages)
        await self._know_communities(deliveries)
        context = FoldContext(now=self._clock.now(), definitions=self._definitions)
        connection = await self._connected()
        async with connection.transaction():
            folded, emitted, refused = await self._transaction.run(connection, deliveries, context)
            rejected += refused
            letters = [outgoing(letter_of(bad, self.folder.consumer.durable, context.now)) for bad in rejected]
            await enqueue(connection, letters)
        for message in messages:
            await message.ack()
        if emitted or letters:
            self._wake_outbox()
        self._count(folded, emitted, rejected, len(messages), stopwatch() - began)

    def _decode(self, messages: Sequence[Msg]) -> tuple[list[Delivery], list[Rejected]]:
        deliveries: list[Delivery] = []
        rejected: list[Rejected] = []
        for message in messages:
            if (times := deliveries_of(message)) > _MOST_DELIVERIES:
                detail = f"delivered {times} times and never finished; it may kill the process"
                rejected.append(Rejected(message, "exhausted", detail))
                continue
            decoded = self._decoder.decode(message)
            if isinstance(decoded, Delivery):
                deliveries.append(decoded)
            elif decoded is not None:
                rejected.append(decoded)
        return deliveries, rejected

    async def _know_communities(self, deliveries: Sequence[Delivery]) -> None:
        """Catch up with the definitions before an event is refused for an unknown community."""
        for community in {delivery.event.community for delivery in deliveries}:
            try:
                self._definitions.current(community)
            except UnknownCommunityError:
                await self._definitions.refresh()
                return

    async def _isolate(self, messages: Sequence[Msg], error: asyncpg.PostgresError) -> None:
        """Halve a batch that the store refuses until the refused message stands alone, and bury that one."""
        if len(messages) > 1:
            middle = len(messages) // 2
            await self._settle(messages[:middle])
            await self._settle(messages[middle:])
            return
        rejected = Rejected(messages[0], "fold-failed", f"the store refuses what it leads to: {error}")
        connection = await self._connected()
        letter = outgoing(letter_of(rejected, self.folder.consumer.durable, self._clock.now()))
        async with connection.transaction():
            await enqueue(connection, [letter])
        await messages[0].ack()
        self._wake_outbox()
        self._count([], [], [rejected], 1, 0.0)

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._store.fold_connection()
        return self._connection

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), timeout=seconds)
        except TimeoutError:
            return False
        return True

    async def _keep(self, messages: Sequence[Msg]) -> None:
        for message in messages:
            await message.in_progress()

    async def _hand_back(self, messages: Sequence[Msg]) -> None:
        for message in messages:
            await message.nak()

    def _count(
        self,
        folded: Sequence[Envelope],
        emitted: Sequence[Envelope],
        rejected: Sequence[Rejected],
        received: int,
        seconds: float,
    ) -> None:
        now = self._clock.now()
        self._metrics.batch(
            folded=len(folded),
            duplicates=received - len(folded) - len(rejected),
            rejected=[bad.reason for bad in rejected],
            seconds=seconds,
            ages=[self._clock.real_seconds(now - event.recordedtime) for event in folded],
        )
        for bad in rejected:
            logger.error(
                "dead letter", consumer=self.folder.consumer.durable, reason=bad.reason, detail=bad.detail[:500]
            )
        if isinstance(self.folder, Observer):
            self.folder.observe(folded, emitted)

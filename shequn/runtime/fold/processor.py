"""Processes what the pump hands over: decode, fold, commit, acknowledge. Retries what may pass; buries what cannot."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import asyncpg
import structlog
from nats.aio.msg import Msg

from shequn.contracts.envelope import Envelope
from shequn.contracts.registry import EVENTS
from shequn.runtime.clock import Clock, stopwatch
from shequn.runtime.failures import PermanentError, TransientError
from shequn.runtime.fold.decoder import Decoder, Delivery, Rejected, deliveries_of, describe_failure
from shequn.runtime.fold.folder import Folder, Observer
from shequn.runtime.fold.letters import letter_of, outgoing
from shequn.runtime.fold.metrics import FoldMetrics
from shequn.runtime.fold.suspects import Suspects
from shequn.runtime.fold.transaction import ConcurrentInsertError, FoldTransaction, enqueue
from shequn.runtime.fold.workspace import DefinitionBook, FoldContext
from shequn.runtime.store.engine import POISON, RETRYABLE, Store
from shequn.runtime.store.types import Connection

_SUSPECT_DELIVERIES = 4
_MOST_ATTEMPTS = 3
_MOST_DELIVERIES = 8
_LEAST_DELAY_SECONDS = 0.02
_MOST_DELAY_SECONDS = 5.0

logger = structlog.get_logger()


class Definitions(DefinitionBook, Protocol):
    """A definition book that can catch up with the bus."""

    async def refresh(self) -> None:
        """Read what was applied until now."""
        ...


@dataclass(frozen=True, slots=True)
class _Done:
    """What a committed batch did, and how many seconds it took."""

    folded: list[Envelope]
    emitted: list[Envelope]
    rejected: list[Rejected]
    seconds: float


class _BehindError(Exception):
    """An event needs a definition that is not known here, or not yet."""


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
        self._suspects = Suspects(store, folder.consumer.durable)
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
        if len(suspects) < len(messages):
            await self._settle([message for message in messages if message not in suspects])
        for message in suspects:
            await self._try_alone(message)

    async def _try_alone(self, message: Msg) -> None:
        """Fold a message that was handed out again and again: it may be what ends the process.

        Its neighbours were handed out as often, so the number of deliveries proves nothing. What is begun is noted
        before, and what was begun alone too often without an end is buried.
        """
        attempts = await self._suspects.begin(message)
        if attempts > _MOST_ATTEMPTS:
            detail = f"begun alone {attempts - 1} times and never finished: it ends or blocks the process"
            await self._settle([message], Rejected(message, "exhausted", detail))
        else:
            await self._settle([message])
        await self._suspects.end(message)

    async def _settle(self, messages: Sequence[Msg], condemned: Rejected | None = None) -> None:
        """Bring messages to their end, however long the store is away. A condemned one is buried, not folded."""
        delay = _LEAST_DELAY_SECONDS
        while True:
            try:
                done = await self._commit(messages, condemned)
            except ConcurrentInsertError:
                # Ordinary work of several folders on one table, not worth a log line.
                self._metrics.retries.inc()
                await asyncio.sleep(0)
            except POISON as error:
                await self._isolate(messages, error, condemned)
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
            except Exception as error:  # noqa: BLE001  # whatever it is, it may concern one message of many
                await self._isolate(messages, error, condemned)
                return
            else:
                await self._finish(messages, done)
                return

    async def _commit(self, messages: Sequence[Msg], condemned: Rejected | None) -> _Done:
        deliveries, rejected = ([], [condemned]) if condemned is not None else self._decode(messages)
        try:
            return await self._fold(deliveries, rejected, may_be_behind=True)
        except _BehindError:
            # What was applied a moment ago may not be here yet.
            await self._definitions.refresh()
            return await self._fold(deliveries, rejected, may_be_behind=False)

    async def _fold(
        self, deliveries: Sequence[Delivery], malformed: Sequence[Rejected], *, may_be_behind: bool
    ) -> _Done:
        began = stopwatch()
        context = FoldContext(now=self._clock.now(), definitions=self._definitions)
        connection = await self._connected()
        async with connection.transaction():
            folded, emitted, refused = await self._transaction.run(connection, deliveries, context)
            if may_be_behind and any(bad.reason == "unknown-community" for bad in refused):
                raise _BehindError
            rejected = [*malformed, *refused]
            letters = [outgoing(letter_of(bad, self.folder.consumer.durable, context.now)) for bad in rejected]
            await enqueue(connection, letters)
        return _Done(folded, emitted, rejected, stopwatch() - began)

    async def _finish(self, messages: Sequence[Msg], done: _Done) -> None:
        for message in messages:
            await message.ack()
        if done.emitted or done.rejected:
            self._wake_outbox()
        self._count(done, len(messages))

    def _decode(self, messages: Sequence[Msg]) -> tuple[list[Delivery], list[Rejected]]:
        deliveries: list[Delivery] = []
        rejected: list[Rejected] = []
        for message in messages:
            decoded = self._decoder.decode(message)
            if isinstance(decoded, Delivery):
                deliveries.append(decoded)
            elif decoded is not None:
                rejected.append(decoded)
        return deliveries, rejected

    async def _isolate(self, messages: Sequence[Msg], error: Exception, condemned: Rejected | None) -> None:
        """Halve a batch that cannot be committed until the message that is the cause stands alone."""
        if len(messages) > 1:
            middle = len(messages) // 2
            await self._settle(messages[:middle])
            await self._settle(messages[middle:])
            return
        message = messages[0]
        if condemned is not None:
            raise error
        if isinstance(error, (*POISON, PermanentError)):
            detail = str(error) if isinstance(error, PermanentError) else f"the store refuses what it leads to: {error}"
            await self._settle(messages, Rejected(message, "fold-failed", detail))
        elif deliveries_of(message) >= _MOST_DELIVERIES:
            detail = describe_failure(error)
            await self._settle(messages, Rejected(message, "fold-failed", detail))
        else:
            # Nobody foresaw it, so it may be the message or the house: it is tried again before it is buried.
            logger.error("message is put off", consumer=self.folder.consumer.durable, exc_info=error)
            await message.nak(delay=_MOST_DELAY_SECONDS)

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

    def _count(self, done: _Done, received: int) -> None:
        now = self._clock.now()
        self._metrics.batch(
            folded=len(done.folded),
            duplicates=received - len(done.folded) - len(done.rejected),
            rejected=[bad.reason for bad in done.rejected],
            seconds=done.seconds,
            ages=[self._clock.real_seconds(now - event.recordedtime) for event in done.folded],
        )
        for bad in done.rejected:
            logger.error(
                "dead letter",
                consumer=self.folder.consumer.durable,
                reason=bad.reason,
                detail=bad.detail.partition("\n")[0][:500],
            )
        if isinstance(self.folder, Observer):
            self.folder.observe(done.folded, done.emitted)

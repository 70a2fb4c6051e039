"""One batch, one transaction: inbox, states, counters, logs, outbox."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from shequn.contracts.envelope import Envelope
from shequn.runtime.bus.publisher import MOST_BYTES, Outgoing
from shequn.runtime.failures import AppError, PermanentError, TransientError, UnknownCommunityError
from shequn.runtime.fold.decoder import Delivery, Rejected, describe_failure
from shequn.runtime.fold.folder import Folder
from shequn.runtime.fold.tables import Key, StateTable
from shequn.runtime.fold.workspace import FoldContext, Workspace
from shequn.runtime.store.bulk import CounterStatements, LogStatements, StateStatements
from shequn.runtime.store.types import Connection

_CLAIM = """
INSERT INTO inbox (consumer, event_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING RETURNING event_id::text
"""
_DISCLAIM = "DELETE FROM inbox WHERE consumer = $1 AND event_id = ANY($2::uuid[])"
_ENQUEUE = "INSERT INTO outbox (subject, message_id, payload) SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[])"


class ConcurrentInsertError(TransientError):
    """Another replica inserted a row of this batch first; the batch is folded again on what it wrote."""

    def __init__(self, table: str) -> None:
        """Name the table."""
        super().__init__(f"another replica inserted rows of {table} at the same time", retry_after=0.01)


class FoldTransaction:
    """Folds batches of one consumer on one connection."""

    def __init__(self, folder: Folder) -> None:
        """Compile the statements of the folder's tables."""
        self._folder = folder
        self._states = [StateStatements(table) for table in folder.tables]
        self._counters = [CounterStatements(table) for table in folder.counters]
        self._logs = [LogStatements(table) for table in folder.logs]

    async def run(
        self, connection: Connection, deliveries: Sequence[Delivery], context: FoldContext
    ) -> tuple[list[Envelope], list[Envelope], list[Rejected]]:
        """Fold deliveries inside the caller's transaction.

        Returns:
            The events folded (duplicates are not among them), the events emitted, and what was rejected.
        """
        fresh = await self._claim(connection, deliveries)
        work = Workspace()
        rejected: list[Rejected] = []
        for statements in self._states:
            fresh = await self._load(connection, statements, fresh, work, context, rejected)
        folded = self._fold(fresh, work, context, rejected)
        await self._write(connection, work)
        if rejected:
            ids = [item.event.id for item in deliveries if any(item.message is bad.message for bad in rejected)]
            await connection.execute(_DISCLAIM, self._folder.consumer.durable, ids)
        await enqueue(connection, [Outgoing.of(event) for event in work.events])
        return folded, work.events, rejected

    async def _claim(self, connection: Connection, deliveries: Sequence[Delivery]) -> list[Delivery]:
        by_id = {delivery.event.id: delivery for delivery in reversed(deliveries)}
        # Sorted, so that two replicas with the same redelivered events wait for each other instead of deadlocking.
        claimed = await connection.fetch(_CLAIM, self._folder.consumer.durable, sorted(by_id))
        fresh = {record[0] for record in claimed}
        return [item for item in deliveries if item.event.id in fresh and by_id[item.event.id] is item]

    async def _load(
        self,
        connection: Connection,
        statements: StateStatements,
        deliveries: list[Delivery],
        work: Workspace,
        context: FoldContext,
        rejected: list[Rejected],
    ) -> list[Delivery]:
        accepted: list[Delivery] = []
        keys: set[Key] = set()
        for delivery in deliveries:
            try:
                touched = set(statements.table.keys(delivery.event, work, context))
            except Exception as error:  # noqa: BLE001  # as in _fold: it concerns its event alone
                rejected.append(_rejected(delivery, error))
                continue
            keys |= touched
            accepted.append(delivery)
        work.load(statements.table, await _locked_rows(connection, statements, keys))
        return accepted

    def _fold(
        self, deliveries: list[Delivery], work: Workspace, context: FoldContext, rejected: list[Rejected]
    ) -> list[Envelope]:
        folded = []
        for delivery in deliveries:
            try:
                with work.event():
                    self._folder.fold(delivery.event, work, context)
                folded.append(delivery.event)
            except Exception as error:  # noqa: BLE001  # whatever a rule raises concerns its event alone: dead letter
                rejected.append(_rejected(delivery, error))
        return folded

    async def _write(self, connection: Connection, work: Workspace) -> None:
        for statements in self._states:
            await _write_states(connection, statements, work)
        for counter in self._counters:
            if deltas := work.written_deltas(counter.table):
                await connection.execute(counter.add, *counter.arguments(deltas))
        for log in self._logs:
            if rows := work.written_rows(log.table):
                await connection.execute(log.append, *log.columns(rows))


class OversizeError(PermanentError):
    """What a fold emits is larger than the bus takes."""

    def __init__(self, message: Outgoing) -> None:
        """Name the message and its size."""
        size, most = len(message.payload) // 1024, MOST_BYTES // 1024
        super().__init__(f"it leads to a {message.subject} of {size} KiB; the bus takes {most} KiB at most")


async def enqueue(connection: Connection, messages: Sequence[Outgoing]) -> None:
    """Put messages into the outbox, inside the caller's transaction.

    Raises:
        OversizeError: one is too large ever to go out; it would hold up all behind it.
    """
    for message in messages:
        if len(message.payload) > MOST_BYTES:
            raise OversizeError(message)
    if messages:
        await connection.execute(
            _ENQUEUE,
            [message.subject for message in messages],
            [message.message_id for message in messages],
            [message.payload for message in messages],
        )


async def _locked_rows(connection: Connection, statements: StateStatements, keys: set[Key]) -> dict[Key, Any]:
    rows: dict[Key, Any] = dict.fromkeys(keys)
    if keys:
        records = await connection.fetch(statements.load, *[list(column) for column in zip(*sorted(keys), strict=True)])
        width = len(statements.key)
        for record in records:
            rows[tuple(record[:width])] = statements.row_from(tuple(record))
    return rows


async def insert_states(connection: Connection, statements: StateStatements, rows: Sequence[Any]) -> None:
    """Insert states that have no row yet, inside the caller's transaction.

    Raises:
        ConcurrentInsertError: one has a row by now; the transaction is over.
    """
    table = statements.table.name
    try:
        await connection.copy_records_to_table(table, records=map(statements.record, rows), columns=statements.names)
    except asyncpg.UniqueViolationError as error:
        raise ConcurrentInsertError(table) from error


async def _write_states(connection: Connection, statements: StateStatements, work: Workspace) -> None:
    table: StateTable[Any] = statements.table
    written = work.written_states(table)
    if not written:
        return
    existing = [row for row in written if work.exists(table, table.key_of(row))]
    new = [row for row in written if not work.exists(table, table.key_of(row))]
    if existing:
        await connection.execute(statements.update, *statements.columns(existing))
    if new:
        await insert_states(connection, statements, new)


def _rejected(delivery: Delivery, error: Exception) -> Rejected:
    if isinstance(error, UnknownCommunityError):
        return Rejected(delivery.message, "unknown-community", str(error))
    if isinstance(error, AppError):
        return Rejected(delivery.message, "fold-failed", str(error))
    return Rejected(delivery.message, "fold-failed", describe_failure(error))

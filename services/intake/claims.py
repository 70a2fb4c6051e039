"""What this process has taken from the delivery queue."""

import math
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from services.intake import store
from services.intake.domain.routing import KnownAccount
from services.intake.store import Claimed, Settlement
from shequn.runtime.bus import Outgoing
from shequn.runtime.clock import stopwatch
from shequn.runtime.fold.transaction import enqueue
from shequn.runtime.store.engine import RETRYABLE, Store
from shequn.runtime.store.types import Connection

_ADOPT_SECONDS = 5.0


class Claims:
    """Claims actions under an owner number that lives as long as one connection to the store."""

    def __init__(self, pool: Store) -> None:
        """Use a store; nothing connects yet."""
        self._store = pool
        self._connection: Connection | None = None
        self._owner = 0
        self._adopted_at = -math.inf

    async def take(self, now: datetime, limit: int) -> Sequence[Claimed]:
        """Claim what is due, or, now and then, what processes that died have left.

        Raises:
            TransientError: the store is away.
        """
        owner = await self._be_owner()
        async with self._store.connection() as connection, connection.transaction():
            if stopwatch() - self._adopted_at >= _ADOPT_SECONDS:
                if left := await store.adopt(connection, owner, limit):
                    return left
                self._adopted_at = stopwatch()
            return await store.claim(connection, owner, now, limit)

    async def accounts_of(self, member_ids: Sequence[str]) -> Mapping[str, Sequence[KnownAccount]]:
        """Read the accounts of members."""
        # The store holds no NUL, so an id with one belongs to nobody; asked for, it would fail the whole question.
        possible = [member_id for member_id in member_ids if "\0" not in member_id]
        if not possible:
            return {}
        async with self._store.connection() as connection:
            return await store.accounts_of(connection, possible)

    async def hand_over(self, keys: Sequence[str], adapter: str) -> set[str]:
        """Note, durably, that an adapter is about to see actions; give the keys that are still ours."""
        async with self._store.connection() as connection:
            return await store.hand_over(connection, self._owner, keys, adapter)

    async def settle(
        self, now: datetime, settlements: Sequence[Settlement], told: Mapping[str, Outgoing]
    ) -> Collection[str]:
        """Write outcomes and put the events that tell them into the outbox, in one transaction.

        Returns:
            The keys that were written; not those that another process has taken over.
        """
        async with self._store.connection() as connection, connection.transaction():
            written = await store.settle(connection, self._owner, now, settlements)
            await enqueue(connection, [message for key, message in told.items() if key in written])
        return written

    async def release(self, keys: Sequence[str]) -> None:
        """Put back what was not executed."""
        async with self._store.connection() as connection:
            await store.release(connection, self._owner, keys)

    async def abandon(self) -> None:
        """Give up the owner number: what is claimed under it may be taken over."""
        connection, self._connection = self._connection, None
        self._adopted_at = -math.inf
        if connection is not None:
            with suppress(*RETRYABLE):
                await connection.close(timeout=5.0)

    async def close(self) -> None:
        """End."""
        await self.abandon()

    async def _be_owner(self) -> int:
        if self._connection is None or self._connection.is_closed():
            self._adopted_at = -math.inf
            connection = await self._store.fold_connection()
            self._owner = await store.become_owner(connection)
            self._connection = connection
        return self._owner

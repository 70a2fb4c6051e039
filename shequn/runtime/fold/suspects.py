"""Notes which message is folded alone, before it is: what ends the process is known by what it left unfinished."""

from nats.aio.msg import Msg

from shequn.runtime.store.engine import Store

_BEGIN = """
INSERT INTO suspects (consumer, sequence, attempts) VALUES ($1, $2, 1)
ON CONFLICT (consumer, sequence) DO UPDATE SET attempts = suspects.attempts + 1 RETURNING attempts
"""
_END = "DELETE FROM suspects WHERE consumer = $1 AND sequence = $2"


class Suspects:
    """The messages of one consumer that were begun alone."""

    def __init__(self, store: Store, durable: str) -> None:
        """Use the store of the service."""
        self._store = store
        self._durable = durable

    async def begin(self, message: Msg) -> int:
        """Note that a message is about to be folded; give how often that was noted without an end, this time included.

        Raises:
            TransientError, asyncpg.PostgresError: the store is away; the message comes again.
        """
        async with self._store.connection() as connection:
            return int(await connection.fetchval(_BEGIN, self._durable, message.metadata.sequence.stream))

    async def end(self, message: Msg) -> None:
        """Note that it is done with, or was handed back."""
        async with self._store.connection() as connection:
            await connection.execute(_END, self._durable, message.metadata.sequence.stream)

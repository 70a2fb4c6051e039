"""The connection to NATS, through FastStream's broker."""

import asyncio
from typing import Any

import nats
import nats.errors
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.js import JetStreamContext

from shequn.runtime.bus.publisher import Publisher
from shequn.runtime.failures import TransientError
from shequn.runtime.tasks import end_within

BATCH_SECONDS = 15.0
"""How long a stop waits for the batch in hand."""

_CLOSE_SECONDS = 3.0
_CONNECT_SECONDS = 10.0


class Bus:
    """One connection of a process to the bus."""

    def __init__(self, url: str, name: str, middlewares: tuple[Any, ...] = ()) -> None:
        """Prepare the broker; nothing connects yet.

        Args:
            url: ``nats://host:port``, several separated by commas.
            name: how the server's monitoring names this connection.
            middlewares: FastStream middlewares, run once a batch.
        """
        self.broker = NatsBroker(
            url.split(","),
            name=name,
            logger=None,
            apply_types=False,
            graceful_timeout=BATCH_SECONDS,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            middlewares=middlewares,
        )
        self._client: Client | None = None

    async def connect(self) -> None:
        """Connect, without starting the subscribers.

        Raises:
            TransientError: the server is not reachable.
        """
        try:
            self._client = await asyncio.wait_for(self.broker.connect(), timeout=_CONNECT_SECONDS)
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise TransientError(f"NATS is not reachable: {error or type(error).__name__}") from error

    @property
    def client(self) -> Client:
        """The connected client."""
        if self._client is None:
            raise TransientError("the bus is not connected yet")
        return self._client

    @property
    def jetstream(self) -> JetStreamContext:
        """The JetStream interface."""
        return self.client.jetstream()

    @property
    def publisher(self) -> Publisher:
        """A publisher on this connection."""
        return Publisher(self.client)

    async def ping(self) -> None:
        """Ask the server for an answer.

        Raises:
            TransientError: there was none.
        """
        try:
            await asyncio.wait_for(self.jetstream.account_info(), timeout=2.0)
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise TransientError(f"NATS does not answer: {error or type(error).__name__}") from error

    async def close(self) -> None:
        """Disconnect, once what was published has gone out. The subscribers have stopped before."""
        client, self._client = self._client, None
        if client is not None and not client.is_closed:
            await end_within(_CLOSE_SECONDS, "bus-flush", client.flush())
            await end_within(_CLOSE_SECONDS, "bus", client.close())
        # The broker's own stop would drain a connection that is closed, and keep it for the next start.
        self.broker._connection = None  # noqa: SLF001
        await self.broker.stop()

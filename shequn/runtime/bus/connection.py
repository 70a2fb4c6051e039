"""The connection to NATS, through FastStream's broker."""

import asyncio
import os
import re
from typing import Any

import nats
import nats.errors
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.js import JetStreamContext

from shequn.runtime.bus.address import server_urls, without_password
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

        Raises:
            ConfigError: the URL can be none of a NATS server.
        """
        self._urls = server_urls(url)
        self._trouble: Exception | None = None
        self.broker = NatsBroker(
            self._urls,
            name=name,
            logger=None,
            apply_types=False,
            graceful_timeout=BATCH_SECONDS,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            error_cb=self._note_trouble,
            middlewares=middlewares,
        )
        self._client: Client | None = None

    async def connect(self, within: float = _CONNECT_SECONDS) -> None:
        """Connect, without starting the subscribers.

        Args:
            within: how long to try, in seconds.

        Raises:
            TransientError: the server is not reachable; says where it was looked for, and why not.
        """
        self._trouble = None
        try:
            self._client = await asyncio.wait_for(self.broker.connect(), timeout=within)
        except (nats.errors.Error, OSError) as error:  # a time-out is an OSError
            places = ", ".join(map(without_password, self._urls))
            why = _reason(self._trouble or error)
            raise TransientError(f"NATS is not reachable at {places}: {why}") from error

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
            raise TransientError(f"NATS does not answer: {_reason(error)}") from error

    async def close(self) -> None:
        """Disconnect, once what was published has gone out. The subscribers have stopped before."""
        client, self._client = self._client, None
        if client is not None and not client.is_closed:
            await end_within(_CLOSE_SECONDS, "bus-flush", client.flush())
            await end_within(_CLOSE_SECONDS, "bus", client.close())
        # The broker's own stop would drain a connection that is closed, and keep it for the next start.
        self.broker._connection = None  # noqa: SLF001
        await self.broker.stop()

    async def _note_trouble(self, error: Exception) -> None:
        """Keep why connecting failed: nats-py tries again and again, and never says."""
        self._trouble = error


def _reason(error: Exception) -> str:
    """Why NATS could not be talked to, in words."""
    numbers = re.findall(r"\[Errno (\d+)\]", str(error))  # several where a name has several addresses
    if numbers:
        return ", ".join(dict.fromkeys(os.strerror(int(number)).lower() for number in numbers))
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__

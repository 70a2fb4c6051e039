"""Follows the stream of applied definitions and keeps them all in memory."""

import asyncio
from contextlib import suppress

import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from shequn.contracts import subjects
from shequn.contracts.definitions.community import CommunityDefinition, DefinitionApplied
from shequn.runtime.bus.connection import Bus
from shequn.runtime.failures import TransientError, UnknownCommunityError

_CATCH_UP_SECONDS = 5.0

logger = structlog.get_logger()


class DefinitionFollower:
    """The definition book of a process, fed from the bus.

    Versions are immutable, so what is in memory is never stale, at most not there yet; :meth:`refresh` waits for what
    was applied before the call.
    """

    def __init__(self, bus: Bus) -> None:
        """Use a bus; :meth:`start` reads what is there."""
        self._bus = bus
        self._versions: dict[str, dict[int, CommunityDefinition]] = {}
        self._newest: dict[str, CommunityDefinition] = {}
        self._sequence = 0
        self._advanced = asyncio.Condition()
        self._subscription: JetStreamContext.PushSubscription | None = None

    async def start(self) -> None:
        """Subscribe, and wait until everything applied so far is read.

        Raises:
            TransientError: the bus does not answer in time.
        """
        # An ordered consumer starts over by itself after a reconnect and misses nothing.
        self._subscription = await self._bus.jetstream.subscribe(
            DefinitionApplied.TYPE,
            stream=subjects.DEFINITIONS.name,
            ordered_consumer=True,
            cb=self._receive,
            config=api.ConsumerConfig(deliver_policy=api.DeliverPolicy.ALL),
        )
        await self.refresh()

    async def stop(self) -> None:
        """Stop following."""
        if self._subscription is not None and not self._bus.client.is_closed:
            with suppress(nats.errors.Error):
                await self._subscription.unsubscribe()

    def current(self, community: str) -> CommunityDefinition:
        """Give the version in force.

        Raises:
            UnknownCommunityError: none was applied.
        """
        try:
            return self._newest[community]
        except KeyError:
            raise UnknownCommunityError(community) from None

    def version(self, community: str, version: int) -> CommunityDefinition:
        """Give one version.

        Raises:
            UnknownCommunityError: it does not exist.
        """
        try:
            return self._versions[community][version]
        except KeyError:
            raise UnknownCommunityError(community, version) from None

    @property
    def communities(self) -> tuple[str, ...]:
        """The communities that have a definition."""
        return tuple(sorted(self._newest))

    async def refresh(self) -> None:
        """Wait until everything that was applied before this call is read.

        Raises:
            TransientError: the bus does not answer in time.
        """
        try:
            async with asyncio.timeout(_CATCH_UP_SECONDS):
                last = await self._last_sequence()
                async with self._advanced:
                    await self._advanced.wait_for(lambda: self._sequence >= last)
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise TransientError(f"cannot read the definitions: {str(error) or type(error).__name__}") from error

    async def _last_sequence(self) -> int:
        """Give where the newest definition stands that still exists; the stream's own count includes deleted ones."""
        try:
            last = await self._bus.jetstream.get_last_msg(subjects.DEFINITIONS.name, DefinitionApplied.TYPE)
        except NotFoundError:
            await self._bus.jetstream.stream_info(subjects.DEFINITIONS.name)  # without a stream that is no answer
            return 0
        return last.seq or 0

    async def _receive(self, message: Msg) -> None:
        try:
            definition = DefinitionApplied.model_validate_json(message.data).data
        except ValidationError as error:
            logger.warning("a stored definition cannot be read; the version before stays in force", why=str(error))
        else:
            self._remember(definition)
        async with self._advanced:
            self._sequence = message.metadata.sequence.stream
            self._advanced.notify_all()

    def _remember(self, definition: CommunityDefinition) -> None:
        self._versions.setdefault(definition.community, {})[definition.version] = definition
        newest = self._newest.get(definition.community)
        if newest is None or definition.version > newest.version:
            self._newest[definition.community] = definition

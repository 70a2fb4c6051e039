"""Hands accepted events to the bus. Returns once they are stored; before that nobody is told yes."""

import asyncio
from collections.abc import Sequence

from shequn.contracts.envelope import Envelope
from shequn.runtime.bus import Bus, Outgoing
from shequn.runtime.bus.group_commit import GroupCommit
from shequn.runtime.failures import TransientError


class Ingress:
    """The way to the bus: many requests share one batch and one disk sync."""

    def __init__(self, bus: Bus, seconds: float) -> None:
        """Prepare; :meth:`start` opens it.

        Args:
            bus: where events go.
            seconds: how long a request waits for the bus.
        """
        self._bus = bus
        self._seconds = seconds
        self._commit: GroupCommit | None = None

    async def start(self) -> None:
        """Open. Called again, it starts anew on the bus's present connection."""
        await self.stop()
        self._commit = GroupCommit(self._bus.publisher)
        self._commit.start()

    async def stop(self) -> None:
        """Close; what was handed in is stored, or refused."""
        commit, self._commit = self._commit, None
        if commit is not None:
            await commit.stop()

    def dead(self) -> bool:
        """Tell whether it ended although nobody closed it."""
        return self._commit is not None and self._commit.dead()

    async def accept(self, events: Sequence[Envelope]) -> None:
        """Store events.

        Raises:
            TransientError: some are not confirmed. Sending all again is safe: their ids are recognised.
        """
        if self._commit is None:
            raise TransientError("the bus is not connected yet")
        commit = self._commit
        try:
            async with asyncio.timeout(self._seconds):
                await asyncio.gather(*(commit.store(Outgoing.of(event)) for event in events))
        except TimeoutError:
            raise TransientError(f"the bus did not confirm within {self._seconds:g} s") from None

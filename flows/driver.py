"""Advances everybody who is due, chunk by chunk. Prefect runs it as a flow; tests and small installs without."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from flows.engine.member import resume
from flows.metrics import WaveMetrics
from flows.recording import record_run
from flows.seats import SeatBoard
from flows.store import ClaimedMember, Connection, WaveWriter, claim_due, prefer_indexes, read_next_due
from shequn.runtime.clock import Clock, stopwatch
from shequn.runtime.failures import TransientError, UnknownCommunityError
from shequn.runtime.fold import Workspace
from shequn.runtime.fold.workspace import DefinitionBook
from shequn.runtime.store import Store

logger = structlog.get_logger()


class Definitions(DefinitionBook, Protocol):
    """A definition book that can catch up with the bus."""

    async def refresh(self) -> None:
        """Read what was applied until now."""


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What one chunk did.

    Attributes:
        claimed: members that were locked.
        moved: enrollments that changed.
        emitted: events and commands put into the outbox.
    """

    claimed: int = 0
    moved: int = 0
    emitted: int = 0

    def __add__(self, other: "ChunkResult") -> "ChunkResult":
        return ChunkResult(self.claimed + other.claimed, self.moved + other.moved, self.emitted + other.emitted)


class Waves:
    """Moves due enrollments on.

    One chunk is one transaction: it claims members, advances them and writes states, decisions, counts and outbox. A
    process that dies in between leaves nothing behind, and the next one does the same again. Several processes may run
    chunks at once; none takes a member that another one holds.
    """

    def __init__(
        self,
        store: Store,
        definitions: Definitions,
        clock: Clock,
        metrics: WaveMetrics,
        published: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare.

        Args:
            store: of the schema ``flows``.
            definitions: the definition documents, old versions included.
            clock: tells what is due.
            metrics: where chunks are counted.
            published: called after a commit that put something into the outbox.
        """
        self.store = store
        self.clock = clock
        self._definitions = definitions
        self._metrics = metrics
        self._published = published
        self._writer = WaveWriter()
        self._seats = SeatBoard()

    async def next_due(self) -> datetime | None:
        """Give when somebody is due next; none when time moves nobody."""
        async with self.store.connection() as connection:
            return await read_next_due(connection)

    async def run_chunk(self, now: datetime, size: int) -> ChunkResult:
        """Advance at most ``size`` enrollments that are due at ``now``.

        Raises:
            TransientError: a definition is not known here (yet).
        """
        try:
            return await self._attempt(now, size)
        except UnknownCommunityError:
            await self._definitions.refresh()
        try:
            return await self._attempt(now, size)
        except UnknownCommunityError as error:
            raise TransientError(f"due enrollments cannot move: {error}") from error

    async def run_wave(self, size: int) -> ChunkResult:
        """Advance everybody who is due when the wave begins: the plain driver."""
        now = self.clock.now()
        total = ChunkResult()
        while True:
            chunk = await self.run_chunk(now, size)
            total += chunk
            if not chunk.moved:
                return total

    async def _attempt(self, now: datetime, size: int) -> ChunkResult:
        began = stopwatch()
        async with self.store.connection() as connection, connection.transaction():
            await prefer_indexes(connection)
            await self._seats.refresh(connection)
            members = await claim_due(connection, now, size)
            result = await self._advance(connection, members, now)
        if result.emitted:
            self._published()
        self._metrics.observe(stopwatch() - began, result.claimed)
        if result.claimed and not result.moved:
            logger.error("due enrollments did not move", claimed=result.claimed)
        return result

    async def _advance(self, connection: Connection, members: list[ClaimedMember], now: datetime) -> ChunkResult:
        work = Workspace()
        moved = 0
        for member in members:
            moved += self._advance_member(work, member, now)
        await self._writer.write(connection, work)
        return ChunkResult(len(members), moved, len(work.events))

    def _advance_member(self, work: Workspace, member: ClaimedMember, now: datetime) -> int:
        community = self._definitions.current(member.community)
        run = resume(
            member.facts,
            member.enrollments,
            lambda version: self._definitions.version(member.community, version),
            now,
            self._seats.of(member.community),
        )
        with work.event():
            record_run(work, community, member.member_id, member.facts, run, now, None)
        return len(run.changed)

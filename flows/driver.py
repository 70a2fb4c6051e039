"""Advances everybody who is due, chunk by chunk. Prefect runs it as a flow; tests and small installs without."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from flows.metrics import WaveMetrics
from flows.moving import MemberMover
from flows.parking import Parked
from flows.seats import SeatBoard
from flows.store import ClaimedMember, Connection, WaveWriter, claim_due, prefer_indexes, read_next_due
from shequn.runtime.clock import Clock, stopwatch
from shequn.runtime.failures import TransientError
from shequn.runtime.fold import Workspace
from shequn.runtime.fold.workspace import DefinitionBook
from shequn.runtime.store import Store

_MOST_LINES = 20
"""Log lines of one chunk: when a definition is missing, thousands are parked for one reason."""

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
        parked: enrollments that were due and could not move; they are tried again later.
    """

    claimed: int = 0
    moved: int = 0
    emitted: int = 0
    parked: int = 0

    def __add__(self, other: "ChunkResult") -> "ChunkResult":
        return ChunkResult(
            self.claimed + other.claimed,
            self.moved + other.moved,
            self.emitted + other.emitted,
            self.parked + other.parked,
        )

    @property
    def progressed(self) -> bool:
        """Whether fewer are due than before: nobody is claimed twice for the same moment."""
        return self.moved > 0 or self.parked > 0


class Waves:
    """Moves due enrollments on.

    One chunk is one transaction: it claims members, advances them and writes states, decisions, counts and outbox. A
    process that dies in between leaves nothing behind, and the next one does the same again. Several processes may run
    chunks at once; none takes a member that another one holds. A member who cannot move is parked and stops nobody.
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
        self._mover = MemberMover(definitions, self._seats.of)

    async def next_due(self) -> datetime | None:
        """Give when somebody is due next; none when time moves nobody."""
        async with self.store.connection() as connection:
            return await read_next_due(connection)

    async def run_chunk(self, now: datetime, size: int) -> ChunkResult:
        """Advance at most ``size`` enrollments that are due at ``now``. What cannot move is parked; the others move.

        Raises:
            TransientError: the store is not open. Its other errors, too, leave the whole chunk as it was.
        """
        began = stopwatch()
        async with self.store.connection() as connection, connection.transaction():
            await prefer_indexes(connection)
            await self._seats.refresh(connection)
            members = await claim_due(connection, now, size)
            await self._know_definitions(members, now)
            result, parked = await self._advance(connection, members, now)
        if result.emitted:
            self._published()
        self._metrics.observe(stopwatch() - began, result.claimed)
        _tell(parked)
        return result

    async def run_wave(self, size: int) -> ChunkResult:
        """Advance everybody who is due when the wave begins: the plain driver."""
        now = self.clock.now()
        total = ChunkResult()
        while True:
            chunk = await self.run_chunk(now, size)
            total += chunk
            if not chunk.progressed:
                return total

    async def _know_definitions(self, members: list[ClaimedMember], now: datetime) -> None:
        """Catch up with the bus before somebody is parked for a version that is only not here yet."""
        if self._mover.knows_all(members, now):
            return
        try:
            await self._definitions.refresh()
        except TransientError as error:  # who is on a known version moves all the same
            logger.warning("a wave goes on with the definitions it has", why=str(error))

    async def _advance(
        self, connection: Connection, members: list[ClaimedMember], now: datetime
    ) -> tuple[ChunkResult, list[Parked]]:
        work = Workspace()
        moves = [self._mover.move(work, member, now) for member in members]
        await self._writer.write(connection, work)
        parked = [each for move in moves for each in move.parked]
        moved = sum(move.changed for move in moves)
        return ChunkResult(len(members), moved, len(work.events), len(parked)), parked


def _tell(parked: list[Parked]) -> None:
    """Log what was parked, once for each enrollment and reason: later attempts that fail alike are no news."""
    news = [each.row for each in parked if each.is_news]
    for row in news[:_MOST_LINES]:
        logger.error(
            "an enrollment cannot move and is parked",
            community=row.community,
            member=row.member_id,
            funnel=row.funnel,
            version=row.version,
            step=row.step,
            reason=row.parked_why,
            tried_again_at=row.attempt_at and row.attempt_at.isoformat(),
        )
    if len(news) > _MOST_LINES:
        logger.error("more enrollments are parked; the store has their reasons", more=len(news) - _MOST_LINES)

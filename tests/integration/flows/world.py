"""Members under way in a funnel, in a real store, at an hour that a test sets."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flows.consumer.handlers import MembersFolder
from flows.store import WaveWriter
from flows.tables import COUNTS, ENROLLMENTS, FACTS
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.runtime.fold import Workspace
from shequn.runtime.fold.transaction import insert_states
from shequn.runtime.store import Store
from shequn.runtime.store.bulk import StateStatements
from shequn.testing.memory import FoldRunner, MemoryBook
from tests.unit.flows import samples as s

HOUR = timedelta(hours=1)

FUNNEL = s.funnel(
    {"kind": "wait", "duration": 3_600, "stage": "free"},
    {"kind": "send", "message": "welcome", "stage": "low"},
    {"kind": "wait", "duration": 86_400},
    stages=[{"id": "free", "name": {"zh": "免费"}}, {"id": "low", "name": {"zh": "低价"}}],
)
"""Due after an hour, and again a day later."""


@dataclass
class HandClock:
    """A clock that a test sets."""

    moment: datetime = s.START

    def now(self) -> datetime:
        return self.moment

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()


class Book(MemoryBook):
    """A definition book that has nothing to catch up with."""

    async def refresh(self) -> None:
        pass


async def fill(store: Store, members: int, definition: CommunityDefinition | None = None) -> None:
    """Let so many members join, as the consumer would."""
    runner = FoldRunner(MembersFolder(), definition or s.community(FUNNEL), now=s.START)
    runner.run([s.joined(member=f"m{number:05}") for number in range(members)])
    assert runner.errors == {}
    async with store.connection() as connection, connection.transaction():
        for table in (FACTS, ENROLLMENTS):
            statements = StateStatements(table)
            rows = list(runner.states(table).values())
            await insert_states(connection, statements, rows)
        work = Workspace()
        with work.event():
            for key, counters in runner.counters(COUNTS).items():
                work.add(COUNTS, key, **counters)
        await WaveWriter().write(connection, work)

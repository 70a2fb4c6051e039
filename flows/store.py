"""All SQL of funnels, but for what the fold runtime compiles from the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeAlias

import asyncpg

from flows.tables import COUNTS, DECISIONS, ENROLLMENTS, FACTS, EnrollmentRow
from shequn.runtime.bus.publisher import Outgoing
from shequn.runtime.fold import Workspace
from shequn.runtime.fold.transaction import enqueue
from shequn.runtime.store.bulk import CounterStatements, LogStatements, StateStatements

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# The lock lies on the facts, as the consumer's does. Rows that somebody holds are passed over, so a wave never waits
# for a consumer, and the two cannot deadlock.
_CLAIM_DUE = """
SELECT f.community, f.member_id, f.facts
FROM enrollments AS e JOIN member_facts AS f ON f.community = e.community AND f.member_id = e.member_id
WHERE e.state = 'waiting' AND e.due_at IS NOT NULL AND greatest(e.due_at, e.attempt_at) <= $1
ORDER BY greatest(e.due_at, e.attempt_at) LIMIT $2
FOR UPDATE OF f SKIP LOCKED
"""

# Read after the lock is held: what was read with it may be older than the lock.
_ENROLLMENTS_OF = """
SELECT e.community, e.member_id, e.funnel, e.enrollment_id::text, e.version, e.state, e.step, e.stage, e.due_at,
       e.progress, e.parked_since, e.parked_why, e.attempts, e.attempt_at
FROM unnest($1::text[], $2::text[]) AS k(community, member_id)
JOIN enrollments AS e ON e.community = k.community AND e.member_id = k.member_id
"""

_PREFER_INDEXES = """
SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
SET LOCAL enable_bitmapscan = off
"""

_NEXT_DUE = """
SELECT greatest(due_at, attempt_at) AS next FROM enrollments
WHERE state = 'waiting' AND due_at IS NOT NULL ORDER BY next LIMIT 1
"""

_PARKED = (
    "SELECT community, funnel, count(*) FROM enrollments WHERE parked_since IS NOT NULL GROUP BY community, funnel"
)

_TOTALS = """
SELECT community, funnel, what, name, sum(total)::bigint AS total,
       coalesce(sum(total) FILTER (WHERE day = $1::date), 0)::bigint AS on_day
FROM funnel_counts GROUP BY community, funnel, what, name ORDER BY community, funnel, what, name
"""

_STATES = """
SELECT community, funnel, state, count(*) AS members,
       count(*) FILTER (WHERE state = 'waiting' AND due_at <= $1) AS due
FROM enrollments GROUP BY community, funnel, state
"""

_WHY = """
SELECT enrollment_id::text, number, community, funnel, version, member_id, step, visit, at, what, reason, why,
       cause_id::text
FROM decisions WHERE enrollment_id = $1::uuid ORDER BY number
"""


_SEATS_TAKEN = "SELECT community, product, tier, taken FROM seats_taken"


@dataclass(frozen=True, slots=True)
class ClaimedMember:
    """A member whose facts are locked, with the rows of all enrollments. Nothing is read into them yet.

    Attributes:
        facts: the JSON document of the facts.
    """

    community: str
    member_id: str
    facts: dict[str, Any]
    rows: Sequence[EnrollmentRow]


@dataclass(frozen=True, slots=True)
class FunnelTotals:
    """What a funnel has done so far, and on one day.

    Attributes:
        entered: enrollments begun.
        reached: enrollments that reached a stage, by stage.
        active: enrollments that have not ended, by the stage reached last.
        finished: enrollments ended, by reason.
        goals: enrollments that reached a goal, by goal.
        offered: offers made, by product.
        sent: messages handed to delivery.
        suppressed: sends dropped by a guard, by reason.
        delayed: sends put off by a guard, by reason.
        stuck: enrollments that a broken definition stopped.
        on_day: the same counts of the day asked for, by what is counted and its name.
    """

    community: str
    funnel: str
    entered: int = 0
    sent: int = 0
    stuck: int = 0
    reached: Mapping[str, int] = field(default_factory=dict)
    active: Mapping[str, int] = field(default_factory=dict)
    finished: Mapping[str, int] = field(default_factory=dict)
    goals: Mapping[str, int] = field(default_factory=dict)
    offered: Mapping[str, int] = field(default_factory=dict)
    suppressed: Mapping[str, int] = field(default_factory=dict)
    delayed: Mapping[str, int] = field(default_factory=dict)
    on_day: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        """Enrollments ended, whatever the reason."""
        return sum(self.finished.values())

    def conversion(self, stage: str) -> float:
        """Give the share of enrollments that reached a stage; 0 while there are none."""
        return self.reached.get(stage, 0) / self.entered if self.entered else 0.0


_NUMBERS = {"entered": "entered", "sent": "sent", "stuck": "stuck"}
_BY_NAME = {
    "stage": "reached",
    "active": "active",
    "finished": "finished",
    "goal": "goals",
    "offered": "offered",
    "suppressed": "suppressed",
    "delayed": "delayed",
}


async def read_funnel_totals(connection: Connection, day: date | None = None) -> list[FunnelTotals]:
    """Read what every funnel has done.

    Args:
        connection: one of the schema ``flows``.
        day: the day that ``on_day`` is about, in the communities' zones; none leaves it empty.
    """
    parts: dict[tuple[str, str], dict[str, Any]] = {}
    for record in await connection.fetch(_TOTALS, day):
        part = parts.setdefault((record["community"], record["funnel"]), {"on_day": {}})
        what, name, total = record["what"], record["name"], record["total"]
        if what in _NUMBERS:
            part[_NUMBERS[what]] = total
        elif what in _BY_NAME and total:
            part.setdefault(_BY_NAME[what], {})[name] = total
        if record["on_day"]:
            part["on_day"][what, name] = record["on_day"]
    return [FunnelTotals(community, funnel, **part) for (community, funnel), part in parts.items()]


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many members' latest enrollments in a funnel are in a state; ``due`` of them should move now."""

    community: str
    funnel: str
    state: str
    members: int
    due: int


async def read_states(connection: Connection, now: datetime) -> list[StateCount]:
    """Count enrollments by state. Reads every row: for reports, not for every few seconds."""
    return [StateCount(*record) for record in await connection.fetch(_STATES, now)]


async def read_seats_taken(connection: Connection) -> dict[tuple[str, str], dict[int, int]]:
    """Read how many seats are taken, by community and product, then by tier."""
    taken: dict[tuple[str, str], dict[int, int]] = {}
    for record in await connection.fetch(_SEATS_TAKEN):
        taken.setdefault((record["community"], record["product"]), {})[record["tier"]] = record["taken"]
    return taken


async def read_next_due(connection: Connection) -> datetime | None:
    """Give when the next enrollment is due, or a parked one is tried again; none when time moves nobody."""
    due_at: datetime | None = await connection.fetchval(_NEXT_DUE)
    return due_at


async def read_parked(connection: Connection) -> dict[tuple[str, str], int]:
    """Count the enrollments that are due and cannot move, by community and funnel."""
    return {(community, funnel): parked for community, funnel, parked in await connection.fetch(_PARKED)}


async def read_decisions(connection: Connection, enrollment_id: str) -> list[asyncpg.Record]:
    """Read the why-card of an enrollment, line by line."""
    return await connection.fetch(_WHY, enrollment_id)


async def prefer_indexes(connection: Connection) -> None:
    """Plan this transaction's look-ups by key, even where tables look small or were never analysed."""
    await connection.execute(_PREFER_INDEXES)


async def claim_due(connection: Connection, now: datetime, limit: int) -> list[ClaimedMember]:
    """Lock the facts of members with due enrollments, inside the caller's transaction.

    Args:
        connection: in a transaction; the locks last until its end.
        now: what is due until then.
        limit: how many due enrollments to take, the longest due first; parked ones by their next attempt.
    """
    locked = {
        (record["community"], record["member_id"]): record["facts"]
        for record in await connection.fetch(_CLAIM_DUE, now, limit)
    }
    rows: dict[tuple[str, str], list[EnrollmentRow]] = {key: [] for key in locked}
    if locked:
        keys = [list(column) for column in zip(*locked, strict=True)]
        for record in await connection.fetch(_ENROLLMENTS_OF, *keys):
            rows[record["community"], record["member_id"]].append(EnrollmentRow(*record))
    return [ClaimedMember(*key, facts, tuple(rows[key])) for key, facts in locked.items()]


class WaveWriter:
    """Writes what a wave did, inside the caller's transaction, in the order in which the consumer writes it."""

    def __init__(self) -> None:
        """Compile the statements."""
        self._states = [StateStatements(FACTS), StateStatements(ENROLLMENTS)]
        self._counts = CounterStatements(COUNTS)
        self._decisions = LogStatements(DECISIONS)

    async def write(self, connection: Connection, work: Workspace) -> None:
        """Write states, counts, decisions and outbox. All rows of states exist: a wave begins nothing."""
        for statements in self._states:
            if rows := work.written_states(statements.table):
                await connection.execute(statements.update, *statements.columns(rows))
        if deltas := work.written_deltas(COUNTS):
            await connection.execute(self._counts.add, *self._counts.arguments(deltas))
        if lines := work.written_rows(DECISIONS):
            await connection.execute(self._decisions.append, *self._decisions.columns(lines))
        await enqueue(connection, [Outgoing.of(event) for event in work.events])

"""All SQL of intake."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

import asyncpg

from services.intake.domain.routing import KnownAccount
from shequn.contracts.base import AccountRef
from shequn.runtime.store.types import Connection

_LOCK_CLASS = crc32(b"shequn:intake:delivery") & 0x7FFF_FFFF

_CLAIM = """
WITH due AS (
    SELECT idempotency_key FROM deliveries
    WHERE status = 'pending' AND due_at <= $1
    ORDER BY priority, position
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE deliveries AS d SET status = 'sending', owner = $3, attempts = attempts + 1, adapter = NULL
FROM due WHERE d.idempotency_key = due.idempotency_key
RETURNING d.idempotency_key, d.action, d.command, d.attempts, d.adapter, d.priority, d.position
"""

# A process holds an advisory lock under its owner number as long as it lives. What an owner without a lock was sending
# is nobody's: its process died.
_ADOPT = """
WITH orphaned AS (
    SELECT idempotency_key FROM deliveries AS o
    WHERE status = 'sending' AND owner <> $1 AND NOT EXISTS (
        SELECT FROM pg_locks AS l
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND l.classid::bigint = $2 AND l.objid::bigint = o.owner
    )
    ORDER BY priority, position
    LIMIT $3
    FOR UPDATE SKIP LOCKED
)
UPDATE deliveries AS d SET owner = $1
FROM orphaned WHERE d.idempotency_key = orphaned.idempotency_key
RETURNING d.idempotency_key, d.action, d.command, d.attempts, d.adapter, d.priority, d.position
"""

# While an action is being sent, its adapter is who may have seen it; none as long as it only waits for its turn.
_HAND_OVER = """
UPDATE deliveries SET adapter = $3 WHERE idempotency_key = ANY($2::text[]) AND status = 'sending' AND owner = $1
RETURNING idempotency_key
"""

_SETTLE = """
WITH settled AS (
    UPDATE deliveries AS d
    SET status = v.status, adapter = v.adapter, reason = v.reason, receipt = v.receipt,
        due_at = coalesce(v.due_at, d.due_at), owner = NULL,
        settled_at = CASE WHEN v.status = 'pending' THEN NULL ELSE $2::timestamptz END
    FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
         AS v(idempotency_key, status, adapter, reason, receipt, due_at)
    WHERE d.idempotency_key = v.idempotency_key AND d.status = 'sending' AND d.owner = $1
    RETURNING d.idempotency_key, d.community, d.action, d.status
), counted AS (
    INSERT INTO delivery_totals AS t (community, action, status, actions)
    SELECT community, action, status, count(*) FROM settled WHERE status <> 'pending'
    GROUP BY community, action, status
    ORDER BY community, action, status
    ON CONFLICT (community, action, status) DO UPDATE SET actions = t.actions + excluded.actions
)
SELECT idempotency_key FROM settled
"""

_RELEASE = """
UPDATE deliveries SET status = 'pending', owner = NULL, attempts = attempts - 1
WHERE idempotency_key = ANY($2::text[]) AND status = 'sending' AND owner = $1
"""

_ACCOUNTS = "SELECT member_id, platform, account_id, seen_at FROM accounts WHERE member_id = ANY($1::text[])"

_PURGE = """
DELETE FROM deliveries WHERE ctid = ANY(
    ARRAY(SELECT ctid FROM deliveries WHERE settled_at < $1 AND status NOT IN ('pending', 'sending') LIMIT 5000)
)
"""

_WAITING = """
SELECT status, count(*) FROM deliveries WHERE status = 'pending' GROUP BY status
UNION ALL
SELECT status, count(*) FROM deliveries WHERE status = 'sending' GROUP BY status
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An action that this process is to execute.

    Attributes:
        action: the command's type.
        command: the whole command, JSON.
        attempts: how often it was tried, this time included.
        seen_by: the adapter that a process which died handed it to; it may have gone out there.
    """

    idempotency_key: str
    action: str
    command: str
    attempts: int
    seen_by: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is written of an executed action.

    Attributes:
        status: ``pending`` when it is tried again.
        due_at: when that is.
    """

    idempotency_key: str
    status: str
    adapter: str
    reason: str
    receipt: str | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Totals:
    """What the gauges show.

    Attributes:
        members: active and gone members by community.
        actions: accepted actions and duplicates by community and type.
        settled: settled actions by community, type and status.
        waiting: actions by ``pending`` and ``sending``.
    """

    members: dict[str, tuple[int, int]]
    actions: dict[tuple[str, str], tuple[int, int]]
    settled: dict[tuple[str, str, str], int]
    waiting: dict[str, int]


async def become_owner(connection: Connection) -> int:
    """Draw an owner number, and hold its lock as long as the connection lives."""
    owner: int = await connection.fetchval("SELECT nextval('delivery_owners')::integer")
    await connection.execute("SELECT pg_advisory_lock($1::integer, $2::integer)", _LOCK_CLASS, owner)
    return owner


async def claim(connection: Connection, owner: int, now: datetime, limit: int) -> list[Claimed]:
    """Take due actions, by priority and then in the order they came. They are ``sending`` from the commit on."""
    return _claimed(await connection.fetch(_CLAIM, now, limit, owner))


async def adopt(connection: Connection, owner: int, limit: int) -> list[Claimed]:
    """Take over what a process that died had claimed. What an adapter has seen may or may not have gone out."""
    return _claimed(await connection.fetch(_ADOPT, owner, _LOCK_CLASS, limit))


async def hand_over(connection: Connection, owner: int, keys: Sequence[str], adapter: str) -> set[str]:
    """Note that an adapter is about to see actions.

    Returns:
        The keys that are still ours; another process may have taken over the others, and they must not go out here.
    """
    return {row["idempotency_key"] for row in await connection.fetch(_HAND_OVER, owner, keys, adapter)}


async def settle(connection: Connection, owner: int, now: datetime, settlements: Sequence[Settlement]) -> set[str]:
    """Write outcomes, inside the caller's transaction.

    Returns:
        The keys that were written; not those that another process has taken over meanwhile.
    """
    columns = [
        [getattr(settlement, name) for settlement in settlements]
        for name in ("idempotency_key", "status", "adapter", "reason", "receipt", "due_at")
    ]
    return {row["idempotency_key"] for row in await connection.fetch(_SETTLE, owner, now, *columns)}


async def release(connection: Connection, owner: int, keys: Sequence[str]) -> None:
    """Put back what was claimed and not executed."""
    await connection.execute(_RELEASE, owner, keys)


async def accounts_of(connection: Connection, member_ids: Sequence[str]) -> dict[str, list[KnownAccount]]:
    """Read the accounts of members."""
    found: dict[str, list[KnownAccount]] = {}
    for row in await connection.fetch(_ACCOUNTS, member_ids):
        ref = AccountRef(platform=row["platform"], account_id=row["account_id"])
        found.setdefault(row["member_id"], []).append(KnownAccount(ref, row["seen_at"]))
    return found


async def purge(connection: Connection, before: datetime) -> int:
    """Forget the texts of actions that were settled before a moment; their keys stay. Give how many, at most 5,000."""
    status = await connection.execute(_PURGE, before)
    return int(status.rpartition(" ")[2])


async def read_totals(connection: Connection) -> Totals:
    """Read what the gauges show."""
    members = await connection.fetch("SELECT community, active, gone FROM member_totals")
    actions = await connection.fetch("SELECT community, action, accepted, duplicates FROM action_totals")
    settled = await connection.fetch("SELECT community, action, status, actions FROM delivery_totals")
    waiting = await connection.fetch(_WAITING)
    return Totals(
        members={row["community"]: (row["active"], row["gone"]) for row in members},
        actions={(row["community"], row["action"]): (row["accepted"], row["duplicates"]) for row in actions},
        settled={(row["community"], row["action"], row["status"]): row["actions"] for row in settled},
        waiting={row["status"]: row["count"] for row in waiting},
    )


def _claimed(rows: Sequence[asyncpg.Record]) -> list[Claimed]:
    ordered = sorted(rows, key=lambda row: (row["priority"], row["position"]))
    fields = ("idempotency_key", "action", "command", "attempts", "adapter")
    return [Claimed(*(row[field] for field in fields)) for row in ordered]

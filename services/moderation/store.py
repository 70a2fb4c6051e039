"""What moderation keeps, and all SQL that reads it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.moderation.domain.ladder import KEPT, Standing, Strike, settle
from shequn.contracts.chat import MessagePosted
from shequn.runtime.fold import CounterTable, FoldContext, Key, LogTable, StateTable, Workspace
from shequn.runtime.store.types import Connection

METADATA = sa.MetaData()

_START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """What moderation remembers of a member of a community.

    Attributes:
        recent: by group, when the latest messages were posted (milliseconds since 1970) by message id; never more than
            the flood rule's count.
        strikes: the latest strikes by ``group/message id``, never more than the ladder's ``KEPT``; rows written before
            there was a bound have more until :func:`bounded` has seen them.
        earlier: how many strikes came before them, by day in ISO 8601.
        told_at: from when on the strike counts that the latest letter was about.
    """

    community: str
    member_id: str
    recent: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    strikes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    earlier: Mapping[str, int] = field(default_factory=dict)
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """What was decided about one message. It stays: the message under another event id, or newer rules, change nothing.

    Attributes:
        verdict: empty while nothing is decided.
        decided_check: the check that decided; ``none`` when the message passed.
        results: what each check said, by its name; none when the message passed, to keep the many rows small.
        at: when the message was posted.
    """

    community: str
    group_id: str
    message_id: str
    member_id: str = ""
    verdict: str = ""
    decided_check: str = ""
    reason: str = ""
    rule_version: int = 0
    results: Mapping[str, Mapping[str, str]] | None = None
    at: datetime = _START


@dataclass(frozen=True, slots=True)
class SanctionRow:
    """A measure against a member.

    Attributes:
        strikes: unexpired strikes of the member in the community, this one included; see the ladder's ``Step``.
        posted_at: when the message was posted.
        counts_from: from when on the strike counts; later than ``posted_at`` when the message became known late.
    """

    sanction_id: str
    community: str
    group_id: str
    message_id: str
    member_id: str
    rung: str
    strikes: int
    decided_check: str
    reason: str
    rule_version: int
    posted_at: datetime
    counts_from: datetime


def _member_keys(event: MessagePosted, work: Workspace, context: FoldContext) -> Iterable[Key]:  # noqa: ARG001
    return ((event.community, event.data.member_id),)


def _decision_keys(event: MessagePosted, work: Workspace, context: FoldContext) -> Iterable[Key]:  # noqa: ARG001
    return ((event.community, event.data.group, event.data.message_id),)


MEMBERS = StateTable(
    sa.Table(
        "member_state",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text, primary_key=True),
        sa.Column("recent", JSONB, nullable=False),
        sa.Column("strikes", JSONB, nullable=False),
        sa.Column("earlier", JSONB, nullable=False, server_default="{}"),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
    ),
    MemberRow,
    _member_keys,
)

DECISIONS = StateTable(
    sa.Table(
        "decisions",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("group_id", sa.Text, primary_key=True),
        sa.Column("message_id", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("decided_check", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rule_version", sa.Integer, nullable=False),
        sa.Column("results", JSONB, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    ),
    DecisionRow,
    _decision_keys,
)

SANCTIONS = LogTable(
    sa.Table(
        "sanctions",
        METADATA,
        sa.Column("sanction_id", sa.Uuid(as_uuid=False), primary_key=True),
        sa.Column("community", sa.Text, nullable=False),
        sa.Column("group_id", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("member_id", sa.Text, nullable=False),
        sa.Column("rung", sa.Text, nullable=False),
        sa.Column("strikes", sa.Integer, nullable=False),
        sa.Column("decided_check", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rule_version", sa.Integer, nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts_from", sa.DateTime(timezone=True), nullable=False),
    ),
    SanctionRow,
)

# The decisions grow without end, so totals are kept beside them: counting a million rows takes a second each time.
DECISION_TOTALS = CounterTable(
    sa.Table(
        "decision_totals",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("verdict", sa.Text, primary_key=True),
        sa.Column("decided_check", sa.Text, primary_key=True),
        sa.Column("messages", sa.BigInteger, nullable=False, server_default="0"),
    )
)

SANCTION_TOTALS = CounterTable(
    sa.Table(
        "sanction_totals",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("rung", sa.Text, primary_key=True),
        sa.Column("sanctions", sa.BigInteger, nullable=False, server_default="0"),
    )
)


def standing_of(row: MemberRow) -> Standing:
    """Read what the ladder remembers of a member; the strikes in no particular order."""
    strikes = []
    moment = datetime.fromisoformat
    for key, stored in row.strikes.items():
        # A group's id is a slug and has no slash; a message's id may have one.
        group, _, message_id = key.partition("/")
        posted, counts_from = moment(stored["posted"]), moment(stored["counts_from"])
        strikes.append(Strike(group, message_id, stored["check"], posted, counts_from))
    earlier = {date.fromisoformat(day): count for day, count in row.earlier.items()}
    return Standing(tuple(strikes), earlier, row.told_at)


def with_standing(row: MemberRow, standing: Standing) -> MemberRow:
    """Give the row of a member whose standing has changed; moments are written in ISO 8601."""
    written = {}
    for strike in standing.strikes:
        key = f"{strike.group}/{strike.message_id}"
        written[key] = row.strikes.get(key) or {
            "check": strike.check,
            "posted": strike.posted.astimezone(UTC).isoformat(),
            "counts_from": strike.counts_from.astimezone(UTC).isoformat(),
        }
    earlier = {day.isoformat(): count for day, count in standing.earlier.items()}
    return MemberRow(row.community, row.member_id, row.recent, written, earlier, standing.told_at)


def bounded(row: MemberRow) -> MemberRow:
    """Give a row that keeps no more strikes than the ladder does; the same one unless it is from before the bound."""
    return row if len(row.strikes) <= KEPT else with_standing(row, settle(standing_of(row)))


@dataclass(frozen=True, slots=True)
class Totals:
    """All decisions by (community, verdict, check) and all sanctions by (community, rung)."""

    decisions: Mapping[tuple[str, str, str], int]
    sanctions: Mapping[tuple[str, str], int]


async def read_totals(connection: Connection) -> Totals:
    """Read how much was decided and imposed so far."""
    decisions = await connection.fetch("SELECT community, verdict, decided_check, messages FROM decision_totals")
    sanctions = await connection.fetch("SELECT community, rung, sanctions FROM sanction_totals")
    return Totals(
        {(row["community"], row["verdict"], row["decided_check"]): row["messages"] for row in decisions},
        {(row["community"], row["rung"]): row["sanctions"] for row in sanctions},
    )


async def read_decision(connection: Connection, community: str, group: str, message_id: str) -> dict[str, Any] | None:
    """Read the decision about a message; none when there is none."""
    record = await connection.fetchrow(
        "SELECT community, group_id, message_id, member_id, verdict, decided_check, reason, rule_version, results, at "
        "FROM decisions WHERE community = $1 AND group_id = $2 AND message_id = $3",
        community,
        group,
        message_id,
    )
    return None if record is None else asdict(DecisionRow(*record))

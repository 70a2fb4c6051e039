"""What funnels keep: facts and enrollments of members, decisions, counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from flows.engine.effects import Decision
from flows.engine.enrollment import COLUMNS, NO_STAGE, Enrollment, State, progress_from_json, progress_to_json
from flows.engine.facts import concerned
from shequn.contracts.envelope import Envelope
from shequn.runtime.fold import CounterTable, FoldContext, Key, LogTable, StateTable, Workspace

METADATA = sa.MetaData()


@dataclass(frozen=True, slots=True)
class FactsRow:
    """The facts of one member. Whoever holds this row's lock may change the member's enrollments."""

    community: str
    member_id: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EnrollmentRow:
    """The latest enrollment of a member in a funnel.

    Attributes:
        progress: what is not searched for.
        parked_since: since when it is due and cannot move; none while it can.
        parked_why: the reason, for a person.
        attempts: how often it was tried since.
        attempt_at: when it is tried again.
    """

    community: str
    member_id: str
    funnel: str
    enrollment_id: str = ""
    version: int = 0
    state: str = State.ACTIVE.value
    step: str = ""
    stage: str = NO_STAGE
    due_at: datetime | None = None
    progress: Mapping[str, Any] = field(default_factory=dict)
    parked_since: datetime | None = None
    parked_why: str = ""
    attempts: int = 0
    attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A line of the why-card: what was decided at a step of an enrollment, and why.

    Attributes:
        number: the how-manieth decision of the enrollment, from 0.
        cause_id: the event that led to it; none for a timer.
    """

    enrollment_id: str
    number: int
    community: str
    funnel: str
    version: int
    member_id: str
    step: str
    visit: int
    at: datetime
    what: str
    reason: str
    why: str
    cause_id: str | None


def _facts_keys(event: Envelope, _work: Workspace, _context: FoldContext) -> Iterable[Key]:
    member_id = concerned(event)
    return () if member_id is None else ((event.community, member_id),)


def _enrollment_keys(event: Envelope, work: Workspace, _context: FoldContext) -> Iterable[Key]:
    member_id = concerned(event)
    if member_id is None:
        return ()
    # A funnel that the facts do not name has no row yet: the lock on the facts makes that safe.
    enrolled = work.get(FACTS, event.community, member_id).facts.get("enrolled", ())
    return [(event.community, member_id, funnel) for funnel in enrolled]


FACTS = StateTable(
    sa.Table(
        "member_facts",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text, primary_key=True),
        sa.Column("facts", JSONB, nullable=False),
    ),
    FactsRow,
    _facts_keys,
)

ENROLLMENTS = StateTable(
    sa.Table(
        "enrollments",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text, primary_key=True),
        sa.Column("funnel", sa.Text, primary_key=True),
        sa.Column("enrollment_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", JSONB, nullable=False),
        sa.Column("parked_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parked_why", sa.Text, nullable=False, server_default=""),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("attempt_at", sa.DateTime(timezone=True), nullable=True),
    ),
    EnrollmentRow,
    _enrollment_keys,
)

DECISIONS = LogTable(
    sa.Table(
        "decisions",
        METADATA,
        sa.Column("enrollment_id", sa.Uuid(as_uuid=False), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("community", sa.Text, nullable=False),
        sa.Column("funnel", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("member_id", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("visit", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("cause_id", sa.Uuid(as_uuid=False), nullable=True),
    ),
    DecisionRow,
)

COUNTS = CounterTable(
    sa.Table(
        "funnel_counts",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("funnel", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("what", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("total", sa.BigInteger, nullable=False, server_default="0"),
    )
)
"""How often something happened on a day of the community's zone; ``active`` rises and falls, its sum is the present."""

SEATS = CounterTable(
    sa.Table(
        "seats_taken",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("product", sa.Text, primary_key=True),
        sa.Column("tier", sa.Integer, primary_key=True),
        sa.Column("taken", sa.BigInteger, nullable=False, server_default="0"),
    )
)
"""Seats taken by paid orders, by tier from 0."""


def enrollment_of(row: EnrollmentRow) -> Enrollment:
    """Make an enrollment from its row."""
    columns: dict[str, Any] = {name: getattr(row, name) for name in COLUMNS}
    columns["state"] = State(row.state)
    return Enrollment(**columns, **progress_from_json(dict(row.progress)))


def row_of(enrollment: Enrollment) -> EnrollmentRow:
    """Make the row of an enrollment that moved: it is not parked, whatever it was before."""
    columns: dict[str, Any] = {name: getattr(enrollment, name) for name in COLUMNS}
    columns["state"] = enrollment.state.value
    return EnrollmentRow(**columns, progress=progress_to_json(enrollment))


def decision_row(enrollment: Enrollment, number: int, decision: Decision, cause_id: str | None) -> DecisionRow:
    """Make the row of a decision."""
    return DecisionRow(
        enrollment_id=enrollment.enrollment_id,
        number=number,
        community=enrollment.community,
        funnel=enrollment.funnel,
        version=enrollment.version,
        member_id=enrollment.member_id,
        step=decision.step,
        visit=decision.visit,
        at=decision.at,
        what=decision.what.value,
        reason=decision.reason,
        why=decision.why,
        cause_id=cause_id,
    )

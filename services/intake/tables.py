"""The tables of intake, in the order they are locked: memberships, accounts; and the keys of actions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.intake.domain.membership import Fact, Membership
from shequn.contracts.envelope import Envelope
from shequn.runtime.fold import CounterTable, FoldContext, Key, LogTable, StateTable, Workspace

METADATA = sa.MetaData()

_START = datetime(1970, 1, 1, tzinfo=UTC)


def _membership_keys(event: Fact, work: Workspace, context: FoldContext) -> Iterator[Key]:  # noqa: ARG001
    yield event.community, event.data.member_id


def _account_keys(event: Fact, work: Workspace, context: FoldContext) -> Iterator[Key]:  # noqa: ARG001
    yield event.data.account.platform, event.data.account.account_id


def _action_keys(event: Envelope, work: Workspace, context: FoldContext) -> Iterator[Key]:  # noqa: ARG001
    yield (event.data.idempotency_key,)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose an account is.

    Attributes:
        seen_at: the latest fact that named it.
    """

    platform: str
    account_id: str
    member_id: str = ""
    seen_at: datetime = _START


@dataclass(frozen=True, slots=True)
class ActionKey:
    """An idempotency key that was seen. Kept for good: the same key is executed at most once.

    Attributes:
        action_id: the action that came with it first.
        duplicates: how many others came with it.
    """

    idempotency_key: str
    action_id: str = ""
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class QueuedAction:
    """An action as it enters the queue.

    Attributes:
        command: the whole command, JSON.
        due_at: when it may go out.
    """

    idempotency_key: str
    action_id: str
    action: str
    community: str
    command: str
    priority: int
    due_at: datetime


MEMBERSHIPS = StateTable(
    sa.Table(
        "memberships",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text, primary_key=True),
        sa.Column("standing", sa.Text, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True)),
        sa.Column("signed_up_at", sa.DateTime(timezone=True)),
        sa.Column("profile_at", sa.DateTime(timezone=True)),
        sa.Column("profile_fact", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text),
        sa.Column("consents", JSONB, nullable=False),
        sa.Column("groups", JSONB, nullable=False),
    ),
    Membership,
    _membership_keys,
)
ACCOUNTS = StateTable(
    sa.Table(
        "accounts",
        METADATA,
        sa.Column("platform", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    ),
    Account,
    _account_keys,
)
ACTION_KEYS = StateTable(
    sa.Table(
        "action_keys",
        METADATA,
        sa.Column("idempotency_key", sa.Text, primary_key=True),
        sa.Column("action_id", sa.Text, nullable=False),
        sa.Column("duplicates", sa.Integer, nullable=False),
    ),
    ActionKey,
    _action_keys,
)
# The queue has more columns (see the migration and store.py): delivery writes them, a fold never does. So a fold locks
# no row that delivery works on.
QUEUE = LogTable(
    sa.Table(
        "deliveries",
        METADATA,
        sa.Column("idempotency_key", sa.Text, primary_key=True),
        sa.Column("action_id", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("community", sa.Text, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
    ),
    QueuedAction,
)
MEMBER_TOTALS = CounterTable(
    sa.Table(
        "member_totals",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("active", sa.BigInteger, nullable=False),
        sa.Column("gone", sa.BigInteger, nullable=False),
    )
)
ACTION_TOTALS = CounterTable(
    sa.Table(
        "action_totals",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("action", sa.Text, primary_key=True),
        sa.Column("accepted", sa.BigInteger, nullable=False),
        sa.Column("duplicates", sa.BigInteger, nullable=False),
    )
)

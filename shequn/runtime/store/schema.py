"""The tables that every service has: inbox, outbox and suspects."""

from typing import Any

import sqlalchemy as sa

RUNTIME_METADATA = sa.MetaData()

INBOX = sa.Table(
    "inbox",
    RUNTIME_METADATA,
    sa.Column("consumer", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
)
"""Which events each consumer has folded. Old rows go once no redelivery can come any more."""

OUTBOX = sa.Table(
    "outbox",
    RUNTIME_METADATA,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("message_id", sa.Text, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
)
"""What is decided but not yet published, in order."""


SUSPECTS = sa.Table(
    "suspects",
    RUNTIME_METADATA,
    sa.Column("consumer", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True),
    sa.Column("attempts", sa.Integer, nullable=False),
)
"""Messages that may end the process: how often each was begun alone, noted before it is folded, and not finished."""


def create_runtime_tables(op: Any) -> None:
    """Create inbox and outbox; for a service's first migration. :func:`create_suspects` completes them.

    Args:
        op: Alembic's operations object.
    """
    for table in (INBOX, OUTBOX):
        op.create_table(table.name, *[column._copy() for column in table.columns])  # noqa: SLF001
    # The inbox is only searched by age when old rows are removed: a block range index costs almost nothing to keep.
    op.create_index("inbox_recorded_at", "inbox", ["recorded_at"], postgresql_using="brin")


def create_suspects(op: Any) -> None:
    """Create the table of suspects; for a migration of its own, because stores exist that have the first one.

    Args:
        op: Alembic's operations object.
    """
    op.create_table(SUSPECTS.name, *[column._copy() for column in SUSPECTS.columns])  # noqa: SLF001


def keep_room(op: Any, table: str, percent: int) -> None:
    """Fill a table's pages only so far, so that an updated row stays on its page and touches no index.

    Args:
        op: Alembic's operations object.
        table: the table's name.
        percent: how full a page gets by inserts.
    """
    op.execute(sa.text(f'ALTER TABLE "{table}" SET (fillfactor = {int(percent)})'))

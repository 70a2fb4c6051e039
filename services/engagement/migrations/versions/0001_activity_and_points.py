"""Activity and points."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shequn.runtime.store.schema import create_runtime_tables, keep_room

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Rows that change with every message keep room on their page, so that an update touches no index.
_PAGE_PERCENT = 70


def upgrade() -> None:
    """Create the tables of the first version."""
    create_runtime_tables(op)
    _create_messages()
    _create_members()
    _create_counters()
    _create_points()


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("group_id", sa.Text, primary_key=True),
        sa.Column("message_id", sa.Text, primary_key=True),
        sa.Column("author", sa.Text),
        sa.Column("at", sa.DateTime(timezone=True)),
        sa.Column("pending", JSONB, nullable=False, server_default="[]"),
    )
    op.create_table(
        "reactions",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("group_id", sa.Text, primary_key=True),
        sa.Column("message_id", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text, primary_key=True),
        sa.Column("reaction", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True)),
    )


def _create_members() -> None:
    op.create_table(
        "members",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text, primary_key=True),
        sa.Column("last_originated_at", sa.DateTime(timezone=True)),
        sa.Column("last_replied_at", sa.DateTime(timezone=True)),
        sa.Column("last_reacted_at", sa.DateTime(timezone=True)),
        sa.Column("first_posted_at", sa.DateTime(timezone=True)),
        sa.Column("first_replied_at", sa.DateTime(timezone=True)),
        sa.Column("spoke_in", JSONB, nullable=False, server_default="[]"),
        sa.Column("points", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("tier", sa.Text, nullable=False, server_default="inactive"),
        sa.Column("tier_ends_at", sa.DateTime(timezone=True)),
    )
    keep_room(op, "members", _PAGE_PERCENT)


def _create_counters() -> None:
    op.create_table(
        "member_days",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("group_id", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("messages", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("replies", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("reactions", sa.BigInteger, nullable=False, server_default="0"),
    )
    keep_room(op, "member_days", _PAGE_PERCENT)
    op.create_table(
        "group_totals",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("group_id", sa.Text, primary_key=True),
        sa.Column("messages", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("replies", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("reactions", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("speakers", sa.BigInteger, nullable=False, server_default="0"),
    )
    keep_room(op, "group_totals", _PAGE_PERCENT)


def _create_points() -> None:
    op.create_table(
        "givings",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("giver", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("receivers", JSONB, nullable=False, server_default="{}"),
    )
    keep_room(op, "givings", _PAGE_PERCENT)
    op.create_table(
        "points_log",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("key", sa.Uuid(as_uuid=False), primary_key=True),
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("giver", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
    )

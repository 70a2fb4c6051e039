"""Memberships, accounts and the delivery queue."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shequn.runtime.store.schema import create_runtime_tables, keep_room

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Rows that change again and again keep room on their page, so that an update touches no index.
_PAGE_PERCENT = 70


def upgrade() -> None:
    """Create the tables of the first version."""
    create_runtime_tables(op)
    _create_identity()
    _create_actions()
    _create_deliveries()


def _create_identity() -> None:
    op.create_table(
        "memberships",
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
    )
    keep_room(op, "memberships", _PAGE_PERCENT)
    op.create_table(
        "accounts",
        sa.Column("platform", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )
    keep_room(op, "accounts", _PAGE_PERCENT)
    op.create_index("accounts_of_member", "accounts", ["member_id"])
    op.create_table(
        "member_totals",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("active", sa.BigInteger, nullable=False),
        sa.Column("gone", sa.BigInteger, nullable=False),
    )
    keep_room(op, "member_totals", _PAGE_PERCENT)


def _create_actions() -> None:
    op.create_table(
        "action_keys",
        sa.Column("idempotency_key", sa.Text, primary_key=True),
        sa.Column("action_id", sa.Text, nullable=False),
        sa.Column("duplicates", sa.Integer, nullable=False),
    )
    op.create_table(
        "action_totals",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("action", sa.Text, primary_key=True),
        sa.Column("accepted", sa.BigInteger, nullable=False),
        sa.Column("duplicates", sa.BigInteger, nullable=False),
    )
    keep_room(op, "action_totals", _PAGE_PERCENT)


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("idempotency_key", sa.Text, primary_key=True),
        sa.Column("action_id", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("community", sa.Text, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        # What follows is written by delivery alone. The position is the order in the stream.
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="pending"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("owner", sa.Integer),
        sa.Column("adapter", sa.Text),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("receipt", sa.Text),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
    )
    keep_room(op, "deliveries", _PAGE_PERCENT)
    pending, sending = sa.text("status = 'pending'"), sa.text("status = 'sending'")
    op.create_index("deliveries_pending", "deliveries", ["priority", "position"], postgresql_where=pending)
    op.create_index("deliveries_sending", "deliveries", ["owner"], postgresql_where=sending)
    # Only searched by age when old rows are removed: a block range index costs almost nothing to keep.
    op.create_index("deliveries_settled_at", "deliveries", ["settled_at"], postgresql_using="brin")
    op.create_table(
        "delivery_totals",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("action", sa.Text, primary_key=True),
        sa.Column("status", sa.Text, primary_key=True),
        sa.Column("actions", sa.BigInteger, nullable=False),
    )
    keep_room(op, "delivery_totals", _PAGE_PERCENT)
    op.execute("CREATE SEQUENCE delivery_owners AS integer CYCLE")

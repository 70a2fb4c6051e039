"""Members, decisions, sanctions and their totals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shequn.runtime.store.schema import create_runtime_tables, keep_room

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_runtime_tables(op)
    # Nearly every message updates its member's row: room on the page keeps the update off the index.
    op.create_table(
        "member_state",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text, primary_key=True),
        sa.Column("recent", JSONB, nullable=False),
        sa.Column("strikes", JSONB, nullable=False),
    )
    keep_room(op, "member_state", 70)
    op.create_table(
        "decisions",
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
    )
    op.create_table(
        "sanctions",
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
    )
    op.create_table(
        "decision_totals",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("verdict", sa.Text, primary_key=True),
        sa.Column("decided_check", sa.Text, primary_key=True),
        sa.Column("messages", sa.BigInteger, nullable=False, server_default="0"),
    )
    keep_room(op, "decision_totals", 50)
    op.create_table(
        "sanction_totals",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("rung", sa.Text, primary_key=True),
        sa.Column("sanctions", sa.BigInteger, nullable=False, server_default="0"),
    )
    keep_room(op, "sanction_totals", 50)

"""Facts, enrollments, decisions, counts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shequn.runtime.store.schema import create_runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_runtime_tables(op)
    op.create_table(
        "member_facts",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text, primary_key=True),
        sa.Column("facts", JSONB, nullable=False),
    )
    op.create_table(
        "enrollments",
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
    )
    # What waves look for, in the order they take it.
    op.create_index(
        "enrollments_due",
        "enrollments",
        ["due_at"],
        postgresql_where=sa.text("state = 'waiting' AND due_at IS NOT NULL"),
    )
    op.create_table(
        "decisions",
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
    )
    op.create_table(
        "funnel_counts",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("funnel", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("what", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("total", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_table(
        "seats_taken",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("product", sa.Text, primary_key=True),
        sa.Column("tier", sa.Integer, primary_key=True),
        sa.Column("taken", sa.BigInteger, nullable=False, server_default="0"),
    )
    # Rows that are updated again and again: room on the page keeps most updates off the index. Set by ALTER because
    # SQLAlchemy knows the option from 2.1 on, and Prefect's scheduler does not run on 2.1.
    for table, percent in (("member_facts", 70), ("enrollments", 80), ("funnel_counts", 50)):
        op.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")

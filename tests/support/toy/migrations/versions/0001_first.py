"""The toy service's tables."""

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
        "authors",
        sa.Column("member_id", sa.Text, primary_key=True),
        sa.Column("messages", sa.BigInteger, nullable=False),
        sa.Column("last_text", sa.Text, nullable=False),
        sa.Column("words", JSONB, nullable=False),
    )
    op.create_table(
        "totals",
        sa.Column("group_id", sa.Text, primary_key=True),
        sa.Column("messages", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "lines",
        sa.Column("message_id", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
    )

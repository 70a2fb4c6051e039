"""Enrollments that cannot move are parked: since when, why, after how many attempts, until the next one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("parked_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parked_why", sa.Text, nullable=False, server_default=""),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("attempt_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("enrollments", column)
    # What waves look for, in the order they take it. A parked enrollment stands where it is tried again, so that
    # however many there are, no wave walks past them.
    op.drop_index("enrollments_due", "enrollments")
    op.create_index(
        "enrollments_due",
        "enrollments",
        [sa.text("greatest(due_at, attempt_at)")],
        postgresql_where=sa.text("state = 'waiting' AND due_at IS NOT NULL"),
    )
    # What the gauge counts every few seconds.
    op.create_index(
        "enrollments_parked",
        "enrollments",
        ["community", "funnel"],
        postgresql_where=sa.text("parked_since IS NOT NULL"),
    )

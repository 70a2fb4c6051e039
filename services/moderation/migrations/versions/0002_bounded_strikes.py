"""What is remembered of a member's strikes beyond the latest ones, and when the member was last told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default lets the version before this one go on writing rows while both run.
    op.add_column("member_state", sa.Column("earlier", JSONB, nullable=False, server_default="{}"))
    op.add_column("member_state", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))

"""Messages that may end the process are noted; what an older version had in hand stays unsure."""

from alembic import op

from shequn.runtime.store.schema import create_suspects

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_suspects(op)
    # Before this version an action was marked as sent without saying to which adapter; it may have gone out.
    op.execute("UPDATE deliveries SET adapter = 'none' WHERE status = 'sending'")

"""Messages that may end the process are noted before they are folded alone."""

from alembic import op

from shequn.runtime.store.schema import create_suspects

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_suspects(op)

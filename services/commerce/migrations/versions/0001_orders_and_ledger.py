"""Orders, customers, referral codes, stock and the ledger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shequn.runtime.store.schema import create_runtime_tables, keep_room

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Rows that change with every sale keep room on their page, so that an update touches no index.
_PAGE_PERCENT = 70


def upgrade() -> None:
    """Create the tables of the first version."""
    create_runtime_tables(op)
    _create_members()
    _create_orders()
    _create_ledger()
    _create_counters()


def _create_members() -> None:
    op.create_table(
        "referral_code",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text),
        sa.Column("waiting", JSONB, nullable=False),
    )
    op.create_table(
        "customer",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text, primary_key=True),
        sa.Column("joined_at", sa.DateTime(timezone=True)),
        sa.Column("claimed_code", sa.Text),
        sa.Column("claimed_at", sa.DateTime(timezone=True)),
        sa.Column("referrer", sa.Text),
        sa.Column("bought", JSONB, nullable=False),
        sa.Column("waiting", JSONB, nullable=False),
        sa.Column("open_orders", JSONB, nullable=False),
        sa.Column("orders_paid", sa.Integer, nullable=False),
    )
    keep_room(op, "customer", _PAGE_PERCENT)


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("payment_id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("member_id", sa.Text),
        sa.Column("product", sa.Text),
        sa.Column("amount_minor", sa.BigInteger),
        sa.Column("currency", sa.Text),
        sa.Column("paid_at", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("price_minor", sa.BigInteger),
        sa.Column("rung", sa.Text),
        sa.Column("tier", sa.Integer),
        sa.Column("seat", sa.Integer),
        sa.Column("refunds", JSONB, nullable=False),
        sa.Column("referrer", sa.Text),
        sa.Column("commission_rate", sa.Integer, nullable=False),
        sa.Column("postings", sa.Integer, nullable=False),
    )
    op.create_table(
        "stock",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("product", sa.Text, primary_key=True),
        sa.Column("sold", JSONB, nullable=False),
    )
    keep_room(op, "stock", _PAGE_PERCENT)


def _create_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("transaction_id", sa.Text, primary_key=True),
        sa.Column("line", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, sa.CheckConstraint("amount_minor <> 0"), nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "balance",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("currency", sa.Text, primary_key=True),
        sa.Column("amount_minor", sa.BigInteger, nullable=False, server_default="0"),
    )
    keep_room(op, "balance", _PAGE_PERCENT)


def _create_counters() -> None:
    op.create_table(
        "order_count",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, primary_key=True),
        sa.Column("orders", sa.BigInteger, nullable=False, server_default="0"),
    )
    keep_room(op, "order_count", _PAGE_PERCENT)
    op.create_table(
        "sales",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("product", sa.Text, primary_key=True),
        sa.Column("orders", sa.BigInteger, nullable=False, server_default="0"),
    )
    keep_room(op, "sales", _PAGE_PERCENT)
    op.create_table(
        "customer_count",
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("customers", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("repeat_customers", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("referrals", sa.BigInteger, nullable=False, server_default="0"),
    )
    keep_room(op, "customer_count", _PAGE_PERCENT)

"""The tables of commerce, in the order they are locked: codes, customers, orders, stock.

A joining locks the code it claims and the member's own code, then the members whose attribution waited for that, then
their orders. A payment locks the buyer, then its order and those that wait for a purchase, then the stock of their
products. A refund locks its order only. What an event reaches through a row of an earlier table was put there
by an event that is folded already, or that stands in the same batch and has declared it itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.commerce.domain import referrals
from services.commerce.domain.customers import Customer
from services.commerce.domain.orders import Order
from services.commerce.domain.pricing import Stock
from services.commerce.domain.referrals import ReferralCode
from shequn.contracts import ids
from shequn.contracts.envelope import Envelope
from shequn.contracts.members import MemberJoined, MemberUpdated
from shequn.contracts.payments import ChargeRefunded, ChargeSucceeded
from shequn.runtime.fold import CounterTable, FoldContext, Key, LogTable, StateTable, Workspace

METADATA = sa.MetaData()


def _code_keys(event: Envelope, _work: Workspace, _context: FoldContext) -> Iterator[Key]:
    if isinstance(event, MemberJoined | MemberUpdated):
        yield event.community, ids.referral_code(event.community, event.data.member_id)
        claimed = referrals.read_code(event.data.referral_code)
        if claimed is not None:
            yield event.community, claimed


def _customer_keys(event: Envelope, work: Workspace, _context: FoldContext) -> Iterator[Key]:
    if isinstance(event, ChargeSucceeded):
        yield event.community, event.data.member_id
    elif isinstance(event, MemberJoined | MemberUpdated):
        yield event.community, event.data.member_id
        own = ids.referral_code(event.community, event.data.member_id)
        for member_id in work.get(CODES, event.community, own).waiting:
            yield event.community, member_id


def _order_keys(event: Envelope, work: Workspace, context: FoldContext) -> Iterator[Key]:
    if isinstance(event, ChargeSucceeded | ChargeRefunded):
        yield event.community, event.data.provider, event.data.payment_id
    for customer_key in _customer_keys(event, work, context):
        customer = work.get(CUSTOMERS, *customer_key)
        refs = customer.waiting if isinstance(event, ChargeSucceeded) else customer.open_orders
        for provider, payment_id in refs:
            yield event.community, provider, payment_id


def _stock_keys(event: Envelope, work: Workspace, context: FoldContext) -> Iterator[Key]:
    # Asked for every product, but only products that can sell out ever get a row: others are no hot lock.
    if isinstance(event, ChargeSucceeded):
        if event.data.product is not None:
            yield event.community, event.data.product
        for key in _order_keys(event, work, context):
            product = work.get(ORDERS, *key).product
            if product is not None:
                yield event.community, product


CODES = StateTable(
    sa.Table(
        "referral_code",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Text),
        sa.Column("waiting", JSONB, nullable=False),
    ),
    ReferralCode,
    _code_keys,
)
CUSTOMERS = StateTable(
    sa.Table(
        "customer",
        METADATA,
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
    ),
    Customer,
    _customer_keys,
)
ORDERS = StateTable(
    sa.Table(
        "orders",  # "order" is a reserved word
        METADATA,
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
    ),
    Order,
    _order_keys,
)
STOCK = StateTable(
    sa.Table(
        "stock",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("product", sa.Text, primary_key=True),
        sa.Column("sold", JSONB, nullable=False),
    ),
    Stock,
    _stock_keys,
)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One entry of a transaction: minor units, debit positive. ``at``: when the fact it books happened."""

    community: str
    transaction_id: str
    line: int
    kind: str
    account: str
    amount_minor: int
    currency: str
    at: datetime


LEDGER = LogTable(
    sa.Table(
        "ledger",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("transaction_id", sa.Text, primary_key=True),
        sa.Column("line", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    ),
    LedgerLine,
)
BALANCES = CounterTable(
    sa.Table(
        "balance",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("currency", sa.Text, primary_key=True),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
    )
)
"""The sums of the ledger by account, so that nobody has to add it up. Balances of referrers are among them."""

ORDER_COUNTS = CounterTable(
    sa.Table(
        "order_count",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, primary_key=True),
        sa.Column("orders", sa.BigInteger, nullable=False),
    )
)
"""How many orders stand in each state; ``reason`` is empty unless they are parked."""

SALES = CounterTable(
    sa.Table(
        "sales",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("product", sa.Text, primary_key=True),
        sa.Column("orders", sa.BigInteger, nullable=False),
    )
)
"""How many orders of each product were accepted, refunded ones among them."""

CUSTOMER_COUNTS = CounterTable(
    sa.Table(
        "customer_count",
        METADATA,
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("customers", sa.BigInteger, nullable=False),
        sa.Column("repeat_customers", sa.BigInteger, nullable=False),
        sa.Column("referrals", sa.BigInteger, nullable=False),
    )
)
"""Members with one accepted order or more, with two or more, and members whose referrer is known."""

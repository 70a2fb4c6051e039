"""All SQL of commerce."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.commerce.domain.ledger import AccountKind
from services.commerce.domain.orders import Order
from services.commerce.domain.pricing import Stock
from services.commerce.errors import CodeTakenError, UnknownMemberError, UnknownOrderError
from shequn.contracts.ids import referral_code
from shequn.runtime.failures import TransientError
from shequn.runtime.store import Store
from shequn.runtime.store.engine import RETRYABLE
from shequn.runtime.store.types import Connection

_ORDER = """
SELECT community, provider, payment_id, state, member_id, product, amount_minor, currency, paid_at, reason, detail,
       price_minor, rung, tier, seat, refunds, referrer, commission_rate, postings
FROM orders
WHERE community = $1 AND provider = $2 AND payment_id = $3
"""

_STOCK = "SELECT community, product, sold FROM stock WHERE community = $1 AND product = $2"

_REFERRAL = """
SELECT c.member_id AS owner, m.referrer
FROM referral_code AS c
LEFT JOIN customer AS m ON m.community = c.community AND m.member_id = c.member_id
WHERE c.community = $1 AND c.code = $2 AND c.member_id IS NOT NULL
"""

_HELD = """
SELECT currency, -amount_minor AS held
FROM balance
WHERE community = $1 AND account = $2 AND amount_minor <> 0
ORDER BY currency
"""

# The accounts of referrers are one each; as totals they are one.
_BALANCES = """
SELECT community,
       CASE WHEN starts_with(account, $1 || ':') THEN $1 ELSE account END AS account,
       currency,
       sum(amount_minor)::bigint AS amount_minor
FROM balance
GROUP BY 1, 2, 3
"""

_TRIAL_BALANCE = """
SELECT community, currency, sum(amount_minor)::bigint AS amount_minor
FROM ledger
GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Totals:
    """What the exporter shows.

    Attributes:
        balances: minor units by community, account and currency; the referrers' accounts in one.
        orders: by community, state and reason.
        sales: accepted orders by community and product.
        customers: customers, repeat customers and attributed referrals by community.
        seats: sold seats by tier, by community and product.
    """

    balances: dict[tuple[str, str, str], int]
    orders: dict[tuple[str, str, str], int]
    sales: dict[tuple[str, str], int]
    customers: dict[str, tuple[int, int, int]]
    seats: dict[tuple[str, str], list[int]]


@dataclass(frozen=True, slots=True)
class Referral:
    """A member's own code, who brought the member, and the commissions held by currency, in minor units."""

    community: str
    member_id: str
    code: str
    referrer: str | None
    held: dict[str, int]


async def read_totals(connection: Connection) -> Totals:
    """Read all totals. They are kept as counters, so the cost does not grow with the number of orders."""
    balances = await connection.fetch(_BALANCES, AccountKind.COMMISSION_HELD.value)
    orders = await connection.fetch("SELECT community, state, reason, orders FROM order_count")
    sales = await connection.fetch("SELECT community, product, orders FROM sales")
    customers = await connection.fetch("SELECT community, customers, repeat_customers, referrals FROM customer_count")
    stock = await connection.fetch("SELECT community, product, sold FROM stock")
    return Totals(
        balances={(row[0], row[1], row[2]): row[3] for row in balances},
        orders={(row[0], row[1], row[2]): row[3] for row in orders},
        sales={(row[0], row[1]): row[2] for row in sales},
        customers={row[0]: (row[1], row[2], row[3]) for row in customers},
        seats={(row[0], row[1]): row[2] for row in stock},
    )


async def read_trial_balance(connection: Connection) -> dict[tuple[str, str], int]:
    """Add up the whole ledger by community and currency: all zero. It reads every line: for audits, not for scrapes."""
    return {(row[0], row[1]): row[2] for row in await connection.fetch(_TRIAL_BALANCE)}


async def read_order(connection: Connection, community: str, provider: str, payment_id: str) -> Order:
    """Read an order.

    Raises:
        UnknownOrderError: nothing is known of the payment.
    """
    record = await connection.fetchrow(_ORDER, community, provider, payment_id)
    if record is None:
        raise UnknownOrderError(community, provider, payment_id)
    return Order(*record)


async def read_stock(connection: Connection, community: str, product: str) -> Stock:
    """Read how many seats of a product are sold."""
    record = await connection.fetchrow(_STOCK, community, product)
    return Stock(community, product) if record is None else Stock(*record)


async def read_referral(connection: Connection, community: str, member_id: str) -> Referral:
    """Read a member's referral code and what it brought.

    Raises:
        UnknownMemberError: the member's joining is not known.
        CodeTakenError: another member has the same code.
    """
    code = referral_code(community, member_id)
    record = await connection.fetchrow(_REFERRAL, community, code)
    if record is None:
        raise UnknownMemberError(community, member_id)
    if record["owner"] != member_id:
        raise CodeTakenError(community, member_id, code)
    account = f"{AccountKind.COMMISSION_HELD.value}:{member_id}"
    held = {row["currency"]: row["held"] for row in await connection.fetch(_HELD, community, account)}
    return Referral(community, member_id, code, record["referrer"], held)


class StoreReader:
    """Reads over a connection of the pool. Every method raises ``TransientError`` while the store is away."""

    def __init__(self, database: Store) -> None:
        """Use the service's store."""
        self._store = database

    async def order(self, community: str, provider: str, payment_id: str) -> Order:
        """Read an order. Raises ``UnknownOrderError``."""
        async with self._connection() as connection:
            return await read_order(connection, community, provider, payment_id)

    async def stock(self, community: str, product: str) -> Stock:
        """Read how many seats of a product are sold."""
        async with self._connection() as connection:
            return await read_stock(connection, community, product)

    async def referral(self, community: str, member_id: str) -> Referral:
        """Read a member's referral code. Raises ``UnknownMemberError`` and ``CodeTakenError``."""
        async with self._connection() as connection:
            return await read_referral(connection, community, member_id)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        try:
            async with self._store.connection() as connection:
                yield connection
        except RETRYABLE as error:
            raise TransientError(f"PostgreSQL does not answer: {error}") from error

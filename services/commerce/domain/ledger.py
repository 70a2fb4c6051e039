"""The ledger: double entry, append-only, zero-sum.

Debits are positive, credits negative. Money that a provider holds for us is a debit of ``provider``; what we owe or
have earned is a credit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from shequn.contracts.commerce import ParkReason


class AccountKind(StrEnum):
    """Every kind of account there is."""

    PROVIDER = "provider"
    """Asset: what a payment provider has taken for us, less what it gave back. By provider."""
    REVENUE = "revenue"
    """Income: prices of accepted orders, refunds not deducted. By product."""
    REFUNDS = "refunds"
    """Deduction from income: prices that went back. By product."""
    PARKED = "parked"
    """Liability: payments that wait for a person. By reason."""
    OWED_OVERPAID = "owed:overpaid"
    """Liability: what buyers paid above the price."""
    OVER_REFUNDED = "over-refunded"
    """Asset: what went back beyond the payment, to be claimed."""
    UNMATCHED_REFUNDS = "unmatched-refunds"
    """Asset: refunds whose payment is not known yet, or has another currency."""
    COMMISSION_EXPENSE = "commission-expense"
    """Expense: commissions on sales."""
    COMMISSION_HELD = "commission-payable:held"
    """Liability: commissions that wait for the refund window to end. By referrer."""


_WITH_OWNER = frozenset(
    {
        AccountKind.PROVIDER,
        AccountKind.REVENUE,
        AccountKind.REFUNDS,
        AccountKind.PARKED,
        AccountKind.COMMISSION_HELD,
    }
)


@lru_cache(maxsize=1024)
def _name(kind: AccountKind, owner: str) -> str:
    return f"{kind.value}:{owner}" if owner else kind.value


class Account(NamedTuple):
    """An account: its kind, and whose or what for where the kind wants it."""

    kind: AccountKind
    owner: str = ""

    @property
    def name(self) -> str:
        """How it is written: ``provider:stripe``, ``owed:overpaid``."""
        return _name(self.kind, self.owner)


def provider(name: str) -> Account:
    """Give the account of what a payment provider holds for us."""
    return Account(AccountKind.PROVIDER, name)


def revenue(product: str) -> Account:
    """Give the account of a product's sales."""
    return Account(AccountKind.REVENUE, product)


def refunds(product: str) -> Account:
    """Give the account of a product's refunds."""
    return Account(AccountKind.REFUNDS, product)


def parked(reason: ParkReason) -> Account:
    """Give the account of payments parked for a reason."""
    return Account(AccountKind.PARKED, reason.value)


def commission_held(member_id: str) -> Account:
    """Give the account of what a referrer would receive."""
    return Account(AccountKind.COMMISSION_HELD, member_id)


OWED_OVERPAID = Account(AccountKind.OWED_OVERPAID)
OVER_REFUNDED = Account(AccountKind.OVER_REFUNDED)
UNMATCHED_REFUNDS = Account(AccountKind.UNMATCHED_REFUNDS)
COMMISSION_EXPENSE = Account(AccountKind.COMMISSION_EXPENSE)

Balances = Mapping[tuple[Account, str], int]
"""Minor units by account and currency."""


class TransactionKind(StrEnum):
    """What a transaction books."""

    PAYMENT = "payment"
    REFUND = "refund"
    PROMOTION = "promotion"
    COMMISSION_HOLD = "commission-hold"
    COMMISSION_REVERSAL = "commission-reversal"


class UnbalancedError(ValueError):
    """A transaction's entries do not add up to zero, or an entry is not one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a transaction: minor units, debit positive."""

    account: Account
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """Entries that belong together and add up to zero in each currency.

    Attributes:
        id: unique in the community; derived from the order and the number of its posting.
        kind: what it books.

    Raises:
        UnbalancedError: the entries do not add up, one is zero, there are none, or an account lacks its owner.
    """

    id: str
    kind: TransactionKind
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        """Refuse what is not a transaction."""
        sums: dict[str, int] = {}
        for entry in self.entries:
            sums[entry.currency] = sums.get(entry.currency, 0) + entry.amount_minor
            if entry.amount_minor == 0 or (entry.account.kind in _WITH_OWNER) != bool(entry.account.owner):
                raise UnbalancedError(f"transaction {self.id}: {entry} is no entry")
        if not sums or any(sums.values()):
            raise UnbalancedError(f"transaction {self.id} ({self.kind}) adds up to {sums or 'nothing'}, not to zero")


def difference(before: Balances, after: Balances) -> tuple[Entry, ...]:
    """Give the entries that lead from some balances to others, in a fixed order."""
    if before == after:
        return ()
    changes = ((key, after.get(key, 0) - before.get(key, 0)) for key in sorted({*before, *after}))
    return tuple(Entry(account, change, currency) for (account, currency), change in changes if change)

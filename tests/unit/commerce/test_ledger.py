"""The ledger's own rules."""

import pytest

from services.commerce.domain import ledger
from services.commerce.domain.ledger import Account, AccountKind, Entry, Transaction, TransactionKind, UnbalancedError
from shequn.contracts.commerce import ParkReason

STRIPE = ledger.provider("stripe")
SALES = ledger.revenue("course-low")


def transaction(*entries: Entry) -> Transaction:
    return Transaction("o-1-1", TransactionKind.PAYMENT, entries)


class TestTransaction:
    def test_that_adds_up_to_zero_is_one(self) -> None:
        assert transaction(Entry(STRIPE, 5, "CNY"), Entry(SALES, -5, "CNY")).entries

    @pytest.mark.parametrize(
        "entries",
        [
            (),
            (Entry(STRIPE, 5, "CNY"),),
            (Entry(STRIPE, 5, "CNY"), Entry(SALES, -4, "CNY")),
            (Entry(STRIPE, 5, "CNY"), Entry(SALES, -5, "USD")),
            (Entry(STRIPE, 0, "CNY"), Entry(SALES, 0, "CNY")),
            (Entry(Account(AccountKind.PROVIDER), 5, "CNY"), Entry(SALES, -5, "CNY")),
            (Entry(Account(AccountKind.OWED_OVERPAID, "ann"), 5, "CNY"), Entry(SALES, -5, "CNY")),
        ],
        ids=["empty", "one-legged", "unequal", "two-currencies", "zero", "no-owner", "owner-too-many"],
    )
    def test_that_is_none_is_refused(self, entries: tuple[Entry, ...]) -> None:
        with pytest.raises(UnbalancedError):
            transaction(*entries)


class TestAccount:
    @pytest.mark.parametrize(
        ("account", "name"),
        [
            (STRIPE, "provider:stripe"),
            (SALES, "revenue:course-low"),
            (ledger.refunds("course-low"), "refunds:course-low"),
            (ledger.parked(ParkReason.SOLD_OUT), "parked:sold-out"),
            (ledger.commission_held("ann"), "commission-payable:held:ann"),
            (ledger.OWED_OVERPAID, "owed:overpaid"),
            (ledger.COMMISSION_EXPENSE, "commission-expense"),
        ],
    )
    def test_is_written_with_its_owner(self, account: Account, name: str) -> None:
        assert account.name == name


class TestDifference:
    def test_leads_from_one_balance_to_the_other(self) -> None:
        before = {(STRIPE, "CNY"): 5, (SALES, "CNY"): -5}
        after = {(STRIPE, "CNY"): 3, (SALES, "CNY"): -5, (ledger.refunds("course-low"), "CNY"): 2}
        assert set(ledger.difference(before, after)) == {
            Entry(STRIPE, -2, "CNY"),
            Entry(ledger.refunds("course-low"), 2, "CNY"),
        }

    def test_of_equal_balances_is_nothing(self) -> None:
        assert ledger.difference({(STRIPE, "CNY"): 5}, {(STRIPE, "CNY"): 5}) == ()

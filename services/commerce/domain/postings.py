"""What an order means for the ledger.

The balances of an order are a function of its facts. When a fact arrives, the difference between the balances before
and after is booked. So whatever the order in which facts arrive, the balances end the same, and every step adds up to
zero.
"""

from services.commerce.domain import ledger
from services.commerce.domain.ledger import Account, Balances, Entry, Transaction, TransactionKind
from services.commerce.domain.orders import Order
from shequn.contracts.commerce import ParkReason


def balances(order: Order) -> Balances:
    """Give an order's balances by account and currency, commissions left out."""
    sums: dict[tuple[Account, str], int] = {}

    def move(debit: Account, credit: Account, amount_minor: int, currency: str) -> None:
        if amount_minor == 0:
            return
        sums[debit, currency] = sums.get((debit, currency), 0) + amount_minor
        sums[credit, currency] = sums.get((credit, currency), 0) - amount_minor

    bank = ledger.provider(order.provider)
    for refund in order.refunds.values():
        if refund["currency"] != order.currency:
            move(ledger.UNMATCHED_REFUNDS, bank, refund["amount"], refund["currency"])
    currency = order.currency
    if currency is None:
        return sums
    if order.price_minor is not None and order.product is not None:
        move(bank, ledger.revenue(order.product), order.price_minor, currency)
        move(bank, ledger.OWED_OVERPAID, order.overpaid_minor, currency)
        move(ledger.refunds(order.product), bank, order.price_refunded_minor, currency)
        overpaid_returned = min(order.refunded_minor, order.overpaid_minor)
        move(ledger.OWED_OVERPAID, bank, overpaid_returned, currency)
    elif order.reason is not None:
        left = max(0, order.paid_minor - order.refunded_minor)
        move(bank, ledger.parked(ParkReason(order.reason)), left, currency)
    move(ledger.OVER_REFUNDED, bank, order.over_refunded_minor, currency)
    return sums


def transactions(before: Order, after: Order, kind: TransactionKind) -> list[Transaction]:
    """Give the transactions that book the change of an order, numbered on from those it has.

    Args:
        before: the order as it was booked last.
        after: the order as it is now.
        kind: what the change of the money itself is; commissions have their own kinds.
    """
    steps = [(kind, ledger.difference(balances(before), balances(after)))]
    for referrer, held, reversed_minor in commission_changes(before, after):
        steps.append((TransactionKind.COMMISSION_HOLD, _commission(after, referrer, held)))
        steps.append((TransactionKind.COMMISSION_REVERSAL, _commission(after, referrer, -reversed_minor)))
    booked = [(step, entries) for step, entries in steps if entries]
    first = before.postings + 1
    return [
        Transaction(f"{after.order_id}-{number}", step, entries) for number, (step, entries) in enumerate(booked, first)
    ]


def commission_changes(before: Order, after: Order) -> list[tuple[str, int, int]]:
    """Give the change of commissions as (referrer, newly held, reversed), in minor units.

    A commission is held on the whole price and reversed for what went back, also when the refund came first.
    """
    if before.referrer is None and after.referrer is None:
        return []
    terms_before, terms_after = ((order.referrer, order.commission_rate) for order in (before, after))
    if terms_before == terms_after:
        changes = [(after.referrer, 0, before.held_minor - after.held_minor)]
    else:
        changes = [
            (before.referrer, 0, before.held_minor),
            (after.referrer, after.earned_minor, after.earned_minor - after.held_minor),
        ]
    return [(referrer, held, back) for referrer, held, back in changes if referrer and (held or back)]


def _commission(order: Order, referrer: str, amount_minor: int) -> tuple[Entry, ...]:
    if amount_minor == 0 or order.currency is None:
        return ()
    return (
        Entry(ledger.COMMISSION_EXPENSE, amount_minor, order.currency),
        Entry(ledger.commission_held(referrer), -amount_minor, order.currency),
    )

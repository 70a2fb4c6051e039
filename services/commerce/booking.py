"""What follows from the change of an order: ledger lines, counts and events.

Handlers change orders; everything that others see of it is derived here, from the order before and after.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from services.commerce.domain import postings
from services.commerce.domain.ledger import Transaction, TransactionKind
from services.commerce.domain.orders import Order, OrderState, Refund
from services.commerce.tables import BALANCES, LEDGER, ORDER_COUNTS, ORDERS, LedgerLine
from shequn.contracts.base import Contract, Money
from shequn.contracts.commerce import (
    CommissionData,
    CommissionHeld,
    CommissionReversed,
    EntitlementData,
    EntitlementGranted,
    EntitlementRevoked,
    Ladder,
    OrderPaid,
    OrderPaidData,
    OrderRefunded,
    OrderRefundedData,
    ParkReason,
    PaymentParked,
    PaymentParkedData,
)
from shequn.contracts.envelope import Envelope
from shequn.runtime.fold import Workspace

SOURCE = "/commerce"

Emission = tuple[type[Envelope], tuple[str, ...], datetime, Contract]
"""An event to come: its class, its business key, when it happened, its data."""


def book(work: Workspace, cause: Envelope, before: Order, after: Order, kind: TransactionKind) -> None:
    """Keep a changed order, and write down and tell what follows from the change.

    Args:
        work: the batch.
        cause: the event that changed it.
        before: the order as it was booked last.
        after: the order now.
        kind: what the ledger calls the change.
    """
    if after == before:
        return
    booked = postings.transactions(before, after, kind)
    for transaction in booked:
        _post(work, cause, transaction)
    _count(work, before, after)
    work.put(ORDERS, replace(after, postings=before.postings + len(booked)))
    for event_class, key, time, data in (
        *_order_events(before, after, cause),
        *_commission_events(before, after, cause),
    ):
        work.emit(event_class.caused_by(cause, source=SOURCE, subject=after.order_id, key=key, data=data, time=time))


def _post(work: Workspace, cause: Envelope, transaction: Transaction) -> None:
    community, at = cause.community, cause.time
    for line, entry in enumerate(transaction.entries, 1):
        account = entry.account.name
        work.append(
            LEDGER,
            LedgerLine(
                community, transaction.id, line, transaction.kind.value, account, entry.amount_minor, entry.currency, at
            ),
        )
        work.add(BALANCES, (community, account, entry.currency), amount_minor=entry.amount_minor)


def _count(work: Workspace, before: Order, after: Order) -> None:
    then, now = _count_key(before), _count_key(after)
    if before.is_known and then != now:
        work.add(ORDER_COUNTS, then, orders=-1)
    if not before.is_known or then != now:
        work.add(ORDER_COUNTS, now, orders=1)


def _count_key(order: Order) -> tuple[str, str, str]:
    is_parked = order.state == OrderState.PARKED
    return order.community, order.state, (order.reason or "") if is_parked else ""


def _order_events(before: Order, after: Order, cause: Envelope) -> Iterator[Emission]:
    if after.member_id is None or after.amount_minor is None or after.currency is None or after.paid_at is None:
        return
    order_id, paid = after.order_id, Money(minor=after.amount_minor, currency=after.currency)
    if after.state == OrderState.PARKED and after.reason is not None and after.reason != before.reason:
        parked = PaymentParkedData(
            order_id=order_id,
            member_id=after.member_id,
            product=after.product,
            provider=after.provider,
            payment_id=after.payment_id,
            amount=paid,
            reason=ParkReason(after.reason),
            detail=after.detail or "",
        )
        yield PaymentParked, (order_id, after.reason), after.paid_at, parked
    if not after.is_accepted or after.product is None:
        return
    if not before.is_accepted:
        accepted = OrderPaidData(
            order_id=order_id,
            member_id=after.member_id,
            product=after.product,
            rung=Ladder(after.rung or ""),
            provider=after.provider,
            payment_id=after.payment_id,
            amount=paid,
            overpaid_minor=after.overpaid_minor,
            seat=after.seat,
        )
        yield OrderPaid, (order_id,), after.paid_at, accepted
    yield from _refund_events(before, after, after.member_id, after.product)
    if before.is_entitled != after.is_entitled:
        right = EntitlementData(order_id=order_id, member_id=after.member_id, product=after.product)
        event_class = EntitlementGranted if after.is_entitled else EntitlementRevoked
        yield event_class, (order_id,), cause.time, right


def _refund_events(before: Order, after: Order, member_id: str, product: str) -> Iterator[Emission]:
    told = before.refunds if before.is_accepted else {}
    fresh = [(refund_id, refund) for refund_id, refund in after.refunds.items() if refund_id not in told]
    sum_so_far = before.refunded_minor if before.is_accepted else 0
    for refund_id, refund in sorted(fresh, key=_by_time):
        if refund["currency"] != after.currency:
            continue
        sum_so_far += refund["amount"]
        data = OrderRefundedData(
            order_id=after.order_id,
            member_id=member_id,
            product=product,
            amount=Money(minor=refund["amount"], currency=refund["currency"]),
            refunded_minor=sum_so_far,
            whole=sum_so_far >= after.paid_minor,
        )
        yield OrderRefunded, (after.order_id, refund_id), datetime.fromisoformat(refund["at"]), data


def _by_time(entry: tuple[str, Refund]) -> tuple[str, str]:
    refund_id, refund = entry
    return refund["at"], refund_id


def _commission_events(before: Order, after: Order, cause: Envelope) -> Iterator[Emission]:
    if after.member_id is None or after.currency is None:
        return
    for referrer, held, reversed_minor in postings.commission_changes(before, after):
        for event_class, minor in ((CommissionHeld, held), (CommissionReversed, reversed_minor)):
            if minor:
                data = CommissionData(
                    order_id=after.order_id,
                    member_id=referrer,
                    buyer=after.member_id,
                    amount=Money(minor=minor, currency=after.currency),
                )
                # The number of postings tells one reversal of the order from the next.
                key = (after.order_id, referrer, str(before.postings))
                yield event_class, key, cause.time, data

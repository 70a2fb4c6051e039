"""What commerce does with payments, refunds and joinings.

Facts come in any order. Each handler adds its fact to the order or the customer, asks the rules again what that makes
of it, and books the difference:

* a refund before its payment waits in the order, which is then ``awaiting-payment``;
* a payment for a product whose required product is not bought yet is parked as ``not-eligible``, and accepted when that
  purchase arrives;
* a referral whose referrer is not known yet waits with the code, and commissions of orders paid meanwhile are held when
  it is.
"""

from collections.abc import Sequence

from services.commerce.booking import SOURCE, book
from services.commerce.domain import admission, customers, orders, referrals
from services.commerce.domain.customers import Customer
from services.commerce.domain.ledger import TransactionKind
from services.commerce.domain.orders import Order
from services.commerce.domain.pricing import Refusal, Stock
from services.commerce.metrics import CommerceMetrics
from services.commerce.tables import (
    BALANCES,
    CODES,
    CUSTOMER_COUNTS,
    CUSTOMERS,
    LEDGER,
    ORDER_COUNTS,
    ORDERS,
    SALES,
    STOCK,
)
from shequn.contracts import ids, subjects
from shequn.contracts.commerce import (
    CommissionHeld,
    CommissionReversed,
    EntitlementGranted,
    EntitlementRevoked,
    OrderPaid,
    OrderRefunded,
    ParkReason,
    PaymentParked,
    ReferralAttributed,
    ReferralAttributedData,
)
from shequn.contracts.definitions import CommunityDefinition
from shequn.contracts.envelope import Envelope
from shequn.contracts.members import MemberJoined, MemberUpdated
from shequn.contracts.payments import ChargeRefunded, ChargeSucceeded
from shequn.runtime.fold import FoldContext, Workspace


class PaymentsFolder:
    """Folds payments and refunds into orders."""

    consumer = subjects.COMMERCE_PAYMENTS
    tables = (CUSTOMERS, ORDERS, STOCK)
    counters = (BALANCES, ORDER_COUNTS, SALES, CUSTOMER_COUNTS)
    logs = (LEDGER,)
    accepts = (ChargeSucceeded, ChargeRefunded)
    emits = (
        OrderPaid,
        PaymentParked,
        OrderRefunded,
        EntitlementGranted,
        EntitlementRevoked,
        CommissionHeld,
        CommissionReversed,
    )

    def __init__(self, metrics: CommerceMetrics | None = None) -> None:
        """Count into ``metrics`` where there are any."""
        self._metrics = metrics

    def fold(self, event: ChargeSucceeded | ChargeRefunded, work: Workspace, context: FoldContext) -> None:
        """Fold one payment or refund."""
        definition = context.definitions.current(event.community)
        if isinstance(event, ChargeSucceeded):
            _fold_payment(event, work, definition)
        else:
            before = work.get(ORDERS, event.community, event.data.provider, event.data.payment_id)
            book(work, event, before, orders.with_refund(before, event.data, event.time), TransactionKind.REFUND)

    def observe(self, folded: Sequence[Envelope], emitted: Sequence[Envelope]) -> None:  # noqa: ARG002
        """Count what a batch did."""
        if self._metrics is not None:
            self._metrics.count(emitted)


class MembersFolder:
    """Folds joinings into referral codes, attributions and the commissions that follow."""

    consumer = subjects.COMMERCE_MEMBERS
    tables = (CODES, CUSTOMERS, ORDERS)
    counters = (BALANCES, ORDER_COUNTS, CUSTOMER_COUNTS)
    logs = (LEDGER,)
    accepts = (MemberJoined, MemberUpdated)
    emits = (ReferralAttributed, CommissionHeld, CommissionReversed)

    def __init__(self, metrics: CommerceMetrics | None = None) -> None:
        """Count into ``metrics`` where there are any."""
        self._metrics = metrics

    def fold(self, event: MemberJoined | MemberUpdated, work: Workspace, context: FoldContext) -> None:
        """Fold one joining."""
        definition = context.definitions.current(event.community)
        customer = customers.with_joining(work.get(CUSTOMERS, event.community, event.data.member_id), event.time)
        own = ids.referral_code(event.community, event.data.member_id)
        claimed = referrals.read_code(event.data.referral_code)
        policy = definition.referral
        # A claim of the own code is a self-referral: it is none.
        if policy and claimed and claimed != own and referrals.is_proven(event.data.evidence, policy):
            customer = _with_claim(work, event, customer, claimed)
        _keep_joined(work, event, customer, definition)
        _register(work, event, own, definition)

    def observe(self, folded: Sequence[Envelope], emitted: Sequence[Envelope]) -> None:  # noqa: ARG002
        """Count what a batch did."""
        if self._metrics is not None:
            self._metrics.count(emitted)


def _fold_payment(event: ChargeSucceeded, work: Workspace, definition: CommunityDefinition) -> None:
    data, community = event.data, event.community
    known = customer = work.get(CUSTOMERS, community, data.member_id)
    before = work.get(ORDERS, community, data.provider, data.payment_id)
    after = orders.with_payment(before, data, event.time)
    if after.is_accepted:
        customer, after = _with_commission(customer, after, definition)
    else:
        customer, after = _admit(work, customer, after, definition)
    is_told_again = before.amount_minor is not None
    book(work, event, before, after, TransactionKind.PROMOTION if is_told_again else TransactionKind.PAYMENT)
    if after.is_accepted and not before.is_accepted:
        customer = _promote(work, event, customer, definition)
    if customer != known:
        work.put(CUSTOMERS, customer)


def _admit(
    work: Workspace, customer: Customer, order: Order, definition: CommunityDefinition
) -> tuple[Customer, Order]:
    """Let a payment buy its product, or park it with the reason."""
    product = definition.product(order.product or "")
    if product is None:
        stock = Stock(order.community, order.product or "")
    else:
        stock = work.get(STOCK, order.community, product.id)
    decision = admission.decide(order, customer, product, stock, definition.priced_in)
    waits = isinstance(decision, Refusal) and decision.reason == ParkReason.NOT_ELIGIBLE
    customer = customers.with_waiting(customer, order, waits=waits)
    if isinstance(decision, Refusal):
        return customer, orders.parked(order, decision)
    if decision.is_limited:
        work.put(STOCK, stock.with_sale(decision.tier))
    _count_sale(work, customer, stock.product)
    customer = customers.with_purchase(customer, stock.product)
    return _with_commission(customer, orders.accepted(order, decision), definition)


def _promote(work: Workspace, event: ChargeSucceeded, customer: Customer, definition: CommunityDefinition) -> Customer:
    """Accept waiting orders that a purchase makes eligible, the earliest payment first, until none is left."""
    while (before := _first_eligible(work, customer, definition)) is not None:
        customer, after = _admit(work, customer, before, definition)
        book(work, event, before, after, TransactionKind.PROMOTION)
    return customer


def _first_eligible(work: Workspace, customer: Customer, definition: CommunityDefinition) -> Order | None:
    waiting = [work.get(ORDERS, customer.community, *ref) for ref in customer.waiting]
    eligible = [
        (order.paid_at, order.provider, order.payment_id, order)
        for order in waiting
        if (product := definition.product(order.product or "")) is not None and customers.may_buy(customer, product)
    ]
    return min(eligible)[-1] if eligible else None


def _count_sale(work: Workspace, customer: Customer, product: str) -> None:
    work.add(SALES, (customer.community, product), orders=1)
    if customer.orders_paid == 0:
        work.add(CUSTOMER_COUNTS, (customer.community,), customers=1)
    elif customer.orders_paid == 1:
        work.add(CUSTOMER_COUNTS, (customer.community,), repeat_customers=1)


def _with_commission(customer: Customer, order: Order, definition: CommunityDefinition) -> tuple[Customer, Order]:
    """Ask again who earns on an accepted order. Where the sale pays nothing by now, what is held stays held."""
    policy = definition.referral
    if policy is None or not referrals.pays_on(order, policy):
        return customer, order
    order = orders.with_commission(order, referrals.earner(order, customer, policy), policy.rate_basis_points)
    return customers.with_open_order(customer, order, policy.window), order


def _with_claim(work: Workspace, event: MemberJoined | MemberUpdated, before: Customer, code: str) -> Customer:
    """Attribute a member to the owner of a code, or let it wait with the code until the owner is known."""
    customer = customers.with_claim(before, code, event.time)
    if customer.claimed_code != code or customer.referrer is not None:
        return customer
    if before.referrer is not None:
        work.add(CUSTOMER_COUNTS, (customer.community,), referrals=-1)
    row = work.get(CODES, customer.community, code)
    if row.member_id is None:
        work.put(CODES, referrals.with_waiting(row, customer.member_id))
        return customer
    return _attributed(work, event, customer, row.member_id, code)


def _attributed(
    work: Workspace, event: MemberJoined | MemberUpdated, customer: Customer, referrer: str, code: str
) -> Customer:
    work.add(CUSTOMER_COUNTS, (customer.community,), referrals=1)
    data = ReferralAttributedData(member_id=customer.member_id, referrer=referrer, code=code)
    key = (customer.member_id, referrer)
    work.emit(
        ReferralAttributed.caused_by(
            event, source=SOURCE, subject=customer.member_id, key=key, data=data, time=customer.claimed_at
        )
    )
    return customers.with_referrer(customer, referrer)


def _register(work: Workspace, event: MemberJoined | MemberUpdated, code: str, definition: CommunityDefinition) -> None:
    """Make a member the owner of its code, and attribute those who came with it before."""
    row = work.get(CODES, event.community, code)
    if row.member_id is not None:
        return
    work.put(CODES, referrals.with_owner(row, event.data.member_id))
    for member_id in row.waiting:
        referee = work.get(CUSTOMERS, event.community, member_id)
        if referee.claimed_code == code and referee.referrer is None:
            _keep_joined(work, event, _attributed(work, event, referee, event.data.member_id, code), definition)


def _keep_joined(
    work: Workspace, event: MemberJoined | MemberUpdated, customer: Customer, definition: CommunityDefinition
) -> None:
    """Keep a customer whose joining or referrer changed, and ask again who earns on the orders that are open."""
    for ref in customer.open_orders:
        before = work.get(ORDERS, customer.community, *ref)
        customer, after = _with_commission(customer, before, definition)
        book(work, event, before, after, TransactionKind.COMMISSION_HOLD)
    work.put(CUSTOMERS, customer)

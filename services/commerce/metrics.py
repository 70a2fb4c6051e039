"""Commerce in figures: gauges set from the store, and counters of what batches did.

Money is in minor units of the community's currency; divided by 10 to the power of ``currency_digits`` it is in major
units.
"""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.commerce import store
from services.commerce.domain.ledger import AccountKind
from services.commerce.domain.orders import OrderState
from services.commerce.store import Totals
from shequn.contracts.commerce import OrderPaid, OrderRefunded, PaymentParked
from shequn.contracts.definitions import CommunityDefinition
from shequn.contracts.envelope import Envelope
from shequn.runtime.store.types import Connection
from shequn.runtime.telemetry import replace_children


class Communities(Protocol):
    """The definitions in force, by community."""

    @property
    def communities(self) -> tuple[str, ...]:
        """The communities that have one."""
        ...

    def current(self, community: str) -> CommunityDefinition:
        """Give a community's."""
        ...


class CommerceMetrics:
    """The metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics."""

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"shequn_commerce_{name}", text, ("community", *labels), registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"shequn_commerce_{name}", text, ("community", *labels), registry=registry)

        self.orders_accepted = counter("orders_accepted", "Orders that were accepted", "product")
        self.parkings = counter("parkings", "Payments that were parked", "reason")
        self.refunds_booked = counter("refunds_booked", "Refunds of accepted orders")
        self.revenue = gauge("revenue_minor", "Prices of accepted orders, refunds not deducted", "product")
        self.refunds = gauge("refunds_minor", "Prices that went back", "product")
        self.orders_sold = gauge("orders_sold", "Accepted orders, refunded ones among them", "product")
        self.orders_paid = gauge("orders_paid", "Orders of which nothing went back")
        self.orders_part_refunded = gauge("orders_part_refunded", "Orders of which a part went back")
        self.orders_refunded = gauge("orders_refunded", "Payments that went back as a whole")
        self.refunds_ahead = gauge("orders_awaiting_payment", "Refunds whose payment is not known yet, by order")
        self.payments_parked = gauge("payments_parked", "Payments that wait for a person", "reason")
        self.parked = gauge("parked_minor", "Money that waits for a person", "reason")
        self.owed_overpaid = gauge("owed_overpaid_minor", "Paid above the price, owed back")
        self.over_refunded = gauge("over_refunded_minor", "Gone back beyond the payment, to be claimed")
        self.commissions_held = gauge("commissions_held_minor", "Commissions held for referrers")
        self.customers = gauge("customers", "Members with an accepted order")
        self.repeat_customers = gauge("repeat_customers", "Members with two accepted orders or more")
        self.referrals = gauge("referrals", "Members whose referrer is known")
        self.seats_sold = gauge("seats_sold", "Sold seats of products that can sell out", "product", "tier")
        self.currency_digits = gauge(
            "currency_digits", "Digits of the currency's minor unit, by the definition in force"
        )
        self.trial_balance = gauge("trial_balance_minor", "Sum of all accounts, the currencies' amounts added: 0")

    def count(self, emitted: Sequence[Envelope]) -> None:
        """Count what a batch emitted."""
        accepted: Tally[tuple[str, str]] = Tally()
        parked: Tally[tuple[str, str]] = Tally()
        refunded: Tally[str] = Tally()
        for event in emitted:
            if isinstance(event, OrderPaid):
                accepted[event.community, event.data.product] += 1
            elif isinstance(event, PaymentParked):
                parked[event.community, event.data.reason.value] += 1
            elif isinstance(event, OrderRefunded):
                refunded[event.community] += 1
        for (community, product), times in accepted.items():
            self.orders_accepted.labels(community, product).inc(times)
        for (community, reason), times in parked.items():
            self.parkings.labels(community, reason).inc(times)
        for community, times in refunded.items():
            self.refunds_booked.labels(community).inc(times)

    def show(self, totals: Totals) -> None:
        """Set all gauges from the totals."""
        self._show_money(totals.balances)
        self._show_orders(totals.orders)
        replace_children(self.orders_sold, {(name, product): sold for (name, product), sold in totals.sales.items()})
        replace_children(self.customers, {(name,): counts[0] for name, counts in totals.customers.items()})
        replace_children(self.repeat_customers, {(name,): counts[1] for name, counts in totals.customers.items()})
        replace_children(self.referrals, {(name,): counts[2] for name, counts in totals.customers.items()})
        replace_children(
            self.seats_sold,
            {
                (community, product, str(tier)): sold
                for (community, product), tiers in totals.seats.items()
                for tier, sold in enumerate(tiers, 1)
            },
        )

    def show_currencies(self, definitions: Communities) -> None:
        """Show the digits of every community's currency."""
        current = [definitions.current(name) for name in definitions.communities]
        replace_children(self.currency_digits, {(each.community,): each.currency_digits for each in current})

    def _show_money(self, balances: Mapping[tuple[str, str, str], int]) -> None:
        debits, by_currency = Tally[tuple[str, str]](), Tally[tuple[str, str]]()
        for (community, account, currency), minor in balances.items():
            debits[community, account] += minor
            by_currency[community, currency] += minor
        trial = Tally[tuple[str, ...]]()
        for (community, _), minor in by_currency.items():
            trial[community,] += abs(minor)
        replace_children(self.trial_balance, dict(trial))
        replace_children(self.revenue, _by_owner(debits, AccountKind.REVENUE, -1))
        replace_children(self.refunds, _by_owner(debits, AccountKind.REFUNDS, 1))
        replace_children(self.parked, _by_owner(debits, AccountKind.PARKED, -1))
        replace_children(self.owed_overpaid, _of_kind(debits, AccountKind.OWED_OVERPAID, -1))
        replace_children(self.over_refunded, _of_kind(debits, AccountKind.OVER_REFUNDED, 1))
        replace_children(self.commissions_held, _of_kind(debits, AccountKind.COMMISSION_HELD, -1))

    def _show_orders(self, orders: Mapping[tuple[str, str, str], int]) -> None:
        gauges = {
            OrderState.PAID: self.orders_paid,
            OrderState.PART_REFUNDED: self.orders_part_refunded,
            OrderState.REFUNDED: self.orders_refunded,
            OrderState.AWAITING_PAYMENT: self.refunds_ahead,
        }
        for state, gauge in gauges.items():
            replace_children(gauge, {(name,): count for (name, at, _), count in orders.items() if at == state})
        replace_children(
            self.payments_parked,
            {(name, why): count for (name, at, why), count in orders.items() if at == OrderState.PARKED},
        )


class CommerceExporter:
    """Sets the gauges from the store and the definitions in force."""

    def __init__(self, metrics: CommerceMetrics, definitions: Communities) -> None:
        """Prepare."""
        self._metrics = metrics
        self._definitions = definitions

    async def refresh(self, connection: Connection) -> None:
        """Read the totals and show them."""
        self._metrics.show(await store.read_totals(connection))
        self._metrics.show_currencies(self._definitions)


def _by_owner(debits: Mapping[tuple[str, str], int], kind: AccountKind, sign: int) -> dict[tuple[str, ...], float]:
    prefix = f"{kind.value}:"
    return {
        (community, account.removeprefix(prefix)): sign * minor
        for (community, account), minor in debits.items()
        if account.startswith(prefix)
    }


def _of_kind(debits: Mapping[tuple[str, str], int], kind: AccountKind, sign: int) -> dict[tuple[str, ...], float]:
    return {(community,): sign * minor for (community, account), minor in debits.items() if account == kind.value}

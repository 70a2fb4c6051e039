"""Commerce in figures."""

import pytest
from prometheus_client import CollectorRegistry

from services.commerce.metrics import CommerceMetrics
from services.commerce.store import Totals
from shequn.testing.memory import MemoryBook
from tests.unit.commerce.shop import CLUB, Shop, definition, paid, refunded

TOTALS = Totals(
    balances={
        (CLUB, "provider:stripe", "CNY"): 1_200,
        (CLUB, "revenue:course-low", "CNY"): -1_980,
        (CLUB, "refunds:course-low", "CNY"): 790,
        (CLUB, "owed:overpaid", "CNY"): -10,
        (CLUB, "parked:sold-out", "CNY"): -20,
        (CLUB, "over-refunded", "CNY"): 20,
        (CLUB, "commission-expense", "CNY"): 198,
        (CLUB, "commission-payable:held", "CNY"): -198,
        (CLUB, "provider:stripe", "USD"): 7,
        (CLUB, "parked:wrong-currency", "USD"): -7,
    },
    orders={
        (CLUB, "paid", ""): 5,
        (CLUB, "part-refunded", ""): 4,
        (CLUB, "refunded", ""): 3,
        (CLUB, "awaiting-payment", ""): 2,
        (CLUB, "parked", "sold-out"): 1,
    },
    sales={(CLUB, "course-low"): 9},
    customers={CLUB: (8, 3, 2)},
    seats={(CLUB, "hall"): [30, 5]},
)


class Book(MemoryBook):
    communities = (CLUB,)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


class TestGauges:
    @pytest.mark.parametrize(
        ("name", "labels", "value"),
        [
            ("revenue_minor", {"product": "course-low"}, 1_980),
            ("refunds_minor", {"product": "course-low"}, 790),
            ("orders_sold", {"product": "course-low"}, 9),
            ("orders_paid", {}, 5),
            ("orders_part_refunded", {}, 4),
            ("orders_refunded", {}, 3),
            ("orders_awaiting_payment", {}, 2),
            ("payments_parked", {"reason": "sold-out"}, 1),
            ("parked_minor", {"reason": "sold-out"}, 20),
            ("owed_overpaid_minor", {}, 10),
            ("over_refunded_minor", {}, 20),
            ("commissions_held_minor", {}, 198),
            ("customers", {}, 8),
            ("repeat_customers", {}, 3),
            ("referrals", {}, 2),
            ("seats_sold", {"product": "hall", "tier": "2"}, 5),
            ("trial_balance_minor", {}, 0),
        ],
    )
    def test_show_the_totals(self, registry: CollectorRegistry, name: str, labels: dict[str, str], value: int) -> None:
        CommerceMetrics(registry).show(TOTALS)
        assert registry.get_sample_value(f"shequn_commerce_{name}", {"community": CLUB, **labels}) == value

    def test_show_an_imbalance_of_one_currency_against_another(self, registry: CollectorRegistry) -> None:
        balances = {(CLUB, "provider:stripe", "CNY"): 5, (CLUB, "provider:stripe", "USD"): -5}
        CommerceMetrics(registry).show(Totals(balances, {}, {}, {}, {}))
        assert registry.get_sample_value("shequn_commerce_trial_balance_minor", {"community": CLUB}) == 10

    @pytest.mark.parametrize("digits", [0, 2, 3])
    def test_show_the_digits_of_the_currency_in_force(self, registry: CollectorRegistry, digits: int) -> None:
        club = definition().model_copy(update={"currency_digits": digits})
        CommerceMetrics(registry).show_currencies(Book([club]))
        assert registry.get_sample_value("shequn_commerce_currency_digits", {"community": CLUB}) == digits


class TestCounters:
    def test_count_what_a_batch_emitted(self, registry: CollectorRegistry) -> None:
        shop, metrics = Shop(), CommerceMetrics(registry)
        metrics.count(shop.tell(paid("p1"), paid("p2", "ghost"), refunded("p1")))
        labels = {"community": CLUB}
        assert (
            registry.get_sample_value("shequn_commerce_orders_accepted_total", labels | {"product": "course-low"}) == 1
        )
        assert registry.get_sample_value("shequn_commerce_parkings_total", labels | {"reason": "unknown-product"}) == 1
        assert registry.get_sample_value("shequn_commerce_refunds_booked_total", labels) == 1

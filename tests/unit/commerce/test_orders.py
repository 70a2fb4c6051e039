"""Payments and refunds: states, money and rights."""

from datetime import timedelta

import pytest

from services.commerce.domain.orders import ContradictionError, OrderState
from services.commerce.tables import CUSTOMER_COUNTS, CUSTOMERS, SALES, STOCK
from shequn.contracts.commerce import (
    EntitlementGranted,
    EntitlementRevoked,
    OrderPaid,
    OrderRefunded,
    ParkReason,
    PaymentParked,
)
from shequn.runtime.failures import UnknownCommunityError
from tests.unit.commerce.shop import CLUB, LOW, LOW_MINOR, Shop, definition, paid, refunded


class TestPayment:
    def test_makes_a_paid_order(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"))
        assert shop.order("p1").state == OrderState.PAID

    def test_is_booked_as_revenue(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"))
        assert shop.balances() == {"provider:stripe": LOW_MINOR, "revenue:course-low": -LOW_MINOR}

    def test_tells_of_order_and_right(self) -> None:
        shop = Shop()
        told = [type(event) for event in shop.tell(paid("p1"))]
        assert told == [OrderPaid, EntitlementGranted]

    def test_told_twice_counts_once(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"))
        assert shop.tell(paid("p1")) == []
        assert shop.balances()["revenue:course-low"] == -LOW_MINOR

    def test_told_twice_in_one_batch_counts_once(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"), paid("p1"))
        assert shop.payments.counters(SALES) == {(CLUB, "course-low"): {"orders": 1}}

    def test_told_again_with_its_product_buys_it(self) -> None:
        shop = Shop()
        shop.tell(paid("p1", None))
        shop.tell(paid("p1"))
        assert shop.order("p1").state == OrderState.PAID
        assert shop.balances() == {"provider:stripe": LOW_MINOR, "revenue:course-low": -LOW_MINOR}

    def test_that_contradicts_what_is_known_is_refused(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"))
        shop.tell(paid("p1", minor=LOW_MINOR + 1))
        assert [type(error) for error in shop.errors] == [ContradictionError]
        assert shop.order("p1").amount_minor == LOW_MINOR

    def test_above_the_price_owes_the_rest_back(self) -> None:
        shop = Shop()
        shop.tell(paid("p1", minor=1_000))
        assert shop.balances() == {"provider:stripe": 1_000, "revenue:course-low": -990, "owed:overpaid": -10}
        assert [data.overpaid_minor for data in shop.of_type(OrderPaid)] == [10]

    def test_of_a_free_product_moves_no_money(self) -> None:
        shop = Shop()
        shop.tell(paid("p1", "free-week", 0))
        assert shop.order("p1").state == OrderState.PAID
        assert shop.ledger() == []

    def test_in_an_unknown_community_is_refused(self) -> None:
        shop = Shop()
        shop.tell(paid("p1").model_copy(update={"community": "nowhere"}))
        assert [type(error) for error in shop.errors] == [UnknownCommunityError]

    def test_with_the_longest_id_is_taken(self) -> None:
        shop = Shop()
        shop.tell(paid("p" * 256))
        assert shop.errors == []


class TestParkedPayment:
    @pytest.mark.parametrize(
        ("payment", "reason"),
        [
            (paid("p1", None), ParkReason.UNKNOWN_PRODUCT),
            (paid("p1", "ghost"), ParkReason.UNKNOWN_PRODUCT),
            (paid("p1", currency="USD"), ParkReason.WRONG_CURRENCY),
            (paid("p1", minor=989), ParkReason.UNDERPAID),
            (paid("p1", "camp-mid", 50_000), ParkReason.NOT_ELIGIBLE),
        ],
    )
    def test_waits_with_its_reason(self, payment: object, reason: ParkReason) -> None:
        shop = Shop()
        shop.tell(payment)  # type: ignore[arg-type]
        assert (shop.order("p1").state, shop.order("p1").reason) == (OrderState.PARKED, reason.value)
        assert [data.reason for data in shop.of_type(PaymentParked)] == [reason]
        assert shop.counts() == {("parked", reason.value): 1}

    def test_keeps_its_money_apart(self) -> None:
        shop = Shop()
        shop.tell(paid("p1", currency="USD"))
        assert shop.balances() == {"provider:stripe USD": LOW_MINOR, "parked:wrong-currency USD": -LOW_MINOR}

    def test_grants_no_right(self) -> None:
        shop = Shop()
        shop.tell(paid("p1", minor=989))
        assert shop.entitled() == set()

    def test_given_back_waits_no_more(self) -> None:
        shop = Shop()
        shop.tell(paid("p1", "ghost"), refunded("p1"))
        assert shop.order("p1").state == OrderState.REFUNDED
        assert shop.balances() == {}
        assert shop.of_type(OrderRefunded) == []

    def test_given_back_in_part_keeps_the_rest(self) -> None:
        shop = Shop()
        shop.tell(paid("p1", "ghost"), refunded("p1", 90))
        assert shop.order("p1").state == OrderState.PARKED
        assert shop.balances() == {"provider:stripe": 900, "parked:unknown-product": -900}


class TestRequiredPurchase:
    def test_promotes_what_waited_for_it(self) -> None:
        shop = Shop()
        shop.tell(paid("camp", "camp-mid", 50_000))
        told = [type(event) for event in shop.tell(paid("low"))]
        assert told == [OrderPaid, EntitlementGranted, OrderPaid, EntitlementGranted]
        assert shop.order("camp").state == OrderState.PAID
        assert shop.balances() == {
            "provider:stripe": 50_990,
            "revenue:course-low": -990,
            "revenue:camp-mid": -50_000,
        }

    def test_promotes_rung_by_rung(self) -> None:
        shop = Shop()
        shop.tell(paid("circle", "circle-high", 300_000))
        shop.tell(paid("camp", "camp-mid", 50_000))
        shop.tell(paid("low"))
        assert {order.state for order in shop.orders().values()} == {OrderState.PAID.value}

    def test_in_the_same_batch_counts(self) -> None:
        shop = Shop()
        shop.tell(paid("circle", "circle-high", 300_000), paid("camp", "camp-mid", 50_000), paid("low"))
        assert {order.state for order in shop.orders().values()} == {OrderState.PAID.value}

    def test_of_another_member_does_not_count(self) -> None:
        shop = Shop()
        shop.tell(paid("camp", "camp-mid", 50_000), paid("low", member="bob"))
        assert shop.order("camp").reason == ParkReason.NOT_ELIGIBLE.value

    def test_counts_although_it_was_refunded(self) -> None:
        shop = Shop()
        shop.tell(paid("low"), refunded("low"))
        shop.tell(paid("camp", "camp-mid", 50_000))
        assert shop.order("camp").state == OrderState.PAID

    def test_leaves_nothing_waiting(self) -> None:
        shop = Shop()
        shop.tell(paid("camp", "camp-mid", 50_000))
        shop.tell(paid("low"))
        customer = shop.payments.state(CUSTOMERS, CLUB, "ann")
        assert customer is not None
        assert (customer.waiting, customer.bought) == ([], ["course-low", "camp-mid"])


class TestRefund:
    def test_before_payment_waits_for_it(self) -> None:
        shop = Shop()
        assert shop.tell(refunded("p1")) == []
        assert shop.order("p1").state == OrderState.AWAITING_PAYMENT
        assert shop.balances() == {"provider:stripe": -LOW_MINOR, "unmatched-refunds": LOW_MINOR}

    def test_before_payment_leaves_no_right(self) -> None:
        shop = Shop()
        shop.tell(refunded("p1"))
        told = [type(event) for event in shop.tell(paid("p1"))]
        assert told == [OrderPaid, OrderRefunded]
        assert shop.balances() == {"revenue:course-low": -LOW_MINOR, "refunds:course-low": LOW_MINOR}

    def test_of_a_part_keeps_the_right(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"), refunded("p1", 100))
        assert shop.order("p1").state == OrderState.PART_REFUNDED
        assert shop.entitled() == {shop.order("p1").order_id}

    def test_of_all_parts_revokes_the_right(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"), refunded("p1", 100))
        told = [type(event) for event in shop.tell(refunded("p1", 890, refund_id="r2"))]
        assert told == [OrderRefunded, EntitlementRevoked]
        assert shop.order("p1").state == OrderState.REFUNDED

    def test_tells_the_sum_so_far(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"), refunded("p1", 100), refunded("p1", 890, refund_id="r2"))
        assert [(data.refunded_minor, data.whole) for data in shop.of_type(OrderRefunded)] == [
            (100, False),
            (990, True),
        ]

    def test_told_twice_counts_once(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"), refunded("p1", 100))
        assert shop.tell(refunded("p1", 100)) == []
        assert shop.order("p1").refunded_minor == 100

    def test_that_contradicts_what_is_known_is_refused(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"), refunded("p1", 100), refunded("p1", 101))
        assert [type(error) for error in shop.errors] == [ContradictionError]

    def test_beyond_the_payment_is_named(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"), refunded("p1", 1_000))
        assert (shop.order("p1").state, shop.order("p1").over_refunded_minor) == (OrderState.REFUNDED, 10)
        assert shop.balances() == {
            "provider:stripe": -10,
            "revenue:course-low": -990,
            "refunds:course-low": 990,
            "over-refunded": 10,
        }

    def test_returns_first_what_was_overpaid(self) -> None:
        shop = Shop()
        shop.tell(paid("p1", minor=1_000), refunded("p1", 10))
        assert shop.order("p1").state == OrderState.PAID
        assert shop.balances() == {"provider:stripe": 990, "revenue:course-low": -990}

    def test_in_another_currency_is_kept_apart(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"), refunded("p1", 100, currency="USD"))
        assert shop.order("p1").state == OrderState.PAID
        assert shop.balances()["unmatched-refunds USD"] == 100

    def test_of_nothing_takes_back_what_was_free(self) -> None:
        shop = Shop()
        shop.tell(paid("p1", "free-week", 0), refunded("p1", 0))
        assert shop.order("p1").state == OrderState.REFUNDED

    def test_of_nothing_leaves_a_paid_order_paid(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"), refunded("p1", 0))
        assert shop.order("p1").state == OrderState.PAID

    def test_gives_no_seat_back(self) -> None:
        shop = Shop(definition(LOW.model_copy(update={"quantity": 1})))
        shop.tell(paid("p1"), refunded("p1"), paid("p2", member="bob"))
        assert shop.order("p2").reason == ParkReason.SOLD_OUT.value


class TestSeatTiers:
    def test_sell_a_hundred_seats_for_85_000_and_refuse_the_next(self) -> None:
        shop = Shop()
        amounts = [50_000] * 30 + [100_000] * 71
        shop.tell_one_by_one(paid(f"p{n}", "hall", minor, member=f"m{n}") for n, minor in enumerate(amounts, 1))
        assert shop.balances()["revenue:hall"] == -8_500_000
        assert sorted(data.seat for data in shop.of_type(OrderPaid)) == list(range(1, 101))
        assert shop.order("p31").price_minor == 100_000
        assert shop.order("p101").reason == ParkReason.SOLD_OUT.value

    def test_sell_as_much_in_one_batch(self) -> None:
        shop = Shop()
        amounts = [100_000] * 80 + [50_000] * 40
        shop.tell(*[paid(f"p{n}", "hall", minor, member=f"m{n}") for n, minor in enumerate(amounts)])
        assert shop.balances()["revenue:hall"] == -8_500_000
        assert shop.counts() == {("paid", ""): 100, ("parked", "sold-out"): 20}

    def test_count_what_is_sold(self) -> None:
        shop = Shop()
        shop.tell(paid("p1", "hall", 50_000), paid("p2", "hall", 100_000))
        stock = shop.payments.state(STOCK, CLUB, "hall")
        assert stock is not None
        assert stock.sold == [1, 1]

    def test_leave_unlimited_products_uncounted(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"))
        assert shop.payments.states(STOCK) == {}


class TestCustomer:
    def test_with_a_second_order_repeats(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"), paid("p2"), paid("p3"), paid("p4", member="bob"))
        counts = shop.payments.counters(CUSTOMER_COUNTS)[CLUB,]
        assert (counts["customers"], counts["repeat_customers"]) == (2, 1)


class TestLedger:
    def test_numbers_the_transactions_of_an_order(self) -> None:
        shop = Shop()
        shop.tell(paid("p1"), refunded("p1", 100), refunded("p1", 50, refund_id="r2"))
        order_id = shop.order("p1").order_id
        ids = list(dict.fromkeys(line.transaction_id for line in shop.ledger()))
        assert ids == [f"{order_id}-1", f"{order_id}-2", f"{order_id}-3"]

    def test_says_when_the_fact_happened(self) -> None:
        shop = Shop()
        payment = paid("p1", at=timedelta(days=3))
        shop.tell(payment)
        assert {line.at for line in shop.ledger()} == {payment.time}

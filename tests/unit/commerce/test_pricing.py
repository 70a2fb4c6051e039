"""Prices and seats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.commerce.domain.pricing import Allotment, Price, Refusal, Stock, allot, price
from shequn.contracts.commerce import Ladder, ParkReason
from shequn.contracts.definitions.currency import Currency
from shequn.contracts.definitions.products import ProductDefinition, SeatTier
from tests.unit.commerce.shop import FREE, HALL, LOW

CNY = Currency("CNY", 2)


def limited(quantity: int) -> ProductDefinition:
    return LOW.model_copy(update={"quantity": quantity})


class TestQuote:
    @pytest.mark.parametrize(
        ("sold", "minor", "seat"),
        [
            ([], 50_000, 1),
            ([29], 50_000, 30),
            ([30], 100_000, 31),
            ([30, 0], 100_000, 31),
            ([30, 69], 100_000, 100),
            ([12, 70], 50_000, 13),
        ],
    )
    def test_names_the_first_seat_that_is_left(self, sold: list[int], minor: int, seat: int) -> None:
        quoted = price(HALL, sold, CNY)
        assert isinstance(quoted, Price)
        assert (quoted.minor, quoted.seat) == (minor, seat)

    def test_refuses_the_hundred_and_first_seat(self) -> None:
        quoted = price(HALL, [30, 70], CNY)
        assert isinstance(quoted, Refusal)
        assert quoted.reason == ParkReason.SOLD_OUT

    def test_explains_a_seat_in_both_languages(self) -> None:
        quoted = price(HALL, [30], CNY)
        assert isinstance(quoted, Price)
        assert quoted.explanation.en == "number 31 of 100; numbers 31–100 cost 1000.00 CNY each"
        assert quoted.explanation.zh == "第 31 份，共 100 份；第 31–100 份每份 1000.00 CNY"

    @pytest.mark.parametrize(
        ("currency", "words"),
        [(Currency("XOF", 0), "990 XOF"), (Currency("CNY", 2), "9.90 CNY"), (Currency("OMR", 3), "0.990 OMR")],
    )
    def test_names_the_price_with_the_digits_of_the_currency(self, currency: Currency, words: str) -> None:
        quoted = price(LOW, [], currency)
        assert isinstance(quoted, Price)
        assert quoted.explanation.en == f"the price is {words}"

    def test_has_no_seat_where_none_are_sold(self) -> None:
        quoted = price(LOW, [], CNY)
        assert isinstance(quoted, Price)
        assert (quoted.minor, quoted.seat, quoted.explanation.en) == (990, None, "the price is 9.90 CNY")

    def test_of_a_free_product_is_nothing(self) -> None:
        quoted = price(FREE, [], CNY)
        assert isinstance(quoted, Price)
        assert quoted.minor == 0

    def test_ends_with_the_quantity(self) -> None:
        assert isinstance(price(limited(2), [1], CNY), Price)
        assert isinstance(price(limited(2), [2], CNY), Refusal)

    def test_of_a_product_without_a_price_is_refused(self) -> None:
        unpriced = ProductDefinition(id="mystery", kind="goods", rung=Ladder.LOW)
        refusal = price(unpriced, [], CNY)
        assert isinstance(refusal, Refusal)
        assert refusal.reason == ParkReason.UNKNOWN_PRODUCT

    def test_quantity_cuts_the_last_tiers(self) -> None:
        small_hall = HALL.model_copy(update={"quantity": 31})
        assert isinstance(price(small_hall, [30], CNY), Price)
        assert isinstance(price(small_hall, [30, 1], CNY), Refusal)


class TestAllotment:
    @pytest.mark.parametrize(
        ("paid_minor", "price_minor", "seat"),
        [(50_000, 50_000, 1), (70_000, 50_000, 1), (100_000, 100_000, 31), (120_000, 100_000, 31)],
    )
    def test_takes_the_dearest_tier_that_is_covered(self, paid_minor: int, price_minor: int, seat: int) -> None:
        allotted = allot(HALL, Stock("club", "hall"), paid_minor, CNY)
        assert isinstance(allotted, Allotment)
        assert (allotted.price_minor, allotted.seat) == (price_minor, seat)

    def test_does_not_fall_to_another_tier(self) -> None:
        refusal = allot(HALL, Stock("club", "hall", [30, 5]), 50_000, CNY)
        assert refusal == Refusal(ParkReason.SOLD_OUT, "all 30 of hall at 500.00 CNY are sold")

    def test_of_too_little_is_refused(self) -> None:
        refusal = allot(HALL, Stock("club", "hall"), 49_999, CNY)
        assert refusal == Refusal(ParkReason.UNDERPAID, "499.99 CNY was paid; hall costs at least 500.00 CNY")

    def test_fills_tiers_of_one_price_in_order(self) -> None:
        tiers = (SeatTier(seats=1, price_minor=100), SeatTier(seats=1, price_minor=100))
        twins = HALL.model_copy(update={"seat_tiers": tiers})
        second = allot(twins, Stock("club", "hall", [1]), 100, CNY)
        assert isinstance(second, Allotment)
        assert (second.tier, second.seat) == (1, 2)

    @given(st.lists(st.sampled_from([40_000, 50_000, 70_000, 100_000, 150_000]), max_size=120))
    def test_never_gives_a_seat_twice(self, amounts: list[int]) -> None:
        stock, seats = Stock("club", "hall"), []
        for amount in amounts:
            allotted = allot(HALL, stock, amount, CNY)
            if isinstance(allotted, Allotment):
                stock = stock.with_sale(allotted.tier)
                seats.append(allotted.seat)
        assert len(seats) == len(set(seats)) == sum(stock.sold)
        assert all(seat is not None and 1 <= seat <= 100 for seat in seats)


class TestOpenPrice:
    TIP = LOW.model_copy(update={"price_minor": None, "open_price": True})

    @pytest.mark.parametrize("paid", [0, 1, 123_456])
    def test_is_what_the_buyer_pays(self, paid: int) -> None:
        allotment = allot(self.TIP, Stock("club", self.TIP.id), paid, CNY)
        assert isinstance(allotment, Allotment)
        assert (allotment.price_minor, allotment.seat) == (paid, None)

    def test_still_ends_with_the_quantity(self) -> None:
        two = self.TIP.model_copy(update={"quantity": 2})
        refused = allot(two, Stock("club", two.id, [2]), 500, CNY)
        assert isinstance(refused, Refusal)
        assert refused.reason == ParkReason.SOLD_OUT

    def test_is_quoted_in_words(self) -> None:
        quoted = price(self.TIP, [], CNY)
        assert isinstance(quoted, Price)
        assert quoted.explanation.en == "the buyer decides the price"

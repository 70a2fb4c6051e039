"""Lengths of time, amounts and clock times, exactly as written."""

from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.definitions.scalars import (
    UNITS,
    parse_clock,
    parse_duration,
    parse_number_test,
    parse_percentage,
    parse_window,
    to_minor,
)
from shequn.definitions.source import WrittenInt

from .conftest import Workshop


class TestALengthOfTime:
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("45s", timedelta(seconds=45)),
            ("90m", timedelta(minutes=90)),
            ("48h", timedelta(days=2)),
            ("2d", timedelta(days=2)),
            ("3d12h", timedelta(days=3, hours=12)),
            ("3d 12h", timedelta(days=3, hours=12)),
            ("2w", timedelta(days=14)),
            ("1mo", timedelta(days=30, hours=10)),
            ("12mo", timedelta(days=365)),
            ("1y", timedelta(days=365)),
        ],
    )
    def test_is_read(self, written: Any, expected: Any) -> None:
        assert parse_duration(written) == expected

    @pytest.mark.parametrize(
        "written", ["", "2", 2, "d", "2 days", "-2d", "2.5d", "0d", "101y", "2D", None, True, [1], "２d"]
    )
    def test_that_is_none_is_refused(self, written: Any) -> None:
        with pytest.raises(ValueError, match=r"length of time|years"):
            parse_duration(written)

    @given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from(sorted(UNITS))), min_size=1, max_size=3))
    def test_of_several_parts_is_their_sum(self, parts: list[tuple[int, str]]) -> None:
        total = sum((count * UNITS[unit] for count, unit in parts), timedelta())
        text = "".join(f"{count}{unit}" for count, unit in parts)
        if total <= timedelta(days=36_500):
            assert parse_duration(text) == total
        else:
            with pytest.raises(ValueError, match="100 years"):
                parse_duration(text)


class TestAPrice:
    @pytest.mark.parametrize(
        ("written", "minor"),
        [
            ("9.90", 990),
            ("9.9", 990),
            ("0.10", 10),
            ("3000", 300_000),
            ("0.01", 1),
            ("1e3", 100_000),
            ("99999999.99", 9_999_999_999),
        ],
    )
    def test_is_exact(self, folder: Workshop, written: Any, minor: int) -> None:
        folder.replace("products.yaml", "price: 9.90", f"price: {written}")
        product = folder.load().definition.product("bag")
        assert product is not None
        assert product.price_minor == minor

    @pytest.mark.parametrize(("currency", "minor"), [("CNY", 3_000_000), ("JPY", 30_000), ("KWD", 30_000_000)])
    def test_is_in_the_minor_unit_of_its_currency(self, folder: Workshop, currency: str, minor: int) -> None:
        folder.replace("products.yaml", "9.90", "30000").replace("community.yaml", "CNY", currency)
        product = folder.load().definition.product("bag")
        assert product is not None
        assert product.price_minor == minor

    @pytest.mark.parametrize("currency", ["CNY", "XOF", "ISK", "OMR", "IQD", "MGA"])
    def test_can_be_read_by_the_compiled_document_alone(self, folder: Workshop, currency: str) -> None:
        folder.replace("products.yaml", "9.90", "5000").replace("community.yaml", "CNY", currency)
        definition = folder.load().definition
        product = definition.product("bag")
        assert product is not None
        assert product.price_minor is not None
        assert definition.priced_in.major(product.price_minor) == 5_000

    def test_with_decimals_that_the_currency_lacks_is_refused(self, folder: Workshop) -> None:
        folder.replace("community.yaml", "CNY", "JPY")
        assert folder.problem().message == "9.90 has more decimals than the currency has (0)"

    @given(st.decimals(min_value=0, max_value=10**9, places=2))
    def test_loses_no_cent(self, amount: Decimal) -> None:
        minor = to_minor(amount, 2)
        assert minor is not None
        assert Decimal(minor) / 100 == amount

    def test_may_be_open(self, folder: Workshop) -> None:
        product = folder.replace("products.yaml", "price: 9.90", "price: open").load().definition.product("bag")
        assert product is not None
        assert (product.open_price, product.price_minor) == (True, None)

    def test_of_seats_rises_in_order(self, folder: Workshop) -> None:
        folder.replace("products.yaml", "price: 9.90", "seats: [{first: 30, price: 500}, {next: 70, price: 1000.50}]")
        product = folder.load().definition.product("bag")
        assert product is not None
        assert [(tier.seats, tier.price_minor) for tier in product.seat_tiers] == [(30, 50_000), (70, 100_050)]


class TestAPercentage:
    @pytest.mark.parametrize(
        ("written", "expected"), [("20%", 2_000), ("12.5 %", 1_250), ("0.01%", 1), ("100%", 10_000)]
    )
    def test_is_read(self, written: Any, expected: Any) -> None:
        assert parse_percentage(written) == expected

    @pytest.mark.parametrize("written", ["20", 20, Decimal("0.2"), "%", "20.555%", "-5%", "101%", None])
    def test_that_is_none_is_refused(self, written: Any) -> None:
        with pytest.raises(ValueError, match="is not a percentage"):
            parse_percentage(written)


class TestClockTimes:
    @pytest.mark.parametrize(("written", "expected"), [("20:00", time(20)), ("7:30", time(7, 30)), ("00:00", time(0))])
    def test_are_read(self, written: Any, expected: Any) -> None:
        assert parse_clock(written) == expected

    @pytest.mark.parametrize("written", ["24:00", "12:60", "12", 1200, None, "noon"])
    def test_that_are_none_are_refused(self, written: Any) -> None:
        with pytest.raises(ValueError, match="is not a clock time"):
            parse_clock(written)

    @pytest.mark.parametrize("written", ["23:30-06:30", "23:30 – 06:30", "23:30~6:30"])
    def test_make_windows_over_midnight(self, written: Any) -> None:
        window = parse_window(written)
        assert (window.start, window.end) == (time(23, 30), time(6, 30))


class TestAComparison:
    @pytest.mark.parametrize(
        ("written", "operator", "value"),
        [
            (">= 20", ">=", 20.0),
            (">=20", ">=", 20.0),
            ("< 0.5", "<", 0.5),
            ("== 3", "==", 3.0),
            (WrittenInt("3"), "==", 3.0),
        ],
    )
    def test_is_read(self, written: Any, operator: str, value: Any) -> None:
        test = parse_number_test(written)
        assert (test.operator, test.value) == (operator, value)

    @pytest.mark.parametrize("written", ["=> 20", "20", "about 20", "", None, True, [20]])
    def test_that_is_none_is_refused(self, written: Any) -> None:
        with pytest.raises(ValueError, match="is not a comparison"):
            parse_number_test(written)


class TestAnId:
    @pytest.mark.parametrize(
        ("written", "expected"), [('"-100123"', "-100123"), ("87654321", "87654321"), ("007", "007")]
    )
    def test_of_a_chat_is_the_text_as_written(self, folder: Workshop, written: Any, expected: Any) -> None:
        folder.replace("community.yaml", "chat: hall", f"chat: {written}")
        assert folder.load().definition.groups[0].chat == expected

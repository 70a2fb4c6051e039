"""Amounts have the digits that the definition document gives its currency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.definitions.currency import Currency
from tests.support.events import small_definition


class TestAnAmount:
    @pytest.mark.parametrize(
        ("minor", "currency", "words"),
        [
            (990, Currency("CNY", 2), "9.90 CNY"),
            (5, Currency("USD", 2), "0.05 USD"),
            (0, Currency("CNY", 2), "0.00 CNY"),
            (5_000, Currency("XOF", 0), "5000 XOF"),
            (12_500, Currency("OMR", 3), "12.500 OMR"),
            (-5, Currency("CNY", 2), "-0.05 CNY"),
            (10**15, Currency("CNY", 2), "10000000000000.00 CNY"),
        ],
    )
    def test_is_written_with_the_digits_of_its_currency(self, minor: int, currency: Currency, words: str) -> None:
        assert currency.in_words(minor) == words

    @given(st.integers(-(10**18), 10**18), st.integers(0, 4))
    def test_in_major_units_is_exact(self, minor: int, digits: int) -> None:
        assert Currency("CNY", digits).major(minor) * 10**digits == minor


class TestADocument:
    def test_says_what_prices_are_in(self) -> None:
        dinars = small_definition().model_copy(update={"currency": "KWD", "currency_digits": 3})
        assert dinars.priced_in == Currency("KWD", 3)

    def test_of_before_the_digits_has_two(self) -> None:
        stored = small_definition().model_dump(mode="json", exclude={"currency_digits"})
        assert CommunityDefinition.model_validate(stored) == small_definition()
        assert CommunityDefinition.model_validate(stored).priced_in == Currency("CNY", 2)

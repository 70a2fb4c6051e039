"""Hints name what exists, or nothing."""

import re

import pytest
from babel.numbers import get_currency_precision

from shequn.definitions.hints import _CURRENCY_NAMES, closest, currencies, currency_hint


class TestCurrencies:
    def test_are_those_people_pay_with(self) -> None:
        assert {"CNY", "HKD", "TWD", "USD", "EUR", "JPY", "KWD"} <= currencies()

    @pytest.mark.parametrize("code", ["YUN", "DEM", "CNX", "XXX", "XAU", "XTS"])
    def test_are_no_withdrawn_ones_and_no_metals(self, code: str) -> None:
        assert code not in currencies()

    def test_have_known_decimals(self) -> None:
        assert {get_currency_precision(code) for code in currencies()} <= {0, 2, 3}

    def test_with_a_usual_name_exist(self) -> None:
        assert set(_CURRENCY_NAMES.values()) <= currencies()


class TestACurrencyHint:
    @pytest.mark.parametrize("written", ["yuan", "rmb", "cnx", "yun", "gold", "kroner", "x", "", "ABCDEF", "元"])
    def test_names_an_existing_currency_or_an_example(self, written: str) -> None:
        code = re.search(r"[A-Z]{3}\b(?! 4217)", currency_hint(written).replace("ISO", ""))
        assert code is not None
        assert code[0] in currencies()


class TestClosest:
    def test_is_none_when_nothing_resembles_it(self) -> None:
        assert closest("umbrella", ["products.yaml", "community.yaml"]) is None

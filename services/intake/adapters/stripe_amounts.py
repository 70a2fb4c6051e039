"""Stripe's amounts in the minor units of our definitions.

Source: https://docs.stripe.com/currencies (zero-decimal, three-decimal and special currencies).
"""

from babel.numbers import get_currency_precision

from services.intake.adapters.documents import validated
from shequn.adapters.errors import MalformedError
from shequn.contracts.base import Money

# Digits after the point in Stripe's smallest unit; all other currencies have two.
_NO_DIGITS = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD JOD KWD OMR TND"


def money_of(amount: int, currency: str) -> Money:
    """Give an amount of Stripe's smallest units as money.

    ISK and UGX, for example, have no minor unit, but Stripe writes them with two digits.

    Args:
        amount: as Stripe writes it; not negative.
        currency: as Stripe writes it, in small letters.

    Raises:
        MalformedError: the amount is no whole number of the currency's minor unit, or beyond all measure.
    """
    code = currency.upper()
    digits = get_currency_precision(code) - _stripe_digits(code)
    minor, rest = (amount * 10**digits, 0) if digits >= 0 else divmod(amount, 10**-digits)
    if rest:
        raise MalformedError("data.object.amount", f"is no whole number of the smallest unit of {code}")
    return validated(Money, {"minor": minor, "currency": code}, "data.object.amount")


def _stripe_digits(code: str) -> int:
    if code in _NO_DIGITS:
        return 0
    return 3 if code in _THREE_DIGITS else 2

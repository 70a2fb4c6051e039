"""A community's currency: amounts of minor units as people read and compare them."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Currency:
    """The currency that a community sells in.

    Only for amounts in this currency. Of another one the digits are not known: such an amount is shown in minor units,
    with its code.

    Attributes:
        code: ISO 4217.
        digits: of the minor unit, as the definition document has them.
    """

    code: str
    digits: int

    def major(self, minor: int) -> Decimal:
        """Give an amount of minor units in major units: exact, with all digits of the currency."""
        return Decimal(minor).scaleb(-self.digits)

    def in_words(self, minor: int) -> str:
        """Write an amount of minor units with its currency: ``9.90 CNY``."""
        return f"{self.major(minor):f} {self.code}"

"""Values people write: lengths of time, prices, percentages, clock times. Read exactly; no float touches money."""

import re
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)

from shequn.contracts.definitions.values import ClockWindow
from shequn.definitions.source import WrittenInt

MONTH = timedelta(days=365) / 12
"""A month counts a twelfth of 365 days, 30 days 10 hours: so ``12mo`` is exactly a year, for every start date."""

UNITS: dict[str, timedelta] = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "mo": MONTH,
    "y": timedelta(days=365),
}
"""Units of lengths of time."""

_LONGEST = timedelta(days=365) * 100
_DURATION = re.compile(r"(?:\d{1,9}(?:mo|[smhdwy]))+", re.ASCII)
_DURATION_PART = re.compile(r"(\d{1,9})(mo|[smhdwy])", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)\s?%", re.ASCII)
_NUMBER_TEST = re.compile(r"(>=|<=|==|>|<)\s*(-?\d{1,12}(?:\.\d{1,6})?)", re.ASCII)
_AMOUNT_LIMIT = Decimal(10) ** 12
_WHOLE = 100
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_AMOUNT_DIGITS = 20
"""Stays below the 28 digits of decimal arithmetic, so that no digit is rounded away."""


def parse_duration(written: Any) -> timedelta:
    """Read ``2d``, ``90m``, ``3d12h`` or ``12mo``.

    Raises:
        ValueError: when it is not a positive length of time of at most 100 years.
    """
    if isinstance(written, timedelta):
        return written
    text = str(written).replace(" ", "") if isinstance(written, str | int) and not isinstance(written, bool) else ""
    if not _DURATION.fullmatch(text):
        hint = (
            f"write {text}d for days or {text}h for hours"
            if text.isdecimal() and text.isascii()
            else "write 90m, 2d, 3d12h or 12mo"
        )
        raise ValueError(f"{_quoted(written)} is not a length of time | {hint}")
    total = timedelta()
    for count, unit in _DURATION_PART.findall(text):
        if int(count) > _LONGEST / UNITS[unit]:
            raise ValueError(f"{text!r} is longer than 100 years | leave it out if it never ends")
        total += int(count) * UNITS[unit]
    if not timedelta() < total <= _LONGEST:
        raise ValueError(
            f"{text!r} is not between 1s and 100 years | write a positive length of time such as 90m or 2d"
        )
    return total


def parse_amount(written: Any) -> Decimal:
    """Read an amount in major units, exactly as written.

    Raises:
        ValueError: when it is not an amount of at least 0 and below 10¹².
    """
    if isinstance(written, str):
        raise ValueError(f"{written!r} is not an amount | write digits alone, without currency and quotes: 9.90")  # noqa: TRY004  # for pydantic
    if not isinstance(written, int | Decimal) or isinstance(written, bool):
        raise ValueError(f"{_quoted(written)} is not an amount | write digits: 9.90")  # noqa: TRY004  # for pydantic
    amount = Decimal(written)
    if len(amount.as_tuple().digits) > _AMOUNT_DIGITS:
        raise ValueError(f"{written} has too many digits for an amount | write what a buyer pays, in major units")
    if not amount.is_finite() or not 0 <= amount < _AMOUNT_LIMIT:
        raise ValueError(f"{written} is not an amount between 0 and 10¹² | write what a buyer pays, in major units")
    return amount


def to_minor(amount: Decimal, digits: int) -> int | None:
    """Give an amount in minor units; none when it has more decimals than the currency's ``digits``."""
    minor = amount.scaleb(digits)
    return int(minor) if minor == minor.to_integral_value() else None


def parse_percentage(written: Any) -> int:
    """Read ``20%`` or ``12.5%`` as hundredths of a per cent.

    Raises:
        ValueError: when it has no ``%``, more than two decimals, or is above 100 %.
    """
    match = _PERCENT.fullmatch(str(written).strip()) if isinstance(written, str) else None
    if match is None or Decimal(match[1]) > _WHOLE:
        raise ValueError(f"{_quoted(written)} is not a percentage up to 100 % | write 20% or 12.5%")
    return int(Decimal(match[1]) * 100)


def parse_clock(written: Any) -> time:
    """Read ``20:00``.

    Raises:
        ValueError: when it is not a clock time.
    """
    match = _CLOCK.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is None:
        raise ValueError(f'{_quoted(written)} is not a clock time | write "20:00"')
    return time(int(match[1]), int(match[2]))


def parse_window(written: Any) -> ClockWindow:
    """Read ``23:30-06:30``; it may span midnight.

    Raises:
        ValueError: when it is not two different clock times.
    """
    if isinstance(written, ClockWindow):
        return written
    parts = re.split(r"\s*[-–—~]\s*", written.strip()) if isinstance(written, str) else []
    if len(parts) != 2:  # noqa: PLR2004  # a start and an end
        raise ValueError(f'{_quoted(written)} is not a clock window | write "23:30-06:30"')
    start, end = parse_clock(parts[0]), parse_clock(parts[1])
    if start == end:
        raise ValueError(f'{written!r} starts and ends at once | write two different times: "23:30-06:30"')
    return ClockWindow(start=start, end=end)


@dataclass(frozen=True, slots=True)
class NumberTest:
    """A comparison with a number, as ``>= 20``."""

    operator: str
    value: float


def parse_number_test(written: Any) -> NumberTest:
    """Read ``>= 20`` or a plain number, which means equal.

    Raises:
        ValueError: when it is neither.
    """
    if isinstance(written, NumberTest):
        return written
    if isinstance(written, int | Decimal) and not isinstance(written, bool) and abs(Decimal(written)) < _AMOUNT_LIMIT:
        return NumberTest("==", float(written))
    match = _NUMBER_TEST.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is None:
        raise ValueError(f'{_quoted(written)} is not a comparison | write ">= 20", with one of >= <= > < ==')
    return NumberTest(match[1], float(match[2]))


class OneOrMany(BeforeValidator):
    """Annotates a tuple type: a value that is not a list is a list of one."""

    def __init__(self) -> None:
        """Wrap single values before validation."""
        super().__init__(lambda written: written if isinstance(written, list | tuple) else [written])

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Say that one item, or a list of them, may stand there."""
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


def as_written(value: Any) -> Any:
    """Give a whole number as its author wrote it: an id is a text, whether it is in quotes or not."""
    return value.text if isinstance(value, WrittenInt) else value


def is_name(written: object) -> bool:
    """Tell whether something is a name as :data:`Name` wants it."""
    return isinstance(written, str) and _NAME.fullmatch(written) is not None


def _quoted(value: Any) -> str:
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        return repr(str(value))
    return "this"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": r"^([0-9]+(mo|[smhdwy]) ?)+$", "examples": ["90m", "2d", "12mo"]}),
]
"""A length of time: ``90m``, ``2d``, ``3d12h``, ``12mo``."""

Amount = Annotated[
    Decimal, BeforeValidator(parse_amount), WithJsonSchema({"type": "number", "minimum": 0, "examples": [9.9, 3000]})
]
"""An amount of money in major units."""

Percentage = Annotated[
    int,
    BeforeValidator(parse_percentage),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,2})? ?%$", "examples": ["20%"]}),
]
"""A percentage, in hundredths of a per cent."""

Clock = Annotated[
    time, BeforeValidator(parse_clock), WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,2}:[0-9]{2}$"})
]
"""A clock time in the community's zone."""

Window = Annotated[
    ClockWindow,
    BeforeValidator(parse_window),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,2}:[0-9]{2} ?[-–—~] ?[0-9]{1,2}:[0-9]{2}$"}),
]
"""A daily window of clock time."""

NumberComparison = Annotated[
    NumberTest,
    BeforeValidator(parse_number_test),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": r"^(>=|<=|==|>|<) *-?[0-9]+(\.[0-9]+)?$"}, {"type": "number"}]}
    ),
]
"""A comparison with a number: ``>= 20``."""

Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]
"""A whole number of at least 1."""

Name = Annotated[str, StringConstraints(pattern=rf"^{_NAME.pattern}$")]
"""A name an operator chose: lower case letters, digits, ``-`` and ``_``."""

Words = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=128)], ...], Field(min_length=1), OneOrMany()
]
"""One word, or a list of words."""

Names = Annotated[tuple[Name, ...], Field(min_length=1), OneOrMany()]
"""One name, or a list of names."""

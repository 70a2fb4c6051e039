from datetime import UTC, datetime, timedelta, timezone

import pytest

from shequn.adapters import AHEAD, EARLIEST, require_time
from shequn.adapters.errors import MalformedError

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def refusal(time: datetime, ahead: timedelta = AHEAD) -> str:
    with pytest.raises(MalformedError) as refused:
        require_time(time, "time", now=NOW, ahead=ahead)
    assert refused.value.field == "time"
    return refused.value.problem


@pytest.mark.parametrize("time", [EARLIEST, NOW, NOW + AHEAD, (NOW + AHEAD).astimezone(timezone(timedelta(hours=14)))])
def test_a_time_within_the_bounds_is_taken(time: datetime) -> None:
    require_time(time, "time", now=NOW, ahead=AHEAD)


@pytest.mark.parametrize(
    "time",
    [
        NOW + AHEAD + SECOND,
        datetime(2100, 1, 1, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))),
    ],
)
def test_a_time_too_far_ahead_is_refused_and_says_what_to_do(time: datetime) -> None:
    assert "correct the sender's clock or time zone" in refusal(time)


@pytest.mark.parametrize(
    "time",
    [
        EARLIEST - SECOND,
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    ],
)
def test_a_time_before_1990_is_refused_and_says_what_to_do(time: datetime) -> None:
    assert "correct the sender's clock" in refusal(time)


def test_the_bound_is_the_operators() -> None:
    require_time(NOW + SECOND, "time", now=NOW, ahead=SECOND)
    assert refusal(NOW + SECOND, ahead=timedelta(0))

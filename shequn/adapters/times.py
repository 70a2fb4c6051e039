"""Which times an event from outside may have."""

from datetime import UTC, datetime, timedelta

from shequn.adapters.errors import MalformedError

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Nothing that a community does is older. What claims to be comes from a clock that was never set (1970), or from
seconds that were taken for milliseconds (January 1970, too)."""

AHEAD = timedelta(days=1)
"""How far an event's time may be ahead of our clock, unless the operator says otherwise.

Platforms' clocks are minutes off, and a local time that is sent as UTC up to 14 hours ahead. More than that is a
mistake that would stay: a member counts as active until that day has come.
"""

_HOUR = timedelta(hours=1)

MOST_AHEAD = timedelta(days=366)
"""The most that an operator may allow. Windows, terms and local dates that are reckoned from a time still exist."""


def require_time(time: datetime, field: str, *, now: datetime, ahead: timedelta) -> None:
    """Check the time of an event.

    Args:
        time: when the event is said to have happened.
        field: where that stands in what came in.
        now: the moment of acceptance, by the system's clock.
        ahead: how far after it the time may be.

    Raises:
        MalformedError: it lies before 1990, or too far ahead.
    """
    if time < EARLIEST:
        raise MalformedError(field, f"lies before {EARLIEST:%Y}; correct the sender's clock, or the unit of its times")
    if time - now > ahead:
        raise MalformedError(
            field,
            f"lies more than {ahead / _HOUR:g} hours after now, {now:%Y-%m-%dT%H:%M:%SZ}; correct the sender's clock "
            "or time zone, or send it when it has happened",
        )

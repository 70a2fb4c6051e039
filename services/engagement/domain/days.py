"""Days of a community: calendar days in its own zone."""

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo


def community_day(at: datetime, timezone: str) -> date:
    """Give the calendar day of a moment in the zone ``timezone`` (IANA name).

    Raises:
        zoneinfo.ZoneInfoNotFoundError: when there is no such zone.
    """
    return at.astimezone(_zone(timezone)).date()


def day_start(at: datetime, timezone: str) -> datetime:
    """Give the first moment of the calendar day that ``at`` lies in."""
    return _first_moment(community_day(at, timezone), timezone)


def month_start(at: datetime, timezone: str) -> datetime:
    """Give the first moment of the calendar month that ``at`` lies in."""
    return _first_moment(community_day(at, timezone).replace(day=1), timezone)


def _first_moment(day: date, timezone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=_zone(timezone))


# ZoneInfo keeps its own cache, but a look-up there costs as much as the whole conversion.
_zone = lru_cache(maxsize=None)(ZoneInfo)

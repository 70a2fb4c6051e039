"""Time as an argument: the real clock, or a fast one for rehearsals.

A scaled clock lets a whole stack live through thirty days in a minute: every process maps real time to virtual time by
the same line, so they agree without talking.
"""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from shequn.runtime.failures import ConfigError

_SCALED = re.compile(r"^scaled:(?P<real>[^/]+)/(?P<virtual>[^/]+)/(?P<factor>[0-9.]+)$")


class Clock(Protocol):
    """Tells the time of the world that the system works in."""

    def now(self) -> datetime:
        """Give the present moment, aware, in UTC."""
        ...

    def real_seconds(self, span: timedelta) -> float:
        """Give how long a span of this clock lasts for a person, in seconds."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The real clock."""

    def now(self) -> datetime:
        """Give the present moment."""
        return datetime.now(UTC)

    def real_seconds(self, span: timedelta) -> float:
        """Give the span itself, in seconds."""
        return span.total_seconds()


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """A clock that runs ``factor`` times as fast, and shows ``virtual`` when the real clock shows ``real``."""

    real: datetime
    virtual: datetime
    factor: float

    def now(self) -> datetime:
        """Give the present virtual moment."""
        return self.virtual + (datetime.now(UTC) - self.real) * self.factor

    def real_seconds(self, span: timedelta) -> float:
        """Give how long a virtual span really lasts, in seconds."""
        return span.total_seconds() / self.factor

    def __str__(self) -> str:
        return f"scaled:{self.real.isoformat()}/{self.virtual.isoformat()}/{self.factor}"


def parse_clock(setting: str) -> Clock:
    """Read the setting ``SHEQUN_CLOCK``: ``real``, or ``scaled:REAL/VIRTUAL/FACTOR`` with ISO times.

    Raises:
        ConfigError: when it is neither.
    """
    if setting == "real":
        return SystemClock()
    wrong = ConfigError(
        f"SHEQUN_CLOCK is {setting!r}; write `real`, or `scaled:REAL/VIRTUAL/FACTOR` with ISO times and a number"
    )
    match = _SCALED.match(setting)
    if match is None:
        raise wrong
    try:
        real, virtual = (datetime.fromisoformat(match[name]) for name in ("real", "virtual"))
        clock = ScaledClock(real.astimezone(UTC), virtual.astimezone(UTC), float(match["factor"]))
    except ValueError:
        raise wrong from None
    if clock.factor <= 0:
        raise ConfigError(f"SHEQUN_CLOCK has the factor {clock.factor}; it must be above 0")
    return clock


def stopwatch() -> float:
    """Give a number of seconds that only differences of mean something."""
    return time.perf_counter()

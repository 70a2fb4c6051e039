"""What may hold back a send: consent, quiet hours in the member's zone, caps in sliding windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flows.engine.facts import MemberFacts
from shequn.contracts.definitions.funnel import Guards
from shequn.contracts.definitions.values import ClockWindow

DAY = timedelta(hours=24)
WEEK = timedelta(hours=168)

_MAX_ROUNDS = 64
"""Quiet hours and caps push each other at most a few times; a window that never opens ends here as blocked."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """A send must not happen now.

    Attributes:
        reason: ``consent``, ``consent-unknown``, ``quiet``, ``cap-day`` or ``cap-week``.
        until: when the guards let go; none when no time is known.
        why: for a person.
    """

    reason: str
    until: datetime | None
    why: str


def zone_of(timezone: str | None, default: str) -> ZoneInfo:
    """Give the member's zone, or the community's where the member's is missing or unknown."""
    try:
        return ZoneInfo(timezone or default)
    except (ValueError, OSError, KeyError):
        return ZoneInfo(default)


def check_send(
    guards: Guards, facts: MemberFacts, sends: Sequence[datetime], now: datetime, timezone: str
) -> Blocked | None:
    """Tell what blocks a send now; none when nothing does.

    Args:
        guards: the funnel's guards.
        facts: of the member.
        sends: earlier sends of the funnel to the member.
        now: the moment of sending.
        timezone: the community's zone.
    """
    if guards.consent is not None and guards.consent not in facts.profile.consents:
        if not facts.profile.known:
            return Blocked("consent-unknown", None, "the member's joining has not arrived, so consent is not known")
        return Blocked("consent", None, f"the member has not consented to {guards.consent!r}")
    zone = zone_of(facts.profile.timezone, timezone)
    first: tuple[str, str] | None = None
    moment = now
    for _ in range(_MAX_ROUNDS):
        block = _quiet(guards.quiet, moment, zone) or _capped(guards, sends, moment)
        if block is None:
            break
        first = first or (block.reason, block.why)
        moment = block.until or moment
    return None if first is None else Blocked(first[0], moment, first[1])


def quiet_until(window: ClockWindow, moment: datetime, zone: ZoneInfo) -> datetime:
    """Give the first moment from ``moment`` on whose clock time in ``zone`` is outside the window.

    Where the clock is set forward over the window's end, it is the end counted on the old clock.
    """
    local = moment.astimezone(zone)
    if not window.contains(local.time()):
        return moment
    ends = (
        datetime.combine(local.date() + timedelta(days=day), window.end, zone).replace(fold=fold)
        for day in (0, 1, 2)
        for fold in (0, 1)
    )
    # Compared in UTC: two times of one zone would compare by their clock faces.
    return min(
        end
        for end in (end.astimezone(moment.tzinfo) for end in ends)
        if end > moment and not window.contains(end.astimezone(zone).time())
    )


def _quiet(window: ClockWindow | None, moment: datetime, zone: ZoneInfo) -> Blocked | None:
    if window is None:
        return None
    until = quiet_until(window, moment, zone)
    if until == moment:
        return None
    clock = moment.astimezone(zone).time()
    return Blocked(
        "quiet", until, f"{clock:%H:%M} in {zone.key} is in quiet hours {window.start:%H:%M}-{window.end:%H:%M}"
    )


def _capped(guards: Guards, sends: Sequence[datetime], moment: datetime) -> Blocked | None:
    cap = guards.at_most
    return _full(sends, moment, cap.per_day, DAY, "day") or _full(sends, moment, cap.per_week, WEEK, "week")


def _full(sends: Sequence[datetime], moment: datetime, cap: int | None, window: timedelta, name: str) -> Blocked | None:
    if cap is None:
        return None
    recent = sorted(at for at in sends if at > moment - window)
    if len(recent) < cap:
        return None
    return Blocked(f"cap-{name}", recent[-cap] + window, f"{len(recent)} sends in the last {name}, at most {cap}")

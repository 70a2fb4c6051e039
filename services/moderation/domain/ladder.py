"""The ladder: what the first offence brings, what the second.

What was decided stays decided. An offence that becomes known late counts from the member's latest strike on, not from
when it was posted, and it takes the next rung; :class:`Strike` keeps both times, so the record shows it.

What is remembered of a member is bounded, however many offences there are: beyond the last rung only their number
matters.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter

from shequn.contracts.definitions.rules import LadderRule
from shequn.contracts.ids import action_id
from shequn.contracts.moderation import Rung

KEPT = 16
"""How many strikes of a member are kept one by one. It bounds memory and time, not what is decided: a ladder of so many
rungs is climbed exactly, and a member who breaks rules in several groups at once still has each burst recognised."""

_DAY = timedelta(days=1)
_BY_AGE = attrgetter("counts_from", "posted", "group", "message_id")


@dataclass(frozen=True, slots=True)
class Offence:
    """A message that broke a rule.

    Attributes:
        check: the check that decided.
        posted: when the message was posted.
    """

    group: str
    message_id: str
    check: str
    posted: datetime


@dataclass(frozen=True, slots=True)
class Strike:
    """An offence that counts.

    Attributes:
        counts_from: from when on it counts; later than ``posted`` when it became known late.
    """

    group: str
    message_id: str
    check: str
    posted: datetime
    counts_from: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ladder remembers of a member in a community.

    Attributes:
        strikes: the latest strikes, in any order; never more than :data:`KEPT` after :func:`settle`.
        earlier: how many came before them, by the day (UTC) from which on they count.
        told_at: from when on the strike counts that the latest letter was about; none when there was no letter.
    """

    strikes: tuple[Strike, ...] = ()
    earlier: Mapping[date, int] = field(default_factory=dict)
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Where an offence leads.

    Attributes:
        strike: the new strike.
        standing: what to remember of the member from now on.
        strikes: unexpired strikes of the member in the community, the new one included. Beyond :data:`KEPT` it is
            exact to the day: a strike may count until the end of the day on which it expires.
        rung: what to do; none when the ladder has no rungs.
        has_letter: whether the member is told of it.
    """

    strike: Strike
    standing: Standing
    strikes: int
    rung: Rung | None
    has_letter: bool


def climb(standing: Standing, offence: Offence, rule: LadderRule, burst: timedelta) -> Step | None:
    """Count an offence and take the rung for it.

    Each rung has its letter. Beyond the last one a letter says nothing new while the member may still appeal against
    what the latest said, so there is one per time to appeal, however many offences there are.

    Args:
        standing: what is remembered of the member.
        offence: the new one.
        rule: the ladder of the group it happened in.
        burst: offences that the same check found in one group closer together than this are one offence: nobody is
            warned for what was posted before the reminder could be read. Zero makes each one count.

    Returns:
        The step, or none when the offence adds nothing: its message has a strike already, or it belongs to a burst.
    """
    known = standing.strikes
    if any(_same_fact(strike, offence) or _same_burst(strike, offence, burst) for strike in known):
        return None
    counts_from = max([offence.posted, *(strike.counts_from for strike in known)])
    strike = Strike(offence.group, offence.message_id, offence.check, offence.posted, counts_from)
    unexpired = _unexpired(standing, counts_from, rule.strikes_expire)
    strikes = len(unexpired.strikes) + sum(unexpired.earlier.values()) + 1
    rung = Rung(rule.rungs[min(strikes, len(rule.rungs)) - 1]) if rule.rungs else None
    has_letter = rung is not None and (strikes <= len(rule.rungs) or _may_tell_again(standing, counts_from, rule))
    settled = settle(unexpired, KEPT - 1)
    after = replace(
        settled, strikes=(*settled.strikes, strike), told_at=counts_from if has_letter else standing.told_at
    )
    return Step(strike, after, strikes, rung, has_letter)


def settle(standing: Standing, keep: int = KEPT) -> Standing:
    """Keep the ``keep`` latest strikes one by one; of those before them, how many there were on each day."""
    if len(standing.strikes) <= keep:
        return standing
    by_age = sorted(standing.strikes, key=_BY_AGE)
    cut = len(by_age) - keep
    earlier = Counter(standing.earlier)
    earlier.update(strike.counts_from.astimezone(UTC).date() for strike in by_age[:cut])
    return replace(standing, strikes=tuple(by_age[cut:]), earlier=dict(earlier))


def _unexpired(standing: Standing, now: datetime, expire: timedelta) -> Standing:
    kept = tuple(strike for strike in standing.strikes if now - strike.counts_from < expire)
    if len(kept) < len(standing.strikes):
        # The earlier ones are older than every strike that is kept, so they have expired too.
        return replace(standing, strikes=kept, earlier={})
    earlier = {day: count for day, count in standing.earlier.items() if now - _end_of(day) < expire}
    return replace(standing, earlier=earlier)


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(tzinfo=UTC)) + _DAY


def _may_tell_again(standing: Standing, now: datetime, rule: LadderRule) -> bool:
    return standing.told_at is None or now - standing.told_at >= timedelta(hours=rule.appeal_hours)


def sanction_id(community: str, group: str, message_id: str) -> str:
    """Derive a sanction's id from the message that led to it. Slugs have no slash, so no two messages share one."""
    return action_id(f"sanction/{community}/{group}/{message_id}")


def _same_fact(strike: Strike, offence: Offence) -> bool:
    return strike.message_id == offence.message_id and strike.group == offence.group


def _same_burst(strike: Strike, offence: Offence, burst: timedelta) -> bool:
    return (
        strike.group == offence.group and strike.check == offence.check and abs(strike.posted - offence.posted) < burst
    )

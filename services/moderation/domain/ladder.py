"""The ladder: what the first offence brings, what the second.

What was decided stays decided. An offence that becomes known late counts from the member's latest strike on, not from
when it was posted, and it takes the next rung; :class:`Strike` keeps both times, so the record shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shequn.contracts.definitions.rules import LadderRule
from shequn.contracts.ids import action_id
from shequn.contracts.moderation import Rung


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
class Step:
    """Where an offence leads.

    Attributes:
        strike: the new strike; the last one of ``strikes``.
        strikes: all unexpired strikes of the member in the community, the new one included.
        rung: what to do; none when the ladder has no rungs.
    """

    strike: Strike
    strikes: tuple[Strike, ...]
    rung: Rung | None


def climb(strikes: Sequence[Strike], offence: Offence, rule: LadderRule, burst: timedelta) -> Step | None:
    """Count an offence and take the rung for it.

    Args:
        strikes: the member's strikes so far, in any order.
        offence: the new one.
        rule: the ladder of the group it happened in.
        burst: offences that the same check found in one group closer together than this are one offence: nobody is
            warned for what was posted before the reminder could be read. Zero makes each one count.

    Returns:
        The step, or none when the offence adds nothing: its message has a strike already, or it belongs to a burst.
    """
    if any(_same_fact(strike, offence) or _same_burst(strike, offence, burst) for strike in strikes):
        return None
    counts_from = max([offence.posted, *(strike.counts_from for strike in strikes)])
    strike = Strike(offence.group, offence.message_id, offence.check, offence.posted, counts_from)
    unexpired = [known for known in strikes if counts_from - known.counts_from < rule.strikes_expire]
    counting = (*unexpired, strike)
    rung = Rung(rule.rungs[min(len(counting), len(rule.rungs)) - 1]) if rule.rungs else None
    return Step(strike, counting, rung)


def sanction_id(community: str, group: str, message_id: str) -> str:
    """Derive a sanction's id from the message that led to it. Slugs have no slash, so no two messages share one."""
    return action_id(f"sanction/{community}/{group}/{message_id}")


def _same_fact(strike: Strike, offence: Offence) -> bool:
    return strike.message_id == offence.message_id and strike.group == offence.group


def _same_burst(strike: Strike, offence: Offence, burst: timedelta) -> bool:
    return (
        strike.group == offence.group and strike.check == offence.check and abs(strike.posted - offence.posted) < burst
    )

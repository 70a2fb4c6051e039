"""What becomes of an enrollment that is due and cannot move: it is parked, for people to see, and tried again later."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flows.engine.enrollment import State
from flows.tables import EnrollmentRow

FIRST_RETRY = timedelta(minutes=1)
"""What passes by itself, a definition that is on its way, has passed after a minute."""

LAST_RETRY = timedelta(hours=1)
"""The rest waits for a person: nobody stands longer than this once it is mended. A million that are parked then cost
less than 300 attempts a second."""

_DOUBLINGS = 6
"""As many as lead from the first wait to the last; a bound, because times do not double for ever."""

_LONGEST_REASON = 500
"""Characters; people read it in a log line and in the store."""


@dataclass(frozen=True, slots=True)
class Parked:
    """An enrollment that was due and did not move.

    Attributes:
        row: as it is stored from now on.
        is_news: whether it moved before, or could not for another reason.
    """

    row: EnrollmentRow
    is_news: bool


def is_due(row: EnrollmentRow, now: datetime) -> bool:
    """Tell whether time moves an enrollment now; a parked one only when its next attempt has come."""
    if row.state != State.WAITING or row.due_at is None:
        return False
    return max(row.due_at, row.attempt_at or row.due_at) <= now


def park(row: EnrollmentRow, reason: str, now: datetime) -> Parked:
    """Park an enrollment, or leave it parked for longer after one more attempt.

    Moving it by whatever means writes a row that is not parked.
    """
    why = _storable(reason)
    attempts = row.attempts + 1
    parked = replace(
        row,
        parked_since=row.parked_since or now,
        parked_why=why,
        attempts=attempts,
        attempt_at=now + retry_after(attempts),
    )
    return Parked(parked, is_news=why != row.parked_why)


def retry_after(attempts: int) -> timedelta:
    """Give how long to wait after so many attempts, from 1: twice as long each time."""
    return min(FIRST_RETRY * (1 << min(attempts - 1, _DOUBLINGS)), LAST_RETRY)


def _storable(reason: str) -> str:
    """Leave out what PostgreSQL does not store: the reason must never be what fails."""
    return reason.replace("\0", "").encode("utf-8", "replace").decode()[:_LONGEST_REASON]

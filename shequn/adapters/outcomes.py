"""What an outcome may hold, so that it can be stored and told, and what becomes of one that holds something else."""

from datetime import UTC, datetime
from typing import Any

from shequn.adapters.base import Outcome
from shequn.contracts.actions import OutcomeStatus
from shequn.runtime.texts import storable, text_of

LONGEST_REASON = 500
"""Characters; people read it in a log line and in the store."""

LONGEST_RECEIPT = 256
"""Characters; as long as any platform's id may be."""


def flaws_of(answer: Any) -> list[str]:
    """Tell what is wrong with what an adapter gave as an outcome; empty when nothing is."""
    if not isinstance(answer, Outcome):
        return [f"it is no Outcome but {type(answer).__name__}"]
    found: list[str] = []
    status: Any = answer.status
    if not isinstance(status, OutcomeStatus):
        found.append(f"status is {text_of(status)[:50]}, not an OutcomeStatus")
    if (why := _flaw_of_text(answer.reason, LONGEST_REASON)) is not None:
        found.append(f"reason {why}")
    if answer.receipt is not None and (why := _flaw_of_text(answer.receipt, LONGEST_RECEIPT)) is not None:
        found.append(f"receipt {why}")
    if answer.until is not None and (not isinstance(answer.until, datetime) or answer.until.utcoffset() is None):
        found.append("until is not a datetime with an offset")
    return found


def mended(answer: Any) -> Outcome:
    """Make an outcome that can be stored and told of whatever an adapter gave.

    Other things become text, text loses what cannot be stored, a time without an offset counts as UTC, and what is no
    time is left out.

    Raises:
        TypeError: it is no outcome, or none of the five.
    """
    if not isinstance(answer, Outcome):
        raise TypeError(f"answered {type(answer).__name__} instead of an Outcome")
    try:
        status = OutcomeStatus(answer.status)
    except ValueError:
        raise TypeError(f"answered an Outcome with the status {text_of(answer.status)[:50]!r}") from None
    return Outcome(
        status,
        storable("" if answer.reason is None else text_of(answer.reason), LONGEST_REASON),
        receipt=None if answer.receipt is None else storable(text_of(answer.receipt), LONGEST_RECEIPT),
        until=_in_utc(answer.until),
    )


def _flaw_of_text(value: Any, longest: int) -> str | None:
    if not isinstance(value, str):
        return f"is {type(value).__name__}, not text"
    if len(value) > longest:
        return f"has {len(value)} characters; {longest} are kept"
    return None if storable(value, longest) == value else "holds NUL or half a surrogate pair"


def _in_utc(moment: Any) -> datetime | None:
    if not isinstance(moment, datetime):
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)
    except Exception:  # noqa: BLE001  # at the ends of time, or a foreign tzinfo that fails
        return None

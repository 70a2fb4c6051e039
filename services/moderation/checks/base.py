"""What every check takes and gives."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from services.moderation.domain.recent import Recent
from services.moderation.text.normaliser import Normalised
from shequn.contracts.chat import ContentKind
from shequn.contracts.moderation import CheckResult, Verdict

EVIDENCE_LIMIT = 256
"""How much of a message a result quotes, in characters: the contract's limit."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(moment: datetime) -> int:
    """Give a moment in milliseconds since 1970."""
    return (moment - _EPOCH) // _MILLISECOND


@dataclass(slots=True)
class Message:
    """A message as checks read it.

    Attributes:
        message_id: the platform's id of it.
        kind: what it mainly is.
        text: its text, normalised once for all checks.
        at: when it was posted, in milliseconds since 1970.
    """

    message_id: str
    kind: ContentKind
    text: Normalised
    at: int


@dataclass(slots=True)
class CheckContext:
    """What a check may know besides the message.

    Attributes:
        recent: the member's latest messages in the group.
    """

    recent: Recent


class Check(Protocol):
    """One way to find that a message breaks a rule."""

    @property
    def name(self) -> str:
        """The check's name, out of a closed set: it labels metrics."""
        ...

    def examine(self, message: Message, context: CheckContext) -> CheckResult:
        """Judge a message. Answers with a reason also when it passes."""
        ...


def passed(check: str, reason: str) -> CheckResult:
    """Make the answer for messages that pass. Made once and reused: most messages pass."""
    return CheckResult(check=check, verdict=Verdict.PASS, reason=reason)

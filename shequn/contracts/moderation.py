"""What moderation found and did. Owner: moderation."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from shequn.contracts.base import Contract, PlatformId, Slug, Whole
from shequn.contracts.envelope import Envelope


class Verdict(StrEnum):
    """What a check, or all of them together, says of a message, mildest first."""

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    FLAG = "flag"
    DELETE = "delete"


class Rung(StrEnum):
    """The rungs of the ladder that the system takes by itself."""

    REMIND = "remind"
    WARN = "warn"


class CheckResult(Contract):
    """What one check says. It answers also when the message passes.

    Attributes:
        check: the check's name.
        verdict: what it says.
        reason: one sentence for a person: what was found, or why it passes.
        evidence: the span of the original text that led to it.
    """

    check: Slug
    verdict: Verdict
    reason: str = Field(max_length=512)
    evidence: str = Field(default="", max_length=256)


class MessageFlaggedData(Contract):
    """A message broke a rule of its group. ``results`` holds every check's answer, the passed ones too."""

    group: Slug
    member_id: str
    message_id: PlatformId
    verdict: Verdict
    rule_version: Whole
    results: tuple[CheckResult, ...]


class MessageFlagged(Envelope):
    """A message was judged against the rules."""

    type: Literal["moderation.message.flagged.v1"] = "moderation.message.flagged.v1"
    data: MessageFlaggedData


class SanctionImposedData(Contract):
    """A measure against a member.

    Attributes:
        sanction_id: derived from the message that led to it.
        rung: which rung of the ladder.
        strikes: unexpired strikes including this one.
        check: the check that decided.
        reason: one sentence for the member.
        appeal_hours: how long the member may appeal, in hours.
    """

    sanction_id: str
    group: Slug
    member_id: str
    message_id: PlatformId
    rung: Rung
    strikes: Whole = Field(ge=1)
    check: Slug
    reason: str
    appeal_hours: Whole = 24


class SanctionImposed(Envelope):
    """A member was reminded or warned."""

    type: Literal["moderation.sanction.imposed.v1"] = "moderation.sanction.imposed.v1"
    data: SanctionImposedData

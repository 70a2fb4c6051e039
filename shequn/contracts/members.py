"""Members of a community: who joined and who left. Owner: intake (identity)."""

from typing import Literal

from pydantic import Field

from shequn.contracts.base import AccountRef, Contract
from shequn.contracts.chat import JoinEvidence
from shequn.contracts.envelope import Envelope
from shequn.contracts.signups import Language


class MemberJoinedData(Contract):
    """A person became a member: by a sign-up, or by entering the first group.

    Attributes:
        member_id: the member.
        account: the account that made the person known.
        channel: where the person came from.
        referral_code: the code of the member who brought this person; only with evidence.
        evidence: what proves the referral.
        language: the language the person reads.
        timezone: IANA name; none means the community's.
        consents: what the person agreed to.
    """

    member_id: str
    account: AccountRef
    name: str = Field(default="", max_length=256)
    channel: str = "direct"
    referral_code: str | None = None
    evidence: tuple[JoinEvidence, ...] = ()
    language: Language = "zh"
    timezone: str | None = None
    consents: tuple[str, ...] = ()


class MemberJoined(Envelope):
    """A person became a member of the community."""

    type: Literal["members.member.joined.v1"] = "members.member.joined.v1"
    data: MemberJoinedData


class MemberUpdatedData(MemberJoinedData):
    """More became known of a member after MemberJoined: an earlier joining, a referral, or a sign-up's profile.

    ``name``, ``channel``, ``language``, ``timezone`` and ``consents`` are what is known now, whole. ``referral_code``
    and ``evidence`` are those of the fact that was added alone, and the envelope's ``time`` is that fact's time, which
    may lie before MemberJoined's: who folds both events alike ends the same in whatever order the facts came.
    """


class MemberUpdated(Envelope):
    """More became known of a member."""

    type: Literal["members.member.updated.v1"] = "members.member.updated.v1"
    data: MemberUpdatedData


class MemberLeftData(Contract):
    """A member left the last group."""

    member_id: str


class MemberLeft(Envelope):
    """A member left the community."""

    type: Literal["members.member.left.v1"] = "members.member.left.v1"
    data: MemberLeftData

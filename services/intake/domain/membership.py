"""Who is a member of a community.

A person becomes a member by a sign-up or by entering a group, and stops being one when every group entered has been
left. Facts come in any order: of each group the latest entering and the latest leaving count, of several sign-ups the
latest one; the state after the same facts is the same, however they came.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from shequn.contracts.base import AccountRef
from shequn.contracts.chat import GroupJoined, GroupLeft, JoinEvidence
from shequn.contracts.signups import FormSubmitted

Fact = FormSubmitted | GroupJoined | GroupLeft

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Standing(StrEnum):
    """Whether a person is a member."""

    UNKNOWN = "unknown"
    ACTIVE = "active"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in a community.

    Attributes:
        standing: ``unknown`` while nothing but a leaving is known.
        joined_at: the earliest sign-up or entering that is known.
        signed_up_at: the latest sign-up.
        profile_fact: the time and id of the fact that the profile comes from; a sign-up outranks an entering.
        groups: by group, the latest entering and the latest leaving, in microseconds since 1970; none is null.
    """

    community: str
    member_id: str
    standing: str = Standing.UNKNOWN.value
    platform: str = ""
    account_id: str = ""
    joined_at: datetime | None = None
    signed_up_at: datetime | None = None
    profile_at: datetime | None = None
    profile_fact: str = ""
    name: str = ""
    channel: str = "direct"
    language: str = "zh"
    timezone: str | None = None
    consents: Sequence[str] = ()
    groups: Mapping[str, Sequence[int | None]] = field(default_factory=dict)


class News(StrEnum):
    """What a fact tells the others."""

    JOINED = "joined"
    LEFT = "left"
    UPDATED = "updated"


def with_fact(before: Membership, fact: Fact) -> Membership:
    """Add a fact to what is known."""
    known = replace(before, platform=fact.data.account.platform, account_id=fact.data.account.account_id)
    if isinstance(fact, GroupLeft):
        known = _with_group(known, fact.data.group, left=_stamp(fact.time))
    else:
        known = _with_joining(known, fact)
    return replace(known, standing=_standing(known).value)


def news(before: Membership, after: Membership, fact: Fact) -> list[News]:
    """Say what the others have to be told, in order."""
    told: list[News] = []
    was, is_now = before.standing, after.standing
    if was != is_now:
        # Somebody whose leaving was known before the joining joined and left.
        if was == Standing.UNKNOWN or is_now == Standing.ACTIVE:
            told.append(News.JOINED)
        if is_now == Standing.LEFT:
            told.append(News.LEFT)
    if News.JOINED not in told and is_now != Standing.UNKNOWN and _adds_knowledge(before, after, fact):
        told.append(News.UPDATED)
    return told


def referral_of(fact: Fact) -> tuple[str | None, tuple[JoinEvidence, ...]]:
    """Give the referral code that a fact brings, and its evidence. A code without evidence is none."""
    if isinstance(fact, GroupLeft):
        return None, ()
    evidence = fact.data.evidence
    if isinstance(fact, FormSubmitted):
        return (fact.data.referral_code if evidence else None), evidence
    return next((piece.value for piece in evidence if piece.kind == "code"), None), evidence


def account_of(membership: Membership) -> AccountRef:
    """Give the account that made the member known."""
    return AccountRef(platform=membership.platform, account_id=membership.account_id)


def last_left_at(membership: Membership) -> datetime | None:
    """Give the latest leaving of any group."""
    stamps = [left for _, left in membership.groups.values() if left is not None]
    return _EPOCH + max(stamps) * _MICROSECOND if stamps else None


def _with_joining(known: Membership, fact: FormSubmitted | GroupJoined) -> Membership:
    at = fact.time.astimezone(UTC)
    joined_at = at if known.joined_at is None else min(known.joined_at, at)
    known = replace(known, joined_at=joined_at)
    if isinstance(fact, GroupJoined):
        known = _with_group(known, fact.data.group, joined=_stamp(fact.time))
        if known.signed_up_at is None and _is_newer(known, at, fact.id):
            return replace(known, profile_at=at, profile_fact=fact.id, name=fact.data.name)
        return known
    if known.signed_up_at is not None and not _is_newer(known, at, fact.id):
        return known
    data = fact.data
    return replace(
        known,
        signed_up_at=at,
        profile_at=at,
        profile_fact=fact.id,
        name=data.name,
        channel=data.channel,
        language=data.language,
        timezone=data.timezone,
        consents=list(data.consents),
    )


def _is_newer(known: Membership, at: datetime, fact_id: str) -> bool:
    return known.profile_at is None or (known.profile_at, known.profile_fact) < (at, fact_id)


def _with_group(known: Membership, group: str, *, joined: int | None = None, left: int | None = None) -> Membership:
    before_joined, before_left = known.groups.get(group, (None, None))
    times = [_latest(before_joined, joined), _latest(before_left, left)]
    return replace(known, groups={**known.groups, group: times})


def _latest(known: int | None, new: int | None) -> int | None:
    return max((stamp for stamp in (known, new) if stamp is not None), default=None)


def _standing(known: Membership) -> Standing:
    if known.joined_at is None:
        return Standing.UNKNOWN
    # At one and the same moment a leaving counts: who is thrown out at once is not in.
    inside = any(joined is not None and (left is None or joined > left) for joined, left in known.groups.values())
    left_at = last_left_at(known)
    signed_up_since = known.signed_up_at is not None and (left_at is None or known.signed_up_at > left_at)
    return Standing.ACTIVE if inside or signed_up_since else Standing.LEFT


def _adds_knowledge(before: Membership, after: Membership, fact: Fact) -> bool:
    code, _ = referral_of(fact)
    return code is not None or after.joined_at != before.joined_at or _profile(after) != _profile(before)


def _profile(known: Membership) -> tuple[Any, ...]:
    return known.name, known.channel, known.language, known.timezone, tuple(known.consents)


def _stamp(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND

"""Where an action goes, in which order, and when it goes nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shequn.contracts.actions import DeleteMessage, OutcomeStatus
from shequn.contracts.base import AccountRef
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.envelope import Envelope

FORM_PLATFORM = "form"
_MOST_DOUBLINGS = 16


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account of a member, and when it was last heard of."""

    account: AccountRef
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Route:
    """Where an action goes: a platform, and the account or chat there."""

    platform: str
    account: AccountRef | None = None
    chat: str | None = None


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Why an action goes nowhere.

    Attributes:
        status: ``suppressed`` or ``failed``.
        may_come: the member's account may still become known: the action may have overtaken the joining.
    """

    status: OutcomeStatus
    reason: str
    may_come: bool = False


def priority_of(command: Envelope) -> int:
    """Give an action's place in the queue; lower goes first.

    Visible disorder is removed first, then comes what has a deadline.
    """
    if isinstance(command, DeleteMessage):
        return 0
    return 1 if getattr(command.data, "not_after", None) is not None else 2


def route(
    command: Any, accounts: Sequence[KnownAccount], definition: CommunityDefinition | None, now: datetime
) -> Route | NoRoute:
    """Find where an action goes.

    Args:
        command: the action.
        accounts: the accounts of the member it is for.
        definition: its community's definition; none when there is none.
        now: the moment it would go out.
    """
    not_after = getattr(command.data, "not_after", None)
    if not_after is not None and now > not_after:
        return NoRoute(OutcomeStatus.SUPPRESSED, f"its deadline {not_after.isoformat()} has passed")
    if (member_id := getattr(command.data, "member_id", None)) is not None:
        return _to_member(member_id, accounts)
    return _to_group(command.data.group, definition, command.community)


def retry_at(now: datetime, attempts: int, first: timedelta, longest: timedelta) -> datetime:
    """Give when to try again: twice as late each time."""
    return now + min(first * (1 << min(attempts - 1, _MOST_DOUBLINGS)), longest)


def _to_member(member_id: str, accounts: Sequence[KnownAccount]) -> Route | NoRoute:
    if not accounts:
        return NoRoute(OutcomeStatus.SUPPRESSED, f"no account of member {member_id} is known", may_come=True)
    # A chat account reaches people where they are; the address on a form is the last resort.
    best = max(accounts, key=_reach)
    return Route(best.account.platform, account=best.account)


def _reach(known: KnownAccount) -> tuple[bool, datetime, str, str]:
    # Platform and id break ties, so that the order of rows decides nothing.
    account = known.account
    return account.platform != FORM_PLATFORM, known.seen_at, account.platform, account.account_id


def _to_group(group_id: str | None, definition: CommunityDefinition | None, community: str) -> Route | NoRoute:
    if group_id is None:
        return NoRoute(OutcomeStatus.FAILED, "it names neither a member nor a group")
    if definition is None:
        return NoRoute(OutcomeStatus.FAILED, f"no definition of community {community!r} is applied")
    group = definition.group(group_id)
    if group is None:
        return NoRoute(OutcomeStatus.FAILED, f"community {community!r} has no group {group_id!r}")
    return Route(group.platform, chat=group.chat)

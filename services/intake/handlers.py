"""Folds facts into memberships, and commands into the delivery queue."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC

from services.intake.domain import membership as rules
from services.intake.domain.membership import Fact, Membership, News, Standing
from services.intake.domain.routing import priority_of
from services.intake.tables import (
    ACCOUNTS,
    ACTION_KEYS,
    ACTION_TOTALS,
    MEMBER_TOTALS,
    MEMBERSHIPS,
    QUEUE,
    Account,
    QueuedAction,
)
from shequn.contracts import subjects
from shequn.contracts.actions import ActionSettled, DeleteMessage, SendMessage
from shequn.contracts.chat import GroupJoined, GroupLeft
from shequn.contracts.envelope import Envelope
from shequn.contracts.members import (
    MemberJoined,
    MemberJoinedData,
    MemberLeft,
    MemberLeftData,
    MemberUpdated,
    MemberUpdatedData,
)
from shequn.contracts.signups import FormSubmitted
from shequn.runtime.fold import FoldContext, Workspace

IDENTITY = "/intake/identity"

_EMITS = (MemberJoined, MemberUpdated, MemberLeft)


class SignupsFolder:
    """Folds sign-ups into memberships."""

    consumer = subjects.IDENTITY_SIGNUPS
    tables = (MEMBERSHIPS, ACCOUNTS)
    counters = (MEMBER_TOTALS,)
    logs = ()
    accepts = (FormSubmitted,)
    emits = _EMITS

    def fold(self, event: FormSubmitted, work: Workspace, context: FoldContext) -> None:
        """Fold one sign-up.

        Raises:
            UnknownCommunityError: its community has no definition.
        """
        _fold_fact(event, work, context)


class ChatMembersFolder:
    """Folds who enters and leaves groups into memberships."""

    consumer = subjects.IDENTITY_CHAT
    tables = (MEMBERSHIPS, ACCOUNTS)
    counters = (MEMBER_TOTALS,)
    logs = ()
    accepts = (GroupJoined, GroupLeft)
    emits = _EMITS

    def fold(self, event: GroupJoined | GroupLeft, work: Workspace, context: FoldContext) -> None:
        """Fold one entering or leaving.

        Raises:
            UnknownCommunityError: its community has no definition.
        """
        _fold_fact(event, work, context)


class ActionsFolder:
    """Puts commands into the delivery queue, each idempotency key once."""

    consumer = subjects.DELIVERY_ACTIONS
    tables = (ACTION_KEYS,)
    counters = (ACTION_TOTALS,)
    logs = (QUEUE,)
    accepts = (SendMessage, DeleteMessage)
    emits = (ActionSettled,)  # by the delivery loop, from the queue

    def __init__(self, queued: Callable[[], None] = lambda: None) -> None:
        """Call ``queued`` when something is in the queue."""
        self._queued = queued

    def fold(self, event: SendMessage | DeleteMessage, work: Workspace, context: FoldContext) -> None:
        """Queue one command; a second one with the same key is a duplicate, and leads to nothing."""
        seen = work.get(ACTION_KEYS, event.data.idempotency_key)
        totals = (event.community, event.type)
        if seen.action_id:
            work.put(ACTION_KEYS, replace(seen, duplicates=seen.duplicates + 1))
            work.add(ACTION_TOTALS, totals, duplicates=1)
            return
        work.put(ACTION_KEYS, replace(seen, action_id=event.id))
        work.add(ACTION_TOTALS, totals, accepted=1)
        queued = QueuedAction(
            idempotency_key=event.data.idempotency_key,
            action_id=event.id,
            action=event.type,
            community=event.community,
            command=event.model_dump_json(),
            priority=priority_of(event),
            due_at=context.now,
        )
        work.append(QUEUE, queued)

    def observe(self, folded: Sequence[Envelope], emitted: Sequence[Envelope]) -> None:  # noqa: ARG002
        """Wake delivery."""
        if folded:
            self._queued()


def _fold_fact(event: Fact, work: Workspace, context: FoldContext) -> None:
    context.definitions.current(event.community)
    before = work.get(MEMBERSHIPS, event.community, event.data.member_id)
    after = rules.with_fact(before, event)
    _remember_account(event, work)
    if after != before:
        work.put(MEMBERSHIPS, after)
    _count(before, after, work)
    for item in rules.news(before, after, event):
        work.emit(_told(item, event, before, after))


def _remember_account(event: Fact, work: Workspace) -> None:
    ref = event.data.account
    known = work.get(ACCOUNTS, ref.platform, ref.account_id)
    seen_at = max(known.seen_at, event.time.astimezone(UTC))
    account = Account(ref.platform, ref.account_id, event.data.member_id, seen_at)
    if account != known:
        work.put(ACCOUNTS, account)


def _count(before: Membership, after: Membership, work: Workspace) -> None:
    active = _is(after, Standing.ACTIVE) - _is(before, Standing.ACTIVE)
    gone = _is(after, Standing.LEFT) - _is(before, Standing.LEFT)
    if active or gone:
        work.add(MEMBER_TOTALS, (after.community,), active=active, gone=gone)


def _is(membership: Membership, standing: Standing) -> int:
    return int(membership.standing == standing)


def _told(item: News, event: Fact, before: Membership, after: Membership) -> Envelope:
    member_id = after.member_id
    if item is News.LEFT:
        left_at = rules.last_left_at(after)
        data = MemberLeftData(member_id=member_id)
        return MemberLeft.caused_by(
            event, source=IDENTITY, subject=member_id, key=(member_id, event.id), data=data, time=left_at
        )
    # The first joining has the member as its key; what follows is one for each fact.
    key = (member_id,) if before.standing == Standing.UNKNOWN else (member_id, event.id)
    if item is News.JOINED:
        joined = _profile(MemberJoinedData, event, after)
        return MemberJoined.caused_by(event, source=IDENTITY, subject=member_id, key=key, data=joined)
    updated = _profile(MemberUpdatedData, event, after)
    return MemberUpdated.caused_by(event, source=IDENTITY, subject=member_id, key=key, data=updated)


def _profile(data: type[MemberJoinedData], event: Fact, after: Membership) -> MemberJoinedData:
    code, evidence = rules.referral_of(event)
    return data(
        member_id=after.member_id,
        account=rules.account_of(after),
        name=after.name,
        channel=after.channel,
        referral_code=code,
        evidence=evidence,
        language=after.language,
        timezone=after.timezone,
        consents=tuple(after.consents),
    )

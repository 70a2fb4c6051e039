"""Folds chat events into activity and points.

Whatever the order in which events come, and however often, the stored states, counters and balances end the same:

- A message counts once per (group, message id), under whatever event ids it comes. If two events give the same message
  different authors or times, the first one stands.
- A reaction counts once per (group, message, member, reaction, day).
- A reply or a reaction to a message that has not come waits in that message's row, and earns when its author is known.
- Event time decides days, last and first acts; the tier is the one at the moment of processing. So a replay of old
  chats leaves members inactive and tells nobody of tiers.
- First posts and replies are told when first known. An earlier one that comes late corrects the state, silently.
- A reply to oneself is a reply; it earns nothing.
"""

from datetime import UTC

from services.engagement.domain import members, points
from services.engagement.domain.points import Act, Tally
from services.engagement.domain.states import Giving, Member, Message, PointsEntry, Reaction
from services.engagement.domain.tiers import smallest_window
from services.engagement.tables import (
    GIVINGS,
    GROUP_TOTALS,
    MEMBER_DAYS,
    MEMBERS,
    MESSAGES,
    POINTS_LOG,
    REACTIONS,
    day_of,
    receiver_of,
    target_of,
)
from shequn.contracts import subjects
from shequn.contracts.chat import MessagePosted, MessagePostedData, ReactionAdded
from shequn.contracts.definitions.community import EngagementPolicy
from shequn.contracts.engagement import (
    FirstPosted,
    FirstPostedData,
    FirstReplied,
    FirstRepliedData,
    PointsEarned,
    PointsEarnedData,
    Tier,
    TierChanged,
    TierChangedData,
)
from shequn.runtime.fold import FoldContext, Workspace

SOURCE = "/engagement"


class ChatFolder:
    """Folds messages and reactions."""

    consumer = subjects.ENGAGEMENT_CHAT
    tables = (MESSAGES, MEMBERS, GIVINGS, REACTIONS)
    counters = (MEMBER_DAYS, GROUP_TOTALS)
    logs = (POINTS_LOG,)
    accepts = (MessagePosted, ReactionAdded)
    emits = (FirstPosted, FirstReplied, TierChanged, PointsEarned)

    def fold(self, event: MessagePosted | ReactionAdded, work: Workspace, context: FoldContext) -> None:
        """Fold one event.

        Raises:
            UnknownCommunityError: when the community has no definition.
        """
        if isinstance(event, MessagePosted):
            _fold_message(event, work, context)
        else:
            _fold_reaction(event, work, context)


def _fold_message(event: MessagePosted, work: Workspace, context: FoldContext) -> None:
    community, data = event.community, event.data
    known = work.find(MESSAGES, community, data.group, data.message_id)
    if known is not None and known.author is not None:
        return
    at = event.time.astimezone(UTC)
    policy = context.definitions.current(community).engagement
    work.put(MESSAGES, Message(community, data.group, data.message_id, data.member_id, at, []))
    before = work.get(MEMBERS, community, data.member_id)
    member = members.posted(
        before,
        data.group,
        at,
        reply=data.reply_to is not None,
        window=smallest_window(policy),
        now=context.now,
    )
    work.put(MEMBERS, member)
    _count_message(event, work, context, new_speaker=member.spoke_in is not before.spoke_in)
    _tell_firsts(event, work, before, member)
    _tell_tier(event, work, before, member, policy)
    for waiting in known.pending if known is not None else ():
        _settle(event, work, policy, Act.from_json(waiting), data.member_id)
    if data.reply_to is not None:
        day = day_of(event, context)
        key = points.act_key("reply", day, community, data.group, data.message_id)
        _credit(event, work, policy, Act("reply", data.member_id, at, day, key))


def _fold_reaction(event: ReactionAdded, work: Workspace, context: FoldContext) -> None:
    community, data = event.community, event.data
    at = event.time.astimezone(UTC)
    policy = context.definitions.current(community).engagement
    before = work.get(MEMBERS, community, data.member_id)
    member = members.reacted(before, at, window=smallest_window(policy), now=context.now)
    work.put(MEMBERS, member)
    _tell_tier(event, work, before, member, policy)
    day = day_of(event, context)
    target = data.target.message_id
    known = work.get(REACTIONS, community, data.group, target, data.member_id, data.reaction, day)
    # A reaction given again is a sign of life, but counts and earns once a day.
    if known.at is not None:
        return
    work.put(REACTIONS, Reaction(community, data.group, target, data.member_id, data.reaction, day, at))
    work.add(MEMBER_DAYS, (community, data.group, data.member_id, day), reactions=1)
    work.add(GROUP_TOTALS, (community, data.group), reactions=1)
    key = points.act_key("reaction", day, community, data.group, target, data.member_id, data.reaction)
    _credit(event, work, policy, Act("reaction", data.member_id, at, day, key))


def _count_message(event: MessagePosted, work: Workspace, context: FoldContext, *, new_speaker: bool) -> None:
    data = event.data
    replies = 0 if data.reply_to is None else 1
    work.add(
        MEMBER_DAYS,
        (event.community, data.group, data.member_id, day_of(event, context)),
        messages=1,
        replies=replies,
    )
    work.add(
        GROUP_TOTALS,
        (event.community, data.group),
        messages=1,
        replies=replies,
        speakers=1 if new_speaker else 0,
    )


def _credit(event: MessagePosted | ReactionAdded, work: Workspace, policy: EngagementPolicy, act: Act) -> None:
    receiver = receiver_of(event, work)
    if receiver is not None:
        _settle(event, work, policy, act, receiver)
        return
    target = target_of(event)
    if target is not None:
        row = work.get(MESSAGES, event.community, event.data.group, target.message_id)
        pending = [*row.pending, act.to_json()]
        work.put(MESSAGES, Message(row.community, row.group_id, row.message_id, None, None, pending))


def _settle(
    event: MessagePosted | ReactionAdded, work: Workspace, policy: EngagementPolicy, act: Act, receiver: str
) -> None:
    if act.giver == receiver:
        return
    giving = work.get(GIVINGS, event.community, act.giver, act.day)
    tally = Tally(*giving.receivers.get(receiver, ()))
    after = points.counted(tally, act.reason, policy)
    counts = [after.replies, after.reactions, after.points]
    work.put(GIVINGS, Giving(event.community, act.giver, act.day, {**giving.receivers, receiver: counts}))
    earned = after.points - tally.points
    if earned:
        _pay(event, work, act, receiver, earned)


def _pay(event: MessagePosted | ReactionAdded, work: Workspace, act: Act, receiver: str, earned: int) -> None:
    member = members.earned(work.get(MEMBERS, event.community, receiver), earned)
    work.put(MEMBERS, member)
    for account, amount in ((points.member_account(receiver), earned), (points.ISSUE_ACCOUNT, -earned)):
        entry = PointsEntry(event.community, act.key, account, amount, act.reason, act.giver, act.at, event.id)
        work.append(POINTS_LOG, entry)
    data = PointsEarnedData(
        member_id=receiver, giver=act.giver, points=earned, balance=member.points, reason=act.reason
    )
    work.emit(PointsEarned.caused_by(event, source=SOURCE, subject=receiver, key=(act.key,), data=data, time=act.at))


def _tell_firsts(event: MessagePosted, work: Workspace, before: Member, member: Member) -> None:
    if before.first_posted_at is None:
        posted = FirstPostedData(**_place(event.data))
        key = (member.member_id,)
        work.emit(FirstPosted.caused_by(event, source=SOURCE, subject=member.member_id, key=key, data=posted))
    if before.first_replied_at is None and member.first_replied_at is not None:
        replied = FirstRepliedData(**_place(event.data))
        key = (member.member_id,)
        work.emit(FirstReplied.caused_by(event, source=SOURCE, subject=member.member_id, key=key, data=replied))


def _place(data: MessagePostedData) -> dict[str, str]:
    return {"member_id": data.member_id, "group": data.group, "message_id": data.message_id}


def _tell_tier(
    event: MessagePosted | ReactionAdded, work: Workspace, before: Member, member: Member, policy: EngagementPolicy
) -> None:
    if member.tier == before.tier:
        return
    window = smallest_window(policy)
    data = TierChangedData(
        member_id=member.member_id, window_days=window.days, tier=Tier(member.tier), before=Tier(before.tier)
    )
    key = (member.member_id, str(window.days), event.id)
    work.emit(TierChanged.caused_by(event, source=SOURCE, subject=member.member_id, key=key, data=data))

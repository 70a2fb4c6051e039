"""The tables of engagement, and the keys that an event touches.

Lock order: messages, members, givings, reactions. A giving and a reaction are only touched together with their
member's row, which guards them.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.engagement.domain.days import community_day
from services.engagement.domain.states import Giving, Member, Message, PointsEntry, Reaction
from shequn.contracts.chat import MessagePosted, MessageRef, ReactionAdded
from shequn.runtime.fold import CounterTable, FoldContext, Key, LogTable, StateTable, Workspace

METADATA = sa.MetaData()


def _moment(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True))


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def _text_key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def day_of(event: MessagePosted | ReactionAdded, context: FoldContext) -> date:
    """Give the community's day of an event.

    Raises:
        UnknownCommunityError: when the community has no definition, and so no zone.
    """
    return community_day(event.time, context.definitions.current(event.community).timezone)


def target_of(event: MessagePosted | ReactionAdded) -> MessageRef | None:
    """Give the message that an event answers or reacts to."""
    # An exact match is the only quick answer of isinstance for a pydantic class, and most events are messages.
    return event.data.reply_to if isinstance(event, MessagePosted) else event.data.target


def receiver_of(event: MessagePosted | ReactionAdded, work: Workspace) -> str | None:
    """Give the author of the message that an event points to: as the platform says, else as the message says.

    None when the event points to nothing, or to a message that has not come.
    """
    target = target_of(event)
    if target is None:
        return None
    if target.author:
        return target.author
    known = work.find(MESSAGES, event.community, event.data.group, target.message_id)
    return None if known is None else known.author


def _message_keys(event: MessagePosted | ReactionAdded, work: Workspace, context: FoldContext) -> Iterator[Key]:
    del work, context
    if isinstance(event, MessagePosted):
        yield event.community, event.data.group, event.data.message_id
    target = target_of(event)
    if target is not None and not target.author:
        yield event.community, event.data.group, target.message_id


def _member_keys(event: MessagePosted | ReactionAdded, work: Workspace, context: FoldContext) -> Iterator[Key]:
    del context
    yield event.community, event.data.member_id
    receiver = receiver_of(event, work)
    if receiver is not None:
        yield event.community, receiver
    # The givers' rows guard their givings.
    for act in _waiting_for(event, work):
        yield event.community, act["giver"]


def _giving_keys(event: MessagePosted | ReactionAdded, work: Workspace, context: FoldContext) -> Iterator[Key]:
    # By giver and day, not by pair: the receiver may only become known within the batch, when its message is folded.
    if target_of(event) is not None:
        yield event.community, event.data.member_id, day_of(event, context)
    for act in _waiting_for(event, work):
        yield event.community, act["giver"], date.fromisoformat(act["day"])


def _reaction_keys(event: MessagePosted | ReactionAdded, work: Workspace, context: FoldContext) -> Iterator[Key]:
    del work
    if not isinstance(event, MessagePosted):
        data = event.data
        day = day_of(event, context)
        yield event.community, data.group, data.target.message_id, data.member_id, data.reaction, day


def _waiting_for(event: MessagePosted | ReactionAdded, work: Workspace) -> Sequence[dict[str, str]]:
    if not isinstance(event, MessagePosted):
        return ()
    known = work.find(MESSAGES, event.community, event.data.group, event.data.message_id)
    return () if known is None else known.pending


MESSAGES = StateTable(
    sa.Table(
        "messages",
        METADATA,
        _text_key("community"),
        _text_key("group_id"),
        _text_key("message_id"),
        sa.Column("author", sa.Text),
        _moment("at"),
        sa.Column("pending", JSONB, nullable=False, server_default="[]"),
    ),
    Message,
    _message_keys,
)

MEMBERS = StateTable(
    sa.Table(
        "members",
        METADATA,
        _text_key("community"),
        _text_key("member_id"),
        _moment("last_originated_at"),
        _moment("last_replied_at"),
        _moment("last_reacted_at"),
        _moment("first_posted_at"),
        _moment("first_replied_at"),
        sa.Column("spoke_in", JSONB, nullable=False, server_default="[]"),
        _count("points"),
        sa.Column("tier", sa.Text, nullable=False, server_default="inactive"),
        _moment("tier_ends_at"),
    ),
    Member,
    _member_keys,
)

GIVINGS = StateTable(
    sa.Table(
        "givings",
        METADATA,
        _text_key("community"),
        _text_key("giver"),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("receivers", JSONB, nullable=False, server_default="{}"),
    ),
    Giving,
    _giving_keys,
)

REACTIONS = StateTable(
    sa.Table(
        "reactions",
        METADATA,
        _text_key("community"),
        _text_key("group_id"),
        _text_key("message_id"),
        _text_key("member_id"),
        _text_key("reaction"),
        sa.Column("day", sa.Date, primary_key=True),
        _moment("at"),
    ),
    Reaction,
    _reaction_keys,
)

MEMBER_DAYS = CounterTable(
    sa.Table(
        "member_days",
        METADATA,
        _text_key("community"),
        _text_key("group_id"),
        _text_key("member_id"),
        sa.Column("day", sa.Date, primary_key=True),
        _count("messages"),
        _count("replies"),
        _count("reactions"),
    )
)
"""What a member did in a group on a day of the community; ``messages`` counts replies too."""

GROUP_TOTALS = CounterTable(
    sa.Table(
        "group_totals",
        METADATA,
        _text_key("community"),
        _text_key("group_id"),
        _count("messages"),
        _count("replies"),
        _count("reactions"),
        _count("speakers"),
    )
)
"""What happened in a group in all; ``speakers`` counts distinct members who posted."""

POINTS_LOG = LogTable(
    sa.Table(
        "points_log",
        METADATA,
        _text_key("community"),
        sa.Column("key", sa.Uuid(as_uuid=False), primary_key=True),
        _text_key("account"),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("giver", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
    ),
    PointsEntry,
)

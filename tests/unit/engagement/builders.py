"""Events and definitions for the tests of engagement."""

from datetime import datetime
from typing import Any

from shequn.contracts.base import AccountRef
from shequn.contracts.chat import MessagePosted, MessagePostedData, MessageRef, ReactionAdded, ReactionAddedData
from shequn.contracts.definitions.community import CommunityDefinition, EngagementPolicy, Goal
from shequn.contracts.definitions.values import LocalizedText

COMMUNITY = "readers"


def definition(timezone: str = "Asia/Shanghai", **policy: Any) -> CommunityDefinition:
    return CommunityDefinition(
        community=COMMUNITY,
        name=LocalizedText(en="Readers"),
        timezone=timezone,
        currency="CNY",
        tags=("books",),
        purpose=("growth",),
        goal=Goal(metric="messages", unit="messages", target=1, every="day"),
        groups=(),
        rules=(),
        engagement=EngagementPolicy(**policy),
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def message(
    author: str,
    message_id: str,
    time: datetime | str,
    *,
    reply_to: str | None = None,
    told_author: str | None = None,
    group: str = "main",
    source: str = "/a",
    community: str = COMMUNITY,
) -> MessagePosted:
    when = at(time) if isinstance(time, str) else time
    return MessagePosted.record(
        time=when,
        recorded=when,
        source=source,
        community=community,
        subject=message_id,
        origin=(source, group, message_id),
        data=MessagePostedData(
            group=group,
            account=AccountRef(platform="test", account_id=author),
            member_id=author,
            message_id=message_id,
            reply_to=None if reply_to is None else MessageRef(message_id=reply_to, author=told_author),
        ),
    )


def reaction(
    giver: str,
    target: str,
    time: datetime | str,
    *,
    emoji: str = "👍",
    told_author: str | None = None,
    group: str = "main",
    source: str = "/a",
) -> ReactionAdded:
    when = at(time) if isinstance(time, str) else time
    return ReactionAdded.record(
        time=when,
        recorded=when,
        source=source,
        community=COMMUNITY,
        subject=target,
        origin=(source, group, target, giver, emoji),
        data=ReactionAddedData(
            group=group,
            account=AccountRef(platform="test", account_id=giver),
            member_id=giver,
            target=MessageRef(message_id=target, author=told_author),
            reaction=emoji,
        ),
    )

"""Makes events and definitions for tests."""

from datetime import UTC, datetime, timedelta

from shequn.contracts import ids
from shequn.contracts.base import AccountRef
from shequn.contracts.chat import MessagePosted, MessagePostedData
from shequn.contracts.definitions.community import CommunityDefinition, DefinitionApplied, Goal, GroupDefinition
from shequn.contracts.definitions.rules import LadderRule, RuleSet
from shequn.contracts.definitions.values import LocalizedText

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def small_definition(community: str = "club", version: int = 1) -> CommunityDefinition:
    """A definition with one group and one rule set."""
    return CommunityDefinition(
        community=community,
        version=version,
        name=LocalizedText(zh="读书会", en="Book club"),
        timezone="Asia/Shanghai",
        currency="CNY",
        tags=("reading",),
        purpose=("growth",),
        goal=Goal(metric="notes", unit="notes", target=10, every="week"),
        groups=(GroupDefinition(id="open", kind="free", platform="replay", chat="1", rules="plain"),),
        rules=(RuleSet(id="plain", ladder=LadderRule(strikes_expire=timedelta(days=30))),),
    )


def applied(definition: CommunityDefinition) -> DefinitionApplied:
    """The event that puts a definition in force."""
    return DefinitionApplied.record(
        time=T0,
        recorded=T0,
        source="/test",
        community=definition.community,
        subject=definition.community,
        origin=(definition.community, str(definition.version)),
        data=definition,
    )


def message(
    number: int, text: str = "你好", author: str = "ann", community: str = "club", **more: object
) -> MessagePosted:
    """A message; the same number is the same message."""
    account = AccountRef(platform="replay", account_id=author)
    time = T0 + timedelta(seconds=number)
    data = MessagePostedData.model_validate(
        {
            "group": "open",
            "account": account,
            "member_id": ids.member_id(account),
            "message_id": f"m{number}",
            "text": text,
        }
        | more
    )
    return MessagePosted.record(
        time=time,
        recorded=datetime.now(UTC),
        source="/test",
        community=community,
        subject=data.message_id,
        origin=("replay", "open", data.message_id),
        data=data,
    )

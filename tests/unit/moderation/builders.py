"""Messages and definitions for the tests of moderation."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.moderation.checks import CheckContext, Message
from services.moderation.text.normaliser import normalise
from shequn.contracts.base import AccountRef
from shequn.contracts.chat import ContentKind, MessagePosted, MessagePostedData
from shequn.contracts.definitions.community import CommunityDefinition, Goal, GroupDefinition
from shequn.contracts.definitions.rules import LadderRule, LinkRule, RuleSet, WordRule
from shequn.contracts.definitions.values import LocalizedText, Rate
from shequn.contracts.moderation import Verdict

COMMUNITY = "readers"
START = datetime(2026, 1, 1, tzinfo=UTC)
MONTH = timedelta(days=30)


def at(seconds: float = 0, *, days: float = 0) -> datetime:
    return START + timedelta(seconds=seconds, days=days)


def message(
    text: str = "", *, kind: ContentKind = ContentKind.TEXT, message_id: str = "1", seconds: float = 0
) -> Message:
    return Message(message_id, kind, normalise(text), round(seconds * 1000))


NOTHING = CheckContext({})


def words(*listed: str, category: str = "gambling", verdict: Verdict = Verdict.DELETE) -> WordRule:
    return WordRule(category=category, words=listed, verdict=verdict)


def rule_set(rule_set_id: str = "open", **parts: Any) -> RuleSet:
    parts.setdefault("ladder", LadderRule(strikes_expire=MONTH))
    parts.setdefault("words", (words("赌场", "casino"),))
    parts.setdefault("flood", Rate(count=3, within=timedelta(seconds=10)))
    parts.setdefault("links", LinkRule())
    return RuleSet(id=rule_set_id, **parts)


def definition(
    *rules: RuleSet, language: str = "en", version: int = 1, messages: dict[str, LocalizedText] | None = None
) -> CommunityDefinition:
    rules = rules or (rule_set(),)
    named = GroupDefinition(
        id="main",
        kind="free",
        platform="test",
        chat="1",
        rules=rules[0].id,
        name=LocalizedText(zh="读书群", en="Readers"),
    )
    return CommunityDefinition(
        community=COMMUNITY,
        version=version,
        name=LocalizedText(en="Readers"),
        timezone="Asia/Shanghai",
        currency="CNY",
        languages=(language,),
        tags=("books",),
        purpose=("growth",),
        goal=Goal(metric="messages", unit="messages", target=1, every="day"),
        groups=(
            named,
            GroupDefinition(id="side", kind="free", platform="test", chat="2", rules=rules[-1].id),
            GroupDefinition(id="lawless", kind="free", platform="test", chat="3"),
        ),
        rules=rules,
        messages=messages or {},
    )


def unbounded_strikes(count: int) -> dict[str, dict[str, str]]:
    """What a row holds that was written before there was a bound: a strike for every hour before the start."""
    moments = [(START - timedelta(hours=number)).isoformat() for number in range(count)]
    return {
        f"main/old-{number}": {"check": "links", "posted": moment, "counts_from": moment}
        for number, moment in enumerate(moments)
    }


def posted(
    text: str,
    message_id: str,
    when: datetime = START,
    *,
    member: str = "ann",
    group: str = "main",
    source: str = "/a",
    community: str = COMMUNITY,
    kind: ContentKind = ContentKind.TEXT,
) -> MessagePosted:
    return MessagePosted.record(
        time=when,
        recorded=when,
        source=source,
        community=community,
        subject=message_id,
        origin=(source, group, message_id),
        data=MessagePostedData(
            group=group,
            account=AccountRef(platform="test", account_id=member),
            member_id=member,
            message_id=message_id,
            kind=kind,
            text=text,
            name=member.title(),
        ),
    )

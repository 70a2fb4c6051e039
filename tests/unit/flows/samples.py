"""Events, a community and funnels that the tests of this folder share."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shequn.contracts.base import AccountRef, Contract, Money
from shequn.contracts.commerce import (
    Ladder,
    OrderPaid,
    OrderPaidData,
    OrderRefunded,
    OrderRefundedData,
    ReferralAttributed,
    ReferralAttributedData,
)
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.definitions.funnel import FunnelDefinition
from shequn.contracts.engagement import (
    FirstReplied,
    FirstRepliedData,
    PointsEarned,
    PointsEarnedData,
    Tier,
    TierChanged,
    TierChangedData,
)
from shequn.contracts.envelope import Envelope
from shequn.contracts.members import (
    MemberJoined,
    MemberJoinedData,
    MemberLeft,
    MemberLeftData,
    MemberUpdated,
    MemberUpdatedData,
)
from shequn.contracts.moderation import Rung, SanctionImposed, SanctionImposedData

START = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
"""A Monday, noon in Shanghai."""

COMMUNITY = "readers"
MEMBER = "m1"


def at(**span: float) -> datetime:
    """A moment counted from START."""
    return START + timedelta(**span)


def _event(kind: type[Envelope], time: datetime, key: str, data: Contract) -> Any:
    return kind.record(
        time=time, recorded=time, source="/test", community=COMMUNITY, subject=MEMBER, origin=(key,), data=data
    )


def joined(time: datetime = START, member: str = MEMBER, **profile: Any) -> MemberJoined:
    profile.setdefault("consents", ("messages",))
    account = AccountRef(platform="form", account_id=member)
    return _event(
        MemberJoined, time, f"joined-{member}", MemberJoinedData(member_id=member, account=account, **profile)
    )


def updated(time: datetime, **profile: Any) -> MemberUpdated:
    profile.setdefault("consents", ("messages",))
    account = AccountRef(platform="form", account_id=MEMBER)
    return _event(MemberUpdated, time, "updated", MemberUpdatedData(member_id=MEMBER, account=account, **profile))


def left(time: datetime) -> MemberLeft:
    return _event(MemberLeft, time, "left", MemberLeftData(member_id=MEMBER))


def paid(
    time: datetime,
    order: str = "o1",
    product: str = "course-low",
    rung: Ladder = Ladder.LOW,
    minor: int = 990,
    seat: int | None = None,
    currency: str = "CNY",
) -> OrderPaid:
    data = OrderPaidData(
        order_id=order,
        member_id=MEMBER,
        product=product,
        rung=rung,
        provider="stripe",
        payment_id=order,
        seat=seat,
        amount=Money(minor=minor, currency=currency),
    )
    return _event(OrderPaid, time, f"paid-{order}", data)


def refunded(time: datetime, order: str = "o1", minor: int = 990, *, whole: bool = True) -> OrderRefunded:
    data = OrderRefundedData(
        order_id=order,
        member_id=MEMBER,
        product="course-low",
        amount=Money(minor=minor, currency="CNY"),
        refunded_minor=minor,
        whole=whole,
    )
    return _event(OrderRefunded, time, f"refunded-{order}-{minor}", data)


def replied(time: datetime) -> FirstReplied:
    return _event(FirstReplied, time, "replied", FirstRepliedData(member_id=MEMBER, group="hall", message_id="1"))


def earned(time: datetime, points: int = 2, key: str = "1") -> PointsEarned:
    data = PointsEarnedData(member_id=MEMBER, giver="m2", points=points, balance=points, reason="reply")
    return _event(PointsEarned, time, f"earned-{key}", data)


def tier(time: datetime, name: Tier, days: int = 7) -> TierChanged:
    data = TierChangedData(member_id=MEMBER, window_days=days, tier=name, before=Tier.INACTIVE)
    return _event(TierChanged, time, f"tier-{days}-{name}", data)


def brought(time: datetime, member: str) -> ReferralAttributed:
    data = ReferralAttributedData(member_id=member, referrer=MEMBER, code="abc")
    return _event(ReferralAttributed, time, f"brought-{member}", data)


def sanctioned(time: datetime, strikes: int = 1) -> SanctionImposed:
    data = SanctionImposedData(
        sanction_id="s1",
        group="hall",
        member_id=MEMBER,
        message_id="1",
        rung=Rung.REMIND,
        strikes=strikes,
        check="words",
        reason="a word",
    )
    return _event(SanctionImposed, time, f"sanctioned-{strikes}", data)


def funnel(*steps: dict[str, Any], **parts: Any) -> FunnelDefinition:
    """A funnel that members enter by joining; steps follow one another unless they say otherwise."""
    chained = [
        {"id": f"step-{number}", "next": steps[number].get("id", f"step-{number + 1}") if number < len(steps) else None}
        | step
        for number, step in enumerate(steps, 1)
    ]
    document = {"funnel": "growth", "enter": {"on": "member.joined"}, "steps": chained} | parts
    return FunnelDefinition.model_validate(document)


def community(*funnels: FunnelDefinition, version: int = 1) -> CommunityDefinition:
    document = {
        "community": COMMUNITY,
        "version": version,
        "name": {"zh": "读书会", "en": "Reading club"},
        "timezone": "Asia/Shanghai",
        "currency": "CNY",
        "languages": ["zh", "en"],
        "tags": ["reading"],
        "purpose": ["growth"],
        "goal": {"metric": "members", "unit": "members", "target": 1000, "every": "year"},
        "groups": [{"id": "hall", "kind": "free", "platform": "wechat", "chat": "1"}],
        "rules": [],
        "products": [
            {"id": "free-week", "kind": "course", "rung": "free", "price_minor": 0},
            {"id": "course-low", "kind": "course", "rung": "low", "price_minor": 990, "name": {"zh": "入门课"}},
            {
                "id": "camp-mid",
                "kind": "course",
                "rung": "middle",
                "seat_tiers": [{"seats": 2, "price_minor": 50_000}, {"seats": 2, "price_minor": 100_000}],
            },
        ],
        "funnels": [each.model_dump() for each in funnels],
        "messages": {
            "welcome": {"zh": "{name},欢迎!", "en": "Welcome, {name}!"},
            "camp": {"zh": "{price}"},
            "low-story": {"zh": "{product}只要 {price},到 {expires} 为止。{unknown}"},
        },
    }
    return CommunityDefinition.model_validate(document)


GROWTH_STAGES = ("free", "low", "middle", "high", "referral")


def growth(**parts: Any) -> FunnelDefinition:
    """The five-stage growth funnel, moved by what the member does alone."""
    rungs = ("low", "middle", "high")
    steps: list[dict[str, Any]] = [{"kind": "send", "message": "welcome", "stage": "free"}]
    for rung in rungs:
        until = {"kind": "wait_until", "id": f"{rung}-paid", "until": [{"on": "order.paid", "rung": rung}]}
        steps += [until, {"kind": "tag", "id": f"{rung}-tag", "tag": rung, "stage": rung}]
    steps += [
        {"kind": "wait_until", "id": "brought", "until": [{"on": "referral.brought"}]},
        {"kind": "goal", "id": "shared", "goal": "shared", "stage": "referral"},
    ]
    stages = [{"id": stage, "name": {"zh": stage}} for stage in GROWTH_STAGES]
    return funnel(*steps, stages=stages, **parts)

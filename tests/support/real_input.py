"""Real chat and real orders as events, and what a single pass over the files says the totals must be.

The calculation here shares nothing with the services but the meaning of the words.
"""

import csv
import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from shequn.contracts import ids
from shequn.contracts.base import AccountRef, Money
from shequn.contracts.chat import MessagePosted, MessagePostedData
from shequn.contracts.commerce import Ladder
from shequn.contracts.definitions.community import CommunityDefinition, Goal, GroupDefinition
from shequn.contracts.definitions.conditions import Condition, Conditions, Fact, Trigger
from shequn.contracts.definitions.funnel import ExitStep, FunnelDefinition, GoalStep, WaitUntilStep
from shequn.contracts.definitions.products import ProductDefinition
from shequn.contracts.definitions.rules import LadderRule, LinkRule, RuleSet, WordRule
from shequn.contracts.definitions.values import LocalizedText, Rate
from shequn.contracts.payments import ChargeSucceeded, ChargeSucceededData
from shequn.contracts.signups import FormSubmitted, FormSubmittedData

CHAT, SHOP = "chat-rooms", "record-shop"
ZONE = "Asia/Shanghai"
LOYAL_ORDERS = 5


@dataclass(frozen=True)
class ChatRow:
    """One message of the recording."""

    at: datetime
    room: str
    user: str
    message_id: str
    text: str


@dataclass(frozen=True)
class OrderRow:
    """One order of the record shop."""

    number: int
    customer: str
    day: date
    cents: int


def slug(room: str) -> str:
    """Make a group id of a room's name."""
    return re.sub(r"[^a-z0-9]+", "-", room.lower())


def read_chat(path: Path, most: int | None = None) -> list[ChatRow]:
    """Read recorded messages."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for _, line in zip(range(most or 10**9), lines, strict=False)]
    return [
        ChatRow(datetime.fromisoformat(row["ts"]), slug(row["room"]), row["user"], row["id"], row["text"])
        for row in rows
    ]


def read_orders(path: Path, most: int | None = None) -> list[OrderRow]:
    """Read recorded orders; money exact, from the text."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        rows = [row for _, row in zip(range(most or 10**9), csv.DictReader(lines), strict=False)]
    return [
        OrderRow(number, row["sample_id"], date.fromisoformat(row["date"]), int(Decimal(row["amount"]) * 100))
        for number, row in enumerate(rows)
    ]


def generated_chat(count: int) -> list[ChatRow]:
    """Make messages without any file: three rooms, forty people, ninety days."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        ChatRow(
            at=start + timedelta(minutes=number * 130_000 // count),
            room=f"room-{number % 3}",
            user=f"user-{number * number % 41}",
            message_id=f"m{number}",
            text=f"第 {number} 条：今天读完一章",
        )
        for number in range(count)
    ]


def generated_orders(count: int) -> list[OrderRow]:
    """Make orders without any file: some buy once, some often."""
    start = date(2026, 1, 1)
    return [
        OrderRow(number, f"c{number * number % 97}", start + timedelta(days=number % 365), 100 + number * 37 % 9_000)
        for number in range(count)
    ]


@dataclass
class Expected:
    """What one pass over the rows says."""

    messages: Counter[str] = field(default_factory=Counter)
    speakers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    daily: dict[date, set[str]] = field(default_factory=lambda: defaultdict(set))
    monthly: dict[tuple[int, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    orders: int = 0
    revenue_cents: int = 0
    per_customer: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, chat: Iterable[ChatRow], orders: Iterable[OrderRow]) -> "Expected":
        """Count."""
        totals, zone = cls(), ZoneInfo(ZONE)
        for row in chat:
            day = row.at.astimezone(zone).date()
            totals.messages[row.room] += 1
            totals.speakers[row.room].add(row.user)
            totals.daily[day].add(row.user)
            totals.monthly[day.year, day.month].add(row.user)
        for order in orders:
            totals.orders += 1
            totals.revenue_cents += order.cents
            totals.per_customer[order.customer] += 1
        return totals

    @property
    def users(self) -> int:
        """People who wrote anywhere."""
        return len(set().union(*self.speakers.values()))

    def customers_with(self, orders: int) -> int:
        """Customers with at least so many orders."""
        return sum(1 for count in self.per_customer.values() if count >= orders)


def account(platform: str, name: str) -> AccountRef:
    """An account of the recording."""
    return AccountRef(platform=platform, account_id=name)


def chat_event(row: ChatRow) -> MessagePosted:
    """A recorded message as an event."""
    who = account("gitter", row.user)
    return MessagePosted.record(
        time=row.at,
        recorded=datetime.now(UTC),
        source="/test/chat",
        community=CHAT,
        subject=row.message_id,
        origin=("gitter", row.room, row.message_id),
        data=MessagePostedData(
            group=row.room, account=who, member_id=ids.member_id(who), message_id=row.message_id, text=row.text
        ),
    )


def signup_event(customer: str, day: date) -> FormSubmitted:
    """A customer's sign-up, on the day of the first order."""
    who = account("shop", customer)
    return FormSubmitted.record(
        time=datetime(day.year, day.month, day.day, tzinfo=UTC),
        recorded=datetime.now(UTC),
        source="/test/shop",
        community=SHOP,
        subject=customer,
        origin=("shop", customer),
        data=FormSubmittedData(
            account=who, member_id=ids.member_id(who), submission_id=f"s-{customer}", language="en", channel="shop"
        ),
    )


def payment_event(order: OrderRow) -> ChargeSucceeded:
    """A recorded order as a payment."""
    who = account("shop", order.customer)
    day = order.day
    return ChargeSucceeded.record(
        time=datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        recorded=datetime.now(UTC),
        source="/test/shop",
        community=SHOP,
        subject=f"p{order.number}",
        origin=("shop", f"p{order.number}"),
        data=ChargeSucceededData(
            provider="shop",
            payment_id=f"p{order.number}",
            account=who,
            member_id=ids.member_id(who),
            product="records",
            amount=Money(minor=order.cents, currency="USD"),
        ),
    )


def chat_definition(rooms: Iterable[str]) -> CommunityDefinition:
    """The rooms as one community with ordinary rules."""
    return _definition(
        CHAT,
        groups=tuple(
            GroupDefinition(id=room, kind="free", platform="gitter", chat=room, rules="plain")
            for room in sorted(set(rooms))
        ),
        rules=(
            RuleSet(
                id="plain",
                words=(WordRule(category="ads", words=("free bitcoin", "加微信")),),
                links=LinkRule(policy="explain"),
                flood=Rate(count=6, within=timedelta(seconds=10)),
                ladder=LadderRule(strikes_expire=timedelta(days=30)),
            ),
        ),
    )


def shop_definition() -> CommunityDefinition:
    """The record shop with a funnel whose stages are facts: joined, bought, bought again, loyal."""
    return _definition(
        SHOP,
        products=(ProductDefinition(id="records", kind="goods", rung=Ladder.LOW, open_price=True),),
        funnels=(
            FunnelDefinition(
                funnel="buyers",
                enter=Trigger(on="member.joined"),
                steps=(
                    WaitUntilStep(id="attract", stage="attract", until=(Trigger(on="order.paid"),), next="again"),
                    WaitUntilStep(id="again", stage="convert", conditions=_orders(2), next="often"),
                    WaitUntilStep(id="often", stage="repurchase", conditions=_orders(LOYAL_ORDERS), next="loyal"),
                    GoalStep(id="loyal", stage="loyal", goal="loyal", next="end"),
                    ExitStep(id="end", reason="loyal"),
                ),
            ),
        ),
    )


def _orders(count: int) -> Conditions:
    return Conditions(all_of=(Condition(fact=Fact.ORDERS_PAID, operator=">=", value=float(count)),))


def _definition(community: str, **parts: Any) -> CommunityDefinition:
    return CommunityDefinition.model_validate(
        {
            "community": community,
            "name": LocalizedText(zh="试验", en="Trial"),
            "timezone": ZONE,
            "currency": "USD",
            "tags": ("trial",),
            "purpose": ("growth",),
            "goal": Goal(metric="notes", unit="notes", target=1, every="week"),
            "groups": (),
            "rules": (),
        }
        | parts
    )

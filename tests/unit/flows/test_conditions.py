"""Conditions hold or not, say why, and know when time will decide."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from flows.engine.conditions import explain, holds, next_change
from flows.engine.facts import MemberFacts, apply_event
from shequn.contracts.definitions.conditions import Conditions
from shequn.contracts.definitions.currency import Currency
from shequn.contracts.engagement import Tier
from tests.unit.flows import samples as s


def wanted(*comparisons: tuple[str, str, Any]) -> Conditions:
    names = ("fact", "operator", "value")
    return Conditions.model_validate({"all_of": [dict(zip(names, each, strict=True)) for each in comparisons]})


def known(*events: Any) -> MemberFacts:
    facts = MemberFacts()
    for event in events:
        facts = apply_event(facts, event)
    return facts


MEMBER = known(
    s.joined(language="en", channel="poster"),
    s.paid(s.at(days=2), minor=6_800),
    s.paid(s.at(days=3), "o2", "free-week", minor=10),
    s.tier(s.at(days=1), Tier.MIDDLE),
    s.earned(s.at(days=1), 20),
    s.brought(s.at(days=1), "m7"),
    s.sanctioned(s.at(days=1), 2),
    s.replied(s.at(days=1)),
).tagged("vip")

NOW = s.at(days=10, hours=23)
CNY = Currency("CNY", 2)


@pytest.mark.parametrize(
    ("comparison", "answer"),
    [
        (("tier", "in", ["high", "middle"]), True),
        (("tier", "in", ["high"]), False),
        (("language", "in", ["en"]), True),
        (("channel", "in", ["poster"]), True),
        (("contribution", ">=", 20), True),
        (("contribution", ">", 20), False),
        (("orders_paid", "==", 2), True),
        (("spent", "==", 68.1), True),
        (("spent", "<", 68.1), False),
        (("referrals", ">=", 1), True),
        (("strikes", "<=", 1), False),
        (("days_since_joined", "==", 10), True),
        (("days_since_purchase", ">=", 8), False),
        (("days_since_purchase", ">=", 7), True),
        (("bought", "contains", ["camp-mid", "course-low"]), True),
        (("bought", "contains", ["camp-mid"]), False),
        (("tags", "contains", ["vip"]), True),
        (("replied", "==", True), True),
        (("posted", "==", True), False),
        (("posted", "==", False), True),
    ],
)
def test_compares(comparison: tuple[str, str, Any], answer: bool) -> None:
    assert holds(wanted(comparison), MEMBER, NOW, CNY) is answer


class TestSpent:
    @pytest.mark.parametrize(
        ("currency", "minor", "major"),
        [
            (Currency("XOF", 0), 5_000, 5_000),
            (Currency("ISK", 0), 990, 990),
            (Currency("CNY", 2), 1_001, 10.01),
            (Currency("OMR", 3), 12_500, 12.5),
        ],
    )
    def test_is_in_major_units(self, currency: Currency, minor: int, major: float) -> None:
        member = known(s.joined(), s.paid(s.START, minor=minor, currency=currency.code))
        assert holds(wanted(("spent", "==", major)), member, NOW, currency)

    def test_leaves_out_orders_in_another_currency(self) -> None:
        orders = (s.paid(s.START, minor=6_800), s.paid(s.START, "o2", minor=5_000, currency="JPY"))
        assert holds(wanted(("spent", "==", 68)), known(s.joined(), *orders), NOW, CNY)


class TestUnknown:
    @pytest.mark.parametrize(
        "comparison",
        [("tier", "in", ["inactive"]), ("days_since_purchase", "<", 100), ("days_since_joined", ">=", 0)],
    )
    def test_fulfils_nothing(self, comparison: tuple[str, str, Any]) -> None:
        assert not holds(wanted(comparison), MemberFacts(), NOW, CNY)


class TestExplain:
    def test_names_what_is_missing(self) -> None:
        finding = explain(wanted(("contribution", ">=", 50), ("tier", "in", ["middle"])), MEMBER, NOW, CNY)
        assert (finding.holds, finding.why) == (False, "contribution is 20, wanted >= 50")

    def test_shows_every_value_when_all_hold(self) -> None:
        finding = explain(wanted(("contribution", ">=", 20), ("tier", "in", ["middle"])), MEMBER, NOW, CNY)
        assert finding.why == "contribution is 20, wanted >= 20; tier is middle, wanted in [middle]"

    def test_says_unknown(self) -> None:
        assert (
            explain(wanted(("tier", "in", ["high"])), MemberFacts(), NOW, CNY).why
            == "tier is unknown, wanted in [high]"
        )

    def test_without_conditions_holds(self) -> None:
        assert explain(Conditions(), MemberFacts(), NOW, CNY).holds


class TestNextChange:
    @pytest.mark.parametrize(
        ("comparison", "moment"),
        [
            (("days_since_joined", ">=", 12), s.at(days=12)),
            (("days_since_joined", ">", 12), s.at(days=13)),
            (("days_since_joined", "==", 12), s.at(days=12)),
            (("days_since_purchase", ">=", 7.5), s.at(days=11)),
            (("days_since_joined", "<", 12), None),
            (("days_since_joined", ">=", 2), None),
            (("contribution", ">=", 50), None),
        ],
    )
    def test_is_when_time_alone_decides(self, comparison: tuple[str, str, Any], moment: datetime | None) -> None:
        assert next_change(wanted(comparison), MEMBER, NOW) == moment

    def test_is_the_first_moment_at_which_the_condition_holds(self) -> None:
        conditions = wanted(("days_since_joined", ">", 12))
        moment = next_change(conditions, MEMBER, NOW)
        assert moment is not None
        assert [holds(conditions, MEMBER, moment + change, CNY) for change in (timedelta(seconds=-1), timedelta())] == [
            False,
            True,
        ]

"""Conditions over facts: whether they hold, why, and when time alone may make them hold."""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flows.engine.facts import MemberFacts
from shequn.contracts.definitions.conditions import Condition, Conditions, Fact
from shequn.contracts.definitions.currency import Currency

FactValue = float | str | bool | frozenset[str] | None

_DAY = timedelta(days=1)

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a condition holds, and the sentence that says why."""

    holds: bool
    why: str


def value_of(fact: Fact, facts: MemberFacts, now: datetime, currency: Currency) -> FactValue:
    """Read one fact; none when it is unknown. Days are whole days of 24 hours, money is in the community's currency."""
    return _READ[fact](facts, now, currency)


def holds(conditions: Conditions, facts: MemberFacts, now: datetime, currency: Currency) -> bool:
    """Tell whether all conditions hold."""
    return all(_holds(condition, value_of(condition.fact, facts, now, currency)) for condition in conditions.all_of)


def explain(conditions: Conditions, facts: MemberFacts, now: datetime, currency: Currency) -> Finding:
    """Tell whether all conditions hold, with every value that was looked at."""
    findings = [_explain(condition, facts, now, currency) for condition in conditions.all_of]
    if not findings:
        return Finding(holds=True, why="no condition")
    failed = [finding.why for finding in findings if not finding.holds]
    return Finding(not failed, "; ".join(failed or [finding.why for finding in findings]))


def next_change(conditions: Conditions, facts: MemberFacts, now: datetime) -> datetime | None:
    """Give the next moment at which time alone may make a condition hold; none when only an event can."""
    moments = [_holds_from(condition, facts) for condition in conditions.all_of]
    return min((moment for moment in moments if moment is not None and moment > now), default=None)


def _holds(condition: Condition, value: FactValue) -> bool:
    wanted = condition.value
    if value is None:
        return False
    if isinstance(value, bool):
        return value == wanted
    if isinstance(value, frozenset):
        return isinstance(wanted, tuple) and not value.isdisjoint(wanted)
    if isinstance(value, str):
        return isinstance(wanted, tuple) and value in wanted
    compare = _COMPARE.get(condition.operator)
    return compare is not None and not isinstance(wanted, tuple) and compare(value, wanted)


def _explain(condition: Condition, facts: MemberFacts, now: datetime, currency: Currency) -> Finding:
    value = value_of(condition.fact, facts, now, currency)
    wanted = f"{condition.operator} {_shown(condition.value)}"
    return Finding(_holds(condition, value), f"{condition.fact.value} is {_shown(value)}, wanted {wanted}")


def _shown(value: FactValue | tuple[str, ...]) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset | tuple):
        return "[" + ", ".join(sorted(value)) + "]"
    return value if isinstance(value, str) else f"{value:g}"


def _holds_from(condition: Condition, facts: MemberFacts) -> datetime | None:
    since = _SINCE.get(condition.fact)
    start = None if since is None else since(facts)
    if start is None or isinstance(condition.value, tuple) or condition.operator not in {">=", ">", "=="}:
        return None
    days = math.floor(condition.value) + 1 if condition.operator == ">" else math.ceil(condition.value)
    return start + days * _DAY


def _last_purchase(facts: MemberFacts) -> datetime | None:
    paid = (purchase.paid_at for purchase in facts.purchases.values() if purchase.counts)
    return max((at for at in paid if at is not None), default=None)


def _days_since(start: datetime | None, now: datetime) -> float | None:
    return None if start is None else float((now - start) // _DAY)


def _spent(facts: MemberFacts, currency: Currency) -> float:
    # What was bought before the community changed its currency does not add up with what was bought since.
    kept = (p.kept_minor for p in facts.purchases.values() if p.counts and p.currency == currency.code)
    return float(currency.major(sum(kept)))


_SINCE: dict[Fact, Callable[[MemberFacts], datetime | None]] = {
    Fact.DAYS_SINCE_JOINED: lambda facts: facts.joined_at,
    Fact.DAYS_SINCE_PURCHASE: _last_purchase,
}

_READ: dict[Fact, Callable[[MemberFacts, datetime, Currency], FactValue]] = {
    Fact.TIER: lambda facts, *_: facts.tier,
    Fact.LANGUAGE: lambda facts, *_: facts.profile.language or None,
    Fact.CHANNEL: lambda facts, *_: facts.profile.channel or None,
    Fact.CONTRIBUTION: lambda facts, *_: float(facts.contribution),
    Fact.ORDERS_PAID: lambda facts, *_: float(sum(purchase.counts for purchase in facts.purchases.values())),
    Fact.SPENT: lambda facts, _, currency: _spent(facts, currency),
    Fact.REFERRALS: lambda facts, *_: float(len(facts.brought)),
    Fact.STRIKES: lambda facts, *_: float(facts.strikes),
    Fact.DAYS_SINCE_JOINED: lambda facts, now, _: _days_since(facts.joined_at, now),
    Fact.DAYS_SINCE_PURCHASE: lambda facts, now, _: _days_since(_last_purchase(facts), now),
    Fact.BOUGHT: lambda facts, *_: frozenset(p.product for p in facts.purchases.values() if p.counts),
    Fact.TAGS: lambda facts, *_: facts.tags,
    Fact.POSTED: lambda facts, *_: "engagement.first_post" in facts.seen,
    Fact.REPLIED: lambda facts, *_: "engagement.first_reply" in facts.seen,
}

"""When what a trigger names has happened, read from the facts, so that it does not matter which event came first."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flows.engine.facts import TRIGGER_OF, MemberFacts
from shequn.contracts.definitions.conditions import Trigger
from shequn.contracts.envelope import Envelope


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """One time something happened. ``mark`` tells it from others of the same trigger."""

    at: datetime
    mark: str


def matches(trigger: Trigger, event: Envelope) -> bool:
    """Tell whether an event is what a trigger names."""
    if TRIGGER_OF.get(event.type) != trigger.on:
        return False
    if trigger.product is not None and getattr(event.data, "product", None) != trigger.product:
        return False
    rung = getattr(event.data, "rung", None)
    return trigger.rung is None or (rung is not None and rung == trigger.rung)


def mark_of(event: Envelope) -> str:
    """Give the mark that the occurrence of an event has in the facts."""
    trigger = TRIGGER_OF[event.type]
    data: Any = event.data
    if trigger.startswith("order."):
        return f"{trigger}:{data.order_id}"
    if trigger == "referral.brought":
        return f"{trigger}:{data.member_id}"
    return f"{trigger}:{event.time.isoformat()}"


def occurrences(facts: MemberFacts, trigger: Trigger) -> Iterator[Occurrence]:
    """Give every known occurrence; of triggers that keep no record of their own, the latest alone."""
    if trigger.on in {"order.paid", "order.refunded"}:
        yield from _order_occurrences(facts, trigger)
    elif trigger.on == "referral.brought":
        for member, at in facts.brought.items():
            yield Occurrence(at, f"{trigger.on}:{member}")
    else:
        seen_at = facts.seen.get(trigger.on)
        if seen_at is not None:
            yield Occurrence(seen_at, f"{trigger.on}:{seen_at.isoformat()}")


def _order_occurrences(facts: MemberFacts, trigger: Trigger) -> Iterator[Occurrence]:
    for order_id, purchase in facts.purchases.items():
        at = purchase.paid_at if trigger.on == "order.paid" else purchase.refunded_at
        if at is None or trigger.product not in {None, purchase.product} or trigger.rung not in {None, purchase.rung}:
            continue
        yield Occurrence(at, f"{trigger.on}:{order_id}")


def first_since(
    facts: MemberFacts,
    triggers: Iterable[Trigger],
    since: datetime,
    used: Collection[str],
    until: datetime | None = None,
) -> Occurrence | None:
    """Give the earliest occurrence of any trigger from ``since`` to ``until`` inclusive whose mark is not used."""
    candidates = [
        occurrence
        for trigger in triggers
        for occurrence in occurrences(facts, trigger)
        if occurrence.at >= since and (until is None or occurrence.at <= until) and occurrence.mark not in used
    ]
    return min(candidates, default=None)

"""Compile triggers and conditions."""

from shequn.contracts.definitions.conditions import FLAGS, NUMBERS, SETS, TRIGGERS, Condition, Conditions, Fact, Trigger
from shequn.definitions.compiler.context import Context
from shequn.definitions.hints import did_you_mean
from shequn.definitions.source import Place
from shequn.definitions.surface.conditions import ConditionsSurface, TriggerSurface
from shequn.definitions.surface.funnel import EnterSurface, FunnelGoalSurface

_WITH_PRODUCT = frozenset({"order.paid", "order.refunded"})
_WITH_RUNG = frozenset({"order.paid"})
_MOST_WORDS = 2


def compile_trigger(
    written: str | TriggerSurface | EnterSurface | FunnelGoalSurface, place: Place, context: Context
) -> Trigger | None:
    """Compile a trigger; none, and a problem, when there is no such event."""
    if isinstance(written, str):
        words = written.split()
        if not 1 <= len(words) <= _MOST_WORDS:
            place.problem(f"{written!r} is not an event", "write `order.paid`, or `order.paid PRODUCT`")
            return None
        name, product, rung, here = words[0], words[1] if len(words) > 1 else None, None, place
    else:
        name, product, rung, here = written.on, written.product, written.rung, place / "on"
    if name not in TRIGGERS:
        here.problem(f"unknown event {name!r}", did_you_mean(name, TRIGGERS))
        return None
    if not _fits(name, product, rung, place):
        return None
    if product is not None and not context.refer("product", product, context.products, place):
        return None
    return context.build(Trigger, place, on=name, product=product, rung=rung)


def _fits(name: str, product: str | None, rung: object, place: Place) -> bool:
    if product is not None and name not in _WITH_PRODUCT:
        place.problem(f"{name} has no product", f"write `{name}` alone")
    elif rung is not None and name not in _WITH_RUNG:
        place.problem(f"{name} has no rung", "a rung goes with order.paid")
    else:
        return True
    return False


def compile_conditions(written: ConditionsSurface, place: Place, context: Context) -> Conditions:
    """Compile conditions, in the order they are written."""
    found = [
        _compile_condition(Fact(name), getattr(written, name))
        for name in _in_order(written, place)
        if getattr(written, name) is not None
    ]
    if not found:
        place.problem("has no condition", 'write what must hold: {contribution: ">= 20"}')
    for name in written.bought or ():
        context.refer("product", name, context.products, place / "bought")
    return Conditions(all_of=tuple(found))


def _in_order(written: ConditionsSurface, place: Place) -> list[str]:
    block = place.source.at(place.path)
    return [name for name in block if name in written.model_fields_set] if isinstance(block, dict) else []


def _compile_condition(fact: Fact, value: object) -> Condition:
    if fact in FLAGS:
        return Condition.model_validate({"fact": fact, "operator": "==", "value": value})
    if fact in NUMBERS:
        return Condition.model_validate(
            {"fact": fact, "operator": getattr(value, "operator", "=="), "value": getattr(value, "value", value)}
        )
    operator = "contains" if fact in SETS else "in"
    names = tuple(str(name) for name in value) if isinstance(value, tuple) else (str(value),)
    return Condition.model_validate({"fact": fact, "operator": operator, "value": names})

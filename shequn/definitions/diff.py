"""What a new version of a definition changes: the pure part of `plan`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, JsonValue

from shequn.contracts.definitions import CommunityDefinition
from shequn.contracts.definitions.funnel import FunnelDefinition, OfferStep, SendStep
from shequn.contracts.definitions.products import ProductDefinition

Kind = Literal["added", "removed", "changed"]
_SECTIONS = (
    "name",
    "timezone",
    "currency",
    "currency_digits",
    "languages",
    "tags",
    "purpose",
    "goal",
    "engagement",
    "referral",
    "stay",
)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        kind: added, removed or changed.
        what: ``product``, ``group``, ``rules``, ``message``, ``funnel``, ``step``, ``community`` or ``extra``.
        name: its id; of a step ``FUNNEL/STEP``.
        detail: for what changed: field, old and new value.
        danger: what may go wrong for members who are on their way; empty when nothing may.
    """

    kind: Kind
    what: str
    name: str
    detail: str = ""
    danger: str = ""

    def __str__(self) -> str:
        """Give one line for a person."""
        sign = {"added": "+", "removed": "-", "changed": "~"}[self.kind]
        line = f"{sign} {self.what} {self.name}"
        line += f": {self.detail}" if self.detail else ""
        return f"{line}  ! {self.danger}" if self.danger else line


def diff(old: CommunityDefinition, new: CommunityDefinition) -> list[Change]:
    """Compare two versions of a community. ``old`` is the one in force: enrollments in its funnels go on in it."""
    changes = [*_sections(old, new)]
    changes += _compare("group", {g.id: g for g in old.groups}, {g.id: g for g in new.groups}, _group_dangers(old, new))
    changes += _compare("rules", {r.id: r for r in old.rules}, {r.id: r for r in new.rules}, {})
    changes += _compare("product", _products(old), _products(new), _product_dangers(old, new))
    changes += _compare("message", old.messages, new.messages, _message_dangers(old))
    for name, funnel in {f.funnel: f for f in old.funnels}.items():
        changes += _funnel_changes(funnel, next((f for f in new.funnels if f.funnel == name), None))
    known = {funnel.funnel for funnel in old.funnels}
    changes += [
        Change("added", "funnel", f.funnel, f"{len(f.steps)} steps") for f in new.funnels if f.funnel not in known
    ]
    changes += _extras(old.extras, new.extras)
    return changes


def _sections(old: CommunityDefinition, new: CommunityDefinition) -> Iterator[Change]:
    before, after = _plain(old), _plain(new)
    dangers = {"currency": "prices, orders and commissions of the old currency no longer fit"}
    if old.community != new.community:
        danger = "this is another community: nothing of the old one continues"
        yield Change("changed", "community", "community", f"{old.community} → {new.community}", danger)
    for name in _SECTIONS:
        if before.get(name) != after.get(name):
            yield Change("changed", "community", name, _arrow(before.get(name), after.get(name)), dangers.get(name, ""))


def _compare(
    what: str, old: Mapping[str, BaseModel], new: Mapping[str, BaseModel], dangers: Mapping[str, str]
) -> Iterator[Change]:
    for name, before in old.items():
        after = new.get(name)
        if after is None:
            yield Change("removed", what, name, danger=dangers.get(name, ""))
        elif before != after:
            yield Change("changed", what, name, _detail(_plain(before), _plain(after)), dangers.get(name, ""))
    yield from (Change("added", what, name) for name in new if name not in old)


def _products(definition: CommunityDefinition) -> dict[str, ProductDefinition]:
    return {product.id: product for product in definition.products}


def _group_dangers(old: CommunityDefinition, new: CommunityDefinition) -> dict[str, str]:
    kept = {group.id for group in new.groups}
    danger = "messages of this chat are no longer known: they go to the dead letters or are ignored"
    return {group.id: danger for group in old.groups if group.id not in kept}


def _product_dangers(old: CommunityDefinition, new: CommunityDefinition) -> dict[str, str]:
    dangers: dict[str, str] = {}
    after = _products(new)
    for name, product in _products(old).items():
        users = sorted(
            f.funnel for f in old.funnels if any(isinstance(s, OfferStep) and s.product == name for s in f.steps)
        )
        where = f"funnel {', '.join(users)}"
        if name not in after:
            dangers[name] = f"{where} may still offer it; payments for it will wait for a person" if users else ""
        elif _dearer(product, after[name]) and users:
            dangers[name] = f"{where} may have offered it at the old price; such payments will be too low"
        elif _seats(after[name]) < _seats(product):
            dangers[name] = "there are fewer seats: some may be sold already"
    return dangers


def _dearer(before: ProductDefinition, after: ProductDefinition) -> bool:
    return _first_price(after) > _first_price(before)


def _first_price(product: ProductDefinition) -> int:
    return product.seat_tiers[0].price_minor if product.seat_tiers else product.price_minor or 0


def _seats(product: ProductDefinition) -> float:
    if product.seat_tiers:
        return sum(tier.seats for tier in product.seat_tiers)
    return float("inf") if product.quantity is None else product.quantity


def _message_dangers(old: CommunityDefinition) -> dict[str, str]:
    users: dict[str, set[str]] = {}
    for funnel in old.funnels:
        for step in funnel.steps:
            message = step.message if isinstance(step, SendStep | OfferStep) else None
            if message is not None:
                users.setdefault(message, set()).add(funnel.funnel)
    return {
        name: f"members in funnel {', '.join(sorted(funnels))} keep the old text until they are through"
        for name, funnels in users.items()
    }


def _funnel_changes(old: FunnelDefinition, new: FunnelDefinition | None) -> Iterator[Change]:
    if new is None:
        danger = "nobody enters any more; members in it finish on the old version"
        yield Change("removed", "funnel", old.funnel, danger=danger)
        return
    before, after = _plain(old), _plain(new)
    head = {name: value for name, value in before.items() if name != "steps"}
    head_after = {name: value for name, value in after.items() if name != "steps"}
    if head != head_after:
        yield Change("changed", "funnel", old.funnel, _detail(head, head_after))
    # A line is where a step stands in its file, not what it does.
    steps = {f"{old.funnel}/{step.id}": step.model_copy(update={"line": 0}) for step in old.steps}
    steps_after = {f"{new.funnel}/{step.id}": step.model_copy(update={"line": 0}) for step in new.steps}
    danger = "members who stand here finish on the old version"
    yield from _compare("step", steps, steps_after, {name: danger for name in steps if name not in steps_after})


def _extras(old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        if name not in new:
            yield Change("removed", "extra", name)
        elif name not in old:
            yield Change("added", "extra", name)
        elif old[name] != new[name]:
            yield Change("changed", "extra", name)


def _plain(model: BaseModel) -> dict[str, JsonValue]:
    return model.model_dump(mode="json")


def _detail(old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]) -> str:
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{name} {_arrow(old.get(name), new.get(name))}" for name in names)


def _arrow(old: JsonValue, new: JsonValue) -> str:
    return f"{_short(old)} → {_short(new)}"


def _short(value: JsonValue) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004  # fits a line

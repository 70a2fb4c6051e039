"""Compile the items of a funnel to steps with explicit successors.

One item may do several things. They become steps in this order: the condition ``when``, then ``tag``, ``goal``,
``send``, ``offer``, ``wait``, ``branch``, and ``exit`` or ``go``. The first step has the item's id (``step-N`` by
position when it has none), the others ``ID-KIND``; what a branch does on the spot is ``ID-case-N-KIND`` or
``ID-else-KIND``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shequn.contracts.definitions.conditions import Conditions, Trigger
from shequn.contracts.definitions.funnel import Step
from shequn.definitions.compiler.conditions import compile_conditions, compile_trigger
from shequn.definitions.compiler.context import Context
from shequn.definitions.compiler.item_checks import DOES, check_case, check_item
from shequn.definitions.hints import did_you_mean
from shequn.definitions.source import Place
from shequn.definitions.surface.conditions import ConditionsSurface, TriggerSurface
from shequn.definitions.surface.funnel import InlineSurface, StepSurface, WaitSurface

_STEP: TypeAdapter[Step] = TypeAdapter(Step)
_MOST_ID = 64


@dataclass(frozen=True)
class ItemPlan:
    """An item whose id is known.

    Attributes:
        id: the operator's, or ``step-N``.
        item: as written; none when it is faulty.
        place: where it is written.
        follower: id of the item after it; none for the last.
    """

    id: str
    item: StepSurface | None
    place: Place
    follower: str | None


@dataclass
class CompiledSteps:
    """The steps of a funnel, and the item that each was made from."""

    steps: list[Step] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    complete: bool = True


class StepCompiler:
    """Compiles the items of one funnel."""

    def __init__(self, plans: list[ItemPlan], stages: frozenset[str] | None, context: Context) -> None:
        """Take the items in order.

        Args:
            plans: the items.
            stages: ids of the funnel's stages; none when they cannot be told.
            context: what the parts share.
        """
        self._plans = plans
        self._by_id = {plan.id: plan for plan in reversed(plans)}
        self._ids_are_unique = len(self._by_id) == len(plans)
        self._stages = stages
        self._context = context
        self._result = CompiledSteps()

    def compile(self) -> CompiledSteps:
        """Compile all items. Problems are reported; ``complete`` tells whether every step was made."""
        for plan in self._plans:
            if plan.item is None:
                self._result.complete = False
            else:
                self._compile_item(plan, plan.item)
        return self._result

    def _compile_item(self, plan: ItemPlan, item: StepSurface) -> None:
        check_item(item, plan.place)
        parts = [kind for kind in DOES if getattr(item, kind) is not None]
        if item.stage is not None:
            self._context.refer("stage", item.stage, self._stages, plan.place / "stage")
        if not parts:
            self._resolve(item.go, plan.place / "go")
            return
        after = self._after(plan, item)
        guarded = item.when is not None and (parts != ["offer"] or item.stage is not None)
        kinds = ["when", *parts] if guarded else parts
        ids = [plan.id if position == 0 else f"{plan.id}-{kind}" for position, kind in enumerate(kinds)]
        for position, (kind, step_id) in enumerate(zip(kinds, ids, strict=True)):
            follower = ids[position + 1] if position + 1 < len(ids) else after
            # Who does not fulfil `when` has not reached the stage.
            stage = item.stage if position == (1 if guarded else 0) else None
            common = {"id": step_id, "stage": stage, "next": follower, "line": plan.place.line}
            index = len(self._result.steps)  # before the steps that its branch makes
            fields = self._when(plan, item, follower) if kind == "when" else self._fields(kind, plan, item)
            self._add(plan.place, {**common, **fields}, index)

    def _after(self, plan: ItemPlan, item: StepSurface) -> str | None:
        if item.exit is not None:
            return None
        if item.go is not None:
            return self._resolve(item.go, plan.place / "go")
        return self._entry(plan.follower)

    def _fields(self, kind: str, plan: ItemPlan, item: StepSurface) -> Mapping[str, Any]:
        if kind in {"tag", "goal"}:
            return {"kind": kind, kind: getattr(item, kind)}
        if kind == "exit":
            return {"kind": "exit", "reason": item.exit, "next": None}
        if kind == "send":
            return self._send(str(item.send), plan.place / "send")
        if kind == "offer":
            return self._offer(plan, item)
        if kind == "wait":
            return self._wait(plan, item)
        return self._branch(plan, item)

    def _send(self, message: str, place: Place, *, offers: bool = False) -> Mapping[str, Any]:
        context = self._context
        context.refer("message", message, context.messages, place)
        context.sent.add(message)
        context.promised[message] = offers and context.promised.get(message, True)
        return {"kind": "send", "message": message}

    def _when(self, plan: ItemPlan, item: StepSurface, go: str | None) -> Mapping[str, Any]:
        conditions = compile_conditions(item.when or ConditionsSurface(), plan.place / "when", self._context)
        return {
            "kind": "branch",
            "cases": [{"any_of": [conditions], "go": go}],
            "next": self._entry(plan.follower),
        }

    def _offer(self, plan: ItemPlan, item: StepSurface) -> Mapping[str, Any]:
        context, place = self._context, plan.place
        context.refer("product", str(item.offer), context.products, place / "offer")
        if item.message is not None:
            self._send(item.message, place / "message", offers=True)
            context.unpriced.update([item.message] if item.offer in context.unfixed else [])
        fields: dict[str, Any] = {
            "kind": "offer",
            "product": item.offer,
            "expires": item.expires or timedelta(days=1),
            "message": item.message,
        }
        alone = item.stage is None and all(getattr(item, kind) is None for kind in DOES if kind != "offer")
        if item.when is not None and alone:
            fields["when"] = compile_conditions(item.when, place / "when", context)
        return fields

    def _wait(self, plan: ItemPlan, item: StepSurface) -> Mapping[str, Any]:
        if isinstance(item.wait, timedelta):
            return {"kind": "wait", "duration": item.wait}
        wait, place = item.wait, plan.place / "wait"
        if wait is None:
            return {}
        if wait.timeout is not None and wait.at_most is None:
            (place / "timeout").problem("can never happen: nothing limits the wait", "add `at_most: 3d`")
        if wait.at_most is None:
            place.notice("waits for ever when nothing of it happens; `at_most` would limit it")
        triggers, conditions = self._until(wait, place / "until")
        timeout = None if wait.timeout is None else self._resolve(wait.timeout, place / "timeout")
        return {
            "kind": "wait_until",
            "until": triggers,
            "conditions": conditions,
            "at_most": wait.at_most,
            "timeout": timeout,
        }

    def _until(self, wait: WaitSurface, place: Place) -> tuple[list[Trigger], Conditions | None]:
        triggers: list[Trigger] = []
        conditions: Conditions | None = None
        for written, here in zip(wait.until, _places(place, len(wait.until)), strict=True):
            if isinstance(written, str | TriggerSurface):
                trigger = compile_trigger(written, here, self._context)
                triggers += [trigger] if trigger is not None else []
            elif conditions is not None:
                here.problem(
                    "is a second set of conditions", "put all conditions into one block; all of them must hold"
                )
            else:
                conditions = compile_conditions(written, here, self._context)
        return triggers, conditions

    def _branch(self, plan: ItemPlan, item: StepSurface) -> Mapping[str, Any]:
        cases: list[Mapping[str, Any]] = []
        otherwise: Mapping[str, Any] = {}
        arms = item.branch or ()
        for position, case in enumerate(arms):
            here = plan.place / "branch" / position
            check_case(case, here, last=position == len(arms) - 1)
            if case.else_ is not None:
                otherwise = {"next": self._arm(case.else_, f"{plan.id}-else", plan, here / "else")}
            elif case.if_ is not None:
                places = _places(here / "if", len(case.if_))
                any_of = [compile_conditions(c, p, self._context) for c, p in zip(case.if_, places, strict=True)]
                go = self._arm(case, f"{plan.id}-case-{position + 1}", plan, here)
                cases.append({"any_of": any_of, "go": go or plan.id})
        return {"kind": "branch", "cases": cases, **otherwise}

    def _arm(self, arm: InlineSurface, prefix: str, plan: ItemPlan, place: Place) -> str | None:
        """Compile what an arm does on the spot. Gives the step that the arm goes to."""
        parts = [kind for kind in ("tag", "send", "exit") if getattr(arm, kind) is not None]
        target = arm.then or arm.go
        end = None if arm.exit is not None else self._onward(arm, target, plan, place)
        ids = [f"{prefix}-{kind}" for kind in parts]
        for kind, step_id, follower in zip(parts, ids, [*ids, end][1:], strict=True):
            common = {"id": step_id, "next": follower, "line": place.line}
            if kind == "send":
                self._add(plan.place, {**common, **self._send(str(arm.send), place / "send")})
            else:
                name = "reason" if kind == "exit" else kind
                self._add(plan.place, {**common, "kind": kind, name: getattr(arm, kind)})
        if ids:
            return ids[0]
        if end is None and target is None:
            place.problem("leads nowhere", "add `go: STEP` or `exit: REASON`; this is the last item")
        return end

    def _onward(self, arm: InlineSurface, target: str | None, plan: ItemPlan, place: Place) -> str | None:
        if target is not None:
            return self._resolve(target, place / ("then" if arm.then else "go"))
        if plan.item is not None and plan.item.go is not None:
            return self._entry(plan.item.go)
        return self._entry(plan.follower)

    def _resolve(self, target: str | None, place: Place) -> str | None:
        """Give the step that an item's id stands for, and report ids that stand for none."""
        if target is None:
            return None
        if target not in self._by_id:
            place.problem(f"no step {target!r}", did_you_mean(target, self._by_id))
            self._result.complete = False
            return None
        entry = self._entry(target)
        if entry is None:
            place.problem(f"step {target!r} leads nowhere", "let it do something, or end with `exit: REASON`")
        return entry

    def _entry(self, item_id: str | None) -> str | None:
        """Give the first step of an item. An item that only says ``go`` stands for the item it names."""
        seen: set[str] = set()
        while item_id is not None and item_id not in seen:
            seen.add(item_id)
            plan = self._by_id.get(item_id)
            if plan is None:
                return None
            if plan.item is None or any(getattr(plan.item, kind) is not None for kind in DOES):
                return item_id
            item_id = plan.item.go
        return None

    def _add(self, place: Place, fields: Mapping[str, Any], index: int | None = None) -> None:
        step_id = str(fields["id"])
        if len(step_id) > _MOST_ID:
            place.problem(
                f"step {step_id!r} has a name of more than {_MOST_ID} characters", "give the item a shorter id"
            )
        if step_id in self._result.places:
            self._result.complete = False
        if step_id in self._result.places and self._ids_are_unique:
            place.problem(f"two steps are called {step_id!r}", "give one of the items another id")
        self._result.places[step_id] = place
        try:
            step = _STEP.validate_python(dict(fields))
        except ValidationError as error:
            self._result.complete = False
            if len(step_id) <= _MOST_ID:
                place.problem(f"cannot become a step: {error.errors(include_url=False)[0]['msg']}")
        else:
            steps = self._result.steps
            steps.insert(len(steps) if index is None else index, step)


def _places(place: Place, count: int) -> Iterator[Place]:
    """Give the places of one or many: a value that is no list stands for a list of one."""
    many = isinstance(place.source.at(place.path), list)
    return ((place / position if many else place) for position in range(count))

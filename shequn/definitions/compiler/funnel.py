"""Compile ``funnels/*.yaml``."""

from collections.abc import Sequence
from datetime import timedelta

from shequn.contracts.definitions.conditions import Trigger
from shequn.contracts.definitions.funnel import Cap, FunnelDefinition, Goal, Guards, Stage
from shequn.contracts.definitions.products import ProductDefinition
from shequn.definitions.compiler.conditions import compile_trigger
from shequn.definitions.compiler.context import Context, ids_in, report_duplicates
from shequn.definitions.compiler.steps import CompiledSteps, ItemPlan, StepCompiler
from shequn.definitions.lint.graph import lint_graph
from shequn.definitions.lint.ladder import lint_ladder
from shequn.definitions.source import Place
from shequn.definitions.surface.base import sound
from shequn.definitions.surface.funnel import EnterSurface, FunnelFile, GuardsSurface

MOST_ITEMS = 500
"""A funnel of more items is a mistake: people can no longer read it."""


def compile_funnel(
    file: FunnelFile, place: Place, products: Sequence[ProductDefinition], context: Context
) -> FunnelDefinition | None:
    """Compile one funnel; none when it cannot be made.

    Args:
        file: the funnel.
        place: the top of its file.
        products: the sound products.
        context: what the parts share.
    """
    if file.subject == "group":
        (place / "subject").problem("funnels of groups are not supported yet", "write `subject: member`")
    if len(file.steps) > MOST_ITEMS:
        (place / "steps").problem(f"has more than {MOST_ITEMS} items", "split the funnel")
        return None
    stages = _compile_stages(file, place / "stages", context)
    known = ids_in(place.source.data, "stages")
    compiled = StepCompiler(_plan(file, place / "steps"), known, context).compile()
    if compiled.complete and compiled.steps:
        lint_graph(compiled, place / "steps")
        _tell_unreached(stages, compiled, place / "stages")
    lint_ladder(compiled, products)
    return _assemble(file, place, compiled, stages, context)


def _assemble(
    file: FunnelFile, place: Place, compiled: CompiledSteps, stages: tuple[Stage, ...], context: Context
) -> FunnelDefinition | None:
    enter, re_enter = _enter(file, place / "enter", context)
    goal = _goal(file, place / "goal", context)
    exits = _exits(file, place / "exit", context)
    if file.funnel is None or enter is None or not compiled.complete or not compiled.steps:
        return None
    return context.build(
        FunnelDefinition,
        place,
        funnel=file.funnel,
        enter=enter,
        re_enter=re_enter,
        exits=exits,
        goal=goal,
        guards=_guards(file.guards),
        stages=stages,
        steps=tuple(compiled.steps),
    )


def _plan(file: FunnelFile, place: Place) -> list[ItemPlan]:
    written = place.source.at(place.path)
    raw = written if isinstance(written, list) else []
    named = [item.get("id") if isinstance(item, dict) else None for item in raw]
    ids = [
        name if isinstance(name, str) else f"step-{position}"
        for position, name in enumerate(named[: len(file.steps)], 1)
    ]
    report_duplicates("step", dict(enumerate(ids)), place)
    followers = [*ids, None][1:]
    return [
        ItemPlan(name, item, place / position, follower)
        for position, (name, item, follower) in enumerate(zip(ids, file.steps, followers, strict=True))
    ]


def _compile_stages(file: FunnelFile, place: Place, context: Context) -> tuple[Stage, ...]:
    report_duplicates("stage", {position: stage.id for position, stage in sound(file.stages)}, place)
    return tuple(
        Stage(id=stage.id, name=context.text(stage.name, place / position / "name"))
        for position, stage in sound(file.stages)
    )


def _tell_unreached(stages: tuple[Stage, ...], compiled: CompiledSteps, place: Place) -> None:
    reached = {step.stage for step in compiled.steps}
    for stage in stages:
        if stage.id not in reached:
            place.notice(f"no step reaches the stage {stage.id!r}")


def _enter(file: FunnelFile, place: Place, context: Context) -> tuple[Trigger | None, str | timedelta]:
    if file.enter is None:
        return None, "never"
    re_enter = file.enter.re_enter if isinstance(file.enter, EnterSurface) else "never"
    return compile_trigger(file.enter, place, context), re_enter


def _exits(file: FunnelFile, place: Place, context: Context) -> tuple[Trigger, ...]:
    many = isinstance(place.source.at(place.path), list)
    found = (compile_trigger(e, place / position if many else place, context) for position, e in enumerate(file.exit))
    return tuple(trigger for trigger in found if trigger is not None)


def _goal(file: FunnelFile, place: Place, context: Context) -> Goal | None:
    if file.goal is None:
        return None
    trigger = compile_trigger(file.goal, place, context)
    return None if trigger is None else Goal(trigger=trigger, within=file.goal.within)


def _guards(written: GuardsSurface) -> Guards:
    cap = written.at_most
    return Guards(
        quiet=written.quiet,
        at_most=Cap(per_day=cap.per_day, per_week=cap.per_week) if cap else Cap(),
        when_blocked=written.when_blocked,
        consent=written.consent,
    )

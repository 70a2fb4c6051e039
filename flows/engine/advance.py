"""Move an enrollment on as far as facts and time allow."""

from dataclasses import dataclass
from datetime import datetime

from flows.engine.effects import Decision, Effect, FunnelLoopError
from flows.engine.enrollment import Enrollment, State
from flows.engine.facts import MemberFacts
from flows.engine.run import Run
from flows.engine.steps import begin, look_again
from shequn.contracts.definitions.currency import Currency
from shequn.contracts.definitions.funnel import FunnelDefinition, Step

MAX_STEPS = 1_000
"""Steps one advance may take. A technical bound: a real path waits long before."""


@dataclass(frozen=True, slots=True)
class Advance:
    """What an advance led to. ``facts`` have the tags it gave; ``effects`` and ``decisions`` stand in their order."""

    enrollment: Enrollment
    facts: MemberFacts
    effects: tuple[Effect, ...]
    decisions: tuple[Decision, ...]


def advance(
    definition: FunnelDefinition,
    enrollment: Enrollment,
    facts: MemberFacts,
    now: datetime,
    timezone: str,
    currency: Currency,
) -> Advance:
    """Take steps until the member must wait or the way ends.

    The same arguments give the same answer, and the answer advanced again at the same moment gives no effect.

    Args:
        definition: the funnel in the enrollment's version.
        enrollment: where the member stands.
        facts: what is known of the member, the event that led here included.
        now: the present moment.
        timezone: the community's zone, for members without one.
        currency: the community's, for conditions on money.

    Raises:
        FunnelLoopError: the steps go round in circles.
    """
    run = Run(definition, enrollment, facts, now, timezone, currency)
    run.note_goal()
    if enrollment.running and not run.leave_if_asked():
        if enrollment.state is State.WAITING:
            look_again(run, step_of(definition, enrollment.step))
        _walk(run)
    count = enrollment.decisions + len(run.decisions)
    if count != enrollment.decisions:
        run.enrollment = run.enrollment.having(decisions=count)
    return Advance(run.enrollment, run.facts, tuple(run.effects), tuple(run.decisions))


def step_of(definition: FunnelDefinition, step_id: str) -> Step:
    """Find a step by its id.

    Raises:
        KeyError: the funnel has no such step; the definition was not checked.
    """
    for step in definition.steps:
        if step.id == step_id:
            return step
    raise KeyError(f"funnel {definition.funnel!r} has no step {step_id!r}")


def _walk(run: Run) -> None:
    steps = 0
    while run.active and not run.leave_if_asked():
        if steps == MAX_STEPS:
            raise FunnelLoopError(run.definition.funnel, run.enrollment.step, MAX_STEPS)
        begin(run, step_of(run.definition, run.enrollment.step))
        steps += 1

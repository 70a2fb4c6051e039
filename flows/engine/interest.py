"""Whether an event can move an enrollment at all, told without reading its progress.

Most events of a lively community move nobody. This keeps them cheap; it may say yes too often, never no wrongly.
"""

from datetime import datetime

from flows.engine.advance import step_of
from flows.engine.enrollment import State
from flows.engine.occurrences import matches
from shequn.contracts.definitions.funnel import FunnelDefinition, OfferStep, SendStep, WaitUntilStep
from shequn.contracts.envelope import Envelope
from shequn.contracts.members import MemberUpdated


def can_move(
    definition: FunnelDefinition, state: State, step_id: str, due_at: datetime | None, event: Envelope, now: datetime
) -> bool:
    """Tell whether an event may move an enrollment.

    Args:
        definition: the funnel in the enrollment's version.
        state: the enrollment's state.
        step_id: where it stands.
        due_at: when time moves it on.
        event: what happened.
        now: the present moment.
    """
    if definition.goal is not None and matches(definition.goal.trigger, event):
        return True
    if state is State.FINISHED:
        return False
    if isinstance(event, MemberUpdated):
        return True
    if (due_at is not None and due_at <= now) or any(matches(trigger, event) for trigger in definition.exits):
        return True
    step = step_of(definition, step_id)
    if isinstance(step, WaitUntilStep):
        return step.conditions is not None or any(matches(trigger, event) for trigger in step.until)
    # Without a due time a send waits for what the member's joining tells.
    return isinstance(step, SendStep | OfferStep) and due_at is None

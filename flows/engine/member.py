"""All funnels of one member together: what an event or a timer does to them.

Consumer and waves both come through here, so a member moves by the same rules whatever moved it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flows.engine.advance import Advance, advance
from flows.engine.effects import (
    Decision,
    Effect,
    Finished,
    FunnelLoopError,
    GoalMet,
    Offer,
    Outcome,
    Send,
    StageReachedFirst,
    Started,
)
from flows.engine.emit import Cause, Sender
from flows.engine.enrollment import NO_STAGE, Enrollment, State, began_earlier, enter
from flows.engine.facts import MemberFacts
from flows.engine.render import MissingTextError
from flows.engine.seats import SeatsTaken, none_taken
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.definitions.funnel import FunnelDefinition
from shequn.contracts.envelope import Envelope

Versions = Callable[[int], CommunityDefinition]
"""Gives a version of the community's definition."""

Tally = tuple[str, str, str]
"""Funnel, what is counted, and its name: a stage, a reason, a goal, a product; empty where there is only one."""


@dataclass(slots=True)
class MemberRun:
    """What an event or a timer did to one member's funnels.

    Attributes:
        facts: with the tags that funnels gave.
        seats_taken: for the prices that messages name.
        changed: enrollments that are new or moved, by funnel.
        events: events and commands to publish, in order.
        decisions: lines for the why-cards, each with its enrollment and number.
        tallies: what to add to the counts.
    """

    facts: MemberFacts
    seats_taken: SeatsTaken = none_taken
    changed: dict[str, Enrollment] = field(default_factory=dict)
    events: list[Envelope] = field(default_factory=list)
    decisions: list[tuple[Enrollment, int, Decision]] = field(default_factory=list)
    tallies: Counter[Tally] = field(default_factory=Counter)


def react(
    member_id: str,
    facts: MemberFacts,
    event: Envelope,
    enrollments: Mapping[str, Enrollment],
    current: CommunityDefinition,
    versions: Versions,
    now: datetime,
    seats_taken: SeatsTaken = none_taken,
) -> MemberRun:
    """Begin enrollments that an event asks for, and advance all of the member's.

    Args:
        member_id: the member the event concerns.
        facts: what is known, the event included.
        event: what happened.
        enrollments: the member's latest enrollment by funnel; those that the event can neither move nor begin again may
            be left out.
        current: the definition in force; new enrollments are on it.
        versions: older versions; running enrollments finish on theirs.
        now: the present moment.
        seats_taken: for the prices that messages name.
    """
    run = MemberRun(facts, seats_taken)
    present = dict(enrollments)
    for funnel, enrollment in enrollments.items():
        earlier = began_earlier(enrollment, facts.joined_at) if enrollment.running else enrollment
        if earlier is not enrollment:
            present[funnel] = run.changed[funnel] = earlier
    cause = Cause.event(event)
    for definition in current.funnels:
        begun = enter(definition, current.version, member_id, event, present.get(definition.funnel), now)
        if begun is not None:
            run.facts = run.facts.enrolled_in(definition.funnel)
            present[definition.funnel] = _begin(run, begun, current, cause, now)
    _settle(run, present, versions, now, lambda _: cause)
    return run


def resume(
    facts: MemberFacts,
    enrollments: Iterable[Enrollment],
    versions: Versions,
    now: datetime,
    seats_taken: SeatsTaken = none_taken,
) -> MemberRun:
    """Advance a member's enrollments because time has passed.

    Args:
        facts: what is known.
        enrollments: the member's latest enrollment in each funnel.
        versions: the versions they are on.
        now: the present moment.
        seats_taken: for the prices that messages name.
    """
    run = MemberRun(facts, seats_taken)
    _settle(run, {enrollment.funnel: enrollment for enrollment in enrollments}, versions, now, lambda e: _timer(e, now))
    return run


def _timer(enrollment: Enrollment, now: datetime) -> Cause:
    due_at = enrollment.due_at
    time = due_at if due_at is not None and due_at <= now else now
    return Cause(time, now, enrollment.correlation_id, enrollment.cause_id)


def _begin(
    run: MemberRun, begun: Enrollment, community: CommunityDefinition, cause: Cause, now: datetime
) -> Enrollment:
    started = Started(begun.step, 0)
    run.events.append(Sender(community, begun, run.facts, cause).event_of(started))
    why = f"{begun.entry_mark}; number {begun.ordinal} of this member"
    run.decisions.append((begun, 0, Decision(begun.step, 0, now, Outcome.ENTERED, "", why)))
    run.tallies[begun.funnel, "entered", ""] += 1
    run.tallies[begun.funnel, "active", NO_STAGE] += 1
    return begun.having(decisions=1)


def _settle(
    run: MemberRun,
    present: dict[str, Enrollment],
    versions: Versions,
    now: datetime,
    cause_of: Callable[[Enrollment], Cause],
) -> None:
    """Advance until nothing moves: a tag that one funnel gives may be what another one waits for."""
    while True:
        tags = run.facts.tags
        for funnel, enrollment in list(present.items()):
            if enrollment.state is State.STUCK:
                continue
            after = _advance_one(run, enrollment, versions(enrollment.version), now, cause_of(enrollment))
            if after is not enrollment:
                present[funnel] = run.changed[funnel] = after
        if run.facts.tags == tags:
            return


def _advance_one(
    run: MemberRun, enrollment: Enrollment, community: CommunityDefinition, now: datetime, cause: Cause
) -> Enrollment:
    definition = funnel_of(community, enrollment.funnel)
    try:
        result = advance(definition, enrollment, run.facts, now, community.timezone, community.priced_in)
        sender = Sender(community, result.enrollment, result.facts, cause, run.seats_taken)
        events = [sender.event_of(effect) for effect in result.effects]
    except (FunnelLoopError, MissingTextError) as error:
        return _park(run, enrollment, now, str(error))
    if result.enrollment == enrollment:
        return enrollment
    run.facts = result.facts
    run.events += events
    _note(run, enrollment, result)
    if not result.decisions:
        return result.enrollment
    return result.enrollment.having(cause_id=cause.causation_id)


def _park(run: MemberRun, enrollment: Enrollment, now: datetime, why: str) -> Enrollment:
    """Leave an enrollment whose definition is broken where it is, for a person to see; other funnels go on."""
    run.decisions.append((enrollment, enrollment.decisions, Decision(enrollment.step, 0, now, Outcome.STUCK, "", why)))
    run.tallies[enrollment.funnel, "stuck", ""] += 1
    return enrollment.having(state=State.STUCK, due_at=None, decisions=enrollment.decisions + 1)


def _note(run: MemberRun, before: Enrollment, result: Advance) -> None:
    after, funnel = result.enrollment, before.funnel
    run.decisions += [(after, before.decisions + number, each) for number, each in enumerate(result.decisions)]
    for effect in result.effects:
        _tally_effect(run.tallies, funnel, effect)
    for decision in result.decisions:
        if decision.what in {Outcome.SUPPRESSED, Outcome.DELAYED}:
            run.tallies[funnel, decision.what.value, decision.reason] += 1
    left, reached = _standing(before), _standing(after)
    if left != reached:
        for stage, change in ((left, -1), (reached, 1)):
            if stage is not None:
                run.tallies[funnel, "active", stage] += change


def _standing(enrollment: Enrollment) -> str | None:
    return enrollment.stage if enrollment.running else None


def _tally_effect(tallies: Counter[Tally], funnel: str, effect: Effect) -> None:
    match effect:
        case StageReachedFirst(stage=name):
            tallies[funnel, "stage", name] += 1
        case Offer(product=name):
            tallies[funnel, "offered", name] += 1
        case GoalMet(goal=name):
            tallies[funnel, "goal", name] += 1
        case Finished(reason=name):
            tallies[funnel, "finished", name] += 1
        case Send():
            tallies[funnel, "sent", ""] += 1
        case _:
            pass


def funnel_of(community: CommunityDefinition, funnel: str) -> FunnelDefinition:
    """Find a funnel by its name.

    Raises:
        KeyError: that version of the community has no such funnel.
    """
    for definition in community.funnels:
        if definition.funnel == funnel:
            return definition
    raise KeyError(f"community {community.community!r} version {community.version} has no funnel {funnel!r}")

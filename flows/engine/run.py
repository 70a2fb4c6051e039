"""The state of one advance while it runs: changed here, frozen again at its end."""

from dataclasses import dataclass, field
from datetime import datetime

from flows.engine.effects import Decision, Effect, Finished, GoalMet, Outcome, StageReachedFirst
from flows.engine.enrollment import Enrollment, State
from flows.engine.facts import MemberFacts
from flows.engine.guards import WEEK
from flows.engine.occurrences import first_since
from shequn.contracts.definitions.conditions import Trigger
from shequn.contracts.definitions.currency import Currency
from shequn.contracts.definitions.funnel import FunnelDefinition, StepBase


@dataclass(slots=True)
class Run:
    """One advance.

    Attributes:
        definition: the funnel, in the enrollment's version.
        enrollment: as far as it has come.
        facts: of the member; tags given by this advance are added.
        now: the moment, by the clock the engine was given.
        timezone: the community's zone.
        currency: the community's, for conditions on money.
    """

    definition: FunnelDefinition
    enrollment: Enrollment
    facts: MemberFacts
    now: datetime
    timezone: str
    currency: Currency
    effects: list[Effect] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    @property
    def active(self) -> bool:
        """Whether there is a step to take at once."""
        return self.enrollment.state is State.ACTIVE

    @property
    def visit(self) -> int:
        """The how-manieth arrival at the present step."""
        return self.enrollment.visits.get(self.enrollment.step, 0)

    @property
    def began_at(self) -> datetime:
        """What happened from here on counts."""
        return self.enrollment.began_at or self.now

    def decide(self, what: Outcome, why: str, reason: str = "") -> None:
        """Record a decision at the present step."""
        self.decisions.append(Decision(self.enrollment.step, self.visit, self.now, what, reason, why))

    def emit(self, effect: Effect) -> None:
        """Bring about an effect."""
        self.effects.append(effect)

    def arrive(self, step: StepBase) -> None:
        """Count the arrival and the stage that it reaches."""
        enrollment = self.enrollment
        visits = {**enrollment.visits, step.id: enrollment.visits.get(step.id, 0) + 1}
        self.enrollment = enrollment.having(visits=visits)
        stage = step.stage
        if stage is None:
            return
        if stage not in enrollment.stages:
            self.emit(StageReachedFirst(step.id, visits[step.id], stage))
            self.enrollment = self.enrollment.having(stages={**enrollment.stages, stage: self.now})
        self.enrollment = self.enrollment.having(stage=stage)

    def go(self, step_id: str | None) -> None:
        """Make ``step_id`` the next step; none completes the enrollment."""
        if step_id is None:
            self.finish("completed", "the last step is done")
        else:
            self.enrollment = self.enrollment.having(state=State.ACTIVE, step=step_id, due_at=None, deadline=None)

    def wait(self, due_at: datetime | None, deadline: datetime | None = None) -> None:
        """Stay at the present step."""
        present = self.enrollment
        if present.state is State.WAITING and (due_at, deadline) == (present.due_at, present.deadline):
            return
        self.enrollment = self.enrollment.having(state=State.WAITING, due_at=due_at, deadline=deadline)

    def finish(self, reason: str, why: str) -> None:
        """End the enrollment."""
        self.decide(Outcome.FINISHED, why, reason)
        self.emit(Finished(self.enrollment.step, self.visit, reason))
        self.enrollment = self.enrollment.having(
            state=State.FINISHED, reason=reason, finished_at=self.now, due_at=None, deadline=None
        )

    def leave_if_asked(self) -> bool:
        """End the enrollment when one of the funnel's exits has happened since it began."""
        for trigger in self.definition.exits:
            occurrence = first_since(self.facts, (trigger,), self.began_at, (self.enrollment.entry_mark,))
            if occurrence is not None:
                name = trigger_name(trigger)
                self.finish(name, f"{name} happened at {occurrence.at.isoformat()}")
                return True
        return False

    def note_goal(self) -> None:
        """Record the funnel's goal when it has happened within its window."""
        goal = self.definition.goal
        if goal is None:
            return
        name = trigger_name(goal.trigger)
        if name in self.enrollment.goals:
            return
        until = None if goal.within is None else self.began_at + goal.within
        mark = self.enrollment.entry_mark
        occurrence = first_since(self.facts, (goal.trigger,), self.began_at, (mark,), until)
        if occurrence is not None:
            self.reach_goal(name, occurrence.at)

    def reach_goal(self, name: str, at: datetime) -> None:
        """Record a goal, once an enrollment."""
        if name in self.enrollment.goals:
            return
        self.decide(Outcome.GOAL, f"reached at {at.isoformat()}", name)
        self.emit(GoalMet(self.enrollment.step, self.visit, name))
        self.enrollment = self.enrollment.having(goals={**self.enrollment.goals, name: at})

    def remember_send(self) -> None:
        """Count a send for the caps; what no window looks at any more is forgotten."""
        recent = tuple(at for at in self.enrollment.sends if at > self.now - WEEK)
        self.enrollment = self.enrollment.having(sends=(*recent, self.now))


def trigger_name(trigger: Trigger) -> str:
    """Give a trigger as operators write it: ``order.paid:course-low``."""
    return ":".join(part for part in (trigger.on, trigger.product, trigger.rung) if part)

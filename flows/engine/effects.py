"""What an advance brings about, and why.

An effect is known by (funnel, version, enrollment, step, visit), so a repeated advance derives the same effect, not a
second one.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Effect:
    """Something to tell or to do. ``visit`` is the how-manieth arrival at ``step``, from 1."""

    step: str
    visit: int


@dataclass(frozen=True, slots=True)
class Started(Effect):
    """The enrollment began."""


@dataclass(frozen=True, slots=True)
class StageReachedFirst(Effect):
    """A stage was reached for the first time."""

    stage: str


@dataclass(frozen=True, slots=True)
class Send(Effect):
    """Send a message. ``product`` and ``expires`` belong to the offer it makes, when it makes one."""

    message: str
    product: str | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Offer(Effect):
    """A product is offered until ``expires``."""

    product: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Tagged(Effect):
    """The member has a new tag."""

    tag: str


@dataclass(frozen=True, slots=True)
class GoalMet(Effect):
    """A goal was reached."""

    goal: str


@dataclass(frozen=True, slots=True)
class Finished(Effect):
    """The enrollment ended."""

    reason: str


class Outcome(StrEnum):
    """What was decided at a step."""

    ENTERED = "entered"
    SENT = "sent"
    DELAYED = "delayed"
    SUPPRESSED = "suppressed"
    OFFERED = "offered"
    SKIPPED = "skipped"
    BRANCHED = "branched"
    WAITING = "waiting"
    MOVED_ON = "moved-on"
    TIMED_OUT = "timed-out"
    TAGGED = "tagged"
    GOAL = "goal"
    FINISHED = "finished"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Decision:
    """A line of the why-card.

    Attributes:
        step: where it was decided.
        visit: the how-manieth arrival there.
        at: when, by the clock the engine was given.
        what: the decision.
        reason: the guard or exit, out of a closed set per definition; for counting.
        why: the reason for a person.
    """

    step: str
    visit: int
    at: datetime
    what: Outcome
    reason: str = ""
    why: str = ""


class FunnelLoopError(ValueError):
    """A funnel's steps go round in circles without waiting. The definition must be corrected."""

    def __init__(self, funnel: str, step: str, bound: int) -> None:
        """Name the funnel and the step where it was stopped."""
        super().__init__(
            f"funnel {funnel!r} passed {bound} steps without waiting and was stopped at step {step!r}; "
            f"put a wait into the loop"
        )
        self.funnel = funnel
        self.step = step

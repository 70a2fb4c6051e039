"""A funnel in its compiled form: a list of steps with explicit successors."""

from typing import Annotated, Literal

from pydantic import Field

from shequn.contracts.base import Contract, Slug, Whole
from shequn.contracts.definitions.conditions import Conditions, Trigger
from shequn.contracts.definitions.values import ClockWindow, LocalizedText, Seconds


class StepBase(Contract):
    """What every step has.

    Attributes:
        id: unique within the funnel; the operator's, or derived from the position (``step-3``).
        stage: the stage a member has reached when it arrives here.
        next: the step that follows; none ends the enrollment as ``completed``.
        line: the line of the definition file, for messages to people.
    """

    id: Slug
    stage: Slug | None = None
    next: Slug | None = None
    line: Whole = 0


class SendStep(StepBase):
    """Send a message of ``messages/`` to the member."""

    kind: Literal["send"] = "send"
    message: Slug


class WaitStep(StepBase):
    """Wait a while."""

    kind: Literal["wait"] = "wait"
    duration: Seconds


class WaitUntilStep(StepBase):
    """Wait until an event or a condition, at most so long.

    What happened since the enrollment began counts: a member who already paid does not wait.

    Attributes:
        until: any of these events ends the wait.
        conditions: or these conditions being true.
        at_most: how long at most; none waits for ever.
        timeout: where to go when the time is up; ``next`` when absent.
    """

    kind: Literal["wait_until"] = "wait_until"
    until: tuple[Trigger, ...] = ()
    conditions: Conditions | None = None
    at_most: Seconds | None = None
    timeout: Slug | None = None


class BranchCase(Contract):
    """Go to ``go`` when any of ``any_of`` holds."""

    any_of: tuple[Conditions, ...]
    go: Slug


class BranchStep(StepBase):
    """Go where the first case that holds says, else to ``next``."""

    kind: Literal["branch"] = "branch"
    cases: tuple[BranchCase, ...]


class OfferStep(StepBase):
    """Offer a product until a deadline. ``when``: only to members who fulfil it; others skip the offer.

    ``message`` is the text that makes the offer; none makes it without a text (a page shows it).
    """

    kind: Literal["offer"] = "offer"
    product: Slug
    expires: Seconds
    message: Slug | None = None
    when: Conditions = Conditions()


class TagStep(StepBase):
    """Give the member a tag."""

    kind: Literal["tag"] = "tag"
    tag: Slug


class GoalStep(StepBase):
    """Record that a goal is reached by arriving here."""

    kind: Literal["goal"] = "goal"
    goal: Slug


class ExitStep(StepBase):
    """End the enrollment with a reason."""

    kind: Literal["exit"] = "exit"
    reason: Slug


Step = Annotated[
    SendStep | WaitStep | WaitUntilStep | BranchStep | OfferStep | TagStep | GoalStep | ExitStep,
    Field(discriminator="kind"),
]


class Goal(Contract):
    """What the funnel is for: this event within this long of the entry."""

    trigger: Trigger
    within: Seconds | None = None


class Cap(Contract):
    """At most so many sends of this funnel to one member. A day and a week are sliding windows of 24 and 168 hours."""

    per_day: Whole | None = Field(default=None, ge=1)
    per_week: Whole | None = Field(default=None, ge=1)


class Guards(Contract):
    """What may hold back a send.

    Attributes:
        quiet: no sends in this window of the member's clock.
        at_most: cap on sends.
        when_blocked: ``delay`` until the guard lets go, or ``drop`` the send and go on.
        consent: a consent the member must have given for sends; none asks for none.
    """

    quiet: ClockWindow | None = None
    at_most: Cap = Cap()
    when_blocked: Literal["delay", "drop"] = "delay"
    consent: str | None = None


class Stage(Contract):
    """A stage of the funnel as people see it, in order."""

    id: Slug
    name: LocalizedText


class FunnelDefinition(Contract):
    """One funnel.

    Attributes:
        re_enter: ``never``, ``always`` (once the former enrollment ended), or after this long.
        steps: the first one is where an enrollment begins.
    """

    funnel: Slug
    subject: Literal["member"] = "member"
    enter: Trigger
    re_enter: Literal["never", "always"] | Seconds = "never"
    exits: tuple[Trigger, ...] = ()
    goal: Goal | None = None
    guards: Guards = Guards()
    stages: tuple[Stage, ...] = ()
    steps: tuple[Step, ...] = Field(min_length=1)

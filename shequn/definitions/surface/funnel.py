"""``funnels/*.yaml``: the steps a member goes through."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from shequn.definitions.scalars import Count, Duration, Name, OneOrMany, Window
from shequn.definitions.surface.base import Item, Surface
from shequn.definitions.surface.conditions import AnyTrigger, ConditionsSurface, Until
from shequn.definitions.surface.texts import Text

StepId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")]
"""A step's name; shorter than other names, because steps of one item are named after it."""

_NOT_YET = "step kind `{}` is not supported yet; a funnel that skipped it silently would do something else than it says"


def _not_yet(*kinds: str) -> dict[str, str]:
    return {kind: _NOT_YET.format(kind) for kind in kinds}


UntilAny = Annotated[tuple[Until, ...], Field(min_length=1), OneOrMany()]


class WaitSurface(Surface):
    """Wait until something happens."""

    REFUSED: ClassVar[Mapping[str, str]] = {
        "at": "waiting for a clock time is not supported yet; wait for a length of time such as 12h",
        "weekday": "waiting for a weekday is not supported yet; wait for a length of time such as 3d",
    }

    until: UntilAny = Field(description="What ends the wait: one trigger or conditions, or a list.")
    at_most: Duration | None = Field(default=None, description="How long at most; for ever when absent.")
    timeout: Name | None = Field(
        default=None, description="The step to go to when the time is up; the next when absent."
    )


class InlineSurface(Surface):
    """What a branch does on the spot, and where it goes then."""

    REFUSED: ClassVar[Mapping[str, str]] = _not_yet(
        "experiment", "human", "webhook", "points", "admit", "invite", "funnel"
    )

    tag: Name | None = Field(default=None, description="Give this tag.")
    send: Name | None = Field(default=None, description="Send this message.")
    exit: Name | None = Field(default=None, description="End here, for this reason.")
    then: Name | None = Field(default=None, description="The step to go to; the next item when absent.")
    go: Name | None = Field(default=None, description="The same as `then`.")


AnyOf = Annotated[tuple[ConditionsSurface, ...], Field(min_length=1), OneOrMany()]


class CaseSurface(InlineSurface):
    """One arm of a branch: the first whose condition holds is taken."""

    if_: AnyOf | None = Field(default=None, alias="if", description="Conditions, or a list of which one is enough.")
    else_: InlineSurface | None = Field(
        default=None, alias="else", description="When no other arm is taken; the last one."
    )


def _kind_of_wait(value: Any) -> str:
    return "<until>" if isinstance(value, dict) else "<time>"


Wait = Annotated[
    Annotated[Duration, Tag("<time>")] | Annotated[WaitSurface, Tag("<until>")], Discriminator(_kind_of_wait)
]


class StepSurface(Surface):
    """One item of a funnel. It may do several things; they happen in the order of the fields here."""

    REFUSED: ClassVar[Mapping[str, str]] = _not_yet(
        "experiment", "human", "webhook", "points", "admit", "invite", "funnel"
    )

    id: StepId | None = Field(default=None, description="Its name; `step-N` by its position when absent.")
    stage: Name | None = Field(default=None, description="The stage a member has reached on arriving here.")
    when: ConditionsSurface | None = Field(default=None, description="Only for members who fulfil this; others go on.")
    tag: Name | None = Field(default=None, description="Give this tag.")
    goal: Name | None = Field(default=None, description="Record that this goal is reached.")
    send: Name | None = Field(default=None, description="Send this message.")
    offer: Name | None = Field(default=None, description="Offer this product.")
    expires: Duration | None = Field(default=None, description="How long the offer holds.")
    message: Name | None = Field(default=None, description="The text that makes the offer.")
    wait: Wait | None = Field(default=None, description="Wait so long, or until something happens.")
    branch: tuple[CaseSurface, ...] | None = Field(default=None, min_length=1, description="Go on in different ways.")
    go: Name | None = Field(default=None, description="The step to go to next.")
    exit: Name | None = Field(default=None, description="End here, for this reason.")


def _kind_of_re_enter(value: Any) -> str:
    return "<word>" if value in ("never", "always") else "<time>"


ReEnter = Annotated[
    Annotated[Literal["never", "always"], Tag("<word>")] | Annotated[Duration, Tag("<time>")],
    Discriminator(_kind_of_re_enter),
]


class EnterSurface(Surface):
    """What lets a member enter."""

    REFUSED: ClassVar[Mapping[str, str]] = {
        "segment": "entry by segment is not supported yet; enter on an event",
        "schedule": "entry by schedule is not supported yet; enter on an event",
    }

    on: str = Field(description="The event.")
    product: Name | None = Field(default=None, description="Only for this product.")
    rung: Literal["free", "low", "middle", "high"] | None = Field(default=None, description="Only for this rung.")
    re_enter: ReEnter = Field(
        default="never", description="Whether a member may enter again: never, always, or after so long."
    )


class FunnelGoalSurface(Surface):
    """What the funnel is for."""

    on: str = Field(description="The event.")
    product: Name | None = Field(default=None, description="Only for this product.")
    rung: Literal["free", "low", "middle", "high"] | None = Field(default=None, description="Only for this rung.")
    within: Duration | None = Field(default=None, description="Counts when it happens within this long of the entry.")


class CapSurface(Surface):
    """At most so many messages of this funnel to one member."""

    per_day: Count | None = Field(default=None, description="In 24 hours.")
    per_week: Count | None = Field(default=None, description="In 168 hours.")


class GuardsSurface(Surface):
    """What holds messages back."""

    quiet: Window | None = Field(default=None, description="No messages in this window of the member's clock.")
    at_most: CapSurface | None = Field(default=None, description="At most so many messages.")
    when_blocked: Literal["delay", "drop"] = Field(default="delay", description="Send it later, or not at all.")
    consent: Name | None = Field(default=None, description="A consent that members must have given.")


class StageSurface(Surface):
    """A stage as people see it."""

    id: Name = Field(description="Its name in the steps.")
    name: Text = Field(description="What people read.")


def _kind_of_enter(value: Any) -> str:
    return "<enter>" if isinstance(value, dict) else "<words>"


Enter = Annotated[
    Annotated[str, Tag("<words>")] | Annotated[EnterSurface, Tag("<enter>")], Discriminator(_kind_of_enter)
]


class FunnelFile(Surface):
    """A funnel: who enters, what ends it, and its steps."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("funnel", "enter", "steps")

    funnel: Name | None = Field(default=None, description="The funnel's id.")
    subject: Literal["member", "group"] = Field(default="member", description="Who goes through it.")
    enter: Enter | None = Field(default=None, description="What lets a member enter.")
    exit: Annotated[tuple[AnyTrigger, ...], OneOrMany()] = Field(
        default=(), description="Events that end it wherever the member is."
    )
    goal: FunnelGoalSurface | None = Field(default=None, description="What the funnel is for.")
    guards: GuardsSurface = Field(default=GuardsSurface(), description="What holds messages back.")
    stages: tuple[Item[StageSurface], ...] = Field(default=(), description="The stages, in order.")
    steps: tuple[Item[StepSurface], ...] = Field(default=(), min_length=1, description="What happens, in order.")

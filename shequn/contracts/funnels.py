"""What funnels did. Owner: flows."""

from typing import Literal

from shequn.contracts.base import Contract, Slug, Timestamp, Whole
from shequn.contracts.envelope import Envelope


class EnrollmentData(Contract):
    """One member's way through one version of one funnel."""

    enrollment_id: str
    funnel: Slug
    version: Whole
    member_id: str


class EnrollmentStarted(Envelope):
    """A member entered a funnel."""

    type: Literal["funnels.enrollment.started.v1"] = "funnels.enrollment.started.v1"
    data: EnrollmentData


class StageReachedData(EnrollmentData):
    """A member reached a stage of a funnel for the first time."""

    stage: Slug
    step: Slug


class StageReached(Envelope):
    """A member reached a stage."""

    type: Literal["funnels.stage.reached.v1"] = "funnels.stage.reached.v1"
    data: StageReachedData


class OfferMadeData(EnrollmentData):
    """A product was offered to a member until a deadline."""

    step: Slug
    product: Slug
    expires: Timestamp


class OfferMade(Envelope):
    """A product was offered to a member."""

    type: Literal["funnels.offer.made.v1"] = "funnels.offer.made.v1"
    data: OfferMadeData


class TagAddedData(EnrollmentData):
    """A tag was given to a member."""

    step: Slug
    tag: Slug


class TagAdded(Envelope):
    """A member was tagged."""

    type: Literal["funnels.tag.added.v1"] = "funnels.tag.added.v1"
    data: TagAddedData


class GoalReachedData(EnrollmentData):
    """The funnel's goal was reached by a member, within its window."""

    goal: str
    step: Slug


class GoalReached(Envelope):
    """A member reached the funnel's goal."""

    type: Literal["funnels.goal.reached.v1"] = "funnels.goal.reached.v1"
    data: GoalReachedData


class EnrollmentFinishedData(EnrollmentData):
    """A member's way through a funnel ended; ``reason`` is the exit's name."""

    reason: str


class EnrollmentFinished(Envelope):
    """A member finished a funnel."""

    type: Literal["funnels.enrollment.finished.v1"] = "funnels.enrollment.finished.v1"
    data: EnrollmentFinishedData

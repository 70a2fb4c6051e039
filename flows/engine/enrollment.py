"""One member's way through one version of one funnel."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from flows.engine.copies import Copied
from flows.engine.occurrences import mark_of, matches
from shequn.contracts import ids
from shequn.contracts.definitions.funnel import FunnelDefinition
from shequn.contracts.envelope import Envelope

NO_STAGE = "-"
"""Stands for the stage of a member who has not reached any; no stage can be called so."""


class State(StrEnum):
    """Where an enrollment stands between two advances.

    ``active`` is only seen inside an advance. ``stuck``: the definition sends it round in circles; a person must look.
    """

    ACTIVE = "active"
    WAITING = "waiting"
    FINISHED = "finished"
    STUCK = "stuck"


@dataclass(frozen=True)
class Enrollment(Copied):
    """One member's way through one version of one funnel.

    Attributes:
        enrollment_id: derived from community, funnel, member and ordinal.
        ordinal: the how-manieth enrollment of this member in this funnel, from 1.
        step: where it stands; where it ended when finished.
        stage: the stage reached last.
        due_at: when time moves it on; none while only an event can.
        deadline: when the wait at this step times out.
        began_at: event time of the entry; what happened before does not count.
        entry_mark: the occurrence that began it; it does not count either.
        visits: arrivals by step.
        stages: when each stage was first reached.
        sends: when messages were sent to this member by this funnel within the last week, those of former
            enrollments included.
        used: marks of the occurrences that ended a step's wait, by step: each ends it once, so a loop waits for
            the next.
        offers: deadlines of offers by product.
        goals: when each goal was reached.
        decisions: how many decisions have been recorded.
        correlation_id: the id of the fact that began the chain.
        cause_id: the id of the event that moved it last.
    """

    community: str
    member_id: str
    funnel: str
    enrollment_id: str = ""
    version: int = 0
    ordinal: int = 0
    state: State = State.ACTIVE
    step: str = ""
    stage: str = NO_STAGE
    due_at: datetime | None = None
    deadline: datetime | None = None
    began_at: datetime | None = None
    entry_mark: str = ""
    visits: Mapping[str, int] = field(default_factory=dict)
    stages: Mapping[str, datetime] = field(default_factory=dict)
    sends: tuple[datetime, ...] = ()
    used: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    offers: Mapping[str, datetime] = field(default_factory=dict)
    goals: Mapping[str, datetime] = field(default_factory=dict)
    reason: str | None = None
    finished_at: datetime | None = None
    decisions: int = 0
    correlation_id: str = ""
    cause_id: str | None = None

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.state is not State.FINISHED


def enter(
    definition: FunnelDefinition,
    version: int,
    member_id: str,
    event: Envelope,
    existing: Enrollment | None,
    now: datetime,
) -> Enrollment | None:
    """Begin an enrollment when the event asks for it and the funnel lets this member in; none otherwise.

    Args:
        definition: the funnel.
        version: of the community document the funnel is from; the enrollment stays on it.
        member_id: the member the event concerns.
        event: what happened.
        existing: the member's latest enrollment in this funnel.
        now: the moment of processing; re-entry after a while counts from the former end to it.
    """
    if not matches(definition.enter, event) or not _may_enter(definition, existing, now):
        return None
    ordinal = 1 if existing is None else existing.ordinal + 1
    return Enrollment(
        community=event.community,
        member_id=member_id,
        funnel=definition.funnel,
        enrollment_id=ids.event_id(
            event.time, "enrollment", event.community, definition.funnel, member_id, str(ordinal)
        ),
        version=version,
        ordinal=ordinal,
        step=definition.steps[0].id,
        began_at=event.time,
        entry_mark=mark_of(event),
        sends=() if existing is None else existing.sends,
        correlation_id=event.correlationid,
        cause_id=event.id,
    )


def began_earlier(enrollment: Enrollment, joined_at: datetime | None) -> Enrollment:
    """Let an enrollment that a joining began count from the earliest joining known, when that became known later."""
    is_first = enrollment.ordinal == 1 and enrollment.entry_mark.startswith("member.joined:")
    if not is_first or joined_at is None or enrollment.began_at is None or joined_at >= enrollment.began_at:
        return enrollment
    return enrollment.having(began_at=joined_at)


def _may_enter(definition: FunnelDefinition, existing: Enrollment | None, now: datetime) -> bool:
    if existing is None:
        return True
    if existing.finished_at is None or definition.re_enter == "never":
        return False
    return definition.re_enter == "always" or now - existing.finished_at >= definition.re_enter


_TIME_MAPS = ("stages", "offers", "goals")
_TIMES = ("began_at", "deadline", "finished_at")
_PLAIN = ("ordinal", "entry_mark", "visits", "reason", "decisions", "correlation_id", "cause_id")
COLUMNS = ("community", "member_id", "funnel", "enrollment_id", "version", "state", "step", "stage", "due_at")
"""What the store keeps in columns of its own; the rest is the progress document."""


def progress_to_json(enrollment: Enrollment) -> dict[str, Any]:
    """Give what :data:`COLUMNS` do not hold as a JSON object; what is empty is left out."""
    document: dict[str, Any] = {name: getattr(enrollment, name) for name in _PLAIN}
    document |= {name: _text(getattr(enrollment, name)) for name in _TIMES}
    document |= {name: {key: _text(at) for key, at in getattr(enrollment, name).items()} for name in _TIME_MAPS}
    document["sends"] = [at.isoformat() for at in enrollment.sends]
    document["used"] = {step: list(marks) for step, marks in enrollment.used.items()}
    return {name: value for name, value in document.items() if value}


def progress_from_json(document: dict[str, Any]) -> dict[str, Any]:
    """Read what :func:`progress_to_json` wrote, as arguments of :class:`Enrollment`."""
    values = dict(document)
    for name in _TIMES:
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    for name in _TIME_MAPS:
        if name in values:
            values[name] = {key: datetime.fromisoformat(at) for key, at in values[name].items()}
    values["sends"] = tuple(datetime.fromisoformat(at) for at in values.get("sends", ()))
    values["used"] = {step: tuple(marks) for step, marks in values.get("used", {}).items()}
    return {name: value for name, value in values.items() if name in _FIELDS}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


_FIELDS = frozenset(entry.name for entry in fields(Enrollment))

"""Effects as events and commands of the bus, with ids that a replay derives again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from flows.engine.effects import Effect, Finished, GoalMet, Offer, Send, StageReachedFirst, Started, Tagged
from flows.engine.enrollment import Enrollment
from flows.engine.facts import MemberFacts
from flows.engine.render import MissingTextError, OfferTerms, fill, placeholders
from flows.engine.seats import SeatsTaken, next_price, none_taken
from shequn.contracts import ids
from shequn.contracts.actions import SendMessage, SendMessageData
from shequn.contracts.base import Contract
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.envelope import Envelope
from shequn.contracts.funnels import (
    EnrollmentData,
    EnrollmentFinished,
    EnrollmentFinishedData,
    EnrollmentStarted,
    GoalReached,
    GoalReachedData,
    OfferMade,
    OfferMadeData,
    StageReached,
    StageReachedData,
    TagAdded,
    TagAddedData,
)
from shequn.contracts.signups import Language

E = TypeVar("E", bound=Envelope)

SOURCE = "/flows"
_MOST_PURPOSE = 128  # both limits are of the contract
_LONGEST_TEXT = 16_384

EMITTED: tuple[type[Envelope], ...] = (
    EnrollmentStarted,
    StageReached,
    OfferMade,
    TagAdded,
    GoalReached,
    EnrollmentFinished,
    SendMessage,
)
"""Every event and command that funnels emit."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What led to an advance.

    Attributes:
        time: when it happened: the event's time, or when the timer was due. It is part of the ids of what follows.
        recorded: when we took note of it.
        correlation_id: the id of the fact that began the chain.
        causation_id: the id of the event; none for a timer.
    """

    time: datetime
    recorded: datetime
    correlation_id: str
    causation_id: str | None

    @classmethod
    def event(cls, event: Envelope) -> "Cause":
        """Make the cause that an event is."""
        return cls(event.time, event.recordedtime, event.correlationid, event.id)


@dataclass(frozen=True, slots=True)
class _Told:
    """How an effect is told: the event, its data's class, the fields it takes from the effect, and those of its key."""

    event: type[Envelope]
    data: type[EnrollmentData]
    fields: tuple[str, ...] = ()
    key: tuple[str, ...] = ()


_TOLD: dict[type[Effect], _Told] = {
    Started: _Told(EnrollmentStarted, EnrollmentData),
    StageReachedFirst: _Told(StageReached, StageReachedData, ("stage", "step"), ("stage",)),
    Offer: _Told(OfferMade, OfferMadeData, ("step", "product", "expires"), ("step", "visit")),
    Tagged: _Told(TagAdded, TagAddedData, ("step", "tag"), ("step", "visit")),
    GoalMet: _Told(GoalReached, GoalReachedData, ("step", "goal"), ("goal",)),
    Finished: _Told(EnrollmentFinished, EnrollmentFinishedData, ("reason",)),
}


@dataclass(frozen=True, slots=True)
class Sender:
    """Makes the events of one enrollment's advance."""

    community: CommunityDefinition
    enrollment: Enrollment
    facts: MemberFacts
    cause: Cause
    seats_taken: SeatsTaken = none_taken

    def event_of(self, effect: Effect) -> Envelope:
        """Make the event or command that tells of an effect.

        Raises:
            MissingTextError: a message has no text.
        """
        if isinstance(effect, Send):
            return self._message(effect)
        told = _TOLD[type(effect)]
        values = {name: getattr(effect, name) for name in told.fields}
        key = [str(getattr(effect, name)) for name in told.key]
        return self._event(told.event, told.data(**self._ids, **values), key)

    @property
    def _ids(self) -> dict[str, Any]:
        enrollment = self.enrollment
        return {
            "enrollment_id": enrollment.enrollment_id,
            "funnel": enrollment.funnel,
            "version": enrollment.version,
            "member_id": enrollment.member_id,
        }

    def _event(self, event: type[E], data: Contract, key: list[str]) -> E:
        enrollment, cause = self.enrollment, self.cause
        business_key = (enrollment.funnel, str(enrollment.version), enrollment.enrollment_id, *key)
        identity = ids.event_id(cause.time, event.TYPE, enrollment.community, *business_key)
        return self._envelope(event, identity, enrollment.enrollment_id, data)

    def _message(self, send: Send) -> SendMessage:
        community, enrollment, facts = self.community, self.enrollment, self.facts
        language = self._language()
        template = community.messages.get(send.message)
        text = "" if template is None else template.in_language(language)
        if not text:
            raise MissingTextError(enrollment.funnel, send.step, send.message)
        parts = (enrollment.funnel, str(enrollment.version), enrollment.enrollment_id, send.step, str(send.visit))
        key = ":".join(parts)
        values = placeholders(community, enrollment.member_id, facts, language, self._offer(send))
        data = SendMessageData(
            idempotency_key=key,
            member_id=enrollment.member_id,
            text=fill(text, values)[:_LONGEST_TEXT],
            language=language,
            purpose=f"funnel:{enrollment.funnel}:{send.step}"[:_MOST_PURPOSE],
            not_after=send.expires,
        )
        return self._envelope(SendMessage, ids.action_id(key), enrollment.member_id, data)

    def _offer(self, send: Send) -> OfferTerms | None:
        if send.product is None:
            return None
        product = self.community.product(send.product)
        price = None if product is None else next_price(product, self.seats_taken(product.id))
        return OfferTerms(send.product, send.expires, price)

    def _language(self) -> Language:
        known = self.facts.profile.language
        if known in self.community.languages:
            return "en" if known == "en" else "zh"
        return self.community.languages[0]

    def _envelope(self, event: type[E], identity: str, subject: str, data: Contract) -> E:
        cause = self.cause
        return event(
            id=identity,
            source=SOURCE,
            subject=subject,
            time=cause.time,
            community=self.enrollment.community,
            correlationid=cause.correlation_id,
            causationid=cause.causation_id,
            recordedtime=cause.recorded,
            data=data,
        )  # type: ignore[call-arg]  # the subclass gives ``type`` its default

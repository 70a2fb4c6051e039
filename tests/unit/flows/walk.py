"""Walks one member through one funnel without a store."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flows.engine.advance import Advance, advance
from flows.engine.effects import Decision, Effect, Outcome
from flows.engine.enrollment import Enrollment, State, enter
from flows.engine.facts import MemberFacts, apply_event
from shequn.contracts.definitions.currency import Currency
from shequn.contracts.definitions.funnel import FunnelDefinition
from shequn.contracts.envelope import Envelope
from tests.unit.flows import samples as s

SHANGHAI = "Asia/Shanghai"
CNY = Currency("CNY", 2)


@dataclass
class Walk:
    """A member, a funnel and everything that has come of it."""

    definition: FunnelDefinition
    facts: MemberFacts = field(default_factory=MemberFacts)
    enrollment: Enrollment | None = None
    effects: list[Effect] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    def on(self, event: Envelope, now: datetime | None = None) -> "Walk":
        """Let an event happen; it is processed at once unless told otherwise."""
        moment = now or event.time
        self.facts = apply_event(self.facts, event)
        begun = enter(self.definition, 1, s.MEMBER, event, self.enrollment, moment)
        self.enrollment = begun or self.enrollment
        return self.at(moment)

    def at(self, now: datetime) -> "Walk":
        """Let time pass."""
        if self.enrollment is not None:
            result = self.look(now)
            self.enrollment, self.facts = result.enrollment, result.facts
            self.effects += result.effects
            self.decisions += result.decisions
        return self

    def look(self, now: datetime) -> Advance:
        """Advance without keeping what comes of it."""
        return advance(self.definition, self.here, self.facts, now, SHANGHAI, CNY)

    def through(self, events: Iterable[Envelope], now: datetime | None = None) -> "Walk":
        for event in events:
            self.on(event, now)
        return self

    @property
    def here(self) -> Enrollment:
        assert self.enrollment is not None
        return self.enrollment

    @property
    def stages(self) -> set[str]:
        return set(self.here.stages)

    @property
    def finished(self) -> bool:
        return self.here.state is State.FINISHED

    def all(self, kind: type[Effect]) -> list[Any]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def why(self, what: Outcome) -> list[str]:
        return [decision.why for decision in self.decisions if decision.what is what]

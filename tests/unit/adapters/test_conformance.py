"""The kit fails where an adapter is at fault."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from shequn.adapters import AddressedAction, Outcome
from shequn.adapters.conformance import ExecutorConformance
from shequn.adapters.errors import ForbiddenError
from shequn.adapters.outcomes import flaws_of
from shequn.contracts.actions import OutcomeStatus
from tests.unit.adapters.plugins import PlainAdapter, PlainSettings
from tests.unit.intake.builders import environment, send

DELAYED = OutcomeStatus.DELAYED
ODD: Any = 4711


class Answering(PlainAdapter):
    """Gives one answer to everything."""

    def __init__(self, answer: Any) -> None:
        super().__init__(PlainSettings(token=SecretStr("t")), environment())
        self.answer = answer

    async def execute(self, action: AddressedAction, idempotency_key: str) -> Outcome:
        if isinstance(self.answer, Exception):
            raise self.answer
        outcome: Outcome = self.answer
        return outcome


class Forgetting(Answering):
    """Answers the first of a batch alone."""

    async def execute_many(self, actions: Sequence[tuple[AddressedAction, str]]) -> Sequence[Outcome]:
        return [Outcome.delivered()]


class Kit(ExecutorConformance):
    """The kit, as an author uses it. Named so that pytest does not run it by itself."""

    def __init__(self, adapter: Any) -> None:
        self.adapter = adapter

    def make_adapter(self) -> Any:
        return self.adapter

    def action(self, number: int) -> AddressedAction:
        return AddressedAction(send(str(number)), "test")

    def effects(self) -> int:
        return 1

    def refusing(self) -> Sequence[Any]:
        return [self.adapter]


@pytest.mark.parametrize(
    ("answer", "flaw"),
    [
        (Outcome.delivered(ODD), "receipt is int"),
        (Outcome.delivered("r" * 257), "257 characters"),
        (Outcome.delivered("a\0"), "NUL"),
        (Outcome(OutcomeStatus.FAILED, "\ud800"), "surrogate"),
        (Outcome(OutcomeStatus.FAILED, ODD), "reason is int"),
        (Outcome(ODD), "status is 4711"),
        (Outcome(DELAYED, until=datetime(2026, 3, 2)), "until"),  # noqa: DTZ001  # that is the flaw
        (None, "NoneType"),
    ],
)
def test_an_answer_that_cannot_be_stored_fails(answer: Any, flaw: str) -> None:
    with pytest.raises(AssertionError, match=flaw):
        Kit(Answering(answer)).test_outcomes_can_be_stored()


def test_a_good_answer_has_no_flaw() -> None:
    assert flaws_of(Outcome(DELAYED, "限流", "r-1", datetime(2026, 3, 2, tzinfo=UTC))) == []


def test_a_batch_with_too_few_outcomes_fails() -> None:
    with pytest.raises(AssertionError, match="1 outcomes of 3 actions"):
        Kit(Forgetting(Outcome.delivered())).test_a_batch_has_as_many_outcomes()


def test_a_typed_error_is_a_good_refusal() -> None:
    Kit(Answering(ForbiddenError("no"))).test_refusals_are_outcomes_or_typed_errors()


def test_a_typed_error_whose_text_cannot_be_stored_fails() -> None:
    with pytest.raises(AssertionError, match="NUL"):
        Kit(Answering(ForbiddenError("no\0"))).test_refusals_are_outcomes_or_typed_errors()


def test_an_error_of_another_kind_is_no_refusal() -> None:
    with pytest.raises(ValueError, match="a bug"):
        Kit(Answering(ValueError("a bug"))).test_refusals_are_outcomes_or_typed_errors()

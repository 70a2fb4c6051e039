import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from services.intake.execution import Job, execute_portion, portions_of
from shequn.adapters import Adapter, AdapterManifest, AdapterSettings, AddressedAction, Label, Outcome
from shequn.adapters.errors import ForbiddenError, RateLimitedError, UnknownDeliveryError
from shequn.adapters.outcomes import flaws_of
from shequn.contracts.actions import OutcomeStatus, SendMessage
from shequn.runtime.failures import TransientError
from tests.unit.intake.builders import NOW, delete, environment, send

TITLE = Label(zh="试", en="Test")
Behaviour = Callable[[str], Outcome]


class Single(Adapter[AdapterSettings]):
    """Executes one by one, as the test says."""

    manifest = AdapterManifest(name="single", title=TITLE, settings=AdapterSettings, actions=(SendMessage,))

    def __init__(self, behave: Behaviour) -> None:
        super().__init__(AdapterSettings(), environment())
        self.behave = behave
        self.seen: list[str] = []

    async def execute(self, action: AddressedAction, idempotency_key: str) -> Outcome:
        self.seen.append(idempotency_key)
        await asyncio.sleep(0)
        return self.behave(idempotency_key)


class Deduplicating(Single):
    manifest = AdapterManifest(
        name="dedup", title=TITLE, settings=AdapterSettings, actions=(SendMessage,), deduplicates=True
    )


class Batching(Single):
    manifest = AdapterManifest(name="batching", title=TITLE, settings=AdapterSettings, actions=(SendMessage,))

    async def execute_many(self, actions: Sequence[tuple[AddressedAction, str]]) -> Sequence[Outcome]:
        return [self.behave(key) for _, key in actions if key != "forgotten"]


def job(key: str) -> Job:
    return Job(AddressedAction(send(key), "test"), key)


async def outcomes(adapter: Single, *keys: str) -> list[list[tuple[str, OutcomeStatus]]]:
    jobs = [job(key) for key in keys]
    portions = [await execute_portion(adapter, portion, 0.05) for portion in portions_of(adapter, jobs)]
    return [[(done.idempotency_key, outcome.status) for done, outcome in portion] for portion in portions]


def raising(error: Exception) -> Behaviour:
    def behave(key: str) -> Outcome:
        if key == "bad":
            raise error
        return Outcome.delivered()

    return behave


D, F, U, L = OutcomeStatus.DELIVERED, OutcomeStatus.FAILED, OutcomeStatus.UNKNOWN, OutcomeStatus.DELAYED


class TestOneByOne:
    async def test_each_outcome_is_given_at_once(self) -> None:
        assert await outcomes(Single(raising(ValueError())), "a", "b") == [[("a", D)], [("b", D)]]

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (ForbiddenError("no"), F),
            (UnknownDeliveryError("lost"), U),
            (TransientError("away"), L),
            (ValueError("a bug"), U),
            (TimeoutError(), U),
        ],
    )
    async def test_an_error_concerns_its_action_alone(self, error: Exception, status: OutcomeStatus) -> None:
        assert await outcomes(Single(raising(error)), "bad", "b") == [[("bad", status)], [("b", D)]]

    async def test_a_bug_is_tried_again_where_keys_are_recognised(self) -> None:
        assert await outcomes(Deduplicating(raising(ValueError("a bug"))), "bad") == [[("bad", L)]]

    async def test_what_it_cannot_do_fails_without_asking(self) -> None:
        adapter = Single(raising(ValueError()))
        jobs = [Job(AddressedAction(delete("x"), "test"), "x"), job("a")]
        done = [await execute_portion(adapter, portion, 1) for portion in portions_of(adapter, jobs)]
        assert [outcome.status for portion in done for _, outcome in portion] == [F, D]
        assert adapter.seen == ["a"]

    async def test_one_that_hangs_is_broken_off(self) -> None:
        class Hanging(Single):
            async def execute(self, action: AddressedAction, idempotency_key: str) -> Outcome:
                await asyncio.Event().wait()
                return Outcome.delivered()

        assert await outcomes(Hanging(raising(ValueError())), "a") == [[("a", U)]]


class Odd:
    """Fails even to say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no")


class OddError(ValueError):
    def __str__(self) -> str:
        raise RuntimeError("no")


class HalfMadeError(RateLimitedError):
    """Forgets what its type promises."""

    def __init__(self) -> None:
        TransientError.__init__(self, "wait")


def answering(answer: Any) -> Behaviour:
    return lambda _: answer


async def outcome_of(behave: Behaviour) -> Outcome:
    ((_, outcome),) = await execute_portion(Single(behave), [job("a")], 1)
    return outcome


ANYTHING: Any = object()


class TestOddAnswers:
    @pytest.mark.parametrize(
        ("receipt", "text"),
        [
            (4711, "4711"),
            (None, None),
            ("a\0b", "ab"),
            ("\ud83d", "?"),
            ("x" * 1_000_000, "x" * 256),
            (10**5_000, "<int>"),
            (Odd(), "<Odd>"),
        ],
        ids=["number", "none", "nul", "surrogate", "long", "endless-number", "unspeakable"],
    )
    async def test_a_receipt_becomes_text(self, receipt: Any, text: str | None) -> None:
        assert await outcome_of(answering(Outcome.delivered(receipt))) == Outcome(D, receipt=text)

    @pytest.mark.parametrize(
        ("reason", "text"),
        [(None, ""), (403, "403"), ("no\0", "no"), ("\udc00no", "?no"), ("n" * 1_000_000, "n" * 500)],
        ids=["none", "number", "nul", "surrogate", "long"],
    )
    async def test_a_reason_becomes_text(self, reason: Any, text: str) -> None:
        assert await outcome_of(answering(Outcome(F, reason))) == Outcome(F, text)

    @pytest.mark.parametrize(
        ("until", "moment"),
        [
            (NOW.replace(tzinfo=None), NOW),
            (NOW.astimezone(timezone(timedelta(hours=8))), NOW),
            ("tomorrow", None),
            (datetime.max.replace(tzinfo=timezone(timedelta(hours=-8))), None),
        ],
    )
    async def test_a_time_becomes_utc_or_nothing(self, until: Any, moment: datetime | None) -> None:
        assert await outcome_of(answering(Outcome(L, "later", until=until))) == Outcome(L, "later", until=moment)

    async def test_a_status_may_be_its_word(self) -> None:
        word: Any = "delivered"
        assert await outcome_of(answering(Outcome(word))) == Outcome(D)

    @pytest.mark.parametrize("answer", [None, "delivered", Odd(), Outcome(ANYTHING), Outcome(Odd())])  # type: ignore[arg-type]
    async def test_what_is_no_outcome_is_unknown(self, answer: Any) -> None:
        outcome = await outcome_of(answering(answer))
        assert (outcome.status, "answered" in outcome.reason) == (U, True)

    @pytest.mark.parametrize(
        "error", [ValueError("a\0b\ud800"), OddError(), HalfMadeError(), ForbiddenError("no\0")], ids=type
    )
    async def test_the_text_of_an_error_can_be_stored(self, error: Exception) -> None:
        def behave(_: str) -> Outcome:
            raise error

        outcome = await outcome_of(behave)
        assert flaws_of(outcome) == []

    async def test_a_cancellation_of_its_own_is_no_stop(self) -> None:
        def behave(_: str) -> Outcome:
            raise asyncio.CancelledError

        assert (await outcome_of(behave)).status is U


class TestBatches:
    async def test_go_out_at_once(self) -> None:
        assert await outcomes(Batching(raising(ValueError())), "a", "b") == [[("a", D), ("b", D)]]

    async def test_an_error_is_the_outcome_of_all(self) -> None:
        assert await outcomes(Batching(raising(ForbiddenError("no"))), "a", "bad") == [[("a", F), ("bad", F)]]

    async def test_one_odd_answer_concerns_its_action_alone(self) -> None:
        def behave(key: str) -> Any:
            return None if key == "odd" else Outcome.delivered()

        assert await outcomes(Batching(behave), "a", "odd", "b") == [[("a", D), ("odd", U), ("b", D)]]

    async def test_what_is_no_sequence_makes_all_unknown(self) -> None:
        class Silent(Batching):
            async def execute_many(self, actions: Sequence[tuple[AddressedAction, str]]) -> Any:
                return None

        assert await outcomes(Silent(raising(ValueError())), "a", "b") == [[("a", U), ("b", U)]]

    async def test_a_forgotten_outcome_makes_all_unknown(self) -> None:
        assert await outcomes(Batching(raising(ValueError())), "a", "forgotten") == [[("a", U), ("forgotten", U)]]

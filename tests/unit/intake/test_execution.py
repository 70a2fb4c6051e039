import asyncio
from collections.abc import Callable, Sequence

import pytest

from services.intake.execution import Job, execute_portion, portions_of
from shequn.adapters import Adapter, AdapterManifest, AdapterSettings, AddressedAction, Label, Outcome
from shequn.adapters.errors import ForbiddenError, UnknownDeliveryError
from shequn.contracts.actions import OutcomeStatus, SendMessage
from shequn.runtime.failures import TransientError
from tests.unit.intake.builders import delete, environment, send

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


class TestBatches:
    async def test_go_out_at_once(self) -> None:
        assert await outcomes(Batching(raising(ValueError())), "a", "b") == [[("a", D), ("b", D)]]

    async def test_an_error_is_the_outcome_of_all(self) -> None:
        assert await outcomes(Batching(raising(ForbiddenError("no"))), "a", "bad") == [[("a", F), ("bad", F)]]

    async def test_a_forgotten_outcome_makes_all_unknown(self) -> None:
        assert await outcomes(Batching(raising(ValueError())), "a", "forgotten") == [[("a", U), ("forgotten", U)]]

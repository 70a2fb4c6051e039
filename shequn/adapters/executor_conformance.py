"""What every adapter that executes actions must do, as tests to inherit; see :mod:`shequn.adapters.conformance`."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from shequn.adapters.base import AddressedAction, Executes, ExecutesBatches, Outcome
from shequn.adapters.errors import ActionError
from shequn.adapters.outcomes import flaws_of
from shequn.contracts.actions import OutcomeStatus

_TURNS = 6  # how often the event loop turns before a call is cut off: at its beginning, and where it waits first


class ExecutorConformance(ABC):
    """Tests of an adapter that executes actions."""

    @abstractmethod
    def make_adapter(self) -> Any:
        """Make the adapter, on what an earlier one of the same test left behind."""

    @abstractmethod
    def action(self, number: int) -> AddressedAction:
        """Give an action; different numbers give different ones."""

    @abstractmethod
    def effects(self) -> int:
        """Count what has arrived at the platform."""

    def refusing(self) -> Sequence[Any]:
        """Give adapters whose platform refuses: rate limit, banned account, closed window, odd text in its error."""
        return ()

    def test_manifest_names_its_capability(self) -> None:
        """It can execute."""
        adapter = self.make_adapter()
        require(isinstance(adapter, Executes), "the adapter has no execute()")
        require(type(self.action(1).command) in adapter.manifest.actions, "the manifest does not name the action")

    def test_action_is_delivered(self) -> None:
        """An action arrives."""

        async def deliver() -> Any:
            async with _opened(self.make_adapter()) as adapter:
                return await adapter.execute(self.action(1), "key-1")

        outcome = asyncio.run(deliver())
        require(outcome.status is OutcomeStatus.DELIVERED, f"the outcome is {outcome}")
        require(self.effects() == 1, f"{self.effects()} effects of one action")

    def test_outcomes_can_be_stored(self) -> None:
        """Receipt and reason are text of a length that is kept, and a time has its offset."""

        async def deliver() -> Any:
            async with _opened(self.make_adapter()) as adapter:
                return await adapter.execute(self.action(1), "key-1")

        _require_storable(asyncio.run(deliver()), "an action")

    def test_a_batch_has_as_many_outcomes(self) -> None:
        """Where it takes batches, each action has its outcome, also when a key comes twice."""
        if not isinstance(self.make_adapter(), ExecutesBatches):
            return
        keys = ("key-1", "key-2", "key-1")

        async def deliver() -> Any:
            async with _opened(self.make_adapter()) as adapter:
                return await adapter.execute_many([(self.action(int(key[-1])), key) for key in keys])

        answers = asyncio.run(deliver())
        require(isinstance(answers, Sequence), f"a batch gave {type(answers).__name__}, not a sequence of outcomes")
        require(len(answers) == len(keys), f"{len(answers)} outcomes of {len(keys)} actions")
        for answer in answers:
            _require_storable(answer, "an action of a batch")

    def test_refusals_are_outcomes_or_typed_errors(self) -> None:
        """What the platform refuses ends in an outcome, or an ActionError, that can be stored."""

        async def execute(adapter: Any, number: int) -> Any:
            async with _opened(adapter):
                try:
                    return await adapter.execute(self.action(number), f"refused-{number}")
                except ActionError as error:
                    return Outcome.of_error(error)

        for number, adapter in enumerate(self.refusing(), 1):
            _require_storable(asyncio.run(execute(adapter, number)), f"refusal {number}")

    def test_call_that_is_cut_off_has_one_effect(self) -> None:
        """Where keys are recognised, a call that nobody waited for to its end, and its repetition, are one effect."""
        if not self.make_adapter().manifest.deduplicates:
            return

        async def deliver() -> None:
            async with _opened(self.make_adapter()) as adapter:
                for turns in range(_TURNS):
                    call = asyncio.create_task(adapter.execute(self.action(1), "key-1"))
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    call.cancel()
                    with suppress(asyncio.CancelledError):
                        await call
                await adapter.execute(self.action(1), "key-1")

        asyncio.run(deliver())
        require(self.effects() == 1, f"{self.effects()} effects of one key whose calls were cut off")

    def test_repeated_key_has_one_effect(self) -> None:
        """A key that comes again, also after a restart, has no second effect."""
        if not self.make_adapter().manifest.deduplicates:
            return

        async def deliver() -> None:
            for _ in range(2):
                async with _opened(self.make_adapter()) as adapter:
                    await adapter.execute(self.action(1), "key-1")
                    await adapter.execute(self.action(1), "key-1")
                    await adapter.execute(self.action(2), "key-2")

        asyncio.run(deliver())
        require(self.effects() == len({"key-1", "key-2"}), f"{self.effects()} effects of two keys")

    def test_open_adapter_is_healthy(self) -> None:
        """It says that it can work."""

        async def ask() -> Any:
            async with _opened(self.make_adapter()) as adapter:
                return await adapter.health()

        health = asyncio.run(ask())
        require(health.healthy, f"not healthy: {health.detail}")


class _opened:  # noqa: N801  # reads as a verb where it is used
    """An adapter between open and close."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter

    async def __aenter__(self) -> Any:
        await self._adapter.open()
        return self._adapter

    async def __aexit__(self, *_: object) -> None:
        await self._adapter.close()


def require(condition: bool, message: str) -> None:
    """Fail with a message, unless."""
    if not condition:
        raise AssertionError(message)


def _require_storable(answer: Any, what: str) -> None:
    flaws = flaws_of(answer)
    require(not flaws, f"the outcome of {what}: {'; '.join(flaws)}")

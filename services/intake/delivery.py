"""Delivery: takes actions from the queue, has adapters execute them, and tells what became of each.

An action is marked ``sending`` and committed before an adapter sees it. So after a crash it is known which actions may
have gone out: adapters that recognise a repeated key get them again, for others the outcome is ``unknown``. Outcome row
and outcome event are written in one transaction. Several replicas share the queue.

A stop begins nothing new: what an adapter has in hand is finished and its outcome written, the rest goes back into the
queue. What takes longer than ``intake_stop_seconds`` is cut off, and is then as after a crash.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog

from services.intake.claims import Claims
from services.intake.domain.routing import NoRoute, retry_at, route
from services.intake.execution import Job, execute_portion, portions_of
from services.intake.metrics import IntakeMetrics
from services.intake.outgoing import OutgoingAdapters
from services.intake.settings import IntakeSettings
from services.intake.store import Claimed, Settlement
from shequn.adapters import Adapter, AddressedAction, Outcome
from shequn.contracts.actions import ActionSettled, ActionSettledData, OutcomeStatus
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.envelope import Envelope
from shequn.contracts.registry import BY_TYPE
from shequn.runtime.bus import Outgoing
from shequn.runtime.clock import Clock, stopwatch
from shequn.runtime.failures import TransientError, UnknownCommunityError
from shequn.runtime.fold.workspace import DefinitionBook
from shequn.runtime.store.engine import RETRYABLE

SOURCE = "/intake/delivery"
_NOBODY = "none"  # the adapter of an action that reached none
_IDLE_SECONDS = 1.0
_PUT_BACK_SECONDS = 2.0  # for what is cut off: time to put back the actions that no adapter has seen

logger = structlog.get_logger()


class Delivery:
    """Works the queue off, step by step."""

    def __init__(
        self,
        claims: Claims,
        outgoing: OutgoingAdapters,
        definitions: DefinitionBook,
        clock: Clock,
        settings: IntakeSettings,
        metrics: IntakeMetrics,
        published: Callable[[], None],
    ) -> None:
        """Prepare; :meth:`step` works.

        Args:
            claims: the queue in the store.
            outgoing: the adapters.
            definitions: where groups are.
            clock: tells ``now``.
            settings: batch size, attempts and times.
            metrics: where outcomes are counted.
            published: called after a commit that put outcomes into the outbox.
        """
        self._claims = claims
        self._outgoing = outgoing
        self._definitions = definitions
        self._clock = clock
        self._settings = settings
        self._metrics = metrics
        self._published = published
        self._wake = asyncio.Event()
        self._stopping = False
        self._cut_at = 0.0

    def wake(self) -> None:
        """Tell that something is in the queue."""
        self._wake.set()

    def stop(self) -> None:
        """Begin nothing new. What an adapter has in hand gets ``intake_stop_seconds`` from now on."""
        if not self._stopping:
            self._stopping = True
            self._cut_at = stopwatch() + self._settings.intake_stop_seconds
        self._wake.set()

    async def step(self) -> float:
        """Deliver one batch; wait for work where there is none.

        Cancelled, however often, it stops as :meth:`stop` says, and ends when that is done.
        """
        self._wake.clear()
        work = asyncio.create_task(self._deliver(), name="deliver")
        try:
            count = await asyncio.shield(work)
        except asyncio.CancelledError:
            await self._finish(work)
            raise
        if not count and not self._stopping:
            # The wait is bounded: delayed actions fall due, and another replica may have died.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timeout=_IDLE_SECONDS)
        return 0.0

    async def close(self) -> None:
        """Give up what is claimed."""
        await self._claims.close()

    async def _finish(self, work: "asyncio.Task[int]") -> None:
        """Let work end; cut it off when its time is up."""
        self.stop()
        await _ended(work, self._cut_at)
        while not work.done():
            logger.warning("a stop cut off an adapter's call", after_seconds=self._settings.intake_stop_seconds)
            work.cancel()
            await _ended(work, stopwatch() + _PUT_BACK_SECONDS)
        with suppress(asyncio.CancelledError, TransientError, *RETRYABLE):
            work.result()

    async def _deliver(self) -> int:
        if self._stopping:
            return 0
        batch = await self._claims.take(self._clock.now(), self._settings.intake_delivery_batch)
        if batch.unsure or batch.fresh:
            try:
                await self._work(batch.unsure, sure=False)
                await self._work(batch.fresh, sure=True)
            except BaseException:
                # What we were sending is nobody's now; the next claim takes it up as unsure.
                await self._claims.abandon()
                raise
        return len(batch.unsure) + len(batch.fresh)

    async def _work(self, claimed: Sequence[Claimed], *, sure: bool) -> None:
        """Execute actions. Unsure ones may have gone out already, before a crash."""
        if not claimed:
            return
        actions = [_Action(item) for item in claimed]
        accounts = await self._claims.accounts_of([item.member_id for item in actions if item.member_id is not None])
        by_adapter: dict[int, tuple[Adapter[Any], list[_Action]]] = {}
        homeless: list[tuple[_Action, Outcome]] = []
        for item in actions:
            known = accounts.get(item.member_id or "", ())
            found = route(item.command, known, self._definition(item), self._clock.now())
            if isinstance(found, NoRoute):
                homeless.append((item, self._without_route(item, found)))
                continue
            item.address = AddressedAction(item.command, found.platform, found.account, found.chat)
            adapter = self._outgoing.for_platform(found.platform)
            by_adapter.setdefault(id(adapter), (adapter, []))[1].append(item)
        if homeless:
            await self._settle(_NOBODY, homeless)
        ends = await asyncio.gather(
            *(self._through(adapter, items, sure=sure) for adapter, items in by_adapter.values()),
            return_exceptions=True,
        )
        # All have ended before one's failure is told: nothing goes on behind the back of who takes it up again.
        for error in filter(None, ends):
            raise error

    async def _through(self, adapter: Adapter[Any], actions: Sequence["_Action"], *, sure: bool) -> None:
        name = adapter.manifest.name
        if not sure and not adapter.manifest.deduplicates:
            lost = Outcome(OutcomeStatus.UNKNOWN, "the process ended while it was being sent")
            await self._settle(name, [(item, lost) for item in actions])
            return
        by_key = {item.key: item for item in actions}
        jobs = [Job(item.address, item.key) for item in actions if item.address is not None]
        waiting = deque(portions_of(adapter, jobs))
        try:
            while waiting and not self._stopping:
                done = await execute_portion(adapter, waiting.popleft(), self._settings.intake_action_seconds)
                await self._settle(name, [(by_key[job.idempotency_key], outcome) for job, outcome in done])
        finally:
            # No adapter has seen these, so they are not unsure, whatever became of those before them.
            if untouched := [job.idempotency_key for portion in waiting for job in portion]:
                await _insist(lambda: self._claims.release(untouched), "actions")

    async def _settle(self, adapter: str, outcomes: Sequence[tuple["_Action", Outcome]]) -> None:
        """Write outcomes until the store takes them: what has gone out must not be forgotten."""
        now = self._clock.now()
        final = [(item, self._bounded(item, outcome)) for item, outcome in outcomes]
        settlements = [_settlement(item, outcome, adapter) for item, outcome in final]
        # Waiting for an account is no outcome yet, so it is not told.
        told = {
            item.key: Outgoing.of(item.settled(outcome, adapter, now))
            for item, outcome in final
            if not (outcome.status is OutcomeStatus.DELAYED and adapter == _NOBODY)
        }
        await _insist(lambda: self._claims.settle(now, settlements, told), "outcomes")
        for _, outcome in final:
            self._metrics.outcomes.labels(adapter, outcome.status.value).inc()
        self._published()

    def _bounded(self, item: "_Action", outcome: Outcome) -> Outcome:
        """Give a delayed action its next time, or an end."""
        if outcome.status is not OutcomeStatus.DELAYED or outcome.until is not None:
            return outcome
        if item.attempts >= self._settings.intake_attempts:
            return Outcome(OutcomeStatus.FAILED, f"given up after {item.attempts} attempts: {outcome.reason}")
        first = timedelta(seconds=self._settings.intake_retry_seconds)
        longest = timedelta(seconds=self._settings.intake_retry_most_seconds)
        until = retry_at(self._clock.now(), item.attempts, first, longest)
        return Outcome(OutcomeStatus.DELAYED, outcome.reason, until=until)

    def _without_route(self, item: "_Action", found: NoRoute) -> Outcome:
        if found.may_come and item.attempts == 1:
            grace = timedelta(seconds=self._settings.intake_account_grace_seconds)
            return Outcome(OutcomeStatus.DELAYED, found.reason, until=self._clock.now() + grace)
        return Outcome(found.status, found.reason)

    def _definition(self, item: "_Action") -> CommunityDefinition | None:
        try:
            return self._definitions.current(item.command.community)
        except UnknownCommunityError:
            return None


class _Action:
    """A claimed action, decoded."""

    def __init__(self, claimed: Claimed) -> None:
        self.key = claimed.idempotency_key
        self.attempts = claimed.attempts
        # The queue holds only what a fold has validated.
        self.command: Envelope = BY_TYPE[claimed.action].model_validate_json(claimed.command)
        self.member_id: str | None = getattr(self.command.data, "member_id", None)
        self.address: AddressedAction | None = None

    def settled(self, outcome: Outcome, adapter: str, now: datetime) -> ActionSettled:
        data = ActionSettledData(
            action_id=self.command.id,
            action=self.command.type,
            idempotency_key=self.key,
            status=outcome.status,
            reason=outcome.reason,
            adapter=adapter,
            until=outcome.until,
            receipt=outcome.receipt,
            member_id=self.member_id,
        )
        key = (self.key, str(self.attempts))
        return ActionSettled.caused_by(self.command, source=SOURCE, subject=self.key, key=key, data=data, time=now)


async def _ended(work: "asyncio.Task[Any]", until: float) -> None:
    """Wait for a task's end, until a moment of the stopwatch, however often we are cancelled meanwhile."""
    while not work.done() and (left := until - stopwatch()) > 0:
        with suppress(asyncio.CancelledError):
            await asyncio.wait([work], timeout=left)


async def _insist(write: Callable[[], Awaitable[None]], what: str) -> None:
    """Write until the store takes it."""
    while True:
        try:
            return await write()
        except (TransientError, *RETRYABLE) as error:
            logger.warning("delivery waits for the store", what=what, why=str(error))
            await asyncio.sleep(_IDLE_SECONDS)


def _settlement(item: _Action, outcome: Outcome, adapter: str) -> Settlement:
    delayed = outcome.status is OutcomeStatus.DELAYED
    return Settlement(
        idempotency_key=item.key,
        status="pending" if delayed else outcome.status.value,
        adapter=adapter,
        reason=outcome.reason,
        receipt=outcome.receipt,
        due_at=outcome.until if delayed else None,
    )

"""Delivery: takes actions from the queue, has adapters execute them, and tells what became of each.

Which adapter is about to see an action is noted and committed before it does. So after a crash it is known which
actions may have gone out, the few that were handed over at once: an adapter that recognises a repeated key gets its own
again, for others the outcome is ``unknown``. What only waited for its turn is sent as if nothing had happened. Outcome
row and outcome event are written in one transaction. Several replicas share the queue.

Adapters are foreign code: whatever one raises or gives back concerns its own actions alone.

A stop begins nothing new: what an adapter has in hand is finished and its outcome written, the rest goes back into the
queue. What takes longer than ``intake_stop_seconds`` is cut off, and is then as after a crash.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog

from services.intake.claimed import ClaimedAction
from services.intake.claims import Claims
from services.intake.domain.routing import NoRoute, route
from services.intake.execution import Job, execute_portion, portions_of
from services.intake.metrics import IntakeMetrics
from services.intake.outgoing import OutgoingAdapters
from services.intake.settings import IntakeSettings
from services.intake.settling import NOBODY, Settling, insist
from services.intake.store import Claimed
from shequn.adapters import Adapter, AddressedAction, Outcome
from shequn.contracts.actions import OutcomeStatus
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.runtime.clock import Clock, stopwatch
from shequn.runtime.failures import TransientError, UnknownCommunityError
from shequn.runtime.fold.workspace import DefinitionBook
from shequn.runtime.store.engine import RETRYABLE

_IDLE_SECONDS = 1.0
_PUT_BACK_SECONDS = 2.0  # for what is cut off: time to put back the actions that no adapter has seen
_LOST = Outcome(OutcomeStatus.UNKNOWN, "the process ended while it was being sent")

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
        self._settling = Settling(claims, clock, settings, metrics, published)
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
        claimed = await self._claims.take(self._clock.now(), self._settings.intake_delivery_batch)
        if claimed:
            try:
                await self._work(await self._decoded(claimed))
            except BaseException:
                # What we were sending is nobody's now; the next claim takes it up as unsure.
                await self._claims.abandon()
                raise
        return len(claimed)

    async def _decoded(self, claimed: Sequence[Claimed]) -> list[ClaimedAction]:
        found = []
        for item in claimed:
            try:
                found.append(ClaimedAction(item))
            except (KeyError, ValueError) as error:
                # The fold has read it, so another version of the program put it there.
                logger.exception("an action cannot be read", key=item.idempotency_key, action=item.action)
                await self._settling.give_up([item.idempotency_key], f"it cannot be read: {type(error).__name__}")
        return found

    async def _work(self, actions: Sequence[ClaimedAction]) -> None:
        """Execute actions."""
        accounts = await self._claims.accounts_of([item.member_id for item in actions if item.member_id is not None])
        by_adapter: dict[int, tuple[Adapter[Any], list[ClaimedAction]]] = {}
        homeless: list[tuple[ClaimedAction, Outcome]] = []
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
            await self._settling.settle(NOBODY, homeless)
        ends = await asyncio.gather(
            *(self._through(adapter, items) for adapter, items in by_adapter.values()), return_exceptions=True
        )
        # All have ended before one's failure is told: nothing goes on behind the back of who takes it up again.
        for error in filter(None, ends):
            raise error

    async def _through(self, adapter: Adapter[Any], actions: Sequence[ClaimedAction]) -> None:
        name = adapter.manifest.name
        lost = [item for item in actions if item.seen_by is not None and not _may_repeat(item.seen_by, adapter)]
        if lost:
            await self._settling.settle(name, [(item, _LOST) for item in lost])
        by_key = {item.key: item for item in actions if item not in lost}
        jobs = [Job(item.address, key) for key, item in by_key.items() if item.address is not None]
        waiting = deque(portions_of(adapter, jobs))
        try:
            while waiting and not self._stopping:
                ours = await self._handed_over(adapter, waiting[0])
                waiting.popleft()
                if ours:
                    done = await execute_portion(adapter, ours, self._settings.intake_action_seconds)
                    await self._settling.settle(name, [(by_key[job.idempotency_key], outcome) for job, outcome in done])
        finally:
            # No adapter has seen these, so they are not unsure, whatever became of those before them.
            if untouched := [job.idempotency_key for portion in waiting for job in portion]:
                await insist(lambda: self._claims.release(untouched), "actions")

    async def _handed_over(self, adapter: Adapter[Any], portion: Sequence[Job]) -> list[Job]:
        """Note that the adapter is about to see a portion; give those of it that nobody took over meanwhile."""
        keys = [job.idempotency_key for job in portion]
        ours = await insist(lambda: self._claims.hand_over(keys, adapter.manifest.name), "what is being sent")
        return [job for job in portion if job.idempotency_key in ours]

    def _without_route(self, item: ClaimedAction, found: NoRoute) -> Outcome:
        if item.seen_by is not None:
            return _LOST
        if found.may_come and item.attempts == 1:
            grace = timedelta(seconds=self._settings.intake_account_grace_seconds)
            return Outcome(OutcomeStatus.DELAYED, found.reason, until=self._clock.now() + grace)
        return Outcome(found.status, found.reason)

    def _definition(self, item: ClaimedAction) -> CommunityDefinition | None:
        try:
            return self._definitions.current(item.command.community)
        except UnknownCommunityError:
            return None


async def _ended(work: "asyncio.Task[Any]", until: float) -> None:
    """Wait for a task's end, until a moment of the stopwatch, however often we are cancelled meanwhile."""
    while not work.done() and (left := until - stopwatch()) > 0:
        with suppress(asyncio.CancelledError):
            await asyncio.wait([work], timeout=left)


def _may_repeat(seen_by: str, adapter: Adapter[Any]) -> bool:
    """Tell whether an adapter recognises what it, or another one, may have sent."""
    return adapter.manifest.deduplicates and adapter.manifest.name == seen_by

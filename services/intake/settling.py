"""Writes what became of actions, so that neither a store that is away nor one odd outcome stops the others."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from services.intake.claimed import ClaimedAction
from services.intake.claims import Claims
from services.intake.domain.routing import retry_at
from services.intake.metrics import IntakeMetrics
from services.intake.settings import IntakeSettings
from services.intake.store import Settlement
from shequn.adapters import Outcome
from shequn.adapters.outcomes import mended
from shequn.contracts.actions import OutcomeStatus
from shequn.runtime.bus import Outgoing
from shequn.runtime.clock import Clock
from shequn.runtime.failures import TransientError
from shequn.runtime.store.engine import RETRYABLE

NOBODY = "none"
"""The adapter of an action that reached none."""

_AGAIN_SECONDS = 1.0

logger = structlog.get_logger()
T = TypeVar("T")


class Settling:
    """Settles actions: writes their outcomes, tells them, counts them."""

    def __init__(
        self,
        claims: Claims,
        clock: Clock,
        settings: IntakeSettings,
        metrics: IntakeMetrics,
        published: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            claims: the queue in the store.
            clock: tells ``now``.
            settings: attempts and times.
            metrics: where outcomes are counted.
            published: called after a commit that put outcomes into the outbox.
        """
        self._claims = claims
        self._clock = clock
        self._settings = settings
        self._metrics = metrics
        self._published = published

    async def settle(self, adapter: str, outcomes: Sequence[tuple[ClaimedAction, Outcome]]) -> None:
        """Write outcomes until the store takes them: what has gone out must not be forgotten.

        What the store refuses for what it holds is written alone, as plainly as needed.
        """
        now = self._clock.now()
        final = [(item, self._bounded(item, mended(outcome), adapter, now)) for item, outcome in outcomes]
        try:
            await self._write(adapter, final, now)
        except Exception as error:  # noqa: BLE001  # whatever one outcome leads to, the others are written
            if len(final) == 1:
                await self._settle_plainly(adapter, *final[0], error)
            else:
                for one in final:
                    await self.settle(adapter, [one])

    async def give_up(self, keys: Sequence[str], reason: str) -> None:
        """Let actions fail that cannot even be read, and so have no outcome to tell."""
        rows = [Settlement(key, OutcomeStatus.FAILED.value, NOBODY, reason, None, None) for key in keys]
        await insist(lambda: self._claims.settle(self._clock.now(), rows, {}), "outcomes")

    async def _settle_plainly(self, adapter: str, item: ClaimedAction, outcome: Outcome, error: Exception) -> None:
        why = type(error).__name__
        logger.error("an outcome cannot be written as it is", key=item.key, status=outcome.status.value, why=str(error))
        # Trying again led here, so it would lead here again.
        status = OutcomeStatus.FAILED if outcome.status is OutcomeStatus.DELAYED else outcome.status
        plain = [(item, Outcome(status, f"its outcome could not be written as it was: {why}"))]
        now = self._clock.now()
        try:
            await self._write(adapter, plain, now)
        except Exception as again:  # noqa: BLE001  # the event is to blame, then
            logger.error("an outcome is written and cannot be told", key=item.key, why=str(again))  # noqa: TRY400
            await self._take(adapter, plain, {}, now)

    async def _write(self, adapter: str, final: Sequence[tuple[ClaimedAction, Outcome]], now: datetime) -> None:
        # Waiting for an account is no outcome yet, so it is not told.
        told = {
            item.key: Outgoing.of(item.settled(outcome, adapter, now))
            for item, outcome in final
            if not (outcome.status is OutcomeStatus.DELAYED and adapter == NOBODY)
        }
        await self._take(adapter, final, told, now)

    async def _take(
        self,
        adapter: str,
        final: Sequence[tuple[ClaimedAction, Outcome]],
        told: Mapping[str, Outgoing],
        now: datetime,
    ) -> None:
        rows = [_settlement(item.key, outcome, adapter) for item, outcome in final]
        taken = await insist(lambda: self._claims.settle(now, rows, told), "outcomes")
        for item, outcome in final:
            if item.key in taken:
                self._metrics.outcomes.labels(adapter, outcome.status.value).inc()
        self._published()

    def _bounded(self, item: ClaimedAction, outcome: Outcome, adapter: str, now: datetime) -> Outcome:
        """Give an action that an adapter delayed its next time, or an end."""
        if outcome.status is not OutcomeStatus.DELAYED or adapter == NOBODY:
            return outcome
        # A time that is over would be tried at once, again and again.
        if outcome.until is not None and outcome.until > now:
            return outcome
        if item.attempts >= self._settings.intake_attempts:
            return Outcome(OutcomeStatus.FAILED, f"given up after {item.attempts} attempts: {outcome.reason}")
        first = timedelta(seconds=self._settings.intake_retry_seconds)
        longest = timedelta(seconds=self._settings.intake_retry_most_seconds)
        return Outcome(OutcomeStatus.DELAYED, outcome.reason, until=retry_at(now, item.attempts, first, longest))


async def insist(write: Callable[[], Awaitable[T]], what: str) -> T:
    """Write until the store takes it."""
    while True:
        try:
            return await write()
        except (TransientError, *RETRYABLE) as error:
            if isinstance(error, ValueError):
                raise  # the client refuses a value; asyncpg puts that among the errors of a lost connection
            logger.warning("delivery waits for the store", what=what, why=str(error))
            await asyncio.sleep(_AGAIN_SECONDS)


def _settlement(key: str, outcome: Outcome, adapter: str) -> Settlement:
    delayed = outcome.status is OutcomeStatus.DELAYED
    return Settlement(
        idempotency_key=key,
        status="pending" if delayed else outcome.status.value,
        adapter=adapter,
        reason=outcome.reason,
        receipt=outcome.receipt,
        due_at=outcome.until if delayed else None,
    )

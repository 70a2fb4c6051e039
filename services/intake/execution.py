"""Has adapters execute actions, and turns whatever happens into an outcome."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from shequn.adapters import Adapter, AddressedAction, Executes, ExecutesBatches, Outcome
from shequn.adapters.errors import ActionError, UnsupportedActionError
from shequn.contracts.actions import OutcomeStatus
from shequn.runtime.failures import TransientError

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """An action with its address and key."""

    action: AddressedAction
    idempotency_key: str


async def execute_jobs(
    adapter: Adapter[Any], jobs: Sequence[Job], seconds: float
) -> AsyncIterator[list[tuple[Job, Outcome]]]:
    """Execute jobs in order; give each portion's outcomes as soon as they are known, to be written at once.

    Args:
        adapter: who executes them.
        jobs: what.
        seconds: how long a portion may take.
    """
    possible = [job for job in jobs if type(job.action.command) in adapter.manifest.actions]
    if len(possible) < len(jobs):
        refusal = Outcome.of_error(UnsupportedActionError(f"{adapter.manifest.name} cannot do that"))
        yield [(job, refusal) for job in jobs if job not in possible]
    if isinstance(adapter, ExecutesBatches):
        if possible:
            yield await _batch(adapter, possible, seconds)
        return
    for job in possible:
        yield [(job, await _single(adapter, job, seconds))]


async def _batch(adapter: Any, jobs: Sequence[Job], seconds: float) -> list[tuple[Job, Outcome]]:
    try:
        async with asyncio.timeout(seconds):
            outcomes = await adapter.execute_many([(job.action, job.idempotency_key) for job in jobs])
            return list(zip(jobs, outcomes, strict=True))
    except Exception as error:  # noqa: BLE001  # whatever a foreign adapter raises, its actions get an outcome
        outcome = _outcome_of(adapter, error)
    return [(job, outcome) for job in jobs]


async def _single(adapter: Any, job: Job, seconds: float) -> Outcome:
    executor: Executes = adapter
    try:
        async with asyncio.timeout(seconds):
            return await executor.execute(job.action, job.idempotency_key)
    except Exception as error:  # noqa: BLE001  # as above
        return _outcome_of(adapter, error)


def _outcome_of(adapter: Adapter[Any], error: Exception) -> Outcome:
    if isinstance(error, ActionError):
        return Outcome.of_error(error)
    if isinstance(error, TransientError):
        return Outcome(OutcomeStatus.DELAYED, str(error))
    name = adapter.manifest.name
    what = "took too long" if isinstance(error, TimeoutError) else f"raised {type(error).__name__}: {error}"
    logger.warning("an adapter broke off", adapter=name, what=what)
    # Nobody knows how far it came. Only where a repeated key is recognised may it be tried again.
    status = OutcomeStatus.DELAYED if adapter.manifest.deduplicates else OutcomeStatus.UNKNOWN
    return Outcome(status, f"the adapter {name} {what}")

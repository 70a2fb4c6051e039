"""Has adapters execute actions, and turns whatever happens into an outcome."""

import asyncio
from collections.abc import Sequence
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


def portions_of(adapter: Adapter[Any], jobs: Sequence[Job]) -> list[list[Job]]:
    """Split jobs, in order, into what is handed to an adapter at once.

    What the adapter cannot do comes first, as one portion. Then come one job at a time, or all together where the
    adapter takes batches.
    """
    possible = [job for job in jobs if _can(adapter, job)]
    impossible = [job for job in jobs if not _can(adapter, job)]
    portions = [possible] if isinstance(adapter, ExecutesBatches) else [[job] for job in possible]
    return [portion for portion in (impossible, *portions) if portion]


async def execute_portion(adapter: Adapter[Any], portion: Sequence[Job], seconds: float) -> list[tuple[Job, Outcome]]:
    """Execute one portion; give an outcome for each of its jobs, whatever the adapter raises.

    Args:
        adapter: who executes it.
        portion: one of :func:`portions_of`.
        seconds: how long it may take.
    """
    if not _can(adapter, portion[0]):
        refusal = Outcome.of_error(UnsupportedActionError(f"{adapter.manifest.name} cannot do that"))
        return [(job, refusal) for job in portion]
    try:
        async with asyncio.timeout(seconds):
            return list(zip(portion, await _outcomes(adapter, portion), strict=True))
    except Exception as error:  # noqa: BLE001  # whatever a foreign adapter raises, its actions get an outcome
        outcome = _outcome_of(adapter, error)
    return [(job, outcome) for job in portion]


async def _outcomes(adapter: Any, portion: Sequence[Job]) -> Sequence[Outcome]:
    if isinstance(adapter, ExecutesBatches):
        return await adapter.execute_many([(job.action, job.idempotency_key) for job in portion])
    executor: Executes = adapter
    (job,) = portion
    return [await executor.execute(job.action, job.idempotency_key)]


def _can(adapter: Adapter[Any], job: Job) -> bool:
    return type(job.action.command) in adapter.manifest.actions


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

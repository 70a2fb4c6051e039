"""Has adapters execute actions, and turns whatever happens into an outcome that can be stored."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from shequn.adapters import Adapter, AddressedAction, Executes, ExecutesBatches, Outcome
from shequn.adapters.errors import ActionError, UnsupportedActionError
from shequn.adapters.outcomes import LONGEST_REASON, mended
from shequn.contracts.actions import OutcomeStatus
from shequn.runtime.failures import TransientError
from shequn.runtime.texts import storable, text_of

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """An action with its address and key."""

    action: AddressedAction
    idempotency_key: str


class _OddAnswerError(Exception):
    """What an adapter gave back are not the outcomes of what it was given."""


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
    """Execute one portion; give an outcome for each of its jobs, whatever the adapter raises or gives back.

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
            answers = await _answers(adapter, portion)
    except asyncio.CancelledError:
        if _is_cancelled():
            raise
        # A task of the adapter's own was cancelled, not we.
        outcome = _broken_off(adapter, "was cancelled by itself")
    except Exception as error:  # noqa: BLE001  # whatever a foreign adapter raises, its actions get an outcome
        outcome = _outcome_of(adapter, error)
    else:
        return [(job, _outcome_from(adapter, answer)) for job, answer in zip(portion, answers, strict=True)]
    return [(job, outcome) for job in portion]


async def _answers(adapter: Any, portion: Sequence[Job]) -> Sequence[Any]:
    if not isinstance(adapter, ExecutesBatches):
        executor: Executes = adapter
        (job,) = portion
        return [await executor.execute(job.action, job.idempotency_key)]
    answers: Any = await adapter.execute_many([(job.action, job.idempotency_key) for job in portion])
    if not isinstance(answers, Sequence):
        raise _OddAnswerError(f"answered {type(answers).__name__} to {len(portion)} actions")
    if len(answers) != len(portion):
        raise _OddAnswerError(f"answered {len(answers)} outcomes to {len(portion)} actions")
    return list(answers)


def _can(adapter: Adapter[Any], job: Job) -> bool:
    return type(job.action.command) in adapter.manifest.actions


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _outcome_from(adapter: Adapter[Any], answer: Any) -> Outcome:
    try:
        return mended(answer)
    except Exception as error:  # noqa: BLE001  # an answer is foreign, too
        return _broken_off(adapter, text_of(error))


def _outcome_of(adapter: Adapter[Any], error: Exception) -> Outcome:
    try:
        if isinstance(error, ActionError):
            return mended(Outcome.of_error(error))
        if isinstance(error, TransientError):
            return mended(Outcome(OutcomeStatus.DELAYED, text_of(error)))
    except Exception as odd:  # noqa: BLE001  # a typed error of a foreign adapter may lack what its type promises
        error = odd
    if isinstance(error, _OddAnswerError):
        return _broken_off(adapter, text_of(error))
    if isinstance(error, TimeoutError):
        return _broken_off(adapter, "took too long")
    return _broken_off(adapter, f"raised {type(error).__name__}: {text_of(error)}")


def _broken_off(adapter: Adapter[Any], what: str) -> Outcome:
    name = adapter.manifest.name
    reason = storable(f"the adapter {name} {what}", LONGEST_REASON)
    logger.warning("an adapter broke off", adapter=name, what=reason)
    # Nobody knows how far it came. Only where a repeated key is recognised may it be tried again.
    return Outcome(OutcomeStatus.DELAYED if adapter.manifest.deduplicates else OutcomeStatus.UNKNOWN, reason)

"""Which refusals of the store concern one event, and which every event."""

import asyncpg
import pytest

from shequn.runtime.store.engine import POISON, RETRYABLE


@pytest.mark.parametrize(
    "error",
    [asyncpg.CharacterNotInRepertoireError, asyncpg.NumericValueOutOfRangeError, asyncpg.CheckViolationError],
)
def test_what_a_row_leads_to_is_buried(error: type[Exception]) -> None:
    assert issubclass(error, POISON)
    assert not issubclass(error, RETRYABLE)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.DiskFullError,
        asyncpg.TooManyConnectionsError,
        asyncpg.AdminShutdownError,
        asyncpg.ReadOnlySQLTransactionError,
        asyncpg.DeadlockDetectedError,
        ConnectionRefusedError,
    ],
)
def test_what_may_pass_is_tried_again(error: type[Exception]) -> None:
    assert issubclass(error, RETRYABLE)
    assert not issubclass(error, POISON)

"""Connections to PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import orjson

from shequn.runtime.failures import ConfigError, TransientError
from shequn.runtime.store.address import SETTING, checked_dsn, wrong_dsn
from shequn.runtime.store.types import Connection, Pool

UNREACHABLE = (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.InterfaceError)
"""What asyncpg raises when the server is away; it may come back."""

REFUSED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
"""What the server answers when user, password or database is wrong."""

POISON = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)
"""What a row itself leads to: it will not go in however often it is tried."""

RETRYABLE = (
    *UNREACHABLE,
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.OperatorInterventionError,  # shut down, cancelled
    asyncpg.InsufficientResourcesError,  # disk or connections used up
    asyncpg.ReadOnlySQLTransactionError,  # a standby, until it is promoted
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresSystemError,  # input and output of the server
)
"""What may succeed when the same transaction is tried again."""

_FOLD_PLANNER = {
    # A fold looks up a batch of keys. Its statements are prepared once, when tables may be empty and a sequential scan
    # looks cheap; these settings keep them on the index for ever.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # Planning each execution anew costs more than a small batch does.
    "plan_cache_mode": "force_generic_plan",
}


# The first byte of jsonb on the wire; COPY takes the binary form only.
_JSONB_VERSION = b"\x01"


@contextmanager
def connecting() -> Iterator[None]:
    """Turn what goes wrong while asyncpg connects into errors for people.

    Raises:
        TransientError: the server is not reachable.
        ConfigError: the DSN can be none, or the server refuses it.
    """
    try:
        yield
    except REFUSED as error:
        raise ConfigError(f"PostgreSQL refuses {SETTING}: {error}") from error
    except asyncpg.ClientConfigurationError as error:
        raise wrong_dsn(f"cannot be used: {error}") from error
    except ValueError:
        # Its text may quote a part of the password, and so would its traceback.
        raise wrong_dsn("holds a value that is none of its kind") from None
    except UNREACHABLE as error:
        raise TransientError(f"PostgreSQL is not reachable: {error}") from error


class Store:
    """A pool of connections whose search path is one service's schema."""

    def __init__(self, dsn: str, schema: str) -> None:
        """Remember where the store is; nothing connects yet."""
        self.dsn = dsn
        self.schema = schema
        self._pool: Pool | None = None

    async def open(self, max_size: int = 8) -> None:
        """Open the pool.

        Raises:
            TransientError: the server is not reachable.
            ConfigError: the DSN can be none, or the server refuses it.
        """
        with connecting():
            self._pool = await asyncpg.create_pool(
                checked_dsn(self.dsn),
                min_size=1,
                max_size=max_size,
                init=_prepare,
                server_settings=self._session_settings(),
            )

    async def close(self) -> None:
        """Close the pool once its connections are free."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                await asyncio.wait_for(pool.close(), timeout=5.0)
            except TimeoutError:
                pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection of the pool."""
        if self._pool is None:
            raise TransientError(f"the store of {self.schema} is not open")
        async with self._pool.acquire() as connection:
            yield connection  # type: ignore[misc]  # a proxy with the connection's whole interface

    async def fold_connection(self) -> Connection:
        """Open a connection of its own for one folder, planned for key look-ups."""
        connection: Connection = await asyncpg.connect(
            self.dsn, server_settings={**self._session_settings(), **_FOLD_PLANNER}
        )
        await _prepare(connection)
        return connection

    async def ping(self) -> None:
        """Ask the server for an answer.

        Raises:
            TransientError: there was none.
        """
        try:
            async with asyncio.timeout(2.0), self.connection() as connection:
                await connection.execute("SELECT 1")
        except (TimeoutError, *UNREACHABLE) as error:
            raise TransientError(f"PostgreSQL does not answer: {error}") from error

    def _session_settings(self) -> dict[str, str]:
        return {
            "search_path": self.schema,
            "application_name": f"shequn-{self.schema}",
            "jit": "off",
            "timezone": "UTC",
        }


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_encode_json, decoder=_decode_json, format="binary"
    )


def _encode_json(value: Any) -> bytes:
    return _JSONB_VERSION + orjson.dumps(value)


def _decode_json(data: bytes) -> Any:
    return orjson.loads(data[1:])

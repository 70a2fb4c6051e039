"""What the stack asks of a PostgreSQL server, its own or a given one."""

from pathlib import PurePosixPath
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from .errors import LocalStackError

_CONNECT_SECONDS = 5.0


async def accepts_connections(dsn: str) -> bool:
    """Whether the server of `dsn` lets us in now."""
    try:
        connection = await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    await connection.close()
    return True


async def ensure_database(dsn: str) -> None:
    """Make the database that `dsn` names unless it is there.

    Raises:
        LocalStackError: the server cannot be reached, or refused.
    """
    name = database_name(dsn)
    try:
        await _create_if_missing(dsn, name)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        place = urlsplit(dsn)
        msg = (
            f"the database {name!r} on {place.hostname}:{place.port or 5432} cannot be made: "
            f"{str(error) or type(error).__name__}. Make it by hand, or give a user who may."
        )
        raise LocalStackError(msg) from error


async def _create_if_missing(dsn: str, name: str) -> None:
    try:
        connection = await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS)
    except asyncpg.InvalidCatalogNameError:
        connection = await asyncpg.connect(with_database(dsn, "postgres"), timeout=_CONNECT_SECONDS)
        quoted = name.replace('"', '""')
        try:
            await connection.execute(f'CREATE DATABASE "{quoted}"')
        except asyncpg.DuplicateDatabaseError:
            pass  # another program was faster
        finally:
            await connection.close()
    else:
        await connection.close()


def database_name(dsn: str) -> str:
    """The database that `dsn` names."""
    return PurePosixPath(urlsplit(dsn).path).name


def with_database(dsn: str, name: str, scheme: str | None = None) -> str:
    """`dsn` with another database, and another scheme if given."""
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(path=f"/{name}", scheme=scheme or parts.scheme))

"""Brings a service's schema to its newest migration. Safe when several replicas start at once."""

from importlib.resources import as_file, files
from pathlib import Path
from zlib import crc32

import asyncpg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shequn.runtime.failures import TransientError
from shequn.runtime.store.address import checked_dsn
from shequn.runtime.store.engine import UNREACHABLE, connecting
from shequn.runtime.store.types import Connection as AsyncpgConnection

_ENVIRONMENT = "shequn.runtime.store"


async def migrate(dsn: str, schema: str, package: str) -> None:
    """Create the schema when it is missing and run what migrations are missing.

    Args:
        dsn: ``postgresql://…`` of the database.
        schema: the service's schema.
        package: the service's package (``services.commerce``); its ``migrations/versions`` holds the steps.

    Raises:
        TransientError: the server is not reachable.
        ConfigError: the DSN can be none, or the server refuses it.
    """
    address = checked_dsn(dsn)

    # asyncpg alone reads the DSN: SQLAlchemy does not know all that may stand in one.
    async def connect() -> AsyncpgConnection:
        with connecting():
            return await asyncpg.connect(address)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        with (
            as_file(files(package) / "migrations") as migrations,
            as_file(files(_ENVIRONMENT) / "alembic") as environment,
        ):
            async with engine.begin() as connection:
                await connection.run_sync(_upgrade, schema, environment, migrations)
    except UNREACHABLE as error:
        raise TransientError(f"PostgreSQL is not reachable: {error}") from error
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, schema: str, environment: Path, migrations: Path) -> None:
    # One replica migrates, the others wait here and then find nothing to do.
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": crc32(f"shequn:{schema}".encode())})
    connection.execute(sa.text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
    connection.execute(sa.text(f'SET LOCAL search_path TO "{schema}"'))
    config = Config()
    config.set_main_option("script_location", str(environment))
    config.set_main_option("version_locations", str(migrations / "versions"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    command.upgrade(config, "head")

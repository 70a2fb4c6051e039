"""Fixtures that every test may use. Servers are real: nats-server and PostgreSQL from their wheels."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import structlog

from shequn.local.testing import embedded_nats, embedded_postgres


@pytest.fixture(scope="session", autouse=True)
def _plain_tracebacks() -> None:
    """Log as services do: structlog's own tracebacks, with the values of all variables, take seconds each."""
    processors = [structlog.processors.format_exc_info, structlog.dev.ConsoleRenderer(colors=False)]
    structlog.configure(processors=processors)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One PostgreSQL server for the session; tests take databases of it."""
    with asyncio.Runner() as runner:
        server = embedded_postgres(tmp_path_factory.mktemp("postgres"))
        dsn = runner.run(server.__aenter__())
        try:
            yield dsn
        finally:
            runner.run(server.__aexit__(None, None, None))


@pytest.fixture
async def postgres_dsn(postgres_server: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A database of its own for the test."""
    name = f"test_{abs(hash(request.node.nodeid)):x}"
    connection = await asyncpg.connect(postgres_server)
    await connection.execute(f'CREATE DATABASE "{name}"')
    yield postgres_server.rpartition("/")[0] + f"/{name}"
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


@pytest.fixture
async def nats_url(tmp_path: Path) -> AsyncIterator[str]:
    """A NATS server of its own for the test."""
    async with embedded_nats(tmp_path) as url:
        yield url

"""Prefect's server on the embedded PostgreSQL."""

import asyncio
import os
import sys
from pathlib import Path

import asyncpg
import pytest

from shequn.local import LocalSettings, LocalStack
from shequn.local.database import with_database

FLOW = """
import asyncio
from prefect import flow, task

@task
async def add(one: int, two: int) -> int:
    return one + two

@flow
async def sum_up() -> int:
    return await add(1, 2)

assert asyncio.run(sum_up()) == 3
"""


@pytest.mark.slow
async def test_runs_a_flow_and_records_it_in_postgres(tmp_path: Path) -> None:
    settings = LocalSettings(data_dir=tmp_path, nats_url=None, postgres_dsn=None)
    async with LocalStack(settings, fsync=False) as stack:
        await stack.wait_ready()
        flow = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", FLOW), env={**os.environ, **stack.environment}, cwd=tmp_path
        )
        assert await flow.wait() == 0
        connection = await asyncpg.connect(with_database(stack.postgres_dsn, "prefect"))
        runs = await connection.fetch("SELECT state_type FROM flow_run")
        await connection.close()
    assert [run["state_type"] for run in runs] == ["COMPLETED"]

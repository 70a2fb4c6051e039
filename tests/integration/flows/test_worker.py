"""Consumer and worker as processes, on the real bus, store and Prefect server, in a world that runs fast."""

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import asyncpg
import nats
import pytest

from shequn.local import LocalSettings, LocalStack
from shequn.local.applications import application
from shequn.local.database import with_database
from shequn.runtime.bus import Outgoing, Publisher
from shequn.runtime.bus.streams import declare_streams
from tests.support.events import applied
from tests.support.waiting import eventually
from tests.unit.flows import samples as s

MEMBERS = 200
VIRTUAL_SECONDS_PER_SECOND = 3_600

FUNNEL = s.funnel(
    {"kind": "wait", "duration": 2 * 3_600, "stage": "free"},
    {"kind": "send", "message": "welcome", "stage": "low"},
    {"kind": "wait", "duration": 2 * 3_600},
    {"kind": "send", "message": "welcome", "stage": "middle"},
    stages=[{"id": stage, "name": {"zh": stage}} for stage in ("free", "low", "middle")],
)


class System:
    """The running system, looked at from outside."""

    def __init__(self, stack: LocalStack, client: Any) -> None:
        self.stack = stack
        self.client = client

    async def flows(self, sql: str) -> Any:
        return await self._query(self.stack.postgres_dsn, sql)

    async def prefect(self, sql: str) -> Any:
        return await self._query(with_database(self.stack.postgres_dsn, "prefect"), sql)

    async def sends(self) -> int:
        info = await self.client.jetstream().stream_info("ACTIONS")
        return int(info.state.messages)

    async def runs(self, flow: str, state: str) -> int:
        """Count the runs of a flow in a state."""
        return int(
            await self.prefect(
                "SELECT count(*) FROM flow_run r JOIN flow f ON f.id = r.flow_id "
                f"WHERE f.name = '{flow}' AND r.state_type = '{state}'"
            )
        )

    async def start(self, flow: str) -> None:
        """Start a run of a deployment, as a person does in the UI."""
        deployment = await eventually(
            lambda: self.prefect(
                f"SELECT d.id::text FROM deployment d JOIN flow f ON f.id = d.flow_id WHERE f.name = '{flow}'"
            ),
            bool,
        )
        url = f"{self.stack.prefect_api_url}/deployments/{deployment}/create_flow_run"
        body = json.dumps({"state": {"type": "SCHEDULED"}}).encode()
        request = Request(url, body, {"Content-Type": "application/json"})
        await asyncio.to_thread(lambda: urlopen(request, timeout=10).close())

    async def change(self, sql: str) -> None:
        """Change the schema of the flows."""
        connection = await asyncpg.connect(self.stack.postgres_dsn, server_settings={"search_path": "flows"})
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def failures(self, flow: str) -> float:
        """Read how many runs of a flow failed, as the worker counts them."""
        url = f"http://127.0.0.1:{self.stack.processes['worker'].ports['http']}/metrics"
        page = await asyncio.to_thread(lambda: urlopen(url, timeout=10).read().decode())
        found = re.search(rf'^shequn_flow_run_failures_total{{flow="{flow}"}} (\S+)$', page, re.MULTILINE)
        return float(found[1]) if found else -1.0

    def said(self, words: str) -> list[str]:
        """The lines of the worker's log that hold some words."""
        text = self.stack.processes["worker"].log.read_text(encoding="utf-8")
        return [line for line in text.splitlines() if words in line]

    async def _query(self, dsn: str, sql: str) -> Any:
        connection = await asyncpg.connect(dsn, server_settings={"search_path": "flows, public"})
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    now = datetime.now(UTC)
    settings = LocalSettings(
        data_dir=tmp_path,
        nats_url=None,
        postgres_dsn=None,
        clock=f"scaled:{now.isoformat()}/{s.START.isoformat()}/{VIRTUAL_SECONDS_PER_SECOND}",
    )
    env = {"SHEQUN_PREFECT_POLL_SECONDS": "0.5", "SHEQUN_ALLOW_UNSAFE_BUS": "true"}
    applications = [
        application("consumer", "flows.consumer", env=env),
        application("worker", "flows.worker", depends_on=("nats", "postgres", "prefect"), env=env),
    ]
    async with LocalStack(settings, applications, fsync=False) as stack:
        await stack.wait_ready()
        client = await nats.connect(stack.nats_url)
        await declare_streams(client.jetstream())
        yield System(stack, client)
        await client.close()


@pytest.mark.slow
async def test_timers_run_as_waves_and_people_run_reports(system: System) -> None:
    # Until the worker serves its deployments, waves run without Prefect.
    served = "SELECT count(*) FROM deployment WHERE last_polled IS NOT NULL"
    await eventually(lambda: system.prefect(served), lambda count: count == 2, within=30)
    publisher = Publisher(system.client)
    joinings = [s.joined(member=f"m{number}") for number in range(MEMBERS)]
    await publisher.publish([Outgoing.of(event) for event in (applied(s.community(FUNNEL)), *joinings)])

    await eventually(system.sends, lambda count: count >= MEMBERS, within=60)
    system.stack.kill("worker")
    finished = "SELECT count(*) FROM enrollments WHERE state = 'finished'"
    await eventually(lambda: system.flows(finished), lambda count: count == MEMBERS, within=60)
    await eventually(system.sends, lambda count: count >= 2 * MEMBERS)
    assert await system.sends() == 2 * MEMBERS
    assert await system.runs("due-wave", "COMPLETED") >= 1

    planned = "SELECT count(*) FROM flow_run WHERE state_type = 'SCHEDULED' AND auto_scheduled"
    assert await eventually(lambda: system.prefect(planned), bool, within=30), (
        "the schedule of the report plans no runs"
    )
    await system.start("daily-report")
    await eventually(lambda: system.runs("daily-report", "COMPLETED"), lambda count: count == 1, within=30)
    report = await system.prefect("SELECT data #>> '{}' FROM artifact WHERE key = 'daily-report-readers-en'")
    assert f"| middle | {MEMBERS} |" in report


# Timers have no cause: members may join, but nobody's wait ends.
BREAK_WAVES = """
CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the disk sings'; END $$;
CREATE TRIGGER broken BEFORE INSERT ON decisions FOR EACH ROW WHEN (NEW.cause_id IS NULL) EXECUTE FUNCTION broken()
"""
MEND_WAVES = "DROP TRIGGER broken ON decisions"


@pytest.mark.slow
async def test_waves_that_fail_are_told_and_counted_and_go_on_when_the_cause_is_gone(system: System) -> None:
    served = "SELECT count(*) FROM deployment WHERE last_polled IS NOT NULL"
    await eventually(lambda: system.prefect(served), lambda count: count == 2, within=30)
    await system.change(BREAK_WAVES)
    publisher = Publisher(system.client)
    events = (applied(s.community(FUNNEL)), s.joined())
    await publisher.publish([Outgoing.of(event) for event in events])

    failed = await eventually(lambda: system.failures("due-wave"), lambda count: count >= 2, within=60)
    assert await system.runs("due-wave", "FAILED") >= failed
    assert any("the disk sings" in line for line in system.said("a wave failed"))
    assert await system.sends() == 0

    await system.change(MEND_WAVES)
    await eventually(system.sends, lambda count: count == 2, within=60)
    assert await system.failures("daily-report") == 0


@pytest.mark.slow
async def test_asked_to_stop_in_the_middle_of_a_wave_it_ends_and_nothing_is_sent_twice(system: System) -> None:
    served = "SELECT count(*) FROM deployment WHERE last_polled IS NOT NULL"
    await eventually(lambda: system.prefect(served), lambda count: count == 2, within=30)
    publisher = Publisher(system.client)
    await publisher.publish([Outgoing.of(event) for event in (applied(s.community(FUNNEL)), s.joined())])
    await eventually(lambda: system.flows("SELECT count(*) FROM enrollments"), lambda count: count == 1)

    holder = await asyncpg.connect(system.stack.postgres_dsn, server_settings={"search_path": "flows"})
    async with holder.transaction():
        await holder.execute("LOCK TABLE seats_taken IN ACCESS EXCLUSIVE MODE")
        await eventually(lambda: system.runs("due-wave", "RUNNING"), bool, within=30)
        worker = system.stack.processes["worker"]
        first = worker.pid
        assert first is not None
        os.kill(first, signal.SIGTERM)
        await eventually(lambda: _value(worker.pid), lambda pid: pid not in {None, first}, within=40)
    await holder.close()

    await eventually(system.sends, lambda count: count == 2, within=60)
    assert system.said("TerminationSignal") == []


async def _value(value: Any) -> Any:
    return value

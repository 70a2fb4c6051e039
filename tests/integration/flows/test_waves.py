"""Waves on a real PostgreSQL: everybody who is due moves once, whatever runs beside them."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from flows.driver import ChunkResult, Waves
from flows.metrics import FunnelMetrics
from flows.store import FunnelTotals, WaveWriter, read_decisions, read_funnel_totals, read_states
from flows.tables import METADATA
from shequn.runtime.failures import TransientError
from shequn.runtime.fold import Workspace
from shequn.runtime.store import Store
from tests.integration.flows.world import HOUR, HandClock, fill
from tests.unit.flows import samples as s


async def totals(store: Store) -> FunnelTotals:
    async with store.connection() as connection:
        return (await read_funnel_totals(connection, s.START.date()))[0]


async def outbox(store: Store, subject: str) -> int:
    async with store.connection() as connection:
        count: int = await connection.fetchval("SELECT count(*) FROM outbox WHERE subject = $1", subject)
        return count


async def test_the_migration_makes_the_tables_that_the_code_declares(store: Store) -> None:
    async with store.connection() as connection:
        for table in METADATA.tables.values():
            columns = await connection.fetch(
                "SELECT column_name, is_nullable FROM information_schema.columns "
                "WHERE table_schema = 'flows' AND table_name = $1 ORDER BY ordinal_position",
                table.name,
            )
            assert [(row[0], row[1] == "YES") for row in columns] == [
                (column.name, bool(column.nullable)) for column in table.columns
            ]


class TestWave:
    async def test_moves_nobody_before_the_time(self, store: Store, waves: Waves, clock: HandClock) -> None:
        await fill(store, 10)
        clock.moment = s.START + HOUR - timedelta(seconds=1)
        assert await waves.run_wave(4) == ChunkResult()

    async def test_moves_everybody_who_is_due_chunk_by_chunk(
        self, store: Store, waves: Waves, clock: HandClock
    ) -> None:
        await fill(store, 10)
        clock.moment = s.START + HOUR
        assert (await waves.run_wave(4)).moved == 10
        assert await outbox(store, "actions.message.send.v1") == 10
        assert (await totals(store)).reached == {"free": 10, "low": 10}

    async def test_again_moves_nobody(self, store: Store, waves: Waves, clock: HandClock) -> None:
        await fill(store, 3)
        clock.moment = s.START + HOUR
        await waves.run_wave(4)
        assert await waves.run_wave(4) == ChunkResult()

    async def test_beside_others_moves_each_member_once(self, store: Store, waves: Waves, clock: HandClock) -> None:
        await fill(store, 200)
        clock.moment = s.START + HOUR
        results = await asyncio.gather(*(waves.run_wave(7) for _ in range(6)))
        assert sum(result.moved for result in results) == 200
        assert await outbox(store, "actions.message.send.v1") == 200

    async def test_passes_over_a_member_whom_the_consumer_holds(
        self, store: Store, waves: Waves, clock: HandClock
    ) -> None:
        await fill(store, 5)
        clock.moment = s.START + HOUR
        async with store.connection() as connection, connection.transaction():
            await connection.execute("SELECT 1 FROM member_facts WHERE member_id = 'm00002' FOR UPDATE")
            assert (await waves.run_wave(10)).moved == 4
        assert (await waves.run_wave(10)).moved == 1

    async def test_that_is_cut_off_leaves_nothing_behind(
        self, store: Store, waves: Waves, clock: HandClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await fill(store, 5)
        clock.moment = s.START + HOUR
        whole = WaveWriter.write

        async def cut_off(writer: WaveWriter, connection: asyncpg.Connection, work: Workspace) -> None:
            await whole(writer, connection, work)
            raise TransientError("the process is killed here")

        with monkeypatch.context() as patch:
            patch.setattr(WaveWriter, "write", cut_off)
            with pytest.raises(TransientError):
                await waves.run_wave(10)
        assert await outbox(store, "actions.message.send.v1") == 0
        assert (await waves.run_wave(10)).moved == 5

    async def test_tells_its_time_by_when_it_was_due(self, store: Store, waves: Waves, clock: HandClock) -> None:
        await fill(store, 1)
        clock.moment = s.START + 5 * HOUR
        await waves.run_wave(10)
        async with store.connection() as connection:
            payload = await connection.fetchval("SELECT payload FROM outbox WHERE subject = 'funnels.stage.reached.v1'")
        assert b'"time":"2026-03-02T05:00:00Z"' in payload

    async def test_ends_the_way_when_the_last_wait_is_over(self, store: Store, waves: Waves, clock: HandClock) -> None:
        await fill(store, 2)
        clock.moment = s.START + HOUR
        await waves.run_wave(10)
        clock.moment = s.START + 25 * HOUR
        await waves.run_wave(10)
        found = await totals(store)
        assert (found.finished, found.active) == ({"completed": 2}, {})


class TestNextDue:
    async def test_is_the_earliest(self, store: Store, waves: Waves) -> None:
        assert await waves.next_due() is None
        await fill(store, 2)
        assert await waves.next_due() == s.START + HOUR


class TestStates:
    async def test_count_who_is_under_way_and_due(self, store: Store) -> None:
        await fill(store, 3)
        async with store.connection() as connection:
            states = await read_states(connection, s.START + HOUR)
        assert [(state.state, state.members, state.due) for state in states] == [("waiting", 3, 3)]


class TestWhyCard:
    async def test_is_kept_line_by_line(self, store: Store, waves: Waves, clock: HandClock) -> None:
        await fill(store, 1)
        clock.moment = s.START + HOUR
        await waves.run_wave(10)
        async with store.connection() as connection:
            enrollment_id = await connection.fetchval("SELECT enrollment_id::text FROM enrollments")
            lines = await read_decisions(connection, enrollment_id)
        assert [(line["number"], line["what"]) for line in lines] == [(2, "sent"), (3, "waiting")]


class TestMetrics:
    async def test_equal_the_store(self, store: Store, waves: Waves, clock: HandClock) -> None:
        await fill(store, 4)
        clock.moment = s.START + HOUR
        await waves.run_chunk(clock.now(), 3)
        registry = CollectorRegistry()
        async with store.connection() as connection:
            await FunnelMetrics(registry).refresh(connection)

        def value(name: str, **labels: str) -> float | None:
            return registry.get_sample_value(name, {"community": s.COMMUNITY, "funnel": "growth", **labels})

        assert value("shequn_funnel_stage_reached", stage="low") == 3
        assert value("shequn_funnel_active", stage="free") == 1
        assert value("shequn_funnel_enrollments", state="waiting") == 4
        assert value("shequn_funnel_conversion_ratio", stage="low") == 0.75

"""Who cannot move is parked and told, stops nobody else, and moves when the cause is gone."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from flows.driver import ChunkResult, Waves
from flows.engine.facts import MemberFacts
from flows.engine.member import MemberRun
from flows.metrics import FunnelMetrics
from flows.parking import FIRST_RETRY
from flows.store import WaveWriter
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.runtime.failures import TransientError
from shequn.runtime.fold import Workspace
from shequn.runtime.store import Store
from tests.integration.flows.world import FUNNEL, HOUR, Book, HandClock, fill
from tests.unit.flows import samples as s

POISONED = "m00000"
"""Due before all others."""

UNKNOWN_VERSION = f"UPDATE enrollments SET version = 77 WHERE member_id = '{POISONED}'"
CARE = FUNNEL.model_copy(update={"funnel": "care"})

POISONS = {
    "version": (UNKNOWN_VERSION, "no definition of community 'readers version 77'"),
    "community": (
        f"""UPDATE enrollments SET community = 'gone' WHERE member_id = '{POISONED}';
        UPDATE member_facts SET community = 'gone' WHERE member_id = '{POISONED}'""",
        "no definition of community 'gone",
    ),
    "funnel": (
        f"UPDATE enrollments SET funnel = 'gone' WHERE member_id = '{POISONED}'",
        "KeyError: \"community 'readers' version 1 has no funnel 'gone'\"",
    ),
    "step": (f"UPDATE enrollments SET step = 'gone' WHERE member_id = '{POISONED}'", "has no step 'gone'"),
    "state of progress": (
        f"""UPDATE enrollments SET progress = '{{"visits": 5}}' WHERE member_id = '{POISONED}'""",
        "TypeError: 'int' object is not a mapping",
    ),
    "shape of progress": (
        f"UPDATE enrollments SET progress = '[1, 2]' WHERE member_id = '{POISONED}'",
        "TypeError: ",
    ),
    "shape of facts": (
        f"UPDATE member_facts SET facts = '[1]' WHERE member_id = '{POISONED}'",
        "AttributeError: 'list' object has no attribute 'get'",
    ),
    "time in progress": (
        f"""UPDATE enrollments SET progress = '{{"began_at": "soon"}}' WHERE member_id = '{POISONED}'""",
        "ValueError: Invalid isoformat string: 'soon'",
    ),
    "facts": (
        f"""UPDATE member_facts SET facts = '{{"joined_at": "soon"}}' WHERE member_id = '{POISONED}'""",
        "ValueError: Invalid isoformat string: 'soon'",
    ),
}


async def run(store: Store, sql: str) -> None:
    """Change what is stored; the poisoned member is the longest due."""
    async with store.connection() as connection:
        await connection.execute(sql)
        await connection.execute(
            "UPDATE enrollments SET due_at = due_at - interval '10 minutes' WHERE member_id = $1", POISONED
        )


async def enrollment(store: Store, member: str = POISONED, funnel: str | None = None) -> dict[str, Any]:
    async with store.connection() as connection:
        row = await connection.fetchrow(
            "SELECT * FROM enrollments WHERE member_id = $1 AND funnel = coalesce($2, funnel)", member, funnel
        )
    return dict(row)


async def sends(store: Store) -> int:
    async with store.connection() as connection:
        count: int = await connection.fetchval("SELECT count(*) FROM outbox WHERE subject = 'actions.message.send.v1'")
        return count


class Bus(Book):
    """A definition book that learns of a version only when it catches up; or cannot."""

    def __init__(self, known: CommunityDefinition, later: CommunityDefinition | Exception) -> None:
        super().__init__([known])
        self.later = later

    async def refresh(self) -> None:
        if isinstance(self.later, Exception):
            raise self.later
        self.definitions.insert(0, self.later)


class TestOneWhoCannotMove:
    @pytest.mark.parametrize("what", POISONS)
    @pytest.mark.parametrize("size", [1, 10])
    async def test_stops_nobody_else(self, store: Store, waves: Waves, clock: HandClock, what: str, size: int) -> None:
        await fill(store, 5)
        await run(store, POISONS[what][0])
        clock.moment = s.START + HOUR
        result = await waves.run_wave(size)
        assert (result.moved, result.parked, await sends(store)) == (4, 1, 4)

    async def test_leaves_the_others_in_the_same_chunk(self, store: Store, waves: Waves, clock: HandClock) -> None:
        await fill(store, 5)
        await run(store, UNKNOWN_VERSION)
        assert await waves.run_chunk(s.START + HOUR, 5) == ChunkResult(claimed=5, moved=4, emitted=8, parked=1)

    @pytest.mark.parametrize("what", POISONS)
    async def test_is_parked_with_the_reason(self, store: Store, waves: Waves, clock: HandClock, what: str) -> None:
        await fill(store, 1)
        await run(store, POISONS[what][0])
        clock.moment = s.START + HOUR
        await waves.run_wave(10)
        found = await enrollment(store)
        assert (found["parked_since"], found["attempts"]) == (clock.moment, 1)
        assert found["attempt_at"] == clock.moment + FIRST_RETRY
        assert POISONS[what][1] in found["parked_why"]

    async def test_stays_as_it_was_but_for_that(self, store: Store, waves: Waves) -> None:
        await fill(store, 1)
        await run(store, UNKNOWN_VERSION)
        before = await enrollment(store)
        await waves.run_chunk(s.START + HOUR, 10)
        after = await enrollment(store)
        changed = {name for name, value in after.items() if value != before[name]}
        assert changed == {"parked_since", "parked_why", "attempts", "attempt_at"}

    async def test_leaves_the_other_funnels_of_the_member(self, store: Store, book: Book, waves: Waves) -> None:
        book.definitions[:] = [s.community(FUNNEL, CARE)]
        await fill(store, 1, book.definitions[0])
        await run(store, f"{UNKNOWN_VERSION} AND funnel = 'care'")
        result = await waves.run_chunk(s.START + HOUR, 10)
        assert (result.moved, result.parked) == (1, 1)
        assert (await enrollment(store, funnel="care"))["attempts"] == 1
        assert (await enrollment(store, funnel="growth"))["step"] == "step-3"

    async def test_does_not_drag_in_one_that_is_not_due(self, store: Store, book: Book, waves: Waves) -> None:
        book.definitions[:] = [s.community(FUNNEL, CARE)]
        await fill(store, 1, book.definitions[0])
        await run(store, f"{UNKNOWN_VERSION} AND funnel = 'care'")
        await run(store, "UPDATE enrollments SET due_at = due_at + interval '1 day' WHERE funnel = 'care'")
        result = await waves.run_chunk(s.START + HOUR, 10)
        assert (result.moved, result.parked) == (1, 0)

    async def test_although_nothing_fails_is_parked(
        self, store: Store, waves: Waves, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await fill(store, 1)
        with monkeypatch.context() as patch:
            patch.setattr("flows.moving.resume", lambda *_: MemberRun(MemberFacts()))
            result = await waves.run_chunk(s.START + HOUR, 10)
        assert (result.moved, result.parked) == (0, 1)
        assert (await enrollment(store))["parked_why"] == "it is due, yet its step does not move it"


class TestTheNextAttempt:
    async def test_is_what_is_due_next(self, store: Store, waves: Waves) -> None:
        await fill(store, 1)
        await run(store, UNKNOWN_VERSION)
        await waves.run_chunk(s.START + HOUR, 10)
        assert await waves.next_due() == s.START + HOUR + FIRST_RETRY

    async def test_moves_it_once_the_cause_is_gone(
        self, store: Store, book: Book, waves: Waves, clock: HandClock
    ) -> None:
        await fill(store, 1)
        await run(store, UNKNOWN_VERSION)
        clock.moment = s.START + HOUR
        await waves.run_wave(10)
        book.definitions.insert(0, s.community(FUNNEL, version=77))
        clock.moment += FIRST_RETRY - timedelta(seconds=1)
        assert (await waves.run_wave(10)).claimed == 0
        clock.moment += timedelta(seconds=1)
        assert (await waves.run_wave(10)).moved == 1
        found = await enrollment(store)
        unparked = (found["parked_since"], found["parked_why"], found["attempts"], found["attempt_at"])
        assert unparked == (None, "", 0, None)

    async def test_comes_later_each_time_and_after_an_hour_at_last(
        self, store: Store, waves: Waves, clock: HandClock
    ) -> None:
        await fill(store, 1)
        await run(store, UNKNOWN_VERSION)
        clock.moment = s.START + HOUR
        waits = []
        for _ in range(9):
            await waves.run_wave(10)
            next_due = await waves.next_due()
            assert isinstance(next_due, datetime)
            waits.append((next_due - clock.moment) // timedelta(minutes=1))
            clock.moment = next_due
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
        assert (await enrollment(store))["parked_since"] == s.START + HOUR


class TestADefinitionThatIsNotHereYet:
    async def test_is_waited_for_before_anybody_is_parked(self, store: Store, clock: HandClock, waves: Waves) -> None:
        await fill(store, 2)
        await run(store, UNKNOWN_VERSION)
        bus = Bus(s.community(FUNNEL), later=s.community(FUNNEL, version=77))
        result = await on(bus, waves).run_chunk(s.START + HOUR, 10)
        assert (result.moved, result.parked) == (2, 0)

    async def test_stops_nobody_while_the_bus_is_away(self, store: Store, clock: HandClock, waves: Waves) -> None:
        await fill(store, 2)
        await run(store, UNKNOWN_VERSION)
        bus = Bus(s.community(FUNNEL), later=TransientError("the bus is away"))
        result = await on(bus, waves).run_chunk(s.START + HOUR, 10)
        assert (result.moved, result.parked) == (1, 1)


def on(book: Book, waves: Waves) -> Waves:
    """The same waves with another definition book."""
    return Waves(waves.store, book, waves.clock, waves._metrics)


class TestAnErrorOfTheStore:
    async def test_parks_nobody_and_leaves_the_chunk_as_it_was(
        self, store: Store, waves: Waves, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await fill(store, 2)
        before = await enrollment(store)
        whole = WaveWriter.write

        async def refused(writer: WaveWriter, connection: asyncpg.Connection, work: Workspace) -> None:
            await whole(writer, connection, work)
            await connection.execute("SELECT 1 / 0")

        with monkeypatch.context() as patch:
            patch.setattr(WaveWriter, "write", refused)
            with pytest.raises(asyncpg.DivisionByZeroError):
                await waves.run_chunk(s.START + HOUR, 10)
        assert await enrollment(store) == before
        assert (await waves.run_chunk(s.START + HOUR, 10)).moved == 2


class TestWhatIsTold:
    async def test_is_one_line_for_the_enrollment_and_the_reason(
        self, store: Store, waves: Waves, clock: HandClock
    ) -> None:
        await fill(store, 1)
        await run(store, UNKNOWN_VERSION)
        clock.moment = s.START + HOUR
        with capture_logs() as lines:
            for _ in range(3):
                await waves.run_wave(10)
                clock.moment += HOUR
        told = [line for line in lines if line["log_level"] == "error"]
        assert len(told) == 1
        assert (told[0]["member"], told[0]["funnel"], told[0]["version"]) == (POISONED, "growth", 77)
        assert "version 77" in told[0]["reason"]

    async def test_are_few_lines_when_thousands_have_one_reason(self, store: Store, waves: Waves) -> None:
        await fill(store, 50)
        await run(store, "UPDATE enrollments SET version = 77")
        with capture_logs() as lines:
            await waves.run_chunk(s.START + HOUR, 100)
        assert len(lines) == 21
        assert lines[-1]["more"] == 30

    async def test_is_a_gauge_by_funnel_until_it_moves(
        self, store: Store, book: Book, waves: Waves, clock: HandClock
    ) -> None:
        await fill(store, 3)
        await run(store, f"{UNKNOWN_VERSION} OR member_id = 'm00001'")
        registry = CollectorRegistry()
        metrics = FunnelMetrics(registry)

        async def shown() -> float | None:
            async with store.connection() as connection:
                await metrics.refresh(connection)
            return registry.get_sample_value("shequn_funnel_parked", {"community": s.COMMUNITY, "funnel": "growth"})

        clock.moment = s.START + HOUR
        await waves.run_wave(10)
        assert await shown() == 2
        book.definitions.insert(0, s.community(FUNNEL, version=77))
        clock.moment += HOUR
        await waves.run_wave(10)
        assert await shown() is None


class TestTheLookUps:
    @pytest.mark.parametrize("look_up", ["_NEXT_DUE", "_PARKED"])
    async def test_use_an_index(self, store: Store, look_up: str) -> None:
        from flows import store as statements

        async with store.connection() as connection, connection.transaction():
            await connection.execute("SET LOCAL enable_seqscan = off")
            plan = await connection.fetch(f"EXPLAIN {getattr(statements, look_up)}")
        assert any("using enrollments_" in line[0] or "on enrollments_" in line[0] for line in plan), plan

    async def test_for_who_is_due_uses_the_index_in_its_order(self, store: Store) -> None:
        from flows import store as statements

        async with store.connection() as connection, connection.transaction():
            await statements.prefer_indexes(connection)
            plan = await connection.fetch(
                "EXPLAIN " + statements._CLAIM_DUE.replace("$1", "now()").replace("$2", "5000")
            )
        text = "\n".join(line[0] for line in plan)
        assert "Index Scan using enrollments_due" in text
        assert "Sort" not in text

"""The worker looks cheaply, and runs a wave only when somebody is due."""

from datetime import datetime, timedelta

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from flows.metrics import WaveMetrics
from flows.worker.loop import WaveFailedError, WaveLoop
from flows.worker.settings import WorkerSettings
from shequn.runtime.clock import ScaledClock
from tests.unit.flows import samples as s


class StillClock(ScaledClock):
    """A clock that stands, in a world sixty times as fast."""

    def now(self) -> datetime:
        return self.virtual


class FakeWaves:
    """Knows when somebody is due."""

    def __init__(self, due_at: datetime | None) -> None:
        self.due_at = due_at
        self.clock = StillClock(s.START, s.START, 60)

    async def next_due(self) -> datetime | None:
        return self.due_at


async def steps(due_at: datetime | None, *, held: bool = False) -> tuple[float, int]:
    """Take one step; give how long it wants to rest, and how many waves it ran."""
    ran = []

    async def run() -> None:
        ran.append(1)

    settings = WorkerSettings(wave_rest_seconds=0.3, wave_poll_seconds=0.5)
    metrics = WaveMetrics(CollectorRegistry())
    loop = WaveLoop(FakeWaves(due_at), settings, run, held=lambda: held, metrics=metrics)  # type: ignore[arg-type]
    return await loop.step(), len(ran)


@pytest.mark.parametrize(
    ("due_at", "answer"),
    [
        (None, (0.5, 0)),
        (s.START, (0.3, 1)),
        (s.START - timedelta(hours=5), (0.3, 1)),
        (s.START + timedelta(seconds=12), (0.2, 0)),
        (s.START + timedelta(days=12), (0.5, 0)),
    ],
)
async def test_rests_until_somebody_is_due(due_at: datetime | None, answer: tuple[float, int]) -> None:
    assert await steps(due_at) == answer


async def test_runs_nothing_while_a_person_has_paused_waves() -> None:
    assert await steps(s.START, held=True) == (0.5, 0)


class Failing:
    """A loop whose waves fail until a test says otherwise."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error
        self.registry = CollectorRegistry()
        settings = WorkerSettings(wave_rest_seconds=0.3)
        self.loop = WaveLoop(
            FakeWaves(s.START),  # type: ignore[arg-type]
            settings,
            self._run,
            held=lambda: False,
            metrics=WaveMetrics(self.registry),
        )

    async def _run(self) -> None:
        if self.error is not None:
            raise self.error

    async def rests(self, steps: int) -> list[float]:
        return [await self.loop.step() for _ in range(steps)]

    @property
    def counted(self) -> float | None:
        return self.registry.get_sample_value("shequn_flow_run_failures_total", {"flow": "due-wave"})


class TestAFailedWave:
    async def test_is_followed_by_longer_and_longer_rests_of_a_minute_at_most(self) -> None:
        assert await Failing(WaveFailedError("why")).rests(8) == [1, 2, 4, 8, 16, 32, 60, 60]

    async def test_is_forgotten_after_one_that_succeeds(self) -> None:
        failing = Failing(WaveFailedError("why"))
        await failing.rests(5)
        failing.error = None
        assert await failing.rests(1) == [0.3]
        failing.error = WaveFailedError("again")
        assert await failing.rests(1) == [1]

    async def test_is_counted(self) -> None:
        failing = Failing(WaveFailedError("why"))
        assert failing.counted == 0
        await failing.rests(3)
        assert failing.counted == 3

    async def test_is_told_with_its_reason(self) -> None:
        with capture_logs() as lines:
            await Failing(WaveFailedError("flow run wave-1: out of memory")).rests(2)
        assert [(line["log_level"], line["why"], line["failures_in_a_row"]) for line in lines] == [
            ("error", "flow run wave-1: out of memory", 1),
            ("error", "flow run wave-1: out of memory", 2),
        ]

    @pytest.mark.parametrize("error", [asyncpg.UndefinedTableError("gone"), ConnectionResetError(), TimeoutError()])
    async def test_of_the_store_is_one_too(self, error: Exception) -> None:
        assert await Failing(error).rests(2) == [1, 2]

    async def test_of_our_own_making_ends_the_loop_and_so_the_process(self) -> None:
        with pytest.raises(ZeroDivisionError):
            await Failing(ZeroDivisionError()).rests(1)

"""The worker looks cheaply, and runs a wave only when somebody is due."""

from datetime import datetime, timedelta

import pytest

from flows.worker.loop import WaveLoop
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
    loop = WaveLoop(FakeWaves(due_at), settings, run, held=lambda: held)  # type: ignore[arg-type]
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

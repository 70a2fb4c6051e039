"""Looks for due enrollments and runs a wave when there are some; an idle system makes no runs."""

from collections.abc import Awaitable, Callable

from flows.driver import Waves
from flows.worker.settings import WorkerSettings

_LEAST_REST_SECONDS = 0.01


class WaveLoop:
    """The step of a background loop."""

    def __init__(
        self, waves: Waves, settings: WorkerSettings, run: Callable[[], Awaitable[None]], held: Callable[[], bool]
    ) -> None:
        """Prepare.

        Args:
            waves: tells when somebody is due.
            settings: how long to rest.
            run: runs one wave.
            held: whether a person has paused waves.
        """
        self._waves = waves
        self._settings = settings
        self._run = run
        self._held = held

    async def step(self) -> float:
        """Run a wave when one is due; give how long to rest, in real seconds."""
        settings = self._settings
        due_at = None if self._held() else await self._waves.next_due()
        if due_at is None:
            return settings.wave_poll_seconds
        clock = self._waves.clock
        wait = clock.real_seconds(due_at - clock.now())
        if wait > 0:
            return max(min(wait, settings.wave_poll_seconds), _LEAST_REST_SECONDS)
        await self._run()
        return settings.wave_rest_seconds

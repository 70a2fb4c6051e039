"""Looks for due enrollments and runs a wave when there are some; an idle system makes no runs."""

from collections.abc import Awaitable, Callable

import asyncpg
import structlog

from flows.driver import Waves
from flows.metrics import WAVE, WaveMetrics
from flows.worker.settings import WorkerSettings
from shequn.runtime.failures import TransientError
from shequn.runtime.store.engine import RETRYABLE

_LEAST_REST_SECONDS = 0.01

_FIRST_PAUSE_SECONDS = 1.0
"""After one failed wave: a server that restarts is back soon."""
_LAST_PAUSE_SECONDS = 60.0
"""However long waves fail: sixty failed runs an hour can be looked through, and members wait a minute at most."""
_DOUBLINGS = 6

FAILURES = (TransientError, asyncpg.PostgresError, *RETRYABLE)
"""How a wave fails. Whatever the store says left the chunk as it was: trying again later loses nothing."""

logger = structlog.get_logger()


class WaveFailedError(TransientError):
    """A wave ended in failure; who is due still is."""


class WaveLoop:
    """The step of a background loop."""

    def __init__(
        self,
        waves: Waves,
        settings: WorkerSettings,
        run: Callable[[], Awaitable[None]],
        held: Callable[[], bool],
        metrics: WaveMetrics,
    ) -> None:
        """Prepare.

        Args:
            waves: tells when somebody is due.
            settings: how long to rest.
            run: runs one wave. Raises one of :data:`FAILURES` when it fails.
            held: whether a person has paused waves.
            metrics: where failed waves are counted.
        """
        self._waves = waves
        self._settings = settings
        self._run = run
        self._held = held
        self._metrics = metrics
        self._failures = 0

    async def step(self) -> float:
        """Run a wave when one is due; give how long to rest, in real seconds.

        After a failed wave the rest doubles until one succeeds.
        """
        settings = self._settings
        due_at = None if self._held() else await self._waves.next_due()
        if due_at is None:
            return settings.wave_poll_seconds
        clock = self._waves.clock
        wait = clock.real_seconds(due_at - clock.now())
        if wait > 0:
            return max(min(wait, settings.wave_poll_seconds), _LEAST_REST_SECONDS)
        try:
            await self._run()
        except FAILURES as error:
            return self._pause_after(error)
        self._failures = 0
        return settings.wave_rest_seconds

    def _pause_after(self, error: Exception) -> float:
        pause = min(_FIRST_PAUSE_SECONDS * (1 << min(self._failures, _DOUBLINGS)), _LAST_PAUSE_SECONDS)
        self._failures += 1
        self._metrics.failed(WAVE)
        why = str(error) or type(error).__name__
        logger.error("a wave failed; who is due waits", why=why, failures_in_a_row=self._failures, pause_seconds=pause)
        return pause

"""The channels that fetch events by themselves, from a socket or a file: kept running, each apart from the others."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import structlog

from services.intake.metrics import IntakeMetrics
from services.intake.settings import AdapterChoice
from shequn.adapters import Adapter, AdapterEnvironment, AdapterRegistry, Publish, Runs, require_time
from shequn.adapters.errors import AdapterBrokenError, MalformedError
from shequn.contracts.envelope import Envelope
from shequn.runtime.clock import stopwatch
from shequn.runtime.failures import PermanentError, TransientError, UnknownCommunityError
from shequn.runtime.fold.workspace import DefinitionBook
from shequn.runtime.tasks import end_task

_FIRST_PAUSE_SECONDS = 1.0
_MOST_PAUSE_SECONDS = 60.0

logger = structlog.get_logger()


@dataclass(slots=True)
class _Channel:
    """A channel and what it is doing. ``over``: it has no more, or starting it anew cannot help."""

    name: str
    adapter: Adapter[Any]
    opened: bool = False
    over: bool = False
    task: "asyncio.Task[None] | None" = None


class IncomingChannels:
    """Runs adapters that have ``run()``, and starts one anew when it breaks off, after a pause that grows."""

    def __init__(
        self,
        registry: AdapterRegistry,
        choices: Mapping[str, AdapterChoice],
        environment: AdapterEnvironment,
        metrics: IntakeMetrics,
        store: Publish,
        pause_seconds: float = _FIRST_PAUSE_SECONDS,
    ) -> None:
        """Make the adapters; nothing connects yet.

        Args:
            registry: the adapters there are.
            choices: the adapter of each channel, with its settings.
            environment: where they work; each gets it under its own name.
            metrics: where events and failures are counted.
            store: stores events in the bus.
            pause_seconds: the first pause.

        Raises:
            AdapterRegistryError: one does not exist, its settings are wrong, or it cannot run by itself.
        """
        self._clock, self._ahead = environment.clock, environment.ahead
        self._metrics = metrics
        self._store = store
        self._pause_seconds = pause_seconds
        self._channels = [
            _Channel(name, _made(registry, choice, replace(environment, name=name))) for name, choice in choices.items()
        ]

    async def start(self, definitions: DefinitionBook) -> None:
        """Start all. Called again, it starts them anew.

        Raises:
            ConfigError: one cannot work as it is set up.
        """
        await self.stop()
        for channel in self._channels:
            # A platform that is away holds up neither the other channels nor the webhooks.
            with suppress(TransientError):
                await channel.adapter.open()
                channel.opened = True
            channel.task = asyncio.create_task(self._keep(channel, definitions), name=f"channel-{channel.name}")

    async def stop(self) -> None:
        """End all; what they have handed over is stored, or will be fetched again."""
        for channel in self._channels:
            await end_task(channel.task)
            await channel.adapter.close()
            channel.task, channel.opened, channel.over = None, False, False
            self._metrics.running.labels(channel.name).set(0)

    def dead(self) -> bool:
        """Tell whether one ended although nobody stopped it."""
        return any(channel.task is not None and channel.task.done() and not channel.over for channel in self._channels)

    async def _keep(self, channel: _Channel, definitions: DefinitionBook) -> None:
        pause = self._pause_seconds
        while not channel.over:
            began = stopwatch()
            try:
                await self._run(channel, definitions)
                channel.over = True
            except Exception as error:  # noqa: BLE001  # whatever a foreign adapter raises, it gets another chance
                self._metrics.breaks.labels(channel.name).inc()
                # A community that is unknown may be applied in a minute.
                channel.over = isinstance(error, PermanentError) and not isinstance(error, UnknownCommunityError)
                tell = logger.error if channel.over else logger.warning
                tell("a channel broke off", channel=channel.name, why=f"{type(error).__name__}: {error}")
            finally:
                self._metrics.running.labels(channel.name).set(0)
            if stopwatch() - began > _MOST_PAUSE_SECONDS:
                pause = self._pause_seconds
            await asyncio.sleep(0 if channel.over else pause)
            pause = min(2 * pause, _MOST_PAUSE_SECONDS)

    async def _run(self, channel: _Channel, definitions: DefinitionBook) -> None:
        adapter: Any = channel.adapter
        if not channel.opened:
            await adapter.close()
            await adapter.open()
        # The next run opens it anew.
        channel.opened = False
        self._metrics.running.labels(channel.name).set(1)
        await adapter.run(self._publisher(channel.name), definitions)

    def _publisher(self, name: str) -> Publish:
        async def publish(events: Sequence[Envelope]) -> None:
            taken = [event for event in events if self._is_in_time(event, name)]
            await self._store(taken)
            self._metrics.events.labels(name).inc(len(taken))

        return publish

    def _is_in_time(self, event: Envelope, name: str) -> bool:
        try:
            require_time(event.time, "time", now=self._clock.now(), ahead=self._ahead)
        except MalformedError as error:
            self._metrics.refused.labels(name).inc()
            logger.warning("event refused", channel=name, type=event.type, id=event.id, why=str(error))
            return False
        return True


def _made(registry: AdapterRegistry, choice: AdapterChoice, environment: AdapterEnvironment) -> Adapter[Any]:
    adapter = registry.make(choice.adapter, choice.adapter_settings(), environment)
    if not isinstance(adapter, Runs):
        why = f"it does not fetch events by itself, as channel {environment.name!r} asks of it"
        raise AdapterBrokenError(choice.adapter, why)
    return adapter

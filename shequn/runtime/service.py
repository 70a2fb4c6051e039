"""One process of ours: what it is made of, how it starts, how it stops."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Union

import nats.errors
import structlog
from faststream import AckPolicy
from faststream.nats import JStream, PullSub
from faststream.nats.prometheus import NatsPrometheusMiddleware
from faststream.specification.base import Specification
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import BaseRoute

import shequn
from shequn.contracts.envelope import Envelope
from shequn.runtime.asgi import asyncapi_of, system_routes
from shequn.runtime.bus.connection import BATCH_SECONDS, Bus
from shequn.runtime.bus.pump import pumped
from shequn.runtime.bus.streams import declare_streams, require_durable
from shequn.runtime.clock import Clock, parse_clock, stopwatch
from shequn.runtime.definitions import DefinitionFollower
from shequn.runtime.failures import AppError, ConfigError, TransientError
from shequn.runtime.fold.folder import Folder
from shequn.runtime.fold.metrics import FoldMetrics
from shequn.runtime.fold.processor import FoldProcessor
from shequn.runtime.loops import Loops, Step
from shequn.runtime.outbox import OutboxRelay
from shequn.runtime.settings import RuntimeSettings
from shequn.runtime.store.engine import RETRYABLE, Store
from shequn.runtime.store.migrate import migrate
from shequn.runtime.tasks import end_task, end_within
from shequn.runtime.telemetry import RuntimeMetrics
from shequn.runtime.upkeep import Exporter, Upkeep

_MOST_START_DELAY_SECONDS = 5.0
_DURABLE_SECONDS = 30.0
_PART_SECONDS = 5.0

logger = structlog.get_logger()
Action = Callable[[], Coroutine[Any, Any, None]]


class Service:
    """A service: folders on the bus, a schema in the store, loops and HTTP routes.

    Add the parts, then hand :meth:`app` to a server. Nothing connects before the server starts.
    """

    def __init__(
        self,
        name: str,
        package: str,
        settings: RuntimeSettings,
        registry: CollectorRegistry,
        clock: Clock | None = None,
    ) -> None:
        """Make a service without parts.

        Args:
            name: its name; also the schema's.
            package: where its migrations are (``services.commerce``).
            settings: its settings.
            registry: where its metrics are.
            clock: another clock than the settings say.
        """
        self.name = name
        self.settings = settings
        self.registry = registry
        self.clock = clock or parse_clock(settings.clock)
        self.metrics = RuntimeMetrics(registry)
        self.store = Store(settings.postgres_dsn, schema=name)
        self.bus = Bus(
            settings.nats_url,
            name=f"shequn-{name}",
            middlewares=(NatsPrometheusMiddleware(registry=registry, app_name=name, metrics_prefix="shequn_bus"),),
        )
        self.definitions = DefinitionFollower(self.bus)
        self.loops = Loops(self.metrics)
        self.upkeep = Upkeep(settings, self.store, self.bus, self.metrics)
        self._package = package
        self._fold_metrics = FoldMetrics(registry)
        self._processors: list[FoldProcessor] = []
        self._on_start: list[Action] = []
        self._on_stop: list[Action] = []
        self._durable_at = float("-inf")
        self._watched: dict[str, Callable[[], bool]] = {}
        self._emissions: set[type[Envelope]] = set()
        self._relay: OutboxRelay | None = None
        self._starting: asyncio.Task[None] | None = None
        self.failure: BaseException | None = None
        self.on_fatal: Callable[[], None] = lambda: None
        self.started = False

    # -- parts ---------------------------------------------------------------------------------------------------------

    def add_folder(self, folder: Folder) -> None:
        """Add a folder; its consumer becomes a subscriber of the broker, and part of the AsyncAPI document."""
        processor = FoldProcessor(
            folder,
            store=self.store,
            definitions=self.definitions,
            clock=self.clock,
            metrics=self._fold_metrics,
            published=self.wake_outbox,
        )
        self._processors.append(processor)
        self.upkeep.consumers.append(folder.consumer)
        self._subscribe(folder, processor)
        for event in folder.emits:
            self.documents_emission(event)

    def documents_emission(self, event: type[Envelope]) -> None:
        """Say in the AsyncAPI document that this service emits an event."""
        if event in self._emissions:
            return
        self._emissions.add(event)
        self.bus.broker.publisher(event.TYPE, title=event.TYPE, description=event.__doc__, schema=event)

    def add_loop(self, name: str, step: Step) -> None:
        """Add a background loop."""
        self.loops.add(name, step)

    def add_exporter(self, exporter: Exporter) -> None:
        """Add a function that sets business gauges from the store."""
        self.upkeep.exporters.append(exporter)

    def at_start(self, action: Action) -> None:
        """Run something once store, bus and definitions are there, before anything is folded."""
        self._on_start.append(action)

    def at_stop(self, action: Action) -> None:
        """Run something when the service stops, while store and bus are still there."""
        self._on_stop.append(action)

    def wake_outbox(self) -> None:
        """Tell the relay that a transaction put something into the outbox."""
        if self._relay is not None:
            self._relay.wake()

    def app(self, routes: Sequence[BaseRoute] = ()) -> Starlette:
        """Make the ASGI application."""

        @asynccontextmanager
        async def lifespan(_: Starlette) -> Any:
            self._starting = asyncio.create_task(self._start(), name="start")
            self._starting.add_done_callback(self._end_if_broken)
            try:
                yield
            finally:
                await self._stop()

        return Starlette(routes=[*routes, *system_routes(self)], lifespan=lifespan)

    # -- health --------------------------------------------------------------------------------------------------------

    async def unready_because(self) -> list[str]:
        """Say what keeps the service from working; nothing when it is ready."""
        if self.failure is not None:
            return [str(self.failure)]
        if not self.started:
            return ["still starting: waiting for store and bus"]
        reasons = [f"{part} ended; only a restart helps" for part in self.dead_parts()]
        checks = (self.store.ping(), self.bus.ping(), self._require_durable())
        for answer in await asyncio.gather(*checks, return_exceptions=True):
            if isinstance(answer, (AppError, nats.errors.Error)):
                reasons.append(str(answer))
            elif isinstance(answer, BaseException):
                raise answer
        self.metrics.ready.set(0 if reasons else 1)
        return reasons

    async def _require_durable(self) -> None:
        """Check the bus now and then: how a server keeps messages changes with its configuration only."""
        now = stopwatch()
        if self.settings.allow_unsafe_bus or now - self._durable_at < _DURABLE_SECONDS:
            return
        await require_durable(self.bus.jetstream, self.settings.nats_monitor_url)
        self._durable_at = now

    def dead_parts(self) -> list[str]:
        """Name what ended although nobody stopped it; only a restart of the process helps."""
        relay = ["outbox"] if self._relay is not None and self._relay.dead() else []
        return [*self.loops.dead(), *relay, *(name for name, is_dead in self._watched.items() if is_dead())]

    def watch(self, name: str, is_dead: Callable[[], bool]) -> None:
        """Let a part of the service's own be named by ``/livez`` when it ended although nobody stopped it."""
        self._watched[name] = is_dead

    def asyncapi(self) -> Specification:
        """Give the AsyncAPI document of what the service consumes and emits."""
        return asyncapi_of(self.bus.broker, self.name, shequn.__version__)

    # -- start and stop ------------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        delay = 0.1
        while True:
            try:
                await self._start_once()
            except (TransientError, nats.errors.Error, *RETRYABLE) as error:
                logger.warning("waiting to start", why=str(error), delay=delay)
                await self._disconnect()
                await asyncio.sleep(delay)
                delay = min(delay * 2, _MOST_START_DELAY_SECONDS)
            else:
                self.started = True
                return

    def _end_if_broken(self, starting: "asyncio.Task[None]") -> None:
        """End the process when starting failed for good: whoever runs it must know."""
        if starting.cancelled() or (error := starting.exception()) is None:
            return
        logger.critical("cannot start", why=str(error), exc_info=None if isinstance(error, ConfigError) else error)
        self.failure = error
        self.on_fatal()

    async def _start_once(self) -> None:
        await migrate(self.settings.postgres_dsn, self.name, self._package)
        await self.store.open()
        await self.bus.connect()
        await declare_streams(self.bus.jetstream, self.settings.nats_replicas)
        await self.upkeep.declare_consumers()
        await self.definitions.start()
        self._relay = OutboxRelay(self.store, self.bus.publisher)
        self._relay.start()
        for action in self._on_start:
            await action()
        await self.bus.broker.start()
        self.loops.add("export", self._export)
        self.loops.add("purge-inbox", self.upkeep.purge_inbox)
        self.loops.start()

    async def _stop(self) -> None:
        """Stop part by part. No part that hangs or fails keeps the next from being stopped."""
        await end_task(self._starting)
        await self.loops.stop()
        for processor in self._processors:
            processor.stop()
        for action in reversed(self._on_stop):
            await end_within(_PART_SECONDS, "stop-action", action())
        # Each subscriber waits for the batch in hand: it is folded, committed and acknowledged before we go on.
        stops = [end_within(BATCH_SECONDS, "subscriber", each.stop()) for each in self.bus.broker.subscribers]
        await asyncio.gather(*stops)
        await self._disconnect()

    async def _disconnect(self) -> None:
        if self._relay is not None:
            await end_within(_PART_SECONDS, "outbox", self._relay.stop())
            self._relay = None
        await self.bus.close()
        for processor in self._processors:
            await processor.close()
        await self.store.close()

    # -- inside --------------------------------------------------------------------------------------------------------

    async def _export(self) -> float:
        await self.unready_because()
        return await self.upkeep.export()

    def _subscribe(self, folder: Folder, processor: FoldProcessor) -> None:
        consumer = folder.consumer

        async def handle(batch: Any) -> None:
            try:
                await processor.process(batch)
            except Exception:
                # FastStream would swallow it. The batch comes again after its ack wait, in the end one by one.
                logger.exception("batch failed", consumer=consumer.durable)
                raise

        # FastStream reads the annotation for the AsyncAPI document; what arrives are raw messages.
        handle.__annotations__["batch"] = list[Union[tuple(folder.accepts)]]  # type: ignore[misc]  # noqa: UP007
        subscriber = self.bus.broker.subscriber(
            subject=consumer.stream.subjects[0] if not consumer.subjects else "",
            stream=JStream(consumer.stream.name, declare=False),
            durable=consumer.durable,
            config=ConsumerConfig(durable_name=consumer.durable, filter_subjects=list(consumer.subjects) or None),
            pull_sub=PullSub(batch_size=self.settings.batch_size, batch=True),
            decoder=_raw_messages,
            ack_policy=AckPolicy.MANUAL,
            title=consumer.durable,
            description=type(folder).__doc__,
        )
        pumped(subscriber)
        subscriber(handle)


async def _raw_messages(message: Any) -> list[Msg]:
    messages: list[Msg] = message.raw_message
    return messages

"""What a flow run needs that is alive: store, definitions, clock.

The worker provides its own to the runs inside it. A run in a process of its own (a Prefect work pool) opens them from
the environment. They never travel as parameters: Prefect would copy and record them.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry

from flows.driver import Definitions, Waves
from flows.metrics import WaveMetrics
from shequn.runtime.bus.connection import Bus
from shequn.runtime.clock import Clock, parse_clock
from shequn.runtime.definitions import DefinitionFollower
from shequn.runtime.outbox import OutboxRelay
from shequn.runtime.settings import RuntimeSettings
from shequn.runtime.store import Store

SCHEMA = "flows"


class Communities(Definitions, Protocol):
    """Definitions that can be listed."""

    @property
    def communities(self) -> tuple[str, ...]:
        """The communities that have a definition."""
        ...


@dataclass(frozen=True, slots=True)
class Handles:
    """What is alive in this process."""

    store: Store
    definitions: Communities
    clock: Clock
    waves: Waves


_provided: ContextVar[Handles | None] = ContextVar("flow_handles", default=None)


@contextmanager
def provided(handles: Handles) -> Iterator[None]:
    """Let flow runs inside the block use these."""
    token = _provided.set(handles)
    try:
        yield
    finally:
        _provided.reset(token)


@asynccontextmanager
async def live_handles() -> AsyncIterator[Handles]:
    """Give the provided handles, or open some for this run alone.

    Raises:
        TransientError: store or bus are not reachable.
        ConfigError: a setting is wrong.
    """
    handles = _provided.get()
    if handles is not None:
        yield handles
        return
    async with _opened(RuntimeSettings.load()) as opened:
        with provided(opened):
            yield opened


@asynccontextmanager
async def _opened(settings: RuntimeSettings) -> AsyncIterator[Handles]:
    store = Store(settings.postgres_dsn, SCHEMA)
    bus = Bus(settings.nats_url, name="shequn-flow-run")
    definitions = DefinitionFollower(bus)
    clock = parse_clock(settings.clock)
    waves = Waves(store, definitions, clock, WaveMetrics(CollectorRegistry()))
    await store.open()
    try:
        await bus.connect()
        await definitions.start()
        yield Handles(store, definitions, clock, waves)
        await OutboxRelay(store, bus.publisher).relay_all()
    finally:
        await definitions.stop()
        await bus.close()
        await store.close()

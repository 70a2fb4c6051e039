"""A store of the flows, and waves on it."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from flows.driver import Waves
from flows.metrics import WaveMetrics
from shequn.runtime.store import Store
from shequn.runtime.store.migrate import migrate
from tests.integration.flows.world import FUNNEL, Book, HandClock
from tests.unit.flows import samples as s


@pytest.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    await migrate(postgres_dsn, "flows", "flows")
    opened = Store(postgres_dsn, "flows")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def book() -> Book:
    return Book([s.community(FUNNEL)])


@pytest.fixture
def waves(store: Store, book: Book, clock: HandClock) -> Waves:
    return Waves(store, book, clock, WaveMetrics(CollectorRegistry()))

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.intake.adapters import BUILTIN
from services.intake.incoming import IncomingChannels
from services.intake.metrics import IntakeMetrics
from services.intake.settings import AdapterChoice
from shequn.adapters import AdapterEnvironment, AdapterRegistry
from shequn.contracts.envelope import Envelope
from shequn.runtime.failures import ConfigError
from tests.support.waiting import eventually
from tests.unit.intake.builders import FixedClock, book, minute
from tests.unit.intake.platforms import Socket

REGISTRY = AdapterRegistry(BUILTIN | {"socket": "tests.unit.intake.platforms:Socket"}, [])


class Site:
    """Channels, a bus that remembers, and metrics."""

    def __init__(self, **choices: dict[str, Any]) -> None:
        Socket.runs.clear()
        self.stored: list[Envelope] = []
        self.registry = CollectorRegistry()
        made = {name: AdapterChoice.model_validate({"adapter": "socket"} | choice) for name, choice in choices.items()}
        environment = AdapterEnvironment("intake", Path(), FixedClock())
        metrics = IntakeMetrics(self.registry)
        self.channels = IncomingChannels(REGISTRY, made, environment, metrics, self.store, pause_seconds=0.001)

    async def store(self, events: Sequence[Envelope]) -> None:
        self.stored.extend(events)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.channels.start(book())
        try:
            yield
        finally:
            await self.channels.stop()

    async def count(self, name: str, channel: str) -> float:
        return self.registry.get_sample_value(f"shequn_intake_{name}", {"channel": channel}) or 0

    async def brought(self) -> int:
        return len(self.stored)


async def test_what_a_channel_fetches_is_stored_and_counted() -> None:
    site = Site(socket={"minutes": [1, 2]})
    async with site.running():
        await eventually(site.brought, lambda count: count == 2)
        assert await site.count("events_total", "socket") == 2


async def test_a_channel_that_has_no_more_is_not_dead() -> None:
    site = Site(socket={})
    async with site.running():
        await eventually(lambda: site.count("events_total", "socket"), lambda count: count == 1)
        await eventually(lambda: site.count("channel_running", "socket"), lambda running: not running)
        assert not site.channels.dead()
    assert Socket.runs == ["socket"]


async def test_a_channel_that_stays_is_shown_as_running() -> None:
    site = Site(socket={"stays": True})
    async with site.running():
        await eventually(site.brought, bool)
        assert await site.count("channel_running", "socket") == 1
    assert await site.count("channel_running", "socket") == 0


async def test_a_channel_that_breaks_off_is_started_anew() -> None:
    site = Site(socket={"fails": ["away", "bug"]})
    async with site.running():
        await eventually(site.brought, bool)
        assert await site.count("channel_breaks_total", "socket") == 2


async def test_a_channel_that_cannot_go_on_is_left_alone() -> None:
    site = Site(socket={"fails": ["over"]}, other={"fails": ["away"]})
    async with site.running():
        await eventually(site.brought, bool)
        assert await site.count("channel_breaks_total", "socket") == 1
        assert not site.channels.dead()
    assert Socket.runs.count("socket") == 1


async def test_an_event_from_the_future_is_refused_alone() -> None:
    site = Site(socket={"minutes": [1, 2_000, 2]})
    async with site.running():
        await eventually(site.brought, bool)
        assert await site.count("channel_refused_total", "socket") == 1
    assert [event.time for event in site.stored] == [minute(1), minute(2)]


async def test_a_wrong_setting_is_found_at_the_start() -> None:
    with pytest.raises(ConfigError, match="token"):
        await Site(socket={"fails": ["settings"]}).channels.start(book())


def test_an_adapter_that_does_not_run_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not fetch events by itself"):
        Site(socket={"adapter": "recording"})

"""Putting definitions in force, several at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.definitions.values import LocalizedText
from shequn.contracts.subjects import STREAMS
from shequn.runtime.applying import ConcurrentApplyError, applied_definition, apply_definition
from shequn.runtime.bus.connection import Bus
from shequn.runtime.bus.streams import declare_streams
from shequn.runtime.definitions import DefinitionFollower
from shequn.runtime.failures import TransientError
from tests.support.events import T0, small_definition

MANY = 8


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Bus]:
    bus = Bus(url, name="test")
    await bus.connect()
    try:
        yield bus
    finally:
        await bus.close()


@pytest.fixture
async def buses(nats_url: str) -> AsyncIterator[list[Bus]]:
    """Connections to a server on which nothing was declared yet."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(connected(nats_url)) for _ in range(MANY)]


def named(name: str) -> CommunityDefinition:
    return small_definition().model_copy(update={"name": LocalizedText(zh=name, en=name)})


class TestDeclaringAtTheSameTime:
    async def test_gives_every_stream_once_and_nobody_an_error(self, buses: list[Bus]) -> None:
        await asyncio.gather(*(declare_streams(bus.jetstream) for bus in buses))
        assert len(await buses[0].jetstream.streams_info()) == len(STREAMS)


class TestApplyingAtTheSameTime:
    async def test_never_gives_one_version_twice(self, buses: list[Bus]) -> None:
        answers = await asyncio.gather(
            *(apply_definition(bus, named(f"{place}"), T0) for place, bus in enumerate(buses)), return_exceptions=True
        )
        stored = [answer for answer in answers if isinstance(answer, CommunityDefinition)]
        assert stored
        assert len({definition.version for definition in stored}) == len(stored)
        assert all(isinstance(answer, (CommunityDefinition, ConcurrentApplyError)) for answer in answers)

    async def test_tells_the_truth_about_what_is_in_force(self, buses: list[Bus]) -> None:
        """Both applies are of one millisecond, so their messages have one id, and the bus takes them for duplicates."""
        answers = await asyncio.gather(
            *(apply_definition(bus, named(f"{place}"), T0) for place, bus in enumerate(buses)), return_exceptions=True
        )
        stored = [answer for answer in answers if isinstance(answer, CommunityDefinition)]
        assert await applied_definition(buses[0], "club") == max(stored, key=lambda definition: definition.version)


class TestABusThatStopsAnswering:
    async def test_is_transient_and_says_what_to_do(self, buses: list[Bus]) -> None:
        await buses[0].client.close()
        with pytest.raises(TransientError, match=r"did not confirm the new version of club: .*shequn plan"):
            await apply_definition(buses[0], small_definition(), T0)


class TestFollowing:
    async def test_goes_on_when_the_newest_definition_was_deleted(self, buses: list[Bus]) -> None:
        bus = buses[0]
        for name in ("one", "two"):
            await apply_definition(bus, named(name), T0)
        await bus.jetstream.delete_msg("DEFINITIONS", 2)
        follower = DefinitionFollower(bus)
        await follower.start()
        assert follower.current("club").version == 1
        await follower.stop()

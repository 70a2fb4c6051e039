"""`shequn dlq` with a real service, real servers and real dead letters."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nats
import pytest

from shequn.runtime.bus import Outgoing, Publisher
from shequn.runtime.bus.streams import declare_streams
from shequn.runtime.settings import RuntimeSettings
from tests.support.command import Answer, shequn
from tests.support.events import applied, message, small_definition
from tests.support.toy.service import build
from tests.support.waiting import eventually


class Desk:
    """A running service, a publisher, and the command line beside it."""

    def __init__(self, settings: RuntimeSettings, client: Any) -> None:
        self.settings = settings
        self.client = client

    async def publish(self, *events: Any) -> None:
        await Publisher(self.client).publish([Outgoing.of(event) for event in events])

    async def dlq(self, *arguments: str) -> Answer:
        return await shequn("dlq", *arguments, SHEQUN_NATS_URL=self.settings.nats_url)

    async def dead(self) -> int:
        return int((await self.client.jetstream().stream_info("DEAD")).state.messages)

    async def actions(self) -> int:
        return int((await self.client.jetstream().stream_info("ACTIONS")).state.messages)


@pytest.fixture
async def desk(nats_url: str, postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Desk]:
    settings = RuntimeSettings(nats_url=nats_url, postgres_dsn=postgres_dsn, data_dir=tmp_path, allow_unsafe_bus=True)
    client = await nats.connect(nats_url)
    await declare_streams(client.jetstream())
    desk = Desk(settings, client)
    await desk.publish(applied(small_definition()))
    service, app = build(settings)
    async with app.router.lifespan_context(app):
        await eventually(service.unready_because, lambda reasons: not reasons)
        yield desk
    await client.close()


async def test_an_empty_list_says_so(desk: Desk) -> None:
    answer = await desk.dlq("list")
    assert (answer.code, answer.out.strip()) == (0, "no dead letters")


async def test_list_and_show_name_consumer_reason_and_message(desk: Desk) -> None:
    await desk.publish(message(1, community="nowhere"))
    await eventually(desk.dead, lambda count: count == 1)
    listed = await desk.dlq("list", "--json")
    assert listed.last_json["reason"] == "unknown-community"
    shown = await desk.dlq("show", str(listed.last_json["number"]))
    assert "moderation-chat" in shown.out
    assert '"community":"nowhere"' in shown.out


async def test_replay_after_the_remedy_folds_the_event_once(desk: Desk) -> None:
    await desk.publish(message(1, community="late"))
    await eventually(desk.dead, lambda count: count == 1)
    await desk.publish(applied(small_definition("late")))
    answer = await desk.dlq("replay", "--all", "--reason", "unknown-community")
    assert "1 replayed" in answer.out
    await eventually(desk.actions, lambda count: count == 1)
    assert await desk.dead() == 0


async def test_replay_without_the_remedy_comes_back(desk: Desk) -> None:
    await desk.publish(message(1, community="nowhere"))
    await eventually(desk.dead, lambda count: count == 1)
    before = (await desk.dlq("list", "--json")).last_json["number"]
    await desk.dlq("replay", str(before))
    await eventually(desk.dead, lambda count: count == 1)
    await eventually(lambda: desk.dlq("list", "--json"), lambda answer: answer.last_json["number"] != before)


async def test_a_number_that_is_not_there_is_named(desk: Desk) -> None:
    answer = await desk.dlq("show", "99")
    assert answer.code == 2
    assert "no dead letter 99" in answer.err


@pytest.mark.parametrize("number", ["0", "-1", "18446744073709551615", "18446744073709551616", "one", "1.5"])
@pytest.mark.parametrize("verb", ["show", "replay"])
async def test_a_number_that_can_be_none_is_a_message_and_no_traceback(nats_url: str, verb: str, number: str) -> None:
    answer = await shequn("dlq", verb, number, SHEQUN_NATS_URL=nats_url)
    assert answer.code == 2
    assert number in answer.err
    assert "Traceback" not in answer.err


async def test_a_bus_that_never_had_a_service_is_a_message_and_no_traceback(nats_url: str) -> None:
    answer = await shequn("dlq", "list", SHEQUN_NATS_URL=nats_url)
    assert answer.code == 1
    assert "stream not found" in answer.err
    assert "Traceback" not in answer.err


async def test_replay_wants_numbers_or_all(desk: Desk) -> None:
    assert (await desk.dlq("replay")).code == 2
    assert (await desk.dlq("replay", "1", "--all")).code == 2

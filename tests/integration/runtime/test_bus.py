"""Publishing, pulling and declaring on a real server."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats
import pytest
from faststream.nats.subscriber.usecases.stream_pull_subscriber import BatchPullStreamSubscriber
from nats.js import api

from shequn.contracts.subjects import CHAT, MODERATION_CHAT, STREAMS
from shequn.local.nats import NatsServer
from shequn.local.ports import free_port
from shequn.local.testing import running
from shequn.runtime.bus import Bus, Outgoing, Publisher
from shequn.runtime.bus.group_commit import GroupCommit
from shequn.runtime.bus.publisher import NotStoredError
from shequn.runtime.bus.pump import Pump, pumped
from shequn.runtime.bus.streams import declare_consumer, declare_streams, require_durable
from shequn.runtime.failures import ConfigError, TransientError

SUBJECT = "chat.message.posted.v1"


def outgoing(number: int) -> Outgoing:
    return Outgoing(SUBJECT, b"%d" % number, f"id-{number}")


@pytest.fixture
async def client(nats_url: str) -> AsyncIterator[Any]:
    client = await nats.connect(nats_url)
    await declare_streams(client.jetstream())
    yield client
    await client.close()


async def stored(client: Any) -> list[bytes]:
    jetstream = client.jetstream()
    last = (await jetstream.stream_info("CHAT")).state.last_seq
    return [(await jetstream.get_msg("CHAT", seq)).data for seq in range(1, last + 1)]


class TestPublisher:
    async def test_a_batch_keeps_its_order(self, client: Any) -> None:
        await Publisher(client).publish([outgoing(number) for number in range(1_200)])
        assert await stored(client) == [b"%d" % number for number in range(1_200)]

    async def test_few_messages_keep_their_order(self, client: Any) -> None:
        await Publisher(client).publish([outgoing(number) for number in range(3)])
        assert await stored(client) == [b"0", b"1", b"2"]

    @pytest.mark.parametrize("count", [3, 20])
    async def test_a_batch_with_known_ids_stores_the_others_once(self, client: Any, count: int) -> None:
        publisher = Publisher(client)
        await publisher.publish([outgoing(number) for number in range(count - 1)])
        await publisher.publish([outgoing(number) for number in range(count)])
        assert await stored(client) == [b"%d" % number for number in range(count)]

    @pytest.mark.parametrize("count", [3, 20])
    async def test_an_id_twice_in_one_batch_is_stored_once(self, client: Any, count: int) -> None:
        await Publisher(client).publish([outgoing(1), *(outgoing(number) for number in range(1, count))])
        assert await stored(client) == [b"%d" % number for number in range(1, count)]

    async def test_a_subject_no_stream_stores_is_an_error(self, client: Any) -> None:
        await client.jetstream().delete_stream("CHAT")
        with pytest.raises(NotStoredError, match="chat"):
            await Publisher(client).publish([outgoing(1)])

    async def test_a_full_stream_refuses_and_drops_nothing(self, client: Any) -> None:
        jetstream = client.jetstream()
        config = (await jetstream.stream_info("CHAT")).config
        config.max_bytes = 2_000
        await jetstream.update_stream(config)
        publisher = Publisher(client)
        await publisher.publish([Outgoing(SUBJECT, b"x" * 100, f"n{number}") for number in range(5)])
        with pytest.raises(NotStoredError):
            await publisher.publish([Outgoing(SUBJECT, b"x" * 3_000, "too-much")])
        assert (await jetstream.get_msg("CHAT", 1)).headers["Nats-Msg-Id"] == "n0"


class TestGroupCommit:
    async def test_many_callers_are_stored_together(self, client: Any) -> None:
        commit = GroupCommit(Publisher(client))
        commit.start()
        await asyncio.gather(*(commit.store(outgoing(number)) for number in range(300)))
        await commit.stop()
        assert len(await stored(client)) == 300

    async def test_who_cannot_be_stored_is_told(self, client: Any) -> None:
        await client.jetstream().delete_stream("CHAT")
        commit = GroupCommit(Publisher(client))
        commit.start()
        with pytest.raises(TransientError):
            await commit.store(outgoing(1))
        await commit.stop()


class TestPump:
    @pytest.fixture
    async def pump(self, client: Any) -> AsyncIterator[Pump]:
        await declare_consumer(client.jetstream(), MODERATION_CHAT)
        pump = Pump(client, CHAT.name, MODERATION_CHAT.durable, batch_size=100)
        await pump.start()
        yield pump
        await pump.unsubscribe()

    async def test_hands_over_what_arrived_without_waiting_for_more(self, client: Any, pump: Pump) -> None:
        await Publisher(client).publish([outgoing(1)])
        batch = await asyncio.wait_for(pump.take(), timeout=2)
        assert [message.data for message in batch] == [b"1"]

    async def test_goes_on_past_many_batches_in_order(self, client: Any, pump: Pump) -> None:
        await Publisher(client).publish([outgoing(number) for number in range(1_000)])
        seen: list[bytes] = []
        while len(seen) < 1_000:
            batch = await asyncio.wait_for(pump.take(), timeout=5)
            assert len(batch) <= 100
            seen += [message.data for message in batch]
            for message in batch:
                await message.ack()
        assert seen == [b"%d" % number for number in range(1_000)]

    async def test_gives_back_what_nobody_took(self, client: Any) -> None:
        await declare_consumer(client.jetstream(), MODERATION_CHAT)
        await Publisher(client).publish([outgoing(number) for number in range(15)])
        pump = Pump(client, CHAT.name, MODERATION_CHAT.durable, batch_size=10)
        await pump.start()
        await asyncio.wait_for(pump.take(), timeout=5)
        await pump.unsubscribe()
        other = Pump(client, CHAT.name, MODERATION_CHAT.durable, batch_size=100)
        await other.start()
        assert await asyncio.wait_for(other.take(), timeout=5)
        await other.unsubscribe()


class TestTheSeamInFastStream:
    """If these fail after an upgrade, look at shequn/runtime/bus/pump.py."""

    def test_the_batch_subscriber_has_the_methods_that_the_pump_replaces(self) -> None:
        assert "_create_subscription" in vars(BatchPullStreamSubscriber)
        assert "_consume_pull" in vars(BatchPullStreamSubscriber)

    def test_only_a_batch_subscriber_can_be_pumped(self) -> None:
        with pytest.raises(TypeError, match="batch pull subscriber"):
            pumped(object())


class TestDurability:
    async def test_the_embedded_server_is_durable(self, tmp_path: Path) -> None:
        server = NatsServer(tmp_path / "nats", free_port(), free_port())
        async with running(server.spec(), tmp_path / "nats.log"):
            client = await nats.connect(server.url)
            await declare_streams(client.jetstream())
            await require_durable(client.jetstream(), server.monitor_url)
            await client.close()

    async def test_a_single_server_that_cannot_be_asked_is_refused(self, client: Any) -> None:
        with pytest.raises(ConfigError, match="SHEQUN_NATS_MONITOR_URL"):
            await require_durable(client.jetstream(), None)

    async def test_a_server_that_syncs_now_and_then_is_refused(self, tmp_path: Path) -> None:
        server = NatsServer(tmp_path / "nats", free_port(), free_port())
        spec = server.spec()
        await spec.prepare()
        config = tmp_path / "nats" / "nats.conf"
        config.write_text(config.read_text().replace("sync_interval: always", 'sync_interval: "2m"'))

        async def keep() -> None:
            """Keep the configuration as it is."""

        async with running(replace(spec, prepare=keep), tmp_path / "nats.log"):
            client = await nats.connect(server.url)
            await declare_streams(client.jetstream())
            with pytest.raises(ConfigError, match="sync_interval"):
                await require_durable(client.jetstream(), server.monitor_url)
            await client.close()

    async def test_a_stream_without_a_limit_is_refused(self, client: Any) -> None:
        jetstream = client.jetstream()
        await jetstream.delete_stream("CHAT")
        await jetstream.add_stream(api.StreamConfig(name="CHAT", subjects=["chat.>"]))
        with pytest.raises(ConfigError, match="CHAT has no limit"):
            await require_durable(jetstream, None)


class TestDeclaring:
    async def test_twice_is_as_good_as_once(self, client: Any) -> None:
        await declare_streams(client.jetstream())
        names = {info.config.name for info in await client.jetstream().streams_info()}
        assert names == {spec.name for spec in STREAMS}

    async def test_full_streams_refuse_instead_of_dropping(self, client: Any) -> None:
        for spec in STREAMS:
            config = (await client.jetstream().stream_info(spec.name)).config
            assert config.discard == api.DiscardPolicy.NEW


class TestConnecting:
    async def test_a_server_that_is_not_there_is_transient(self) -> None:
        with pytest.raises(TransientError, match="not reachable"):
            await Bus("nats://127.0.0.1:1", name="test").connect()

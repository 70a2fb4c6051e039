"""The fold runtime on real servers: exactly one effect per event, whatever comes twice, malformed or too early."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import nats
import pytest
from nats.js.errors import NotFoundError

from shequn.contracts.dead import DeadLetter
from shequn.contracts.envelope import Envelope
from shequn.runtime.bus import Outgoing, Publisher
from shequn.runtime.bus.streams import declare_streams
from shequn.runtime.failures import UnknownCommunityError
from shequn.runtime.fold import processor
from shequn.runtime.settings import RuntimeSettings
from tests.support.events import applied, message, small_definition
from tests.support.toy.service import build
from tests.support.waiting import eventually


class Harness:
    """A toy service on real servers, a publisher and a look into the store."""

    def __init__(self, nats_url: str, dsn: str, folder: Path) -> None:
        self.settings = RuntimeSettings(
            nats_url=nats_url, postgres_dsn=dsn, data_dir=folder, allow_unsafe_bus=True, batch_size=50
        )
        self.client: Any = None

    @asynccontextmanager
    async def service(self) -> AsyncIterator[Any]:
        service, app = build(self.settings)
        async with app.router.lifespan_context(app):
            await eventually(service.unready_because, lambda reasons: not reasons)
            yield service

    async def publish(self, *events: Envelope) -> None:
        await Publisher(self.client).publish([Outgoing.of(event) for event in events])

    async def query(self, sql: str) -> Any:
        connection = await asyncpg.connect(self.settings.postgres_dsn, server_settings={"search_path": "toy"})
        try:
            return await connection.fetchval(sql)
        except asyncpg.UndefinedTableError:
            return None
        finally:
            await connection.close()

    async def actions(self) -> int:
        info = await self.client.jetstream().stream_info("ACTIONS")
        return int(info.state.messages)

    async def dead(self) -> list[DeadLetter]:
        jetstream = self.client.jetstream()
        state = (await jetstream.stream_info("DEAD")).state
        letters = [await jetstream.get_msg("DEAD", seq) for seq in range(1, state.last_seq + 1)]
        return [DeadLetter.model_validate_json(letter.data) for letter in letters]


@pytest.fixture
async def harness(nats_url: str, postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Harness]:
    harness = Harness(nats_url, postgres_dsn, tmp_path)
    harness.client = await nats.connect(nats_url)
    await declare_streams(harness.client.jetstream())
    await harness.publish(applied(small_definition()))
    yield harness
    await harness.client.close()


async def test_every_event_has_its_effects_once(harness: Harness) -> None:
    events = [message(number) for number in range(200)]
    async with harness.service():
        await harness.publish(*events)
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 200)
        await eventually(harness.actions, lambda count: count == 200)
    assert await harness.query("SELECT messages FROM authors") == 200
    assert await harness.query("SELECT count(*) FROM lines") == 200
    assert await harness.query("SELECT count(*) FROM outbox") == 0


async def test_json_lists_come_back_as_they_were_put(harness: Harness) -> None:
    async with harness.service():
        await harness.publish(message(1, "一", author="ann"), message(2, "x", author="bob"))
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 2)
        await harness.publish(message(3, "三", author="ann"), message(4, "y", author="eve"))
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 4)
    assert await harness.query("SELECT words->>1 FROM authors WHERE messages = 2") == "三"
    assert await harness.query("SELECT count(*) FROM authors WHERE jsonb_array_length(words) = 1") == 2


async def test_a_redelivered_event_changes_nothing(harness: Harness) -> None:
    events = [message(number) for number in range(20)]
    async with harness.service():
        await harness.publish(*events)
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 20)
        # The server's own memory of ids is passed by: another Nats-Msg-Id carries the same event.
        await Publisher(harness.client).publish(
            [Outgoing(event.type, event.model_dump_json().encode(), f"again-{event.id}") for event in events]
        )
        await harness.publish(message(999))
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 21)
    assert await harness.actions() == 21


async def test_an_event_refused_by_its_rule_is_buried_alone(harness: Harness) -> None:
    async with harness.service():
        await harness.publish(message(1), message(2, "boom"), message(3))
        letters = await eventually(harness.dead, lambda letters: len(letters) == 1)
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 2)
    assert letters[0].reason == "fold-failed"
    assert "this message may not be folded" in letters[0].detail
    assert await harness.query("SELECT count(*) FROM lines") == 2
    assert await harness.query("SELECT count(*) FROM inbox") == 2


async def test_an_event_whose_keys_raise_is_buried_alone(harness: Harness) -> None:
    async with harness.service():
        await harness.publish(*[message(number, "no keys" if number == 3 else "ok") for number in range(20)])
        letters = await eventually(harness.dead, lambda letters: len(letters) == 1)
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 19)
    assert letters[0].reason == "fold-failed"
    assert "date value out of range" in letters[0].detail


async def test_what_nobody_foresaw_holds_up_no_other_event(harness: Harness) -> None:
    async with harness.service():
        texts = ["odd" if number in {3, 4} else "ok" for number in range(20)]
        await harness.publish(*[message(number, text, author=f"a{number}") for number, text in enumerate(texts)])
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 18)
        info = await harness.client.jetstream().consumer_info("CHAT", "moderation-chat")
        assert info.num_ack_pending == 2
        assert await harness.dead() == []


async def test_what_nobody_foresaw_is_tried_again_and_then_buried_with_its_traceback(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "_MOST_DELAY_SECONDS", 0.05)
    async with harness.service():
        await harness.publish(message(1, "odd", author="ann"), message(2, "odd", author="bob"), message(3))
        letters = await eventually(harness.dead, lambda letters: len(letters) == 2)
        info = await harness.client.jetstream().consumer_info("CHAT", "moderation-chat")
    assert info.num_ack_pending == 0
    assert [letter.reason for letter in letters] == ["fold-failed", "fold-failed"]
    assert "Traceback" in letters[0].detail
    assert await harness.query("SELECT messages FROM totals") == 1


async def test_malformed_bytes_are_buried_with_field_and_rule(harness: Harness) -> None:
    async with harness.service():
        raw = message(1).model_dump_json().replace('"group":"open"', '"group":"NOT A SLUG"').encode()
        await Publisher(harness.client).publish([Outgoing("chat.message.posted.v1", raw, "bad")])
        await Publisher(harness.client).publish([Outgoing("chat.message.posted.v1", b"\xff not json", "worse")])
        letters = await eventually(harness.dead, lambda letters: len(letters) == 2)
    assert [letter.reason for letter in letters] == ["malformed", "malformed"]
    assert "data.group" in letters[0].detail
    assert "NOT A SLUG" not in letters[0].detail


async def test_a_message_too_large_for_a_letter_is_buried_in_part_and_holds_up_nothing(harness: Harness) -> None:
    rubbish = b"\xff" * (3 << 20)
    async with harness.service():
        await Publisher(harness.client).publish([Outgoing("chat.message.posted.v1", rubbish, "large")])
        await harness.publish(message(1))
        letters = await eventually(harness.dead, lambda letters: len(letters) == 1)
        await eventually(harness.actions, lambda count: count == 1)
    assert letters[0].truncated
    whole = await harness.client.jetstream().get_msg("CHAT", letters[0].sequence)
    assert whole.data == rubbish


async def test_an_event_that_leads_to_what_the_bus_never_takes_is_buried_alone(harness: Harness) -> None:
    async with harness.service():
        await harness.publish(message(1), message(2, "huge"), message(3))
        letters = await eventually(harness.dead, lambda letters: len(letters) == 1)
        await eventually(harness.actions, lambda count: count == 2)
    assert "the bus takes" in letters[0].detail
    assert await harness.query("SELECT messages FROM totals") == 2


class LateBook:
    """A replica's definitions that learn of version 2 only when they are asked to catch up."""

    def __init__(self, book: Any) -> None:
        self._version, self._refresh, self._caught_up = book.version, book.refresh, False

    def version(self, community: str, version: int) -> Any:
        if version == 2 and not self._caught_up:
            raise UnknownCommunityError(community, version)
        return self._version(community, version)

    async def refresh(self) -> None:
        await self._refresh()
        self._caught_up = True


async def test_an_event_that_needs_a_version_that_has_not_arrived_is_folded_once_it_has(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with harness.service() as service:
        late = LateBook(service.definitions)
        monkeypatch.setattr(service.definitions, "version", late.version)
        monkeypatch.setattr(service.definitions, "refresh", late.refresh)
        await harness.publish(applied(small_definition(version=2)), message(1, "version 2"), message(2, "version 9"))
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 1)
        letters = await eventually(harness.dead, lambda letters: len(letters) == 1)
    assert letters[0].reason == "unknown-community"
    assert "version 9" in letters[0].detail


async def test_a_stream_that_is_gone_is_told_and_its_consumer_made_anew_when_it_is_back(harness: Harness) -> None:
    jetstream = harness.client.jetstream()
    async with harness.service() as service:
        await jetstream.delete_stream("CHAT")
        await eventually(lambda: _value(_failures(service, "export")), bool)
        await declare_streams(jetstream)
        await harness.publish(*[message(number) for number in range(20)])
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 20, within=30)
        assert await service.unready_because() == []


async def test_a_consumer_made_anew_begins_where_the_inbox_knows_what_was_folded(harness: Harness) -> None:
    async with harness.service() as service:
        await harness.publish(*[message(number) for number in range(20)])
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 20)
        async with service.store.connection() as connection:
            remembered = await connection.fetchval("SELECT now() - interval '29 days'")
        await harness.client.jetstream().delete_consumer("CHAT", "moderation-chat")
        info = await eventually(lambda: _consumer(harness), lambda info: info is not None, within=30)
    begins = info.config.opt_start_time
    assert abs(begins - remembered) < timedelta(minutes=5)


def _failures(service: Any, loop: str) -> float:
    return float(service.registry.get_sample_value("shequn_loop_failures_total", {"loop": loop}) or 0)


async def _value(value: Any) -> Any:
    return value


async def _consumer(harness: Harness) -> Any:
    try:
        return await harness.client.jetstream().consumer_info("CHAT", "moderation-chat")
    except NotFoundError:
        return None


async def test_what_the_store_refuses_is_buried_alone(harness: Harness) -> None:
    async with harness.service():
        await harness.publish(message(1), message(2, "nul \x00 inside"), message(3))
        letters = await eventually(harness.dead, lambda letters: len(letters) == 1)
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 2)
    assert "the store refuses" in letters[0].detail


async def test_an_unknown_community_is_buried_and_names_the_remedy(harness: Harness) -> None:
    async with harness.service():
        await harness.publish(message(1, community="nowhere"))
        letters = await eventually(harness.dead, lambda letters: len(letters) == 1)
    assert letters[0].reason == "unknown-community"
    assert "shequn apply" in letters[0].detail


async def test_a_definition_applied_just_before_its_first_event_is_known(harness: Harness) -> None:
    async with harness.service():
        await harness.publish(applied(small_definition("late")), message(1, community="late"))
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 1)
    assert await harness.dead() == []


async def test_two_replicas_share_the_work_without_losing_or_doubling(harness: Harness) -> None:
    events = [message(number, author=f"a{number % 7}") for number in range(1_000)]
    async with harness.service(), harness.service():
        await harness.publish(*events)
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 1_000)
    assert await harness.query("SELECT sum(messages) FROM authors") == 1_000
    assert await harness.query("SELECT count(*) FROM inbox") == 1_000


async def test_work_left_in_the_outbox_is_published_after_a_restart(harness: Harness) -> None:
    async with harness.service():
        await harness.publish(message(1))
        await eventually(harness.actions, lambda count: count == 1)
    connection = await asyncpg.connect(harness.settings.postgres_dsn, server_settings={"search_path": "toy"})
    left = message(2)
    await connection.execute(
        "INSERT INTO outbox (subject, message_id, payload) VALUES ($1, $2, $3)",
        "actions.message.send.v1",
        left.id,
        left.model_dump_json().encode(),
    )
    await connection.close()
    async with harness.service():
        await eventually(harness.actions, lambda count: count == 2)


async def test_a_store_that_comes_back_loses_nothing(harness: Harness) -> None:
    async with harness.service() as service:
        await harness.publish(message(1))
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 1)
        connection = await asyncpg.connect(harness.settings.postgres_dsn)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'shequn-toy'"
        )
        await connection.close()
        await harness.publish(*[message(number) for number in range(2, 40)])
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 39)
        await eventually(service.unready_because, lambda reasons: not reasons)


async def test_stop_finishes_the_batch_in_hand(harness: Harness) -> None:
    async with harness.service():
        await harness.publish(*[message(number) for number in range(300)])
    folded = await harness.query("SELECT coalesce(sum(messages), 0) FROM totals")
    info = await harness.client.jetstream().consumer_info("CHAT", "moderation-chat")
    assert info.ack_floor.stream_seq == folded
    async with harness.service():
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 300)


async def test_idle_latency_is_not_a_polling_interval(harness: Harness) -> None:
    async with harness.service():
        loop = asyncio.get_running_loop()
        await harness.publish(message(0))
        await eventually(harness.actions, lambda count: count == 1)
        began = loop.time()
        for number in range(1, 11):
            await harness.publish(message(number))
            await eventually(harness.actions, lambda count, wanted=number + 1: count == wanted)  # type: ignore[misc]
        assert loop.time() - began < 10


async def test_a_deleted_consumer_is_made_anew_and_folds_nothing_twice(harness: Harness) -> None:
    async with harness.service():
        await harness.publish(*[message(number) for number in range(20)])
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 20)
        await harness.client.jetstream().delete_consumer("CHAT", "moderation-chat")
        await harness.publish(message(20))
        await eventually(lambda: harness.query("SELECT messages FROM totals"), lambda count: count == 21, within=30)
    assert await harness.actions() == 21

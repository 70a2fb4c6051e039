"""`shequn dlq` with a real service, real servers and real dead letters."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nats
import pytest

from shequn.contracts.dead import DeadLetter
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

    async def put(self, letter: bytes) -> None:
        """Put something among the dead letters."""
        await self.client.jetstream().publish("dead.other", letter)

    async def chat(self) -> int:
        return int((await self.client.jetstream().stream_info("CHAT")).state.last_seq)

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


def letter(**changes: Any) -> bytes:
    """A letter of another consumer about the first message of the chat."""
    fields = {
        "id": "other.CHAT.1",
        "consumer": "other",
        "stream": "CHAT",
        "sequence": 1,
        "subject": "chat.message.posted.v1",
        "reason": "malformed",
        "detail": "no JSON",
        "payload": base64.b64encode(b"{not json").decode(),
        "at": datetime.now(UTC),
    }
    return DeadLetter.model_validate(fields | changes).model_dump_json().encode()


class TestAMessageThatSeveralConsumersGaveUp:
    async def test_is_sent_once_and_all_its_letters_go(self, desk: Desk) -> None:
        await desk.client.jetstream().publish("chat.message.posted.v1", b"{not json")
        await eventually(desk.dead, lambda count: count == 1)
        await desk.put(letter())
        answer = await desk.dlq("replay", "--all")
        assert "1 replayed, 2 letters removed" in answer.out
        await eventually(desk.dead, lambda count: count == 1)  # the cause stands: one letter of the one consumer
        assert await desk.chat() == 2

    async def test_loses_all_letters_when_one_is_chosen(self, desk: Desk) -> None:
        await desk.publish(message(1, community="late"))
        await eventually(desk.dead, lambda count: count == 1)
        await desk.put(letter())
        await desk.publish(applied(small_definition("late")))
        answer = await desk.dlq("replay", "--all", "--consumer", "moderation-chat")
        assert "1 replayed, 2 letters removed" in answer.out
        await eventually(desk.actions, lambda count: count == 1)
        assert await desk.dead() == 0


class TestALetterThatHoldsAPartOfItsMessage:
    WHOLE = b"{" + b"x" * 3_000_000

    @staticmethod
    def part(**changes: Any) -> bytes:
        return letter(payload=base64.b64encode(b"{xxx").decode(), truncated=True, **changes)

    async def test_is_shown_whole_from_its_stream(self, desk: Desk) -> None:
        await desk.client.jetstream().publish("chat.message.posted.v1", self.WHOLE)
        await eventually(desk.dead, lambda count: count == 1)
        await desk.put(self.part())
        shown = (await desk.dlq("show", "2", "--json")).last_json
        assert (shown["whole"], len(shown["message"])) == (True, len(self.WHOLE))

    async def test_is_replayed_whole(self, desk: Desk) -> None:
        await desk.client.jetstream().publish("chat.message.posted.v1", self.WHOLE)
        await eventually(desk.dead, lambda count: count == 1)
        await desk.put(self.part())
        assert "1 replayed, 2 letters removed" in (await desk.dlq("replay", "2")).out
        again = await desk.client.jetstream().get_msg("CHAT", 2, direct=True)
        assert again.data == self.WHOLE

    async def test_says_so_when_its_message_is_gone(self, desk: Desk) -> None:
        await desk.put(self.part(sequence=77))
        shown = await desk.dlq("show", "1")
        assert "{xxx" in shown.out
        assert "CHAT no longer has it under 77" in shown.err

    async def test_stays_when_its_message_is_gone(self, desk: Desk) -> None:
        await desk.put(self.part(sequence=77))
        answer = await desk.dlq("replay", "--all")
        assert (answer.code, await desk.dead()) == (2, 1)
        assert "0 replayed" in answer.out
        assert "cannot be replayed" in answer.err

    async def test_never_takes_another_message_for_its_own(self, desk: Desk) -> None:
        await desk.publish(message(1))
        await desk.put(self.part())
        assert "gone" in (await desk.dlq("replay", "1")).err
        assert await desk.chat() == 1


class TestWhatSomebodyElseWrote:
    """Letters hold what members, providers and other programs wrote."""

    async def test_markup_is_shown_as_it_is(self, desk: Desk) -> None:
        await desk.put(letter(detail="payment [/b] of [link=https://example.org]x :b:"))
        answer = await desk.dlq("list")
        assert answer.code == 0
        assert "payment [/b] of [link=https://example.org]x :b:" in answer.out

    @pytest.mark.parametrize("arguments", [("list",), ("list", "--json"), ("show", "1"), ("show", "1", "--json")])
    async def test_a_terminal_is_told_nothing(self, desk: Desk, arguments: tuple[str, ...]) -> None:
        payload = base64.b64encode("\x1b[2J\x9b31m".encode()).decode()
        await desk.put(letter(detail="\x1b]0;owned\x07 \x9b2J \u202e", consumer="a\x1bb", payload=payload))
        answer = await desk.dlq(*arguments)
        assert answer.code == 0
        assert not set(answer.out) & {"\x1b", "\x07", "\x9b", "\u202e"}

    @pytest.mark.parametrize("foreign", [b"{}", b"\xff", letter(payload="?")])
    async def test_what_is_no_letter_is_listed_beside_the_others(self, desk: Desk, foreign: bytes) -> None:
        await desk.put(foreign)
        await desk.put(letter())
        first, second = (await desk.dlq("list", "--json")).out.strip().splitlines()
        assert '"reason": "unreadable"' in first
        assert '"consumer": "other"' in second
        assert "unreadable" in (await desk.dlq("list")).out

    async def test_what_is_no_letter_is_named_when_it_is_asked_for(self, desk: Desk) -> None:
        await desk.put(b"{}")
        answer = await desk.dlq("show", "1")
        assert answer.code == 2
        assert "dead letter 1 is unreadable: id: Field required" in answer.err

    async def test_what_is_no_letter_does_not_keep_the_others_from_being_replayed(self, desk: Desk) -> None:
        await desk.put(b"{}")
        await desk.put(letter(subject="nowhere.at.all", sequence=2))
        await desk.put(letter())
        answer = await desk.dlq("replay", "--all")
        assert "1 replayed, 1 letters removed" in answer.out
        assert "dead letter 1 is unreadable" in answer.err
        assert "no stream takes 'nowhere.at.all'" in answer.err

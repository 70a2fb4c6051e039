import asyncio
import gzip
import json
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.intake.adapters.replay import ReplayAdapter, ReplaySettings
from services.intake.adapters.replay_lines import MalformedLineError
from shequn.adapters import AdapterEnvironment, Runs
from shequn.contracts.envelope import Envelope
from shequn.runtime.failures import ConfigError, UnknownCommunityError
from tests.support.waiting import eventually
from tests.unit.intake.builders import COMMUNITY, NOW, FixedClock, book, group_joined, signup

CLOCK = FixedClock(NOW + timedelta(days=400))


def row(number: int, **change: Any) -> dict[str, Any]:
    return {
        "ts": (NOW + timedelta(seconds=number)).isoformat(),
        "room": "Reading Room",
        "room_id": "room-1",
        "user": f"u{number % 3}",
        "name": "安",
        "id": f"m{number}",
        "text": f"第 {number} 句",
    } | change


def written(folder: Path, *lines: Any, name: str = "chat.jsonl") -> Path:
    text = "".join((line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)) + "\n" for line in lines)
    file = folder / name
    file.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return file


class Bus:
    """Remembers batches."""

    def __init__(self) -> None:
        self.batches: list[list[Envelope]] = []

    async def publish(self, events: Sequence[Envelope]) -> None:
        self.batches.append(list(events))

    @property
    def events(self) -> list[Envelope]:
        return [event for batch in self.batches for event in batch]


def replayer(file: Path, **settings: Any) -> ReplayAdapter:
    environment = AdapterEnvironment("replay", file.parent, CLOCK)
    return ReplayAdapter(ReplaySettings(file=file, **{"community": COMMUNITY, **settings}), environment)


async def replay(file: Path, **settings: Any) -> tuple[Bus, ReplayAdapter]:
    bus, adapter = Bus(), replayer(file, **settings)
    await adapter.run(bus.publish, book())
    return bus, adapter


def test_it_runs() -> None:
    assert isinstance(replayer(Path("x")), Runs)


class TestChatRows:
    async def test_become_messages(self, tmp_path: Path) -> None:
        bus, _ = await replay(written(tmp_path, row(1)))
        (event,) = bus.events
        assert (event.data.group, event.data.message_id, event.data.text) == ("open", "m1", "第 1 句")
        assert (event.data.account.platform, event.data.name) == ("gitter", "安")

    async def test_may_come_from_another_platform(self, tmp_path: Path) -> None:
        bus, _ = await replay(written(tmp_path, row(1)), platform="irc")
        assert bus.events[0].data.account.platform == "irc"

    async def test_are_accepted_now(self, tmp_path: Path) -> None:
        bus, _ = await replay(written(tmp_path, row(1)))
        assert (bus.events[0].time, bus.events[0].recordedtime) == (NOW + timedelta(seconds=1), CLOCK.at)

    async def test_a_second_replay_has_the_same_ids(self, tmp_path: Path) -> None:
        file = written(tmp_path, *map(row, range(5)), name="chat.jsonl.gz")
        first, _ = await replay(file)
        second, _ = await replay(file)
        assert [event.id for event in first.events] == [event.id for event in second.events]

    @pytest.mark.parametrize(
        ("room", "groups"),
        [
            ({"room_id": "room-2"}, {}),
            ({"room_id": "x", "room": "Paid"}, {}),
            ({"room_id": "x", "room": "VIP"}, {"VIP": "paid"}),
            ({"room_id": "x"}, {"x": "paid"}),
        ],
    )
    async def test_find_their_group(self, tmp_path: Path, room: dict[str, str], groups: dict[str, str]) -> None:
        bus, _ = await replay(written(tmp_path, row(1, **room)), groups=groups)
        assert bus.events[0].data.group == "paid"


class TestEnvelopes:
    async def test_keep_their_ids(self, tmp_path: Path) -> None:
        joined = group_joined(1)
        bus, _ = await replay(written(tmp_path, joined.model_dump_json()))
        assert bus.events[0].id == joined.id

    async def test_are_accepted_now(self, tmp_path: Path) -> None:
        bus, _ = await replay(written(tmp_path, group_joined(1).model_dump_json()))
        assert bus.events[0].recordedtime == CLOCK.at

    async def test_of_one_stream_go_together(self, tmp_path: Path) -> None:
        facts = [fact for at in range(3) for fact in (signup(at), group_joined(at))]
        bus, _ = await replay(written(tmp_path, *(fact.model_dump_json() for fact in facts)))
        domains = [event.type.partition(".")[0] for event in bus.events]
        assert domains == ["chat"] * 3 + ["signups"] * 3

    async def test_of_our_own_conclusions_are_refused(self, tmp_path: Path) -> None:
        line = json.loads(group_joined(1).model_dump_json()) | {"type": "members.member.left.v1"}
        _, adapter = await replay(written(tmp_path, line))
        assert "no outside fact" in adapter.report.problems[0]


FUTURE = CLOCK.at + timedelta(days=1, seconds=1)
JOINED = group_joined(1).model_dump(mode="json")
SIGNED_UP = signup(1).model_dump(mode="json")
BAD = (
    "not json",
    "[]",
    "{}",
    row(1, ts="yesterday"),
    row(1, ts=FUTURE.isoformat()),
    row(1, ts="1970-01-01T00:00:00Z"),
    row(1, room="Cellar", room_id="x"),
    row(1, text="a\0b"),
    JOINED | {"time": FUTURE.isoformat()},
    JOINED | {"time": "9999-12-31T23:59:59-12:00"},
    SIGNED_UP | {"data": SIGNED_UP["data"] | {"timezone": "Mars/Base"}},
)


class TestMalformedLines:
    @pytest.mark.parametrize("bad", BAD)
    async def test_are_skipped_and_reported(self, tmp_path: Path, bad: Any) -> None:
        file = written(tmp_path, row(1), bad, row(3))
        bus, adapter = await replay(file)
        assert [event.data.message_id for event in bus.events] == ["m1", "m3"]
        assert (adapter.report.read, adapter.report.published, adapter.report.skipped) == (3, 2, 1)
        assert adapter.report.problems[0].startswith(f"{file}:2: ")

    async def test_stop_it_where_it_is_told_to(self, tmp_path: Path) -> None:
        file, bus = written(tmp_path, row(1), "{}", row(3)), Bus()
        adapter = replayer(file, on_error="stop")
        with pytest.raises(MalformedLineError, match=":2: "):
            await adapter.run(bus.publish, book())
        assert [event.data.message_id for event in bus.events] == ["m1"]

    async def test_empty_lines_are_none(self, tmp_path: Path) -> None:
        _, adapter = await replay(written(tmp_path, row(1), "", "  "))
        assert adapter.report.skipped == 0

    async def test_a_damaged_gzip_file_says_where(self, tmp_path: Path) -> None:
        file = written(tmp_path, *map(row, range(500)), name="chat.jsonl.gz")
        file.write_bytes(file.read_bytes()[:-200])
        with pytest.raises(MalformedLineError, match="damaged"):
            await replay(file)

    async def test_a_missing_file_is_a_setting_that_is_wrong(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="no file"):
            await replayer(tmp_path / "none.jsonl").open()

    async def test_a_missing_folder_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="no file"):
            await replayer(tmp_path).open()

    async def test_a_chat_row_of_no_community_is_refused(self, tmp_path: Path) -> None:
        joined = group_joined(1)
        bus, adapter = await replay(written(tmp_path, row(1), joined.model_dump_json()), community=None)
        assert ([event.id for event in bus.events], adapter.report.skipped) == ([joined.id], 1)

    async def test_a_line_without_end_is_given_up(self, tmp_path: Path) -> None:
        file = tmp_path / "chat.jsonl"
        file.write_bytes(json.dumps(row(1)).encode() + b"\n" + b"x" * 3_000_000)
        adapter, bus = replayer(file), Bus()
        with pytest.raises(MalformedLineError, match=r":2: .*longer"):
            await adapter.run(bus.publish, book())
        assert len(bus.events) == 1

    async def test_an_unknown_community_stops_it_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownCommunityError):
            await replay(written(tmp_path, row(1)), community="nobody")


class TestReading:
    async def test_gzip_is_known_without_its_name(self, tmp_path: Path) -> None:
        file = written(tmp_path, row(1), name="chat.jsonl.gz").rename(tmp_path / "chat")
        bus, _ = await replay(file)
        assert len(bus.events) == 1

    async def test_a_last_line_needs_no_end(self, tmp_path: Path) -> None:
        file = tmp_path / "chat.jsonl"
        file.write_text("\r\n".join(json.dumps(row(number)) for number in range(3)))
        bus, _ = await replay(file)
        assert [event.data.message_id for event in bus.events] == ["m0", "m1", "m2"]

    async def test_lines_across_portions_are_whole(self, tmp_path: Path) -> None:
        bus, _ = await replay(written(tmp_path, *(row(number, text="长" * 3_000) for number in range(400))))
        assert [event.data.message_id for event in bus.events] == [f"m{number}" for number in range(400)]

    async def test_what_has_come_goes_out_before_more_comes(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        bus = Bus()
        running = asyncio.create_task(replayer(pipe).run(bus.publish, book()))
        with await asyncio.to_thread(pipe.open, "wb", 0) as writer:
            for number in range(3):
                writer.write(json.dumps(row(number)).encode() + b"\n")
                await eventually(lambda: _length(bus), lambda count, wanted=number + 1: count == wanted)
        await running

    async def test_a_silent_pipe_holds_up_no_stop(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        running = asyncio.create_task(replayer(pipe).run(Bus().publish, book()))
        with await asyncio.to_thread(pipe.open, "wb"):
            running.cancel()
            async with asyncio.timeout(5):
                with pytest.raises(asyncio.CancelledError):
                    await running


async def _length(bus: Bus) -> int:
    return len(bus.events)


class TestPace:
    async def test_without_a_speed_batches_are_full(self, tmp_path: Path) -> None:
        bus, _ = await replay(written(tmp_path, *map(row, range(25))), batch=10)
        assert [len(batch) for batch in bus.batches] == [10, 10, 5]

    async def test_with_a_speed_events_come_as_they_happened(self, tmp_path: Path) -> None:
        bus, _ = await replay(written(tmp_path, row(0), row(1), row(600)), speed=6_000)
        assert [[event.data.message_id for event in batch] for batch in bus.batches] == [["m0", "m1"], ["m600"]]

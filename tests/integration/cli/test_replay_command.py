"""`shequn replay` with a real bus, and a service that folds what it sends."""

import asyncio
import gzip
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js.api import StreamConfig

from shequn.contracts.subjects import CHAT
from shequn.definitions import load_folder
from shequn.runtime.bus import Outgoing, Publisher
from shequn.runtime.bus.streams import declare_streams
from shequn.runtime.settings import RuntimeSettings
from tests.support.command import ROOT, Answer, shequn
from tests.support.events import applied, small_definition
from tests.support.toy.service import build
from tests.support.waiting import eventually

SAMPLE = ROOT / "samples" / "recordings" / "evening.jsonl"
CLUB = load_folder(ROOT / "samples" / "reading-club").definition.model_copy(update={"version": 1})
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def row(number: int, **change: Any) -> str:
    at = START + timedelta(seconds=number)
    written = {"ts": at.isoformat(), "room": "hall", "room_id": "hall-1", "user": f"u{number % 7}", "id": f"m{number}"}
    return json.dumps(written | {"text": f"第 {number} 句"} | change, ensure_ascii=False)


def recording(folder: Path, *lines: str) -> Path:
    file = folder / "chat.jsonl"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


class Desk:
    """A bus on which a community is applied, and the command beside it."""

    def __init__(self, url: str, client: Any) -> None:
        self.url = url
        self.client = client

    async def replay(self, *arguments: str | Path, **environment: str) -> Answer:
        return await shequn("replay", *arguments, SHEQUN_NATS_URL=self.url, **environment)

    async def counts(self, *arguments: str | Path) -> tuple[int, int, int, int]:
        found = (await self.replay(*arguments, "--json")).last_json
        return found["read"], found["accepted"], found["duplicates"], found["refused"]

    async def stored(self, stream: str = "CHAT") -> int:
        return int((await self.client.jetstream().stream_info(stream)).state.messages)


@pytest.fixture
async def desk(nats_url: str) -> AsyncIterator[Desk]:
    client = await nats.connect(nats_url)
    await declare_streams(client.jetstream())
    await Publisher(client).publish([Outgoing.of(applied(CLUB))])
    yield Desk(nats_url, client)
    await client.close()


class TestWhatItSends:
    async def test_the_sample_reaches_its_streams(self, desk: Desk) -> None:
        answer = await desk.replay(SAMPLE)
        assert (answer.code, answer.out.strip()) == (0, "read 8, accepted 8, duplicates 0, refused 0")
        assert [await desk.stored(stream) for stream in ("CHAT", "SIGNUPS")] == [7, 1]

    @pytest.mark.parametrize("lines", [5, 1_200])
    async def test_the_same_again_is_known(self, desk: Desk, tmp_path: Path, lines: int) -> None:
        file = recording(tmp_path, *map(row, range(lines)))
        assert await desk.counts(file) == (lines, lines, 0, 0)
        assert await desk.counts(file) == (lines, 0, lines, 0)
        assert await desk.stored() == lines

    async def test_gzip_and_standard_input_are_read(self, desk: Desk, tmp_path: Path) -> None:
        packed = tmp_path / "chat.jsonl.gz"
        packed.write_bytes(gzip.compress(recording(tmp_path, *map(row, range(3))).read_bytes()))
        assert await desk.counts(packed) == (3, 3, 0, 0)
        process = await started(desk, "-")
        out, _ = await process.communicate(packed.read_bytes())
        assert out.decode().strip() == "read 3, accepted 0, duplicates 3, refused 0"

    async def test_rooms_find_the_groups_they_are_told(self, desk: Desk, tmp_path: Path) -> None:
        file = recording(tmp_path, row(1, room="VIP", room_id="x"))
        assert await desk.counts(file) == (1, 0, 0, 1)
        assert await desk.counts(file, "--group", "VIP=circle") == (1, 1, 0, 0)

    async def test_what_the_server_forgot_the_inboxes_know(self, desk: Desk, tmp_path: Path, postgres_dsn: str) -> None:
        # The server remembers ids for two minutes; here for a moment.
        stream: StreamConfig = (await desk.client.jetstream().stream_info(CHAT.name)).config
        await desk.client.jetstream().update_stream(stream.evolve(duplicate_window=0.1))
        file = recording(tmp_path, *map(row, range(20)))
        await desk.counts(file)
        await eventually(lambda: desk.counts(file), lambda counts: counts[1] == 20)
        settings = RuntimeSettings(
            nats_url=desk.url, postgres_dsn=postgres_dsn, data_dir=tmp_path, allow_unsafe_bus=True
        )
        service, app = build(settings)
        async with app.router.lifespan_context(app):
            await eventually(service.unready_because, lambda reasons: not reasons)
            await eventually(
                lambda: desk.client.jetstream().consumer_info("CHAT", "moderation-chat"),
                lambda info: info.num_pending == 0 and info.num_ack_pending == 0 and info.delivered.stream_seq >= 40,
            )
            async with service.store.connection() as connection:
                assert await connection.fetchval("SELECT sum(messages) FROM totals") == 20


class TestWrongLines:
    async def test_are_named_and_the_good_ones_go_out(self, desk: Desk, tmp_path: Path) -> None:
        later = (datetime.now(UTC) + timedelta(days=3)).isoformat()
        file = recording(tmp_path, row(1), "{", "", row(4, ts=later), row(5, room="Cellar", room_id="x"), row(6))
        answer = await desk.replay(file)
        assert answer.code == 1
        assert answer.out.strip() == "read 5, accepted 2, duplicates 0, refused 3"
        named = [line.split(": ")[:2] for line in answer.err.strip().splitlines()]
        assert named == [[f"{file}:2", "body"], [f"{file}:4", "ts"], [f"{file}:5", "room"]]

    async def test_stop_it_when_it_is_strict(self, desk: Desk, tmp_path: Path) -> None:
        file = recording(tmp_path, row(1), "{", row(3))
        answer = await desk.replay(file, "--strict")
        assert answer.code == 2
        assert f"{file}:2: " in answer.err
        assert "accepted 1, duplicates 0, refused 1" in answer.out
        assert await desk.stored() == 1


class TestCtrlC:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    async def test_stops_clean_and_counts(self, desk: Desk, tmp_path: Path, number: signal.Signals) -> None:
        # A second a day: the last line is not due while the test runs.
        file = recording(tmp_path, row(-900 * 86_400), row(1 - 900 * 86_400), row(2))
        process = await started(desk, file, "--speed", "86400")
        await eventually(desk.stored, lambda count: count == 2)
        process.send_signal(number)
        async with asyncio.timeout(10):
            out, err = await process.communicate()
        assert (process.returncode, err) == (1, b"")
        assert out.decode().splitlines()[0] == "read 3, accepted 2, duplicates 0, refused 0"
        assert "nothing counts twice" in out.decode()

    async def test_stops_it_while_a_pipe_is_silent(self, desk: Desk) -> None:
        process = await started(desk, "-")
        assert process.stdin is not None
        process.stdin.write(f"{row(1)}\n".encode())
        await eventually(desk.stored, lambda count: count == 1)
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(10):
            assert await process.wait() == 1


class TestMistakes:
    async def test_a_file_that_is_not_there(self, desk: Desk, tmp_path: Path) -> None:
        answer = await desk.replay(tmp_path / "none.jsonl")
        assert (answer.code, answer.out) == (2, "")
        assert "none.jsonl" in answer.err

    @pytest.mark.parametrize(
        "option", [("--speed", "0"), ("--speed", "nan"), ("--group", "VIP"), ("--community", "No")]
    )
    async def test_an_option_that_cannot_be_is_named(self, desk: Desk, option: tuple[str, str]) -> None:
        answer = await desk.replay(SAMPLE, *option)
        assert answer.code == 2
        assert option[0] in answer.err

    async def test_a_community_that_is_not_applied(self, desk: Desk) -> None:
        answer = await desk.replay(SAMPLE, "--community", "nobody")
        assert answer.code == 2
        assert "shequn apply" in answer.err

    async def test_chat_rows_of_several_communities_need_a_name(self, desk: Desk, tmp_path: Path) -> None:
        await Publisher(desk.client).publish([Outgoing.of(applied(small_definition("other")))])
        file = recording(tmp_path, row(1))
        assert "--community" in (await desk.replay(file)).err
        assert await desk.counts(file, "--community", CLUB.community) == (1, 1, 0, 0)

    async def test_a_bus_without_a_stack_says_how_to_start_one(self, nats_url: str) -> None:
        answer = await shequn("replay", SAMPLE, SHEQUN_NATS_URL=nats_url)
        assert answer.code == 2
        assert "./run up" in answer.err

    async def test_no_bus_at_all(self) -> None:
        answer = await shequn("replay", SAMPLE, SHEQUN_NATS_URL="nats://127.0.0.1:1")
        assert answer.code == 1
        assert "NATS is not reachable" in answer.err
        assert "Traceback" not in answer.err


async def started(desk: Desk, *arguments: str | Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "shequn.cli",
        "replay",
        *map(str, arguments),
        cwd=ROOT,
        env={**os.environ, "SHEQUN_NATS_URL": desk.url, "COLUMNS": "200"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )

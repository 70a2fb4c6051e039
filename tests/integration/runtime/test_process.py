"""A service as a process: signals, crashes, wrong settings."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import nats
import pytest

from shequn.local.ports import free_port
from shequn.runtime.bus import Outgoing, Publisher
from shequn.runtime.bus.streams import declare_streams
from tests.support.command import ROOT
from tests.support.events import applied, message, small_definition
from tests.support.waiting import eventually


@asynccontextmanager
async def toy(**environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.toy",
        cwd=ROOT,
        env={**os.environ, "SHEQUN_ALLOW_UNSAFE_BUS": "true", "SHEQUN_BATCH_SIZE": "50", **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
async def environment(nats_url: str, postgres_dsn: str, tmp_path: Path) -> dict[str, str]:
    return {
        "SHEQUN_NATS_URL": nats_url,
        "SHEQUN_POSTGRES_DSN": postgres_dsn,
        "SHEQUN_HTTP_PORT": str(free_port()),
        "SHEQUN_DATA_DIR": str(tmp_path),
    }


@pytest.fixture
async def client(nats_url: str) -> AsyncIterator[Any]:
    client = await nats.connect(nats_url)
    await declare_streams(client.jetstream())
    await Publisher(client).publish([Outgoing.of(applied(small_definition()))])
    yield client
    await client.close()


async def total(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT coalesce(sum(messages), 0) FROM toy.totals"))
    except asyncpg.UndefinedTableError:
        return 0
    finally:
        await connection.close()


async def get(environment: dict[str, str], path: str) -> tuple[int, str]:
    async with httpx2.AsyncClient(trust_env=False) as http:
        try:
            answer = await http.get(f"http://127.0.0.1:{environment['SHEQUN_HTTP_PORT']}{path}")
        except httpx2.HTTPError:
            return 0, ""
        return answer.status_code, answer.text


async def test_killed_again_and_again_it_still_folds_each_event_once(environment: dict[str, str], client: Any) -> None:
    events = [message(number, author=f"a{number % 5}") for number in range(3_000)]
    dsn = environment["SHEQUN_POSTGRES_DSN"]
    publishing = asyncio.create_task(Publisher(client).publish([Outgoing.of(event) for event in events]))
    for reached in (1, 600, 1_500):
        async with toy(**environment) as process:
            await eventually(lambda: total(dsn), lambda count, least=reached: count >= least, within=60)  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
            await process.wait()
    await publishing
    async with toy(**environment):
        # What the killed process held comes again after its ack wait of 30 s.
        await eventually(lambda: total(dsn), lambda count: count == 3_000, within=90)
        actions = lambda: client.jetstream().stream_info("ACTIONS")  # noqa: E731
        await eventually(actions, lambda info: info.state.messages == 3_000, within=30)


async def test_a_message_that_ends_the_process_is_buried_and_its_neighbours_are_folded(
    environment: dict[str, str], client: Any
) -> None:
    dsn = environment["SHEQUN_POSTGRES_DSN"]
    texts = ["die" if number == 10 else "hi" for number in range(120)]
    await Publisher(client).publish([Outgoing.of(message(number, text)) for number, text in enumerate(texts)])
    crashes = 0
    while await total(dsn) < 119:
        async with toy(**environment, TOY_ACK_SECONDS="1") as process:
            ended = asyncio.create_task(process.wait())
            folded = asyncio.create_task(eventually(lambda: total(dsn), lambda count: count == 119, within=60))
            await asyncio.wait([ended, folded], return_when=asyncio.FIRST_COMPLETED)
            crashes += process.returncode is not None
            folded.cancel()
    assert crashes > 3
    state = (await client.jetstream().stream_info("DEAD")).state
    letters = [await client.jetstream().get_msg("DEAD", number) for number in range(1, state.last_seq + 1)]
    assert [json.loads(letter.data)["reason"] for letter in letters] == ["exhausted"]
    assert [json.loads(letter.data)["sequence"] for letter in letters] == [11]


async def test_sigterm_ends_it_clean(environment: dict[str, str], client: Any) -> None:
    async with toy(**environment) as process:
        await eventually(lambda: get(environment, "/readyz"), lambda answer: answer[0] == 200)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), timeout=20) in {0, -signal.SIGTERM}


async def test_health_and_metrics_are_answered(environment: dict[str, str], client: Any) -> None:
    async with toy(**environment):
        await eventually(lambda: get(environment, "/readyz"), lambda answer: answer[0] == 200)
        assert (await get(environment, "/livez"))[0] == 200
        assert "shequn_ready 1.0" in (await get(environment, "/metrics"))[1]
        assert "toy" in (await get(environment, "/asyncapi.json"))[1]
        assert "<html" in (await get(environment, "/asyncapi"))[1]


async def test_without_a_bus_it_lives_and_says_that_it_is_not_ready(environment: dict[str, str]) -> None:
    async with toy(**environment | {"SHEQUN_NATS_URL": "nats://127.0.0.1:1"}):
        code, text = await eventually(lambda: get(environment, "/readyz"), lambda answer: answer[0] == 503)
        assert "starting" in text
        assert (await get(environment, "/livez"))[0] == 200
        assert code == 503


async def test_a_wrong_setting_ends_it_with_code_2_and_its_name() -> None:
    async with toy(SHEQUN_BATCH_SIZE="many") as process:
        _, error = await process.communicate()
    assert process.returncode == 2
    assert b"SHEQUN_BATCH_SIZE" in error


async def test_a_refused_password_ends_it_with_code_2(environment: dict[str, str]) -> None:
    dsn = environment["SHEQUN_POSTGRES_DSN"]
    wrong = dsn.replace(dsn.split(":")[2].split("@")[0], "wrong")
    async with toy(**environment | {"SHEQUN_POSTGRES_DSN": wrong}) as process:
        _, error = await asyncio.wait_for(process.communicate(), timeout=60)
    assert process.returncode == 2
    assert b"SHEQUN_POSTGRES_DSN" in error


async def test_a_nonsense_dsn_ends_it_with_code_2_and_shows_no_password(environment: dict[str, str]) -> None:
    async with toy(**environment | {"SHEQUN_POSTGRES_DSN": "postgresql://me:s3c/ret@db/shequn"}) as process:
        _, error = await asyncio.wait_for(process.communicate(), timeout=60)
    assert process.returncode == 2
    assert b"SHEQUN_POSTGRES_DSN is wrong" in error
    assert b"s3c" not in error
    assert b"Traceback" not in error

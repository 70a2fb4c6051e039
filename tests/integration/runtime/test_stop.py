"""A service stops in bounded time, whatever is away."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import pytest

from shequn.local.nats import NatsServer
from shequn.local.ports import free_port
from shequn.local.testing import running
from shequn.runtime.bus import Outgoing, Publisher
from shequn.runtime.settings import RuntimeSettings
from shequn.runtime.tasks import end_within
from tests.support.events import applied, message, small_definition
from tests.support.toy.service import build
from tests.support.waiting import eventually


@asynccontextmanager
async def frozen(process_id: int) -> AsyncIterator[None]:
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


async def test_a_bus_that_does_not_answer_holds_up_no_stop_and_loses_nothing(tmp_path: Path, postgres_dsn: str) -> None:
    server = NatsServer(tmp_path / "nats", free_port(), free_port())
    async with running(server.spec(), tmp_path / "nats.log") as process:
        settings = RuntimeSettings(
            nats_url=server.url, postgres_dsn=postgres_dsn, data_dir=tmp_path, allow_unsafe_bus=True, batch_size=50
        )
        service, app = build(settings)
        lifespan = app.router.lifespan_context(app)
        await lifespan.__aenter__()
        await eventually(service.unready_because, lambda reasons: not reasons)
        client = await nats.connect(server.url)
        await Publisher(client).publish([Outgoing.of(applied(small_definition()))])
        await Publisher(client).publish([Outgoing.of(message(number)) for number in range(300)])
        assert process.pid is not None
        async with frozen(process.pid), asyncio.timeout(40):
            await lifespan.__aexit__(None, None, None)
        again, app = build(settings)
        async with app.router.lifespan_context(app):
            await eventually(again.unready_because, lambda reasons: not reasons)
            await eventually(
                lambda: client.jetstream().consumer_info("CHAT", "moderation-chat"),
                lambda info: info.num_pending == 0 and info.num_ack_pending == 0,
                within=60,
            )
            async with again.store.connection() as connection:
                assert await connection.fetchval("SELECT sum(messages) FROM totals") == 300
        await client.close()


async def test_a_step_that_fails_is_logged_and_the_next_one_runs(capsys: pytest.CaptureFixture[str]) -> None:
    async def fails() -> None:
        raise ValueError("this step cannot be done")

    await end_within(1.0, "first", fails())
    assert "ValueError: this step cannot be done" in capsys.readouterr().out


async def test_a_step_that_hangs_is_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    await end_within(0.01, "first", asyncio.Event().wait())
    assert "cut off while stopping" in capsys.readouterr().out

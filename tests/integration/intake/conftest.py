"""Intake as a process on real servers."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import nats
import pytest

from shequn.adapters import RawRequest
from shequn.contracts.envelope import Envelope
from shequn.local import ProcessSpec, http_ok
from shequn.local.nats import NatsServer
from shequn.local.ports import free_port
from shequn.local.process import ManagedProcess
from shequn.local.testing import running
from shequn.runtime.bus import Outgoing, Publisher
from shequn.runtime.bus.streams import declare_streams
from shequn.runtime.store.engine import Store
from shequn.runtime.store.migrate import migrate
from tests.integration.intake.queues import Queue
from tests.support.events import applied
from tests.support.waiting import eventually
from tests.unit.intake.builders import ANN_ID, COMMUNITY, NOW, SECRET, book
from tests.unit.intake.test_stripe import SECRET as STRIPE_SECRET

CHANNELS = {
    "web": {"adapter": "generic", "secrets": [SECRET]},
    "form": {"adapter": "signup", "community": COMMUNITY, "secrets": [SECRET]},
    "pay": {"adapter": "stripe", "community": COMMUNITY, "secrets": [STRIPE_SECRET]},
}


class Bench:
    """Servers, intake's processes, and looks from outside."""

    def __init__(self, folder: Path, server: NatsServer, process: ManagedProcess, dsn: str) -> None:
        self.folder = folder
        self.server = server
        self.bus_process = process
        self.dsn = dsn
        self.client: Any = None
        self.url = ""
        self.log = folder / "intake.log"

    async def publish(self, events: Sequence[Envelope]) -> None:
        await Publisher(self.client).publish([Outgoing.of(event) for event in events])

    async def stored(self, stream: str) -> int:
        return int((await self.client.jetstream().stream_info(stream)).state.messages)

    async def read(self, stream: str) -> list[Any]:
        jetstream = self.client.jetstream()
        state = (await jetstream.stream_info(stream)).state
        found = [await jetstream.get_msg(stream, number) for number in range(1, state.last_seq + 1)]
        return [json.loads(message.data) for message in found]

    async def query(self, sql: str) -> Any:
        connection = await asyncpg.connect(self.dsn, server_settings={"search_path": "intake"})
        try:
            return await connection.fetchval(sql)
        except asyncpg.UndefinedTableError:
            return None
        finally:
            await connection.close()

    async def folded(self) -> int:
        """How many sign-ups the service has acknowledged."""
        info = await self.client.jetstream().consumer_info("SIGNUPS", "intake-identity-signups")
        return 0 if info.num_pending or info.num_ack_pending else int(info.delivered.stream_seq)

    def lines(self) -> list[dict[str, Any]]:
        file = self.folder / "data" / "actions.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    async def post(self, request: RawRequest, channel: str = "web") -> httpx2.Response:
        async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
            headers = dict(request.headers)
            return await client.post(f"{self.url}/hooks/{channel}", content=request.body, headers=headers)

    def freeze_bus(self) -> None:
        assert self.bus_process.pid is not None
        os.kill(self.bus_process.pid, signal.SIGSTOP)

    def thaw_bus(self) -> None:
        assert self.bus_process.pid is not None
        os.kill(self.bus_process.pid, signal.SIGCONT)

    @asynccontextmanager
    async def intake(self, **settings: str) -> AsyncIterator[ManagedProcess]:
        """Run intake from ready to the end of the block."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        spec = ProcessSpec(
            name="intake",
            argv=(sys.executable, "-m", "services.intake"),
            ready=http_ok(f"{self.url}/readyz"),
            env={
                "SHEQUN_NATS_URL": self.server.url,
                "SHEQUN_NATS_MONITOR_URL": self.server.monitor_url,
                "SHEQUN_POSTGRES_DSN": self.dsn,
                "SHEQUN_HTTP_PORT": str(port),
                "SHEQUN_DATA_DIR": str(self.folder / "data"),
                "SHEQUN_EXPORT_SECONDS": "0.2",
                "SHEQUN_INTAKE_CHANNELS": json.dumps(CHANNELS),
                "SHEQUN_INTAKE_ACK_SECONDS": "1",
                "PYTHONPATH": str(Path(__file__).parents[3]),
                **settings,
            },
        )
        async with running(spec, self.log) as process:
            yield process


@pytest.fixture
async def bench(tmp_path: Path, postgres_dsn: str) -> AsyncIterator[Bench]:
    server = NatsServer(tmp_path / "nats", free_port(), free_port())
    async with running(server.spec(), tmp_path / "nats.log") as process:
        bench = Bench(tmp_path, server, process, postgres_dsn)
        bench.client = await nats.connect(server.url)
        await declare_streams(bench.client.jetstream())
        await bench.publish([applied(definition) for definition in book().definitions])
        yield bench
        bench.thaw_bus()
        await bench.client.close()


@pytest.fixture
async def queue(postgres_dsn: str) -> AsyncIterator[Queue]:
    await migrate(postgres_dsn, "intake", "services.intake")
    pool = Store(postgres_dsn, "intake")
    await pool.open()
    queue = Queue(pool, postgres_dsn)
    async with pool.connection() as connection:
        await connection.execute("INSERT INTO accounts VALUES ('gitter', 'ann', $1, $2)", ANN_ID, NOW)
    yield queue
    for claims in queue.claims:
        await claims.close()
    await pool.close()


async def killed(process: ManagedProcess) -> None:
    """Kill a process as a power cut would, and wait for its end."""
    process.send_signal(signal.SIGKILL)
    await asyncio.wait_for(process.wait(), timeout=10)


__all__ = ["Bench", "eventually", "killed"]

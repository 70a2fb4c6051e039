"""The processes with the environment of the compose file, on a NATS server with its configuration."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import yaml

from shequn.local import ProcessSpec, http_ok
from shequn.local.applications import MODULES
from shequn.local.nats import nats_binary
from shequn.local.ports import free_port
from shequn.local.testing import running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICES = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
PASSWORD = "s3cret1word2"
# The worker asks Prefect, which the local stack's tests start.
PROCESSES = [name for name in MODULES if name != "worker"]


class Nats:
    """A server with deploy/nats/nats.conf: only ports and the folder are its own."""

    def __init__(self, folder: Path) -> None:
        self.port, self.monitor_port = free_port(), free_port()
        self.url = f"nats://shequn:{PASSWORD}@127.0.0.1:{self.port}"
        config = folder / "nats.conf"
        text = (DEPLOY / "nats" / "nats.conf").read_text(encoding="utf-8")
        config.write_text(text.replace('"/data"', f'"{folder}"'), encoding="utf-8")
        ports = ("-a", "127.0.0.1", "-p", str(self.port), "-m", str(self.monitor_port))
        self.spec = ProcessSpec(
            name="nats",
            argv=(str(nats_binary()), "--config", str(config), *ports),
            env={"SHEQUN_NATS_PASSWORD": PASSWORD},
            ready=http_ok(f"http://127.0.0.1:{self.monitor_port}/healthz"),
        )


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Nats]:
    made = Nats(tmp_path)
    async with running(made.spec, tmp_path / "nats.log"):
        yield made


async def test_the_bus_asks_for_the_password(server: Nats) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        assert b'"auth_required":true' in await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()


async def test_every_process_becomes_ready(server: Nats, postgres_dsn: str, tmp_path: Path) -> None:
    places = {
        r"nats://.*@nats:4222": server.url,
        r"http://nats:8222": f"http://127.0.0.1:{server.monitor_port}",
        r"postgresql://.*@postgres:5432/shequn": postgres_dsn,
        r"\$\{\w+:-(.*)\}": r"\1",
    }
    async with AsyncExitStack() as stack:
        starts = [
            stack.enter_async_context(running(process(name, places, tmp_path), tmp_path / f"{name}.log"))
            for name in PROCESSES
        ]
        # running() enters when GET /readyz answers 200: bus and store are there, and the bus loses nothing.
        started = await asyncio.gather(*starts)
        assert all(one.running for one in started)


def process(name: str, places: Mapping[str, str], folder: Path) -> ProcessSpec:
    """A service of the compose file on this machine."""
    service, port = SERVICES[name], free_port()
    environment = {}
    for variable, value in service["environment"].items():
        for place, here in places.items():
            value = re.sub(f"^{place}$", here, value)  # noqa: PLW2901
        environment[variable] = value
    module = service["build"]["args"]["SERVICE"]
    own = {"SHEQUN_HTTP_PORT": str(port), "SHEQUN_DATA_DIR": str(folder / name)}
    return ProcessSpec(
        name=name,
        argv=(sys.executable, "-m", module),
        env=environment | own,
        cwd=Path(__file__).parents[2],
        ready=http_ok(f"http://127.0.0.1:{port}/readyz"),
        ready_timeout=60.0,
        stop_timeout=20.0,
    )

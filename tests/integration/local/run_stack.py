"""Run a stack until a signal comes; run as a script: run_stack.py DATA_FOLDER."""

# ruff: noqa: T201 - the test that started it reads along

import asyncio
import sys
from pathlib import Path

from shequn.local import EndedBySignals, LocalSettings, LocalStack, LocalStackError, ProcessSpec, http_ok
from shequn.local.ports import free_port

SERVICE = str(Path(__file__).with_name("fake_service.py"))


async def main(folder: Path) -> None:
    port = free_port()
    service = ProcessSpec(
        name="service",
        argv=(sys.executable, "-I", SERVICE, "serve", str(port)),
        ready=http_ok(f"http://127.0.0.1:{port}/readyz"),
        depends_on=("nats", "postgres"),
        ports={"http": port},
    )
    settings = LocalSettings(data_dir=folder, nats_url=None, postgres_dsn=None, prefect=False)
    async with EndedBySignals(), LocalStack(settings, [service]) as stack:
        print("starting", flush=True)
        await stack.wait_ready()
        print("ready", flush=True)
        await stack.watch()


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1])))
    except LocalStackError as error:
        sys.exit(str(error))

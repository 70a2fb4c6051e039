"""The stack with real NATS and PostgreSQL servers."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import asyncpg
import nats
import psutil
import pytest

from shequn.local import LocalSettings, LocalStack, ProcessSpec, RestartPolicy, empty_folder, read_record
from shequn.local.errors import DataFolderError, PortTakenError, ProcessFailedError, SpecError, StackRunningError
from shequn.local.ports import is_free
from shequn.local.probes import http_live
from shequn.local.state import FolderLock
from shequn.local.testing import embedded_nats, embedded_postgres
from shequn.runtime.failures import ConfigError

Alive = Callable[[int], bool]
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]
MakeService = Callable[..., ProcessSpec]


def settings(folder: Path, **given: object) -> LocalSettings:
    servers = {"nats_url": None, "postgres_dsn": None, "prefect": False}
    return LocalSettings.model_validate({"data_dir": folder, **servers, **given})


class TestStack:
    async def test_leaves_no_process_port_or_record(self, tmp_path: Path, alive: Alive) -> None:
        async with LocalStack(settings(tmp_path)) as stack:
            await stack.wait_ready()
            pids = [process.pid for process in stack.processes.values()]
            ports = [port for one in stack.processes.values() for port in one.ports.values()]
            assert not any(map(is_free, ports))
        assert not any(alive(pid) for pid in pids if pid)
        assert all(map(is_free, ports))
        assert read_record(tmp_path) is None
        assert not (tmp_path / "stack.json").exists()

    async def test_tells_programs_where_its_servers_are(self, tmp_path: Path, make_service: MakeService) -> None:
        service = make_service("environment", "service", "nats", "postgres")
        async with LocalStack(settings(tmp_path), [service]) as stack:
            await stack.wait_ready()
            told = set((tmp_path / "logs" / "service.log").read_text().splitlines())
            assert f"SHEQUN_NATS_URL={stack.nats_url}" in told
            assert f"SHEQUN_POSTGRES_DSN={stack.postgres_dsn}" in told
            assert f"SHEQUN_DATA_DIR={tmp_path}" in told
            assert "SHEQUN_CLOCK=real" in told

    async def test_tells_other_terminals_where_it_is(self, tmp_path: Path, make_service: MakeService) -> None:
        async with LocalStack(settings(tmp_path), [make_service("serve", "service")]) as stack:
            await stack.wait_ready()
            record = read_record(tmp_path)
            assert record is not None
            assert record.nats_url == stack.nats_url
            assert record.processes["service"].pid == stack.processes["service"].pid
            assert (tmp_path / "stack.json").stat().st_mode & 0o077 == 0

    async def test_uses_servers_that_are_given(self, tmp_path: Path, make_service: MakeService) -> None:
        service = make_service("serve", "service", "nats", "postgres")
        async with embedded_nats(tmp_path / "a") as url, embedded_postgres(tmp_path / "a") as dsn:
            given = settings(tmp_path / "b", nats_url=url, postgres_dsn=dsn)
            async with LocalStack(given, [service]) as stack:
                await stack.wait_ready()
                assert list(stack.processes) == ["service"]
                assert (stack.nats_url, stack.postgres_dsn) == (url, dsn)

    async def test_listens_where_it_is_told(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
        async with LocalStack(settings(tmp_path, ports={"nats": port})) as stack:
            assert stack.nats_url == f"nats://127.0.0.1:{port}"

    async def test_can_be_ended_while_it_starts(self, tmp_path: Path, eventually: Eventually) -> None:
        others = set(psutil.Process().children(recursive=True))
        start = asyncio.create_task(LocalStack(settings(tmp_path)).start())
        await eventually((tmp_path / "postgres.new").exists)
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        assert set(psutil.Process().children(recursive=True)) <= others
        async with LocalStack(settings(tmp_path)) as stack:
            await stack.wait_ready()


class TestWatch:
    async def test_tells_who_keeps_crashing_and_who_is_stable_again(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        told: list[str] = []
        policy = RestartPolicy(first_delay=0.01, crashes=2, stable_after=1.0)
        service = make_service("serve", "service")
        async with LocalStack(settings(tmp_path), [service], policy=policy) as stack:
            watching = asyncio.create_task(stack.watch(told.append))
            for _ in range(policy.crashes):
                await crash(stack, "service", eventually)
            await eventually(lambda: len(told) == 2)
            watching.cancel()
        assert told[0].startswith("service is crashing: 2 crashes in a row")
        assert told[1] == "service is stable again"

    async def test_tells_who_was_ended_because_a_part_of_it_had(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        told: list[str] = []
        spec = make_service("broken", "service")
        service = replace(spec, live=http_live(f"http://127.0.0.1:{spec.ports['http']}/livez"))
        policy = RestartPolicy(first_delay=0.01, look_every=0.05)
        async with LocalStack(settings(tmp_path), [service], policy=policy) as stack:
            watching = asyncio.create_task(stack.watch(told.append))
            await eventually(lambda: len(told) == 1)
            watching.cancel()
        assert told == ["service is ended and started again: it said that outbox ended"]

    async def test_ends_with_the_server_that_keeps_crashing(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        policy = RestartPolicy(first_delay=0.01, crashes=2)
        async with LocalStack(settings(tmp_path), [make_service("serve", "service")], policy=policy) as stack:
            watching = asyncio.create_task(stack.watch())
            for _ in range(policy.crashes):
                await crash(stack, "nats", eventually)
            with pytest.raises(ProcessFailedError, match=r"nats failed: 2 crashes in a row .* was ended by SIGKILL"):
                await watching

    async def test_stops_whole_although_it_is_cancelled(self, tmp_path: Path, alive: Alive) -> None:
        stack = LocalStack(settings(tmp_path))
        await stack.start()
        pids = [process.pid for process in stack.processes.values()]
        stopping = asyncio.create_task(stack.stop())
        await asyncio.sleep(0)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        assert not any(alive(pid) for pid in pids if pid)
        assert "database system is shut down" in (tmp_path / "logs" / "postgres.log").read_text()


class TestEmptyFolder:
    async def test_empties_what_it_marked_before(self, tmp_path: Path) -> None:
        await empty_folder(tmp_path / "a", "mine", "no")
        (tmp_path / "a" / "sub").mkdir()
        (tmp_path / "a" / "sub" / "file").touch()
        await empty_folder(tmp_path / "a", "mine", "no")
        assert names_in(tmp_path / "a") == {"mine", "stack.lock"}

    async def test_leaves_alone_what_has_no_mark(self, tmp_path: Path) -> None:
        (tmp_path / "precious").touch()
        with pytest.raises(ConfigError, match="not mine"):
            await empty_folder(tmp_path, "mine", "not mine")
        assert names_in(tmp_path) == {"precious"}

    async def test_takes_no_folder_for_a_mark(self, tmp_path: Path) -> None:
        (tmp_path / "mine").mkdir()
        with pytest.raises(ConfigError, match="not mine"):
            await empty_folder(tmp_path, "mine", "not mine")

    async def test_leaves_alone_what_a_starting_stack_has_locked(self, tmp_path: Path) -> None:
        await empty_folder(tmp_path, "mine", "no")
        (tmp_path / "data").touch()
        lock = await FolderLock.take(tmp_path)
        with pytest.raises(StackRunningError, match=f"in use by a running stack \\(process {os.getpid()}\\)"):
            await empty_folder(tmp_path, "mine", "no")
        lock.release()
        assert (tmp_path / "data").exists()


class TestRefusal:
    async def test_of_a_taken_port_names_port_and_setting(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            stack = LocalStack(settings(tmp_path, ports={"nats": port}))
            with pytest.raises(PortTakenError, match=rf"port {port} .* SHEQUN_PORTS__NATS "):
                await stack.start()

    async def test_of_a_port_nobody_has(self, tmp_path: Path) -> None:
        stack = LocalStack(settings(tmp_path, ports={"gnats": 4222}))
        with pytest.raises(SpecError, match="no process has a port called gnats"):
            await stack.start()

    async def test_of_a_folder_that_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "data").touch()
        stack = LocalStack(settings(tmp_path / "data"))
        with pytest.raises(DataFolderError, match="SHEQUN_DATA_DIR"):
            await stack.start()

    async def test_of_a_folder_in_use(self, tmp_path: Path) -> None:
        async with LocalStack(settings(tmp_path)) as first:
            with pytest.raises(StackRunningError, match="in use by a running stack"):
                await LocalStack(settings(tmp_path)).start()
            assert read_record(tmp_path) is not None
            assert first.processes["nats"].pid is not None

    async def test_gives_the_folder_back(self, tmp_path: Path) -> None:
        with pytest.raises(SpecError):
            await LocalStack(settings(tmp_path, ports={"gnats": 4222})).start()
        async with LocalStack(settings(tmp_path)):
            pass


class TestNats:
    async def test_keeps_what_it_acknowledged_when_killed(self, tmp_path: Path) -> None:
        async with LocalStack(settings(tmp_path)) as stack:
            client = await nats.connect(stack.nats_url)
            jetstream = client.jetstream()
            await jetstream.add_stream(name="CHAT", subjects=["chat"])
            for number in range(100):
                await jetstream.publish("chat", str(number).encode())
            stack.kill("nats")
            await client.close()
            await stack.wait_ready()
            client = await nats.connect(stack.nats_url)
            info = await client.jetstream().stream_info("CHAT")
            await client.close()
            assert info.state.messages == 100
            assert stack.restarts("nats") == 1


class TestPostgres:
    async def test_keeps_data_across_stacks(self, tmp_path: Path) -> None:
        async with LocalStack(settings(tmp_path)) as stack:
            await execute(stack, "CREATE TABLE note AS SELECT '社群' AS text")
        async with LocalStack(settings(tmp_path)) as stack:
            assert await fetch(stack, "SELECT text FROM note") == "社群"

    async def test_keeps_what_was_committed_when_killed(self, tmp_path: Path) -> None:
        async with LocalStack(settings(tmp_path)) as stack:
            await execute(stack, "CREATE TABLE note AS SELECT 7 AS number")
            stack.kill("postgres")
            await stack.wait_ready()
            assert await fetch(stack, "SELECT number FROM note") == 7

    async def test_syncs_commits_to_disk(self, tmp_path: Path) -> None:
        async with LocalStack(settings(tmp_path)) as stack:
            assert await fetch(stack, "SHOW fsync") == "on"
            assert await fetch(stack, "SHOW synchronous_commit") == "on"

    async def test_lets_nobody_in_without_the_password(self, tmp_path: Path) -> None:
        async with LocalStack(settings(tmp_path)) as stack:
            wrong = stack.postgres_dsn.replace(":", ":wrong-", 2).replace(":wrong-", ":", 1)
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(wrong)
        assert (tmp_path / "postgres.password").stat().st_mode & 0o077 == 0


async def crash(stack: LocalStack, name: str, eventually: Eventually) -> None:
    """End a process as a fault of its own would, and wait for the answer."""
    await stack.wait_ready(name)
    process = stack.processes[name]
    restarts = process.restarts
    os.kill(process.pid or 0, signal.SIGKILL)
    await eventually(lambda: process.restarts > restarts or process.failure is not None)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def execute(stack: LocalStack, statement: str) -> None:
    connection = await asyncpg.connect(stack.postgres_dsn)
    await connection.execute(statement)
    await connection.close()


async def fetch(stack: LocalStack, query: str) -> object:
    connection = await asyncpg.connect(stack.postgres_dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()

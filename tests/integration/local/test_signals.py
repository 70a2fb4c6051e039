"""A stack in a process of its own: signals, sudden death, other users."""

import asyncio
import os
import pwd
import signal
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shequn.local import LocalSettings, LocalStack, StackRecord, read_record
from shequn.local.identity import Identity
from shequn.local.ports import is_free
from shequn.local.process import launch_argv

Alive = Callable[[int], bool]
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]

SCRIPT = str(Path(__file__).with_name("run_stack.py"))
ROOT = str(Path(__file__).parents[3])
CAP_DAC_READ_SEARCH = 2


@asynccontextmanager
async def stack_process(folder: Path, identity: Identity | None = None) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *launch_argv((sys.executable, SCRIPT, str(folder)), identity),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until_ready(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    assert process.stderr is not None
    lines = [await process.stdout.readline() for _ in range(2)]
    assert lines == [b"starting\n", b"ready\n"], (await process.stderr.read()).decode()


def record_of(folder: Path) -> StackRecord:
    record = read_record(folder)
    assert record is not None
    return record


def pids(record: StackRecord) -> list[int]:
    return [process.pid for process in record.processes.values() if process.pid]


def ports(record: StackRecord) -> list[int]:
    return [port for process in record.processes.values() for port in process.ports.values()]


class TestASignal:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_stops_everything_clean(self, tmp_path: Path, alive: Alive, number: signal.Signals) -> None:
        async with stack_process(tmp_path) as process:
            await until_ready(process)
            record = record_of(tmp_path)
            assert len(pids(record)) == 3
            process.send_signal(number)
            assert await process.wait() == 0
        assert not any(map(alive, pids(record)))
        assert all(map(is_free, ports(record)))
        assert not (tmp_path / "stack.json").exists()
        assert "database system is shut down" in (tmp_path / "logs" / "postgres.log").read_text()

    async def test_ends_a_stack_that_is_still_starting(self, tmp_path: Path) -> None:
        async with stack_process(tmp_path) as process:
            assert process.stdout is not None
            await process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
        assert not (tmp_path / "stack.json").exists()


@pytest.mark.parametrize("numbers", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT, signal.SIGTERM)])
class TestSignalsInQuickSuccession:
    """As `timeout` sends them, or an impatient Ctrl-C."""

    async def test_stop_a_running_stack_clean(
        self, tmp_path: Path, alive: Alive, numbers: tuple[signal.Signals, ...]
    ) -> None:
        async with stack_process(tmp_path) as process:
            await until_ready(process)
            record = record_of(tmp_path)
            for number in numbers:
                process.send_signal(number)
            assert await process.wait() == 0
            assert process.stderr is not None
            assert await process.stderr.read() == b""
        assert not any(map(alive, pids(record)))
        assert "database system is shut down" in (tmp_path / "logs" / "postgres.log").read_text()

    async def test_stop_a_stack_that_is_still_starting(
        self, tmp_path: Path, numbers: tuple[signal.Signals, ...], eventually: Eventually
    ) -> None:
        async with stack_process(tmp_path) as process:
            await eventually((tmp_path / "stack.lock").exists)
            for number in numbers:
                process.send_signal(number)
            assert await process.wait() == 0
            assert process.stderr is not None
            assert await process.stderr.read() == b""
        assert not (tmp_path / "stack.json").exists()

    async def test_do_not_break_the_stop(
        self, tmp_path: Path, alive: Alive, numbers: tuple[signal.Signals, ...], eventually: Eventually
    ) -> None:
        async with stack_process(tmp_path) as process:
            await until_ready(process)
            record = record_of(tmp_path)
            process.send_signal(numbers[0])
            await eventually(lambda: record_of(tmp_path).processes["service"].state == "stopped")
            for number in numbers:
                process.send_signal(number)
            assert await process.wait() == 0
        assert not any(map(alive, pids(record)))
        assert "database system is shut down" in (tmp_path / "logs" / "postgres.log").read_text()


class TestSuddenDeath:
    async def test_takes_every_process_along(self, tmp_path: Path, alive: Alive, eventually: Eventually) -> None:
        async with stack_process(tmp_path) as process:
            await until_ready(process)
            record = record_of(tmp_path)
            process.kill()
            await process.wait()
            await eventually(lambda: not any(map(alive, pids(record))))
            await eventually(lambda: all(map(is_free, ports(record))))

    async def test_leaves_a_folder_that_starts_again(self, tmp_path: Path) -> None:
        async with stack_process(tmp_path) as process:
            await until_ready(process)
            process.kill()
            await process.wait()
        assert read_record(tmp_path) is None
        settings = LocalSettings(data_dir=tmp_path, nats_url=None, postgres_dsn=None, prefect=False)
        async with LocalStack(settings) as stack:
            await stack.wait_ready()


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: all other tests ran as an ordinary user")
class TestAnOrdinaryUser:
    async def test_runs_the_stack_too(self, tmp_path: Path) -> None:
        nobody = pwd.getpwnam("nobody")
        folder = tmp_path / "data"
        folder.mkdir()
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        # Under /root, Python itself is closed to others: the right to pass folders opens it.
        identity = Identity(nobody.pw_uid, nobody.pw_gid, CAP_DAC_READ_SEARCH)
        async with stack_process(folder, identity) as process:
            await until_ready(process)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
        owners = {path.stat().st_uid for path in (folder, *folder.rglob("*"))}
        assert owners == {nobody.pw_uid}
        assert stat.S_IMODE((folder / "postgres").stat().st_mode) == 0o700

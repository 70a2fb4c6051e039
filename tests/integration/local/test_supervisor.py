"""Supervision of real processes: start, crash, restart, failure, stop."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from shequn.local.errors import ProcessFailedError, UnknownProcessError
from shequn.local.ports import is_free
from shequn.local.restarts import RestartPolicy
from shequn.local.spec import ProcessSpec
from shequn.local.supervised import ProcessState
from shequn.local.supervisor import Supervisor

Alive = Callable[[int], bool]
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]
MakeService = Callable[..., ProcessSpec]

QUICK = RestartPolicy(first_delay=0.01, longest_delay=0.05, crashes=3)


@asynccontextmanager
async def supervised(folder: Path, *specs: ProcessSpec) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(specs, logs=folder, policy=QUICK)
    supervisor.start()
    try:
        yield supervisor
    finally:
        await supervisor.stop()


def pid_of(supervisor: Supervisor, name: str) -> int:
    pid = supervisor[name].pid
    assert pid is not None
    return pid


class TestStarting:
    async def test_waits_for_what_a_process_needs(self, tmp_path: Path, make_service: MakeService) -> None:
        started: list[str] = []

        def noting(spec: ProcessSpec) -> ProcessSpec:
            async def note() -> None:
                started.append(spec.name)

            return replace(spec, prepare=note, after_ready=note)

        later = noting(make_service("serve", "later", "earlier"))
        earlier = noting(make_service("serve", "earlier"))
        async with supervised(tmp_path, later, earlier) as supervisor:
            await supervisor.wait_ready()
        assert started == ["earlier", "earlier", "later", "later"]

    async def test_writes_output_to_the_log(self, tmp_path: Path, make_service: MakeService) -> None:
        async with supervised(tmp_path, make_service("family", "a")) as supervisor:
            await supervisor.wait_ready()
        assert (tmp_path / "a.log").read_text().startswith("child ")

    async def test_names_the_processes_it_has_when_asked_for_another(
        self, tmp_path: Path, make_service: MakeService
    ) -> None:
        async with supervised(tmp_path, make_service("serve", "a")) as supervisor:
            with pytest.raises(UnknownProcessError, match="no process 'b'; it has a"):
                await supervisor.wait_ready(["b"])


class TestStopping:
    async def test_leaves_no_process_and_no_port(self, tmp_path: Path, make_service: MakeService, alive: Alive) -> None:
        specs = [make_service("serve", "a"), make_service("serve", "b", "a")]
        async with supervised(tmp_path, *specs) as supervisor:
            await supervisor.wait_ready()
            pids = [pid_of(supervisor, name) for name in ("a", "b")]
            assert all(map(alive, pids))
        assert not any(map(alive, pids))
        assert all(is_free(spec.ports["http"]) for spec in specs)

    async def test_ends_children_of_a_process_too(
        self, tmp_path: Path, make_service: MakeService, alive: Alive, eventually: Eventually
    ) -> None:
        async with supervised(tmp_path, make_service("family", "a")) as supervisor:
            await supervisor.wait_ready()
            child = int((tmp_path / "a.log").read_text().split()[1])
            assert alive(child)
        await eventually(lambda: not alive(child))

    async def test_kills_a_process_that_ignores_the_signal(
        self, tmp_path: Path, make_service: MakeService, alive: Alive
    ) -> None:
        spec = make_service("stubborn", "a", stop_timeout=0.1)
        async with supervised(tmp_path, spec) as supervisor:
            await supervisor.wait_ready()
            pid = pid_of(supervisor, "a")
        assert not alive(pid)

    async def test_goes_in_reverse_order(self, tmp_path: Path, make_service: MakeService) -> None:
        ends: list[str] = []
        specs = [make_service("serve", "a"), make_service("serve", "b", "a")]
        supervisor = Supervisor(specs, logs=tmp_path, changed=lambda: ends.extend(stopped()))

        def stopped() -> list[str]:
            every = supervisor.processes.values()
            ended = [one.name for one in every if one.state is ProcessState.STOPPED]
            return [name for name in ended if name not in ends]

        supervisor.start()
        await supervisor.wait_ready()
        await supervisor.stop()
        assert ends == ["b", "a"]

    async def test_works_while_a_process_is_starting(self, tmp_path: Path, make_service: MakeService) -> None:
        async def never() -> bool:
            return False

        spec = replace(make_service("serve", "a"), ready=never)
        async with supervised(tmp_path, spec) as supervisor:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(supervisor.wait_ready(), timeout=0.2)
        assert supervisor["a"].state is ProcessState.STOPPED


class TestCrash:
    async def test_brings_a_new_process(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        async with supervised(tmp_path, make_service("serve", "a")) as supervisor:
            await supervisor.wait_ready()
            old = pid_of(supervisor, "a")
            os.kill(old, signal.SIGKILL)
            await eventually(lambda: supervisor["a"].restarts == 1)
            await supervisor.wait_ready()
            assert pid_of(supervisor, "a") != old

    async def test_ends_children_the_process_left(
        self, tmp_path: Path, make_service: MakeService, alive: Alive, eventually: Eventually
    ) -> None:
        async with supervised(tmp_path, make_service("family", "a")) as supervisor:
            await supervisor.wait_ready()
            child = int((tmp_path / "a.log").read_text().split()[1])
            supervisor.kill("a")
            await eventually(lambda: not alive(child))

    async def test_asked_for_is_not_held_against_the_process(self, tmp_path: Path, make_service: MakeService) -> None:
        async with supervised(tmp_path, make_service("serve", "a")) as supervisor:
            for _ in range(QUICK.crashes + 1):
                await supervisor.wait_ready()
                supervisor.kill("a")
            await supervisor.wait_ready()
            assert supervisor["a"].restarts == QUICK.crashes + 1


class TestFailure:
    async def test_is_told_with_the_end_of_the_log(self, tmp_path: Path, make_service: MakeService) -> None:
        async with supervised(tmp_path, make_service("crash", "a")) as supervisor:
            with pytest.raises(ProcessFailedError) as caught:
                await supervisor.wait_ready()
        assert caught.value.log_tail == [f"crash line {number}" for number in range(10, 30)]
        assert "a failed: 3 crashes in a row, at last: a exited with status 3" in str(caught.value)

    async def test_leaves_the_other_processes_running(self, tmp_path: Path, make_service: MakeService) -> None:
        specs = [make_service("crash", "bad"), make_service("serve", "good")]
        async with supervised(tmp_path, *specs) as supervisor:
            assert "bad failed" in str(await supervisor.wait_failed())
            assert supervisor["bad"].state is ProcessState.FAILED
            await supervisor["good"].ready.wait()

    async def test_of_a_step_is_told_and_not_waited_for_forever(
        self, tmp_path: Path, make_service: MakeService
    ) -> None:
        async def broken() -> None:
            msg = "the disk is full"
            raise RuntimeError(msg)

        spec = replace(make_service("serve", "a"), after_ready=broken)
        async with supervised(tmp_path, spec) as supervisor:
            with pytest.raises(ProcessFailedError, match="RuntimeError: the disk is full"):
                await supervisor.wait_ready()

    async def test_of_a_process_that_is_never_ready(self, tmp_path: Path, make_service: MakeService) -> None:
        async def never() -> bool:
            return False

        spec = replace(make_service("serve", "a"), ready=never, ready_timeout=0.1)
        async with supervised(tmp_path, spec) as supervisor:
            with pytest.raises(ProcessFailedError, match=r"a was not ready within 0\.1 s"):
                await supervisor.wait_ready()

    async def test_of_a_program_that_does_not_exist(self, tmp_path: Path, make_service: MakeService) -> None:
        spec = replace(make_service("serve", "a"), argv=("/no/such/program",))
        async with supervised(tmp_path, spec) as supervisor:
            with pytest.raises(ProcessFailedError, match="No such file or directory"):
                await supervisor.wait_ready()

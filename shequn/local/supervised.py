"""The life of one supervised process: waits for its needs, starts, restarts, fails, stops."""

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from .errors import (
    LocalStackError,
    ProcessExitedError,
    ProcessFailedError,
    ProcessNotReadyError,
)
from .logs import tail
from .process import ManagedProcess, describe_ending
from .restarts import CrashHistory, RestartPolicy
from .spec import ProcessSpec

_ENDING_SIGNALS = frozenset(
    {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT, signal.SIGHUP}
)


class ProcessState(StrEnum):
    """Where a supervised process is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    CRASHED = "crashed"
    FAILED = "failed"
    STOPPED = "stopped"


class SupervisedProcess:
    """Keeps one process alive.

    Args:
        spec: what to run.
        log: file of its output.
        policy: how crashes are answered.
        needs: processes that must be ready before the first start.
        changed: called after every change of state.

    Attributes:
        state: where it is in its life.
        ready: set while it can work.
        restarts: how often it was started again.
        failure: why it was given up.
    """

    def __init__(
        self,
        spec: ProcessSpec,
        log: Path,
        policy: RestartPolicy,
        needs: Sequence["SupervisedProcess"],
        changed: Callable[["SupervisedProcess"], None],
    ) -> None:
        """Keep what to run; `start` begins."""
        self.spec = spec
        self.log = log
        self.state = ProcessState.WAITING
        self.ready = asyncio.Event()
        self.restarts = 0
        self.failure: LocalStackError | None = None
        self._process = ManagedProcess(spec, log)
        self._policy = policy
        self._history = CrashHistory(policy)
        self._needs = needs
        self._changed = changed
        self._kill_asked = False
        self._ready_since: float | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """Its name in the stack."""
        return self.spec.name

    @property
    def pid(self) -> int | None:
        """Process id, or None while there is no process."""
        return self._process.pid

    @property
    def ports(self) -> Mapping[str, int]:
        """The TCP ports it listens on, by use."""
        return self.spec.ports

    def start(self) -> None:
        """Begin to supervise; returns at once."""
        self._task = asyncio.create_task(self._supervise(), name=f"supervise {self.name}")

    async def stop(self) -> None:
        """Stop supervising and end the process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._process.stop()
        self.ready.clear()
        if self.state is not ProcessState.FAILED:
            self._enter(ProcessState.STOPPED)

    def kill(self, number: signal.Signals) -> None:
        """Send a signal, as a test of crashes does.

        An ending signal makes the process count as not ready from now; the crash is answered
        with a restart after the shortest delay and is not held against the process.
        """
        if self.pid is not None and number in _ENDING_SIGNALS:
            self._kill_asked = True
            self.ready.clear()
        if self.pid is not None:
            self._process.send_signal(number)

    async def _supervise(self) -> None:
        try:
            for need in self._needs:
                await need.ready.wait()
            while (delay := self._delay_after(await self._live())) is not None:
                await asyncio.sleep(delay)
                self.restarts += 1
        except LocalStackError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            reason = f"{type(error).__name__}: {error}"
            self._fail(ProcessFailedError(self.name, reason, self.log, tail(self.log)))

    async def _live(self) -> str:
        """Run the process from start to end; how it ended, in words."""
        self._enter(ProcessState.STARTING)
        self._ready_since = None
        await self.spec.prepare()
        await self._process.start()
        try:
            await self._process.wait_ready()
        except (ProcessExitedError, ProcessNotReadyError) as error:
            await self._process.stop()
            return str(error)
        await self.spec.after_ready()
        self._ready_since = asyncio.get_running_loop().time()
        self.ready.set()
        self._enter(ProcessState.READY)
        status = await self._process.wait()
        self.ready.clear()
        await self._process.stop()
        return f"it {describe_ending(status)}"

    def _delay_after(self, ending: str) -> float | None:
        """Seconds until the restart; None when the process has failed."""
        if self._kill_asked:
            self._kill_asked = False
            self._enter(ProcessState.CRASHED)
            return self._policy.first_delay
        now = asyncio.get_running_loop().time()
        ready_seconds = 0.0 if self._ready_since is None else now - self._ready_since
        delay = self._history.record(now, ready_seconds)
        if delay is None:
            reason = f"{self._policy.crashes} crashes in a row, at last: {ending}"
            self._fail(ProcessFailedError(self.name, reason, self.log, tail(self.log)))
        else:
            self._enter(ProcessState.CRASHED)
        return delay

    def _fail(self, error: LocalStackError) -> None:
        self.failure = error
        self._enter(ProcessState.FAILED)

    def _enter(self, state: ProcessState) -> None:
        self.state = state
        self._changed(self)

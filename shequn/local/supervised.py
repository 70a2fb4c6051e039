"""The life of one supervised process: waits for its needs, starts, restarts, fails, stops."""

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from .errors import LocalStackError, ProcessExitedError, ProcessFailedError, ProcessNotReadyError, log_quote
from .liveness import ended_or_ailing
from .process import ManagedProcess
from .restarts import CrashHistory, RestartPolicy
from .spec import WRONG_INPUT, Ailment, ProcessSpec

_ENDING_SIGNALS = frozenset(
    {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT, signal.SIGHUP}
)


class ProcessState(StrEnum):
    """Where a supervised process is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    CRASHED = "crashed"
    CRASHING = "crashing"
    FAILED = "failed"
    STOPPED = "stopped"


class SupervisedProcess:
    """Keeps one process alive.

    A process that keeps crashing is given up when it is essential or never was ready. Any other
    is started again and again, with pauses that grow, while the rest of the stack works on.

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
        trouble: for people: how it keeps crashing; None while it does not.
        failure: why it was given up.
        illness: for people: why it was ended although it ran; None once it is ready again.
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
        self.trouble: str | None = None
        self.failure: LocalStackError | None = None
        self.illness: str | None = None
        self._process = ManagedProcess(spec, log)
        self._policy = policy
        self._history = CrashHistory(policy)
        self._needs = needs
        self._changed = changed
        self._kill_asked = False
        self._frozen = False
        self._ready_since: float | None = None
        self._was_ready = False
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
        with a restart after the shortest delay and is not held against the process. Between SIGSTOP
        and SIGCONT nobody expects the process to answer.
        """
        if number in {signal.SIGSTOP, signal.SIGCONT}:
            self._frozen = number is signal.SIGSTOP
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
            self._fail(self._given_up(f"{type(error).__name__}: {error}"))

    async def _live(self) -> str:
        """Run the process from start to end; how it ended, in words."""
        self._enter(ProcessState.STARTING)
        self._ready_since = None
        self._frozen = False
        try:
            await self._get_ready()
        except Exception as error:
            await self._process.stop()
            if self._is_set_up_wrong(error):
                raise self._given_up(str(error)) from error
            if self._vital and not isinstance(error, (ProcessExitedError, ProcessNotReadyError)):
                raise
            return str(error) if isinstance(error, LocalStackError) else f"{type(error).__name__}: {error}"
        ending = await self._end_of_life()
        self.ready.clear()
        await self._process.stop()
        return ending

    def _is_set_up_wrong(self, error: Exception) -> bool:
        """Whether a service said by its exit status that a setting or file is wrong: a second start ends alike."""
        said = isinstance(error, ProcessExitedError) and error.status == WRONG_INPUT
        return said and not self._was_ready and not self.spec.essential

    async def _get_ready(self) -> None:
        await self.spec.prepare()
        await self._process.start()
        await self._process.wait_ready()
        await self.spec.after_ready()
        self._ready_since = asyncio.get_running_loop().time()
        self._was_ready = True
        self.illness = None
        self.ready.set()
        self._enter(ProcessState.READY)

    async def _end_of_life(self) -> str:
        """Wait for the end; on the way, note that the process is stable again."""
        life = asyncio.create_task(ended_or_ailing(self._process, self._look, self._policy))
        try:
            if self.trouble is not None:
                await asyncio.wait({life}, timeout=self._policy.stable_after)
                if not life.done():
                    self._history.forget()
                    self.trouble = None
                    self._enter(ProcessState.READY)
            ending = await life
        finally:
            life.cancel()
        if self._process.running:
            self.illness = f"{self.name} is ended and started again: {ending}"
        return ending

    async def _look(self) -> Ailment | None:
        if self.spec.live is None or self._frozen or self._kill_asked:
            return None
        return await self.spec.live()

    def _delay_after(self, ending: str) -> float | None:
        """Seconds until the restart; None when the process has failed."""
        if self._kill_asked:
            self._kill_asked = False
            self._enter(ProcessState.CRASHED)
            return self._policy.first_delay
        now = asyncio.get_running_loop().time()
        ready_seconds = 0.0 if self._ready_since is None else now - self._ready_since
        delay = self._history.record(now, ready_seconds)
        if not self._history.crashing:
            self._enter(ProcessState.CRASHED)
            return delay
        reason = f"{self._history}, at last: {ending}"
        if self._vital:
            self._fail(self._given_up(reason))
            return None
        quote = f" {log_quote(self.log, self._process.log_tail())}" if self.trouble is None else ""
        self.trouble = f"{self.name} is crashing: {reason}. It is started again in {delay:.0f} s.{quote}"
        self._enter(ProcessState.CRASHING)
        return delay

    @property
    def _vital(self) -> bool:
        """Whether the stack ends when this process keeps crashing."""
        return self.spec.essential or not self._was_ready

    def _given_up(self, reason: str) -> ProcessFailedError:
        return ProcessFailedError(self.name, reason, self.log, self._process.log_tail())

    def _fail(self, error: LocalStackError) -> None:
        self.failure = error
        self._enter(ProcessState.FAILED)

    def _enter(self, state: ProcessState) -> None:
        self.state = state
        self._changed(self)

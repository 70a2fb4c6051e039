"""One child process: start, readiness, stop."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from .errors import ProcessExitedError, ProcessNotReadyError
from .identity import Identity
from .logs import open_log, tail
from .spec import ProcessSpec

_LAUNCHER = str(Path(__file__).with_name("launch.py"))
_FIRST_POLL_SECONDS = 0.01
_LONGEST_POLL_SECONDS = 0.1


def launch_argv(
    argv: tuple[str, ...],
    run_as: Identity | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> list[str]:
    """The command that runs `argv` so that it dies with this process, as user `run_as`.

    The kernel ties the child to the *thread* that starts it: run the loop in one that stays.
    """
    user = [-1, -1, -1]
    if run_as is not None:
        kept = -1 if run_as.capability is None else run_as.capability
        user = [run_as.uid, run_as.gid, kept]
    numbers = [os.getpid(), int(death_signal), *user]
    return [sys.executable, "-I", "-S", _LAUNCHER, *map(str, numbers), "--", *argv]


class ManagedProcess:
    """A child in a process group of its own, with its output in a log file.

    Args:
        spec: what to run.
        log: file that gets stdout and stderr.
    """

    def __init__(self, spec: ProcessSpec, log: Path) -> None:
        """Keep what to run; `start` runs it."""
        self.spec = spec
        self.log = log
        self._process: asyncio.subprocess.Process | None = None
        self._log_start: int | None = None

    @property
    def pid(self) -> int | None:
        """Process id while the process lives, else None."""
        return self._process.pid if self._process and self.running else None

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the process; returns at once.

        Raises:
            OSError: the log file cannot be opened, or no process made.
        """
        spec = self.spec
        with open_log(self.log) as sink:
            self._log_start = sink.tell()
            self._process = await asyncio.create_subprocess_exec(
                *launch_argv(spec.argv, spec.run_as, spec.death_signal),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **spec.env},
                cwd=spec.cwd,
                start_new_session=True,
            )

    async def wait_ready(self) -> None:
        """Wait until the probe passes.

        Raises:
            ProcessExitedError: it ended first.
            ProcessNotReadyError: `ready_timeout` seconds passed. It still runs.
        """
        ending = asyncio.ensure_future(self.wait())
        try:
            async with asyncio.timeout(self.spec.ready_timeout):
                await self._poll(ending)
        except TimeoutError:
            raise ProcessNotReadyError(self.spec.name, self.spec.ready_timeout) from None
        finally:
            ending.cancel()

    async def _poll(self, ending: asyncio.Future[int]) -> None:
        pause = _FIRST_POLL_SECONDS
        while not ending.done():
            # After the probe, ask again: another program may have answered in its place.
            if await self.spec.ready() and self.running:
                return
            await asyncio.wait({ending}, timeout=pause)
            pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
        raise ProcessExitedError(self.spec.name, describe_ending(ending.result()), ending.result())

    async def wait(self) -> int:
        """Wait for the end; the exit status, or minus the signal that ended it."""
        return await self._started.wait()

    def log_tail(self) -> list[str]:
        """The last lines that it wrote since its last start, oldest first."""
        return [] if self._log_start is None else tail(self.log, since=self._log_start)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process alone; nothing happens when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._started.send_signal(number)

    async def stop(self) -> None:
        """End the process and its group: stop signal, `stop_timeout` seconds, then SIGKILL."""
        if self._process is None:
            return
        if self.running:
            self._signal_group(self.spec.stop_signal)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wait(), self.spec.stop_timeout)
        self._signal_group(signal.SIGKILL)  # also sweeps what the leader left behind
        await self.wait()

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._started.pid, number)

    @property
    def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            msg = f"{self.spec.name} was not started"
            raise RuntimeError(msg)
        return self._process


def describe_ending(status: int) -> str:
    """An exit status in words: `exited with status 3`, `was ended by SIGKILL`."""
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:  # a real-time signal
        return f"was ended by signal {-status}"

"""Starts processes in the order of their needs, keeps them alive, stops them in reverse."""

import asyncio
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from .errors import LocalStackError, SpecError, UnknownProcessError
from .restarts import RestartPolicy
from .spec import ProcessSpec
from .supervised import ProcessState, SupervisedProcess


def start_levels(specs: Sequence[ProcessSpec]) -> list[list[ProcessSpec]]:
    """Group `specs` so that each level needs only earlier ones.

    Raises:
        SpecError: two have one name, a need is not among them, or needs run in a circle.
    """
    by_name = {spec.name: spec for spec in specs}
    if len(by_name) < len(specs):
        names = [spec.name for spec in specs]
        twice = sorted({name for name in names if names.count(name) > 1})
        msg = f"more than one process is named {', '.join(twice)}; names must be unique"
        raise SpecError(msg)
    for spec in specs:
        for need in spec.depends_on:
            if need not in by_name:
                msg = f"{spec.name} depends on {need}, which is not among the processes"
                raise SpecError(msg)
    sorter = TopologicalSorter({spec.name: spec.depends_on for spec in specs})
    try:
        sorter.prepare()
    except CycleError as error:
        msg = f"processes depend on each other in a circle: {' → '.join(error.args[1])}"
        raise SpecError(msg) from error
    levels: list[list[ProcessSpec]] = []
    while sorter.is_active():
        names = sorted(sorter.get_ready())
        levels.append([by_name[name] for name in names])
        sorter.done(*names)
    return levels


def _ignore_change() -> None:
    """Nobody wants to know."""


class Supervisor:
    """Keeps a set of processes alive. Must be made inside a running event loop.

    Args:
        specs: the processes.
        logs: folder of the log files.
        policy: how crashes are answered.
        changed: called after every change of any process's state.

    Raises:
        SpecError: the descriptions do not fit together.
    """

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        *,
        logs: Path,
        policy: RestartPolicy | None = None,
        changed: Callable[[], None] = _ignore_change,
    ) -> None:
        """Put the processes in order; `start` begins."""
        self._processes: dict[str, SupervisedProcess] = {}
        self._levels: list[list[SupervisedProcess]] = []
        self._failure: asyncio.Future[LocalStackError] = asyncio.get_running_loop().create_future()
        self._announce = changed
        for level in start_levels(specs):
            made = [self._supervised(spec, logs, policy or RestartPolicy()) for spec in level]
            self._processes.update({process.name: process for process in made})
            self._levels.append(made)

    def _supervised(self, spec: ProcessSpec, logs: Path, policy: RestartPolicy) -> SupervisedProcess:
        needs = [self._processes[name] for name in spec.depends_on]
        log = spec.log or logs / f"{spec.name}.log"
        return SupervisedProcess(spec, log, policy, needs, self._on_change)

    @property
    def processes(self) -> Mapping[str, SupervisedProcess]:
        """All processes by name, in start order."""
        return self._processes

    def start(self) -> None:
        """Start everything; returns at once."""
        for process in self._processes.values():
            process.start()

    async def wait_ready(self, names: Iterable[str] | None = None) -> None:
        """Wait until the named processes (None: all) are ready at one moment.

        Raises:
            UnknownProcessError: a name is not known.
            LocalStackError: a process failed; the error of the first that did.
        """
        chosen = [self[name] for name in (self._processes if names is None else names)]
        ready = asyncio.ensure_future(_all_ready(chosen))
        either: set[asyncio.Future[None] | asyncio.Future[LocalStackError]] = {ready, self._failure}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._failure.done():
            raise self._failure.result()

    async def wait_failed(self) -> LocalStackError:
        """Wait until a process is given up; its error."""
        return await asyncio.shield(self._failure)

    async def stop(self) -> None:
        """Stop everything, the dependants first; one level at a time."""
        for level in reversed(self._levels):
            await asyncio.gather(*(process.stop() for process in level))

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a process; see SupervisedProcess.kill.

        Raises:
            UnknownProcessError: no process has that name.
        """
        self[name].kill(number)

    def __getitem__(self, name: str) -> SupervisedProcess:
        """The process of that name, or UnknownProcessError."""
        try:
            return self._processes[name]
        except KeyError:
            raise UnknownProcessError(name, self._processes) from None

    def _on_change(self, process: SupervisedProcess) -> None:
        if process.state is ProcessState.FAILED and process.failure and not self._failure.done():
            self._failure.set_result(process.failure)
        self._announce()


async def _all_ready(processes: Sequence[SupervisedProcess]) -> None:
    while not all(process.ready.is_set() for process in processes):
        for process in processes:
            await process.ready.wait()
